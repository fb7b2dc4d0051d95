//! Limits and budgets through the real binaries: what is counted, what is given back, parallel processes, kills, damage.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use gate::world::meters;

use crate::support::{COLD, Said, Scratch, git_path, hook_path, json, not_run, run};

/// Processes that send calls at the same moment, calls of each, and calls that the limit allows.
const PARALLEL: (usize, usize, usize) = (64, 4, 100);
/// The same where it is run by name.
const PARALLEL_LONG: (usize, usize, usize) = (64, 200, 100);

fn limit(rest: &str) -> String {
    format!("schema = 1\n[[limit]]\nname = \"sends\"\ncall = {{ tool = \"mcp__mail__send_*\" }}\n{rest}\n")
}

/// A repository under this policy, with what its calls are sent from.
struct Metered {
    scratch: Scratch,
}

impl Metered {
    fn new(policy: &str) -> Self {
        let scratch = Scratch::new();
        scratch.write("portcullis.toml", policy);
        Self { scratch }
    }

    fn event(&self, event: &str, session: &str, call: Option<&str>, rest: &str) -> Said {
        let id = call.map(|call| format!(r#","tool_use_id":"{call}""#)).unwrap_or_default();
        let input = format!(
            r#"{{"session_id":"{session}","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"{event}"{id}{rest}}}"#,
            json(&self.scratch.repo().to_string_lossy())
        );
        run(self.scratch.command(hook_path()).args([event, "claude-code", "50"]), input.as_bytes())
    }

    fn call(&self, event: &str, call: Option<&str>) -> Said {
        let rest = r#","tool_name":"mcp__mail__send_letter","tool_input":{"to":"a"},"tool_response":{"price":{"usd":0.25}}"#;
        self.event(event, "s", call, rest)
    }

    fn before(&self, call: &str) -> String {
        self.call("PreToolUse", Some(call)).short()
    }

    fn bash(&self, command: &str, call: &str) -> Said {
        self.event("PreToolUse", "s", Some(call), &format!(r#","tool_name":"Bash","tool_input":{{"command":{}}}"#, json(command)))
    }

    /// The files of the state whose names begin so.
    fn files(&self, front: &str) -> Vec<PathBuf> {
        let state = self.scratch.home().join(".local/state/portcullis");
        let folders = fs::read_dir(state).unwrap().flatten().map(|entry| entry.path());
        let mut found: Vec<PathBuf> = folders.flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())).collect();
        found.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with(front));
        found
    }
}

#[test]
fn a_limit_stops_what_is_beyond_it_and_says_when_it_opens() {
    let metered = Metered::new(&limit("max = 2\nper = \"1h\"\nover = 4"));
    assert_eq!([metered.before("1"), metered.before("2"), metered.before("3")], ["free", "free", "deny sends"]);
    let text = metered.call("PreToolUse", Some("4")).stderr;
    for part in ["only 2 calls in 1 hour are allowed for this repository", "2 of 2 are used, 0 left; it is allowed again in ", "retry: yes, in "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Other tools, and other repositories, are not counted with it.
    let other = metered.event("PreToolUse", "s", Some("5"), r#","tool_name":"mcp__mail__list","tool_input":{}"#);
    assert_eq!(other.short(), "free");
    assert_eq!(Metered::new(&limit("max = 2\nper = \"1h\"")).before("1"), "free");
}

#[test]
fn a_window_slides() {
    let metered = Metered::new(&limit("max = 1\nper = \"2s\"\nover = 4"));
    assert_eq!([metered.before("1"), metered.before("2")], ["free", "deny sends"]);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(metered.before("3"), "free");
}

#[test]
fn beyond_it_a_person_decides_where_the_limit_says_so() {
    let metered = Metered::new(&limit("max = 0\nper = \"1h\""));
    let said = metered.event("PreToolUse", "s", Some("1"), r#","tool_name":"mcp__mail__send_letter","tool_input":{}"#);
    assert_eq!(said.code, 2, "nobody can be asked in this mode: {said:?}");
    // The hook hands the call over, which is judged twice then: what the first took must not look like room to the second.
    let send = r#","tool_name":"mcp__mail__send_letter","tool_input":{"to":"a"}"#;
    for policy in [limit("max = 2\nper = \"1h\""), budget("per = \"session\"\ncosts = [{ call = { tool = \"mcp__mail__send_*\" }, usd = 0.5 }]")] {
        let metered = Metered::new(&policy);
        let said: Vec<String> = ["1", "2", "3", "4"].map(|call| metered.event("PreToolUse", "s", Some(call), send).short()).to_vec();
        let name = if policy.contains("[[limit]]") { "deny sends" } else { "deny letters" };
        assert_eq!(said, ["free", "free", name, name], "{policy}");
        assert!(metered.event("PreToolUse", "s", None, send).short().starts_with("deny"), "{policy}");
        // What was denied took nothing, and what was let through did.
        metered.call("PermissionDenied", Some("1"));
        assert_eq!(["5", "6"].map(|call| metered.event("PreToolUse", "s", Some(call), send).short()), ["free", name], "{policy}");
    }
    let asked = Scratch::new();
    asked.write("portcullis.toml", &limit("max = 0\nper = \"1h\""));
    let said = asked.hook("PreToolUse", asked.payload("mcp__mail__send_letter", "{}", "default").as_bytes());
    assert_eq!(said.short(), "ask sends", "{said:?}");
    assert!(said.stdout.contains("asked because: `sends` has no room for this call"), "{said:?}");
}

#[test]
fn each_scope_counts_for_itself() {
    let send = r#","tool_name":"mcp__mail__send_letter","tool_input":{}"#;
    let of_agent = |agent: &str| format!(r#","agent_id":"{agent}","agent_type":"x"{send}"#);
    // Session, agent, and whether the second call is beyond the limit.
    for (scope, rest, beyond) in [
        ("session", ("t", send.to_owned()), false),
        ("repo", ("t", send.to_owned()), true),
        ("machine", ("t", send.to_owned()), true),
        ("agent", ("s", of_agent("a")), false),
        ("session", ("s", of_agent("a")), true),
    ] {
        let metered = Metered::new(&limit(&format!("max = 1\nper = \"1h\"\nover = 4\nscope = \"{scope}\"")));
        assert_eq!(metered.before("1"), "free", "{scope}");
        let said = metered.event("PreToolUse", rest.0, Some("2"), &rest.1);
        assert_eq!(said.short(), if beyond { "deny sends" } else { "free" }, "{scope} {rest:?}");
    }
    let metered = Metered::new(&limit("max = 1\nper = \"session\"\nover = 4\nscope = \"session\""));
    assert_eq!([metered.before("1"), metered.before("2")], ["free", "deny sends"]);
}

#[test]
fn a_call_counts_once_whatever_events_it_has() {
    let metered = Metered::new(&limit("max = 2\nper = \"1h\"\nover = 4"));
    assert_eq!(metered.before("1"), "free");
    assert_eq!(metered.call("PermissionRequest", Some("1")).short(), "free");
    assert_eq!(metered.call("PostToolUse", Some("1")).short(), "free");
    assert_eq!([metered.before("2"), metered.before("3")], ["free", "deny sends"]);
    // The client gives its question no id: it belongs to the equal call before it, whose end has one.
    let metered = Metered::new(&limit("max = 2\nper = \"1h\"\nover = 4"));
    for call in ["1", "2"] {
        assert_eq!([metered.before(call), metered.call("PermissionRequest", None).short()], ["free", "free"], "{call}");
    }
    assert_eq!(metered.before("3"), "deny sends");
    metered.call("PermissionDenied", Some("1"));
    assert_eq!([metered.before("4"), metered.call("PermissionRequest", None).short()], ["free", "free"]);
    // Once it ended, an equal one is another one.
    metered.call("PostToolUse", Some("2"));
    metered.call("PostToolUse", Some("4"));
    assert_eq!(metered.call("PermissionRequest", None).short(), "deny sends");
    // Without ids: the question belongs to the call before it, an equal call after its end does not.
    let metered = Metered::new(&limit("max = 2\nper = \"1h\"\nover = 4"));
    let event = |event: &str| metered.call(event, None).short();
    assert_eq!([event("PreToolUse"), event("PermissionRequest"), event("PostToolUse")], ["free", "free", "free"]);
    assert_eq!([event("PreToolUse"), event("PostToolUse"), event("PreToolUse")], ["free", "free", "deny sends"]);
}

#[test]
fn what_did_not_run_is_given_back() {
    for (how, rest) in [("PermissionDenied", None), ("Stop", Some("")), ("SessionEnd", Some("")), ("UserPromptSubmit", Some(r#","prompt":"go on""#))] {
        let metered = Metered::new(&limit("max = 1\nper = \"1h\"\nover = 4"));
        assert_eq!([metered.before("1"), metered.before("2")], ["free", "deny sends"], "{how}");
        match rest {
            None => drop(metered.call(how, Some("1"))),
            Some(rest) => drop(metered.event(how, "s", None, rest)),
        }
        assert_eq!([metered.before("3"), metered.before("4")], ["free", "deny sends"], "{how}");
        // What ran stays counted.
        metered.call("PostToolUse", Some("3"));
        metered.event("Stop", "s", None, "");
        assert_eq!(metered.before("5"), "deny sends", "{how}");
    }
}

#[test]
fn another_sessions_turn_gives_nothing_back() {
    let metered = Metered::new(&limit("max = 1\nper = \"1h\"\nover = 4"));
    assert_eq!(metered.before("1"), "free");
    metered.event("Stop", "other", None, "");
    assert_eq!(metered.before("2"), "deny sends");
}

#[test]
fn what_another_rule_denies_uses_nothing() {
    let policy = "schema = 1\n[[limit]]\nname = \"pushes\"\nrun = { program = \"git\", subcommand = \"push\" }\nmax = 1\nper = \"1h\"\nover = 4\n";
    let metered = Metered::new(policy);
    for call in ["1", "2"] {
        assert_eq!(metered.bash("git push --force origin main", call).short(), "deny force-push");
    }
    assert_eq!([metered.bash("git push", "3").short(), metered.bash("git push", "4").short()], ["free", "deny pushes"]);
    // Each action of a call counts, and a call that does not fit uses nothing.
    let metered = Metered::new(&policy.replace("max = 1", "max = 3"));
    assert_eq!(metered.bash("git push; git push", "1").short(), "free");
    assert_eq!(metered.bash("git push && git push", "2").short(), "deny pushes");
    assert_eq!([metered.bash("git push", "3").short(), metered.bash("git push", "4").short()], ["free", "deny pushes"]);
    // Text about it is not it.
    assert_eq!(metered.bash("echo git push; git commit -m 'git push'", "5").short(), "free");
}

#[test]
fn a_shadowed_limit_counts_and_stops_nothing() {
    let metered = Metered::new(&limit("max = 1\nper = \"1h\"\nover = 4").replace("schema = 1", "schema = 1\nmode = \"shadow\""));
    assert_eq!([metered.before("1"), metered.before("2")], ["free", "free"]);
}

fn budget(rest: &str) -> String {
    format!("schema = 1\n[[budget]]\nname = \"letters\"\nusd = 1.00\n{rest}\n")
}

#[test]
fn a_budget_adds_up_what_calls_cost() {
    let costs = r#"costs = [{ call = { tool = "mcp__mail__send_*" }, usd = 0.4 }]"#;
    let metered = Metered::new(&budget(&format!("per = \"branch\"\nover = 4\n{costs}")));
    for call in ["1", "2"] {
        assert_eq!(metered.before(call), "free");
    }
    // 80 % are told once, after the call.
    let told = metered.call("PostToolUse", Some("2")).stdout;
    assert!(told.contains("0.80 of 1.00 USD are spent on this branch"), "{told}");
    let denied = metered.call("PreToolUse", Some("3"));
    assert!(denied.stderr.contains("0.80 of 1.00 USD are spent on this branch; this call costs 0.40"), "{denied:?}");
    assert_eq!(metered.call("PostToolUse", Some("2")).stdout, "");
    // Another branch has its own.
    metered.scratch.write(".git/HEAD", "ref: refs/heads/other\n");
    assert_eq!(metered.before("4"), "free");
}

#[test]
fn a_question_says_what_the_call_costs() {
    let rule = "[[rule]]\nname = \"calls\"\ntier = 3\ncall = { tool = \"mcp__phone__*\" }\nreason = \"it rings\"\ninstead = \"write\"\ncatches = [{ call = { tool = \"mcp__phone__call\" } }]\nspares = [{ call = { tool = \"mcp__mail__list\" } }]\n";
    // Two budgets count the same money, and one of them twice for two rows.
    let other =
        budget("per = \"session\"\ncosts = [{ call = { tool = \"mcp__phone__call\" }, usd = 0.0083 }]").replace("schema = 1\n", "").replace("letters", "other");
    let costs = r#"costs = [{ call = { tool = "mcp__phone__call" }, usd = 0.02 }, { call = { tool = "mcp__phone__call" }, usd = 0.005 }]"#;
    let metered = Metered::new(&format!("{}{rule}{other}", budget(&format!("per = \"day\"\n{costs}"))));
    let asked = |tool: &str, mode: &str| {
        let payload = metered.scratch.payload(tool, "{}", mode);
        run(metered.scratch.command(hook_path()).args(["PreToolUse", "claude-code", "50"]), payload.as_bytes())
    };
    let said = asked("mcp__phone__call", "default");
    assert!(said.short() == "ask calls" && said.stdout.contains("\\ncosts: 0.0250 USD\\n"), "{said:?}");
    let said = asked("mcp__phone__call", "bypassPermissions");
    assert!(said.code == 2 && said.stderr.contains("\ncosts: 0.0250 USD\n"), "{said:?}");
    let listed = run(metered.scratch.command(COLD).env_remove("CLAUDE_PROJECT_DIR").args(["approvals", "--json"]), b"").stdout;
    assert!(listed.contains("mcp__phone__call"), "{listed}");
    let said = asked("mcp__phone__hang_up", "default");
    assert!(said.short() == "ask calls" && !said.stdout.contains("costs:"), "{said:?}");
}

#[test]
fn a_run_begins_with_a_prompt() {
    let costs = r#"costs = [{ call = { tool = "mcp__mail__send_*" }, usd = 1 }]"#;
    let metered = Metered::new(&budget(&format!("per = \"run\"\nover = 4\n{costs}")));
    assert_eq!([metered.before("1"), metered.before("2")], ["free", "deny letters"]);
    metered.call("PostToolUse", Some("1"));
    metered.event("UserPromptSubmit", "s", None, r#","prompt":"<task-notification>done</task-notification>""#);
    assert_eq!(metered.before("3"), "deny letters");
    metered.event("UserPromptSubmit", "s", None, r#","prompt":"once more""#);
    assert_eq!([metered.before("4"), metered.before("5")], ["free", "deny letters"]);
}

#[test]
fn a_damaged_file_denies_until_a_person_resets_it() {
    let costs = r#"costs = [{ call = { tool = "mcp__mail__send_*" }, usd = 0.01 }]"#;
    let policy = format!("{}\n{}", limit("max = 9\nper = \"1h\""), budget(&format!("per = \"session\"\n{costs}")).replace("schema = 1\n", ""));
    for (front, at) in [("limit.", 3), ("limit.", 40), ("passing.", 4096 + 3), ("passing.", 4096 + 50)] {
        let metered = Metered::new(&policy);
        assert_eq!(metered.before("1"), "free");
        let [file] = metered.files(front).try_into().unwrap();
        let mut bytes = fs::read(&file).unwrap();
        bytes[at] ^= 0x55;
        fs::write(&file, &bytes).unwrap();
        let said = metered.call("PreToolUse", Some("2"));
        assert_eq!(said.short(), "failure", "{front} {at}");
        assert!(said.stderr.contains("is damaged") && said.stderr.contains("portcullis state reset"), "{said:?}");
        // Calls that no limit speaks of are not concerned.
        assert_eq!(metered.bash("ls", "3").short(), "free");
        let started = metered.event("SessionStart", "s", None, r#","source":"startup""#);
        assert!(started.stdout.contains("is damaged"), "{started:?}");
        let reset = run(metered.scratch.command(COLD).args(["state", "reset", "--yes"]), b"");
        assert_eq!(reset.code, 0, "{reset:?}");
        assert_eq!(metered.before("4"), "free", "{front} {at}");
        let kept = metered.files(front).iter().any(|path| fs::read(path).unwrap() == bytes);
        assert!(kept, "the damaged bytes are gone: {front}");
    }
}

#[test]
fn files_of_what_is_over_are_removed() {
    let costs = r#"costs = [{ call = { tool = "mcp__mail__send_*" }, usd = 0.01 }]"#;
    let budget = |name: &str, per: &str| budget(&format!("per = \"{per}\"\n{costs}")).replace("schema = 1\n", "").replace("letters", name);
    let limit = limit("max = 9\nper = \"session\"\nscope = \"session\"");
    let metered = Metered::new(&format!("{limit}\n{}\n{}", budget("a", "day"), budget("b", "branch")));
    assert_eq!(metered.before("1"), "free");
    let kinds = || ["limit.", "passing.", "budget."].map(|front| metered.files(front).len());
    assert_eq!(kinds(), [1, 1, 1]);
    let aged = |days: u64| {
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
        for path in ["limit.", "passing.", "budget."].iter().flat_map(|front| metered.files(front)) {
            fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        }
        metered.event("SessionStart", "other", None, r#","source":"startup""#);
    };
    aged(31);
    assert_eq!(kinds(), [1, 1, 1]);
    // What is spent on a branch stays spent.
    aged(33);
    assert_eq!(kinds(), [0, 0, 1]);
}

#[test]
fn a_folder_that_takes_nothing_denies_what_is_counted() {
    let metered = Metered::new(&limit("max = 9\nper = \"1h\""));
    assert_eq!(metered.before("1"), "free");
    let [calls] = metered.files("calls.store").try_into().unwrap();
    fs::remove_file(&calls).unwrap();
    fs::create_dir(&calls).unwrap();
    assert_eq!(metered.before("2"), "failure");
    assert_eq!(metered.bash("ls", "3").short(), "free");
}

/// Sends calls from parallel processes, and gives how many were let through.
fn passed(metered: &Metered, (processes, calls, _): (usize, usize, usize)) -> usize {
    std::thread::scope(|scope| {
        let one = |process: usize| (0..calls).filter(|call| metered.before(&format!("{process}-{call}")) == "free").count();
        let all: Vec<_> = (0..processes).map(|process| scope.spawn(move || one(process))).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    })
}

#[test]
fn parallel_processes_together_take_no_more_than_there_is() {
    let metered = Metered::new(&limit(&format!("max = {}\nper = \"1h\"\nover = 4", PARALLEL.2)));
    assert_eq!(passed(&metered, PARALLEL), PARALLEL.2);
}

#[test]
#[ignore = "takes minutes"]
fn many_calls_of_parallel_processes_together_take_no_more_than_there_is() {
    let metered = Metered::new(&limit(&format!("max = {}\nper = \"1h\"\nover = 4", PARALLEL_LONG.2)));
    assert_eq!(passed(&metered, PARALLEL_LONG), PARALLEL_LONG.2);
}

/// The hook is killed at each of its system calls in turn. After each kill the state is whole, and what was counted before
/// still is; of the killed call at most one is counted.
#[test]
fn a_kill_at_any_system_call_loses_nothing() {
    if Command::new("strace").arg("-V").output().is_err() {
        not_run("strace");
        return;
    }
    let (mut kills, mut taken) = (0, 0);
    let metered = Metered::new(&limit("max = 2000\nper = \"1h\"\nover = 4"));
    assert_eq!(metered.before("first"), "free");
    taken += 1;
    let traced = |call: &str, options: &[&str]| {
        let input = format!(
            r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"default","hook_event_name":"PreToolUse","tool_name":"mcp__mail__send_letter","tool_input":{{}},"tool_use_id":"{call}"}}"#,
            json(&metered.scratch.repo().to_string_lossy())
        );
        let mut command = metered.scratch.command("strace");
        command.args(["-qq", "-o"]).args(options).args([hook_path(), "PreToolUse", "claude-code", "50"]);
        run(&mut command, input.as_bytes()).code
    };
    let trace = metered.scratch.home().join("trace");
    assert_eq!(traced("traced", &[trace.to_str().unwrap()]), 0);
    taken += 1;
    // strace counts the calls of each name. The first is the start of the program itself.
    let text = fs::read_to_string(&trace).unwrap();
    let names: Vec<&str> = text.lines().skip(1).filter_map(|line| Some(line.split_once('(')?.0)).collect();
    for (at, name) in names.iter().enumerate() {
        let nth = names[..=at].iter().filter(|other| *other == name).count();
        if traced(&format!("killed-{at}"), &["/dev/null", "-e", &format!("inject={name}:signal=SIGKILL:when={nth}")]) == 0 {
            // The way was a little shorter than the one that was traced.
            taken = left_of(&metered);
            continue;
        }
        kills += 1;
        let left = left_of(&metered);
        assert!(left == taken || left == taken + 1, "kill {at}: {left} counted, {taken} before it");
        taken = left;
        assert_eq!(metered.before(&format!("after-{at}")), "free", "kill {at}");
        taken += 1;
        assert_eq!(left_of(&metered), taken, "kill {at}");
    }
    assert!(kills > 60 && kills * 4 > names.len() * 3, "only {kills} kills at {} system calls", names.len());
}

/// Kills of the long form, and how many of them must fall between taking a lock and giving it back.
const KILLS: (usize, usize) = (300, 30);

/// The same until there were many kills; and how many came while the hook had a lock, by its trace.
#[test]
#[expect(clippy::print_stdout, reason = "the figures")]
fn three_hundred_kills_lose_nothing() {
    if Command::new("strace").arg("-V").output().is_err() {
        not_run("strace");
        return;
    }
    let metered = Metered::new(&limit("max = 5000\nper = \"1h\"\nover = 4"));
    assert_eq!(metered.before("first"), "free");
    let (mut kills, mut locked, mut lost, mut taken, mut round, mut at) = (0, 0, 0, 1, 0, 0);
    let trace = metered.scratch.home().join("trace");
    while kills < KILLS.0 || locked < KILLS.1 {
        at += 1;
        assert!(round < 40, "{kills} kills, {locked} under a lock, after {round} rounds");
        let input = format!(
            r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"default","hook_event_name":"PreToolUse","tool_name":"mcp__mail__send_letter","tool_input":{{}},"tool_use_id":"killed-{round}-{at}"}}"#,
            json(&metered.scratch.repo().to_string_lossy())
        );
        let mut command = metered.scratch.command("strace");
        command.arg("-qq").arg("-o").arg(&trace).args(["-e", &format!("inject=all:signal=SIGKILL:when={at}")]).args([
            hook_path(),
            "PreToolUse",
            "claude-code",
            "50",
        ]);
        if run(&mut command, input.as_bytes()).code == 0 {
            (taken, round, at) = (left_of(&metered), round + 1, 0);
            continue;
        }
        kills += 1;
        locked += usize::from(has_lock(&fs::read_to_string(&trace).unwrap()));
        let left = left_of(&metered);
        lost += taken.saturating_sub(left);
        assert!(left <= taken + 1, "kill {at}: {left} counted, {taken} before it");
        taken = left;
    }
    println!("{kills} kills, {locked} while a lock was held, {lost} counts lost");
    assert_eq!((lost, metered.before("after")), (0, "free".to_owned()));
}

/// Whether a process whose system calls these are had a lock at the end.
fn has_lock(trace: &str) -> bool {
    let mut held: Vec<&str> = Vec::new();
    for line in trace.lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let descriptor = rest.split([',', ')']).next().unwrap_or_default();
        let done = line.ends_with("= 0");
        match name {
            "flock" if done && rest.contains("LOCK_UN") => held.retain(|one| *one != descriptor),
            "flock" if done => held.push(descriptor),
            "fcntl" if done && rest.contains("SETLK") && rest.contains("F_UNLCK") => held.retain(|one| *one != descriptor),
            "fcntl" if done && rest.contains("SETLK") => held.push(descriptor),
            "close" => held.retain(|one| *one != descriptor),
            _ => {}
        }
    }
    !held.is_empty()
}

/// Calls that a store saw in the long form, if `PORTCULLIS_CALLS` does not say.
const MANY: usize = 1_000_000;

/// A call costs the same system calls, and reads as much, however many calls the store has seen; and the store does not grow.
#[test]
#[ignore = "takes many minutes"]
#[expect(clippy::print_stdout, reason = "the figures")]
fn a_store_that_saw_many_calls_costs_the_same() {
    let costs = r#"costs = [{ call = { tool = "mcp__mail__send_*" }, usd = 0.000001 }]"#;
    let limits = limit("max = 100\nper = \"1m\"\nover = 4");
    let metered = Metered::new(&format!("{limits}\n{}\n[stall]\n", budget(&format!("per = \"branch\"\n{costs}")).replace("schema = 1\n", "")));
    let wanted = std::env::var("PORTCULLIS_CALLS").ok().and_then(|text| text.parse().ok()).unwrap_or(MANY);
    let world = metered.scratch.world();
    let call = |event: &str, at: usize| {
        let rest = if event == "PostToolUse" { r#","tool_response":{}"# } else { "" };
        format!(
            r#"{{"session_id":"s{}","transcript_path":"/t","cwd":{},"permission_mode":"default","hook_event_name":"{event}","tool_name":"mcp__mail__send_letter","tool_input":{{"n":{at}}},"tool_use_id":"c{at}"{rest}}}"#,
            at / 20_000,
            json(&metered.scratch.repo().to_string_lossy())
        )
    };
    let answer = |event: &str, at: usize| {
        let invocation = clients::Invocation::new(Some(event), Some("claude-code"));
        gate::call::answer(&invocation, call(event, at).as_bytes(), &world, &portcullis::deep::Cold).unwrap().code
    };
    let size = || metered.files("").iter().filter(|path| !path.to_string_lossy().contains("record")).map(|path| fs::metadata(path).unwrap().len()).sum::<u64>();
    // System calls of one call, and the bytes that they read.
    let cost = |at: usize| {
        let trace = metered.scratch.home().join("trace");
        let mut command = metered.scratch.command("strace");
        command.arg("-qq").arg("-o").arg(&trace).args([hook_path(), "PreToolUse", "claude-code", "50"]);
        run(&mut command, call("PreToolUse", at).as_bytes());
        let text = fs::read_to_string(&trace).unwrap();
        let read =
            text.lines().filter(|line| line.starts_with("read") || line.starts_with("pread")).filter_map(|line| line.rsplit_once("= ")?.1.parse::<i64>().ok());
        (text.lines().count(), read.filter(|bytes| *bytes > 0).sum::<i64>())
    };
    // The store itself sees most of them: what stands before it is the same for each.
    let of_limit = policy::Limit { max: 100, window: 60_000, scope: policy::MeterScope::Repository, over: policy::Tier::Prohibited };
    let of_budget = policy::Budget {
        name: "letters",
        place: "p",
        layer: policy::Layer::Project,
        micro: 1_000_000,
        per: policy::Period::Branch,
        warn: 80,
        over: policy::Tier::Prohibited,
        tokens: false,
        needs_transcript: false,
        fleet: false,
        shadow: false,
        reason: "",
        instead: "",
    };
    let finding = |name: &str| policy::verdict::Finding::of_section("project", name, "p", policy::Tier::Metered, false);
    let uses = [
        policy::decide::Metered { meter: policy::Meter::Limit(of_limit), times: 1, finding: finding("sends") },
        policy::decide::Metered { meter: policy::Meter::Cost(policy::Cost { budget: "letters", micro: 1, at: "" }), times: 1, finding: finding("letters") },
    ];
    let in_store = |at: usize| {
        let invocation = clients::Invocation::new(Some("PreToolUse"), Some("claude-code"));
        let event = invocation.read(call("PreToolUse", at).as_bytes()).unwrap();
        let around = world.around(&event).unwrap();
        let identity = meters::CallIdentity::of(&event);
        let fits = |uses: &[meters::MeterUse]| uses.iter().all(meters::MeterUse::fits);
        meters::standing(&uses, std::slice::from_ref(&of_budget), &around, identity, None, fits).unwrap();
        let how = if at.is_multiple_of(50_000) { meters::CallEnd::Ran } else { meters::CallEnd::DidNotRun };
        meters::end(identity.unwrap(), how, &around, &[], None).unwrap();
    };
    let mut seen = Vec::new();
    let begun = std::time::Instant::now();
    for at in 0..wanted {
        match at {
            ..500 if answer("PreToolUse", at) == 0 => drop(answer("PostToolUse", at)),
            ..500 => {}
            _ => in_store(at),
        }
        if [2_000, wanted - 1].contains(&at) {
            seen.push((at, size(), cost(wanted + 2 * at), cost(wanted + 2 * at + 1)));
        }
    }
    println!("{wanted} calls in {:?}; calls seen, bytes of the store, system calls and bytes read of two calls:\n{seen:#?}", begun.elapsed());
    let [(_, few_bytes, _, few), (_, many_bytes, _, many)] = seen[..] else { panic!("{seen:?}") };
    assert!(many_bytes <= few_bytes * 2 && many.0 <= few.0 + 4 && many.1 <= few.1 + few.1 / 10, "{seen:?}");
}

/// How many calls the file of the limit counts.
fn left_of(metered: &Metered) -> usize {
    let [file] = metered.files("limit.").try_into().unwrap();
    let bytes = fs::read(file).unwrap();
    bytes.chunks(32).skip(1).filter(|slot| slot.iter().any(|byte| *byte != 0)).count()
}

#[test]
fn a_limit_on_all_calls_counts_each() {
    let metered = Metered::new("schema = 1\n[[limit]]\nname = \"floor\"\nmax = 3\nper = \"session\"\nscope = \"session\"\nover = 4\n");
    assert_eq!([metered.bash("ls", "1").short(), metered.before("2"), metered.bash("pwd", "3").short()], ["free", "free", "free"]);
    let said = metered.bash("ls", "4");
    assert_eq!(said.short(), "deny floor");
    assert!(said.stderr.contains("only 3 calls in a session are allowed for this session") && said.stderr.contains("found: a tool call"), "{said:?}");
}

#[test]
fn mistakes_in_limits_and_budgets_have_their_place() {
    for (policy, what) in [
        ("[[limit]]\nname = \"a\"\nmax = 20000\nper = \"1h\"\n", "`max` is 20000"),
        ("[[limit]]\nname = \"a\"\nmax = 1\nper = \"1 hour\"\n", "`1 hour` is no window"),
        ("[[limit]]\nname = \"a\"\nmax = 1\nper = \"session\"\n", "needs a scope within a session"),
        ("[[limit]]\nname = \"a\"\nmax = 1\nper = \"1h\"\nover = 2\n", "`over` of this tier stops nothing"),
        ("[[limit]]\nname = \"a\"\nmax = 1\nper = \"1h\"\nscope = \"galaxy\"\n", "unknown scope `galaxy`"),
        ("[[limit]]\nname = \"force-push\"\nmax = 1\nper = \"1h\"\n", "the name `force-push` is taken"),
        ("[[budget]]\nname = \"a\"\nusd = -1\nper = \"day\"\ncosts = [{ run = { program = \"x\" }, usd = 1 }]\n", "`usd` is no amount of money"),
        ("[[budget]]\nname = \"a\"\nusd = 1\nper = \"week\"\ncosts = [{ run = { program = \"x\" }, usd = 1 }]\n", "unknown period `week`"),
        ("[[budget]]\nname = \"a\"\nusd = 1\nper = \"day\"\ncosts = [{ run = { program = \"x\" } }]\n", "a cost without a price"),
        ("[stall]\nrepeat = 1\n", "`repeat` is 1"),
        ("[stall]\nladder = [\"shout\"]\n", "unknown step of the ladder `shout`"),
        ("[[result]]\nname = \"a\"\ncall = { tool = \"x\" }\nholds = \"stop\"\nreason = \"r\"\n", "`holds` without `follow`"),
    ] {
        let metered = Metered::new(&format!("schema = 1\n{policy}"));
        let said = metered.bash("ls", "1");
        assert_eq!(said.short(), "failure", "{policy}");
        assert!(said.stderr.contains(what) && said.stderr.contains("portcullis.toml:"), "{policy}: {}", said.stderr);
    }
}

#[test]
fn a_push_that_an_agent_makes_counts_once_and_a_persons_own_does_not_count() {
    let policy = "schema = 1\n[[limit]]\nname = \"pushes\"\npush = {}\nmax = 1\nper = \"1h\"\nover = 4\n";
    let metered = Metered::new(policy);
    assert_eq!(metered.bash("git push origin main", "1").short(), "free");
    let zero = "0".repeat(40);
    let lines = format!("refs/heads/main {zero} refs/heads/main {zero}\n");
    let by_git = || run(metered.scratch.command(git_path()).args(["pre-push", "origin", "https://example.org/x.git"]), lines.as_bytes());
    let inside = by_git();
    assert!(!inside.stderr.contains("pushes"), "{inside:?}");
    assert_eq!(metered.bash("git push origin main", "2").short(), "deny pushes");
    let persons = by_git();
    assert!(!persons.stderr.contains("pushes"), "{persons:?}");
}

#[test]
fn explain_looks_at_limits_and_uses_none() {
    let metered = Metered::new("schema = 1\n[[limit]]\nname = \"listings\"\nrun = { program = \"ls\" }\nmax = 1\nper = \"1h\"\nover = 4\n");
    let explain = || run(metered.scratch.command(COLD).args(["explain", "--", "ls"]), b"").stdout;
    assert!(!explain().contains("prohibited") && !explain().contains("prohibited"));
    assert_eq!(metered.bash("ls", "1").short(), "free");
    assert!(explain().contains("prohibited (tier 4), by `listings`"), "{}", explain());
}

#[test]
fn the_worked_example_of_the_document_is_true() {
    let page = fs::read_to_string(crate::support::package().join("docs/limits.md")).unwrap();
    let (_, example) = page.split_once("cat >> portcullis.toml <<'END'\n").unwrap();
    let (policy, _) = example.split_once("END\n").unwrap();
    let metered = Metered::new(&format!("schema = 1\n{policy}"));
    let state = run(metered.scratch.command(COLD).env_remove("CLAUDE_PROJECT_DIR").args(["state"]), b"").stdout;
    assert!(page.contains(state.trim()), "{state}");
    assert_eq!([metered.before("1"), metered.before("2")], ["free", "free"]);
    let said = metered.call("PreToolUse", Some("3"));
    // However long it takes until then.
    let (_, rest) = said.stderr.split_once("it is allowed again in ").unwrap();
    let text = said.stderr.replace(rest.lines().next().unwrap(), "59 min 12 s");
    assert!(crate::docs::blocks(&page, "text").iter().any(|block| block.trim_end() == text.trim_end()), "{text}");
}
