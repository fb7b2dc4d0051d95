//! Limits of a fleet on a real Redis server. Each test starts one on a free local port. Without redis-server the tests are skipped.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::support::{COLD, Said, Scratch, hook_path, json, not_run, run};

/// Processes that send calls at the same moment, calls of each, and calls that the limit allows.
const PARALLEL: (usize, usize, usize) = (16, 8, 50);

/// A server of the test's own.
struct Engine {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Engine {
    /// `None`: the server is not installed.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::at(port)
    }

    fn at(port: u16) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxmemory", "8mb", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            not_run("redis-server");
            return None;
        };
        let engine = Self { child, port, folder };
        for _ in 0..200 {
            if engine.command(&["PING"]).contains("PONG") {
                return Some(engine);
            }
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
        panic!("the server does not answer in {}", engine.folder.path().display());
    }

    fn command(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-CONT", &self.child.id().to_string()]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One machine of a fleet.
struct Machine {
    scratch: Scratch,
}

impl Machine {
    fn new(port: u16, max: usize, rest: &str) -> Self {
        let scratch = Scratch::new();
        let user = scratch.home().join(".config/portcullis");
        fs::create_dir_all(&user).unwrap();
        fs::write(user.join("portcullis.toml"), format!("schema = 1\n[store]\nengine = \"redis://127.0.0.1:{port}/0\"\n{rest}")).unwrap();
        let machine = Self { scratch };
        machine.count(&format!(
            "[[limit]]\nname = \"sends\"\ncall = {{ tool = \"mcp__mail__send_*\" }}\nmax = {max}\nper = \"1h\"\nscope = \"fleet\"\nover = 4\n"
        ));
        machine
    }

    /// Counts this instead.
    fn count(&self, what: &str) {
        self.scratch.write("portcullis.toml", &format!("schema = 1\n{what}"));
    }

    fn event(&self, event: &str, call: &str) -> Said {
        let input = format!(
            r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"{event}","tool_name":"mcp__mail__send_letter","tool_input":{{}},"tool_response":{{"price":0.5}},"tool_use_id":"{call}"}}"#,
            json(&self.scratch.repo().to_string_lossy())
        );
        run(self.scratch.command(hook_path()).args([event, "claude-code", "50"]), input.as_bytes())
    }

    fn before(&self, call: &str) -> String {
        self.event("PreToolUse", call).short()
    }
}

#[test]
fn machines_share_a_limit() {
    let Some(engine) = Engine::start() else { return };
    let (one, other) = (Machine::new(engine.port, 3, ""), Machine::new(engine.port, 3, ""));
    assert_eq!([one.before("1"), other.before("2")], ["free", "free"]);
    // Its question and its end are the same call.
    assert_eq!(one.event("PermissionRequest", "1").short(), "free");
    assert_eq!(one.event("PostToolUse", "1").short(), "free");
    assert_eq!([other.before("3"), one.before("4")], ["free", "deny sends"]);
    let text = one.event("PreToolUse", "5").stderr;
    assert!(text.contains("only 3 calls in 1 hour are allowed for all machines of this fleet") && text.contains("3 of 3 are used, 0 left"), "{text}");
    // What did not run is given back.
    other.event("PermissionDenied", "2");
    assert_eq!([one.before("6"), other.before("7")], ["free", "deny sends"]);
}

#[test]
fn machines_share_a_budget() {
    let Some(engine) = Engine::start() else { return };
    for (price, answers) in [("", ["free", "free", "deny letters", "free"]), (", usd_at = \"/price\"", ["free", "free", "free", "free"])] {
        engine.command(&["FLUSHALL"]);
        let (one, other) = (Machine::new(engine.port, 3, ""), Machine::new(engine.port, 3, "unreachable = \"local\"\n"));
        let cost = format!("costs = [{{ call = {{ tool = \"mcp__mail__send_*\" }}, usd = 1.0{price} }}]");
        for machine in [&one, &other] {
            machine.count(&format!("[[budget]]\nname = \"letters\"\nusd = 2.5\nper = \"day\"\nscope = \"fleet\"\nover = 4\n{cost}\n"));
        }
        assert_eq!(one.before("1"), answers[0]);
        // Its question and its end are the same call.
        assert_eq!(one.event("PermissionRequest", "1").short(), "free");
        one.event("PostToolUse", "1");
        one.event("PostToolUse", "1");
        assert_eq!(other.before("2"), answers[1]);
        assert_eq!(one.before("3"), answers[2], "{price}");
        let state = run(other.scratch.command(COLD).args(["state", "--json"]), b"").stdout;
        let used = if price.is_empty() { "2.00" } else { "2.50" };
        assert!(state.contains(&format!("\"used_usd\": \"{used}\"")), "{state}");
        // What did not run is given back.
        other.event("PermissionDenied", "2");
        assert_eq!(one.before("4"), answers[3]);
        assert!(one.event("PreToolUse", "5").stderr.contains("of 2.50 USD are spent today"));
    }
    // While the engine is not there, a machine counts for itself where the policy says so.
    let machine = Machine::new(engine.port, 3, "unreachable = \"local\"\n");
    machine.count(
        "[[budget]]\nname = \"letters\"\nusd = 1.5\nper = \"day\"\nscope = \"fleet\"\nover = 4\ncosts = [{ call = { tool = \"mcp__mail__*\" }, usd = 1 }]\n",
    );
    drop(engine);
    assert_eq!([machine.before("1"), machine.before("2")], ["free", "deny letters"]);
}

#[test]
fn a_call_under_many_limits_ends_in_each() {
    let Some(engine) = Engine::start() else { return };
    let machine = Machine::new(engine.port, 3, "");
    let limit = |name: &str, scope: &str| {
        format!("[[limit]]\nname = \"{name}\"\ncall = {{ tool = \"mcp__mail__send_*\" }}\nmax = 9\nper = \"1h\"\nscope = \"{scope}\"\nover = 4\n")
    };
    let limits = ["a", "b", "c", "d"].map(|name| limit(name, "repo")).concat();
    machine.count(&format!("{limits}{}", limit("shared", "fleet")));
    assert_eq!(machine.before("1"), "free");
    machine.event("PostToolUse", "1");
    let ran = |set: &str| {
        let keys = engine.command(&["--raw", "KEYS", &format!("*:{set}")]);
        keys.lines().filter(|key| !key.is_empty()).map(|key| engine.command(&["ZCARD", key])).collect::<String>()
    };
    assert_eq!((ran("ran").trim(), ran("open").trim()), ("1", ""));
}

#[test]
#[ignore = "takes minutes"]
#[expect(clippy::print_stdout, reason = "the figures")]
fn many_calls_of_a_fleet_together_take_no_more_than_there_is() {
    let Some(engine) = Engine::start() else { return };
    let (passed, counted) = sent(&engine, (64, 200, 100));
    println!("64 processes of 4 machines, 200 calls each, 100 allowed: {passed} passed, {counted} counted");
    assert!(passed <= 100 && counted == 100, "{passed} passed, {counted} counted");
}

/// Sends calls of four machines from parallel processes. How many passed, and how many the engine counts.
fn sent(engine: &Engine, (processes, calls, max): (usize, usize, usize)) -> (usize, usize) {
    let machines: Vec<Machine> = (0..4).map(|_| Machine::new(engine.port, max, "unreachable = \"deny\"\n")).collect();
    let passed: usize = std::thread::scope(|scope| {
        let machines = &machines;
        let one = move |process: usize| (0..calls).filter(|call| machines[process % 4].before(&format!("{process}-{call}")) == "free").count();
        let all: Vec<_> = (0..processes).map(|process| scope.spawn(move || one(process))).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    let count = "local n = 0; for _, key in ipairs(redis.call('KEYS', '*')) do n = n + redis.call('ZCARD', key) end; return n";
    let counted = engine.command(&["--raw", "EVAL", count, "0"]).trim().parse().unwrap();
    (passed, counted)
}

#[test]
fn parallel_processes_of_a_fleet_together_take_no_more_than_there_is() {
    let Some(engine) = Engine::start() else { return };
    let max = PARALLEL.2;
    // A busy engine may be too late for a call, which is then denied. More than there is never pass.
    let (passed, counted) = sent(&engine, PARALLEL);
    assert!(passed <= max && counted <= max && counted >= passed, "{passed} passed, {counted} counted");
}

#[test]
fn an_engine_that_gives_no_answer_denies_or_leaves_it_to_the_machine() {
    let Some(engine) = Engine::start() else { return };
    let (strict, own) = (Machine::new(engine.port, 2, ""), Machine::new(engine.port, 2, "unreachable = \"local\"\n"));
    assert_eq!(strict.before("1"), "free");
    engine.signal("-STOP");
    let said = strict.event("PreToolUse", "2");
    assert_eq!(said.short(), "failure");
    assert!(said.stderr.contains("`[store]`") && said.stderr.contains("redis://127.0.0.1"), "{said:?}");
    engine.signal("-CONT");
    assert_eq!(strict.before("3"), "free");
    let port = engine.port;
    drop(engine);
    assert_eq!(strict.before("4"), "failure");
    assert_eq!([own.before("5"), own.before("6"), own.before("7")], ["free", "free", "deny sends"]);
    // Begun anew it is empty, and counts on.
    let Some(engine) = Engine::at(port) else { return };
    assert_eq!([strict.before("8"), strict.before("9"), strict.before("10")], ["free", "free", "deny sends"]);
    // A value of another type, and no room.
    let keys = engine.command(&["--raw", "KEYS", "*"]);
    let key = keys.lines().find(|key| key.ends_with(":open")).unwrap();
    engine.command(&["SET", key, "text"]);
    assert_eq!(strict.before("11"), "failure");
    engine.command(&["DEL", key]);
    assert_eq!(strict.before("12"), "free");
    // A full engine refuses the call, or counts it; a call that is let through is counted.
    engine.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let counted = || engine.command(&["ZCARD", key]);
    let (before, said) = (counted(), strict.before("13"));
    assert!(said == "failure" || (said == "free" && counted() != before), "{said}");
}

#[test]
fn a_fleet_needs_a_store_that_a_repository_does_not_choose() {
    let fleet = "[[limit]]\nname = \"sends\"\nmax = 1\nper = \"1h\"\nscope = \"fleet\"\n";
    for (policy, what) in [
        (format!("schema = 1\n{fleet}"), "`scope = \"fleet\"` without a `[store]`"),
        (format!("schema = 1\n[store]\nengine = \"redis://127.0.0.1:1/0\"\n{fleet}"), "`[store]` is not allowed in the project layer"),
    ] {
        let scratch = Scratch::new();
        scratch.write("portcullis.toml", &policy);
        let said = scratch.bash("ls");
        assert!(said.stderr.contains(what), "{policy}: {said:?}");
    }
}
