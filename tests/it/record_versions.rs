//! Two versions in turn on one record and one state: an earlier one that was really built, and this one.
//!
//! Run by hand or by a timer, with the programs of an earlier commit in a folder:
//!
//! ```sh
//! git archive 6024cd9 | tar -x -C /tmp/earlier && cd /tmp/earlier
//! cargo build --locked --bin portcullis && cargo build --locked -p gate --bin portcullis-hook
//! PORTCULLIS_EARLIER=/tmp/earlier/target/debug cargo test --test it -- record_versions --ignored
//! ```

use std::fs;
use std::path::PathBuf;

use gate::chain::LineLink;
use gate::record::Entry;
use gate::world::record;
use serde_json::Value;

use crate::cli_init::files;
use crate::support::{COLD, Said, Scratch, hook_path, run};

/// A limit on commands that both versions count.
const POLICY: &str = "schema = 1\n[[limit]]\nname = \"builds\"\nrun = { program = \"make\" }\nmax = 5\nper = \"1h\"\nover = 4\n\n[[budget]]\nname = \"paid\"\nusd = 9.0\nper = \"day\"\nover = 4\ncosts = [{ run = { program = \"ant\" }, usd = 0.3 }]\n\n[stall]\nrepeat = 4\n";

struct Versions {
    scratch: Scratch,
    earlier: PathBuf,
    calls: usize,
    denied: usize,
}

impl Versions {
    fn event(&self, hook: &str, event: &str, id: usize, command: &str) -> Said {
        let payload = self.scratch.payload("Bash", &format!("{{\"command\":\"{command}\"}}"), "default").replace("toolu_1", &format!("toolu_{id}"));
        let ended = "\"tool_response\":{\"stdout\":\"ok\"},\"tool_use_id\"";
        let payload = if event == "PreToolUse" { payload } else { payload.replace("PreToolUse", event).replace("\"tool_use_id\"", ended) };
        run(self.scratch.command(hook).args([event, "claude-code", "50"]), payload.as_bytes())
    }

    /// A call by a version: before it, and after it if it was allowed.
    fn call(&mut self, earlier: bool, command: &str) -> String {
        self.calls += 1;
        let hook = if earlier { self.earlier.join("portcullis-hook").to_str().unwrap().to_owned() } else { hook_path().to_owned() };
        let said = self.event(&hook, "PreToolUse", self.calls, command).short();
        if said == "free" {
            let after = self.event(&hook, "PostToolUse", self.calls, command);
            assert_eq!(after.code, 0, "{command}: {after:?}");
        }
        self.denied += usize::from(said != "free");
        said
    }

    /// The files of the state whose names begin so, with what they hold.
    fn state_files(&self, front: &str) -> Vec<(String, Vec<u8>)> {
        let state = self.scratch.home().join(".local/state");
        let named = |path: &str| path.rsplit('/').next().is_some_and(|name| name.starts_with(front));
        let mut found: Vec<(String, Vec<u8>)> = files(&state).into_iter().filter(|(path, ..)| named(path)).map(|(path, _, bytes)| (path, bytes)).collect();
        found.sort();
        found
    }

    fn cold(&self, earlier: bool, words: &[&str]) -> Said {
        let program = if earlier { self.earlier.join("portcullis").to_str().unwrap().to_owned() } else { COLD.to_owned() };
        run(self.scratch.command(&program).args(words), b"")
    }

    fn lines(&self) -> Vec<String> {
        let paths = record::files(&self.scratch.world().at(&self.scratch.repo()).unwrap().memory);
        paths.iter().flat_map(|path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

#[test]
#[ignore = "needs programs of an earlier version: PORTCULLIS_EARLIER=FOLDER"]
#[expect(clippy::print_stdout, reason = "the figures are what `--nocapture` is for")]
fn two_versions_in_turn_read_each_other_and_overwrite_nothing() {
    let Some(earlier) = std::env::var_os("PORTCULLIS_EARLIER").map(PathBuf::from) else { panic!("PORTCULLIS_EARLIER names no folder with programs") };
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    let mut versions = Versions { scratch, earlier, calls: 0, denied: 0 };
    // The earlier one begins. Its lines have no link, and are read.
    assert_eq!(["git status", "git push --force", "make a"].map(|command| versions.call(true, command)), ["free", "deny force-push", "free"]);
    let before = versions.lines();
    let logged = versions.cold(false, &["log", "--json", "-n", "100"]);
    assert_eq!(logged.stdout.lines().count(), before.len(), "{logged:?}");
    // In turn. Both count in one file; or, where the names of these files changed between them, each in its own, and neither
    // touches the other's.
    let turns = [false, true, false, true].map(|earlier| versions.call(earlier, "make b"));
    assert_eq!(turns, ["free"; 4]);
    let counted = versions.state_files("limit.");
    let together = counted.len() == 1;
    if together {
        assert_eq!([versions.call(true, "make c"), versions.call(false, "make d")], ["deny builds", "deny builds"]);
    } else {
        let [one, other] = counted.as_slice() else { panic!("{counted:?}") };
        for (earlier, most) in [(true, 2), (false, 3)] {
            let said: Vec<String> = (0..=most).map(|at| versions.call(earlier, &format!("make c{at}"))).collect();
            assert_eq!(said.iter().filter(|said| *said == "free").count(), most, "{said:?}");
        }
        assert_eq!(versions.state_files("limit.").iter().map(|(path, _)| path).collect::<Vec<_>>(), [&one.0, &other.0]);
    }
    assert_eq!([versions.call(false, "ant"), versions.call(true, "ant x")], ["free", "free"]);
    // No line of either was lost, changed or torn.
    let all = versions.lines();
    assert_eq!(all[..before.len()], before[..], "lines stay as they were written");
    assert!(all.iter().all(|line| Entry::read(line.as_bytes()).is_some()), "a line cannot be read");
    assert_eq!(all.len(), 2 * versions.calls - versions.denied, "each allowed call has two lines, and each denied one has one");
    let (linked, older): (Vec<&String>, Vec<&String>) = all.iter().partition(|line| LineLink::read(line.as_bytes()).is_some());
    // What was written before the chain began is counted, and what came in between is named, as docs/record.md says.
    let verified = versions.cold(false, &["log", "verify", "--json"]);
    let report: Value = serde_json::from_str(&verified.stdout).unwrap_or_else(|_| panic!("{verified:?}"));
    let report = &report[0];
    assert_eq!((report["linked"].as_u64(), report["older"].as_u64()), (Some(linked.len() as u64), Some(before.len() as u64)), "{report}");
    let breaks = report["breaks"].as_array().unwrap();
    assert!(breaks.iter().all(|found| found["kind"] == "inserted"), "{report}");
    assert_eq!(breaks.len(), older.len() - before.len(), "{report}");
    // The earlier one reads what it knows of the new lines, and says nothing wrong of them.
    let logged = versions.cold(true, &["log", "--json", "-n", "100"]);
    assert_eq!(logged.stdout.lines().count(), all.len(), "{logged:?}");
    // Files of a later format are not written over: none of the state was set aside or reset by either.
    let state = versions.scratch.home().join(".local/state");
    let aside: Vec<String> = files(&state).into_iter().map(|(path, ..)| path).filter(|path| path.contains("damaged") || path.contains(".old")).collect();
    assert!(aside.is_empty(), "{aside:?}");
    for earlier in [true, false] {
        assert_eq!(versions.call(earlier, "make e"), "deny builds");
    }
    println!(
        "{} lines of two versions: {} with a link, {} before the chain, {} in between; limits are counted {}",
        all.len(),
        linked.len(),
        before.len(),
        breaks.len(),
        if together { "together" } else { "by each for itself" }
    );
}
