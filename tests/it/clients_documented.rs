//! `docs/clients.md`: what Portcullis can do with each client. It is made from the clients themselves, from their wiring, from
//! recorded events, and from `tests/clients/`, where it is written down what was seen with the real clients.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use clients::moment::NotWired;
use clients::wiring::{ClientWiring, FailureGuard, HookForm, Knowledge, ReplacedBy};
use clients::{CLIENTS, Client, Event, Held, HookAnswer, Invocation, Moment, Outcome};

use crate::docs::fresh;
use crate::support::{Scratch, package, recorded, sender_and_event};

/// What was tried with each client, in the order of the tables: its key in `matrix.tsv`, and what it is.
const TRIED: &[(&str, &str)] = &[
    ("harmless", "a harmless command"),
    ("denied-command", "a denied command"),
    ("denied-write", "a denied write"),
    ("supervised-headless", "a command that a person must allow, headless"),
    ("supervised-asking", "the same in a mode that asks"),
    ("hook-missing", "the hook is missing"),
    ("hook-crashes", "the hook crashes"),
    ("hook-hangs", "the hook hangs"),
    ("sub-agent", "a denied command in a sub-agent"),
    ("tool-server", "a denied command by a tool server's tool"),
];
/// Values of `ran`.
const RAN: [&str; 3] = ["yes", "no", "not run"];

/// One try with a real client.
struct Tried {
    version: String,
    date: String,
    /// Whether the tool ran.
    ran: String,
    /// What the model read.
    read: String,
}

/// The rows of a table of tabs in `tests/clients`, without its comments.
fn rows(file: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(package().join("tests/clients").join(file)).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn matrix() -> BTreeMap<(String, String), Tried> {
    let mut all = BTreeMap::new();
    for row in rows("matrix.tsv") {
        let [client, what, version, date, ran, read] = row.try_into().unwrap_or_else(|row| panic!("{row:?} has not six columns"));
        assert!(CLIENTS.iter().any(|known| known.name() == client), "no client is called {client}");
        assert!(TRIED.iter().any(|(key, _)| *key == what), "{client}: {what}");
        assert!(RAN.contains(&ran.as_str()), "{client} {what}: {ran}");
        assert_eq!(ran == "not run", version.is_empty() && date.is_empty(), "{client} {what}");
        assert!(all.insert((client.clone(), what.clone()), Tried { version, date, ran, read }).is_none(), "{client} {what} is there twice");
    }
    for client in CLIENTS.iter().filter(|client| client.name() != "generic") {
        for (what, _) in TRIED {
            assert!(all.contains_key(&(client.name().to_owned(), (*what).to_owned())), "{} has no row {what}", client.name());
        }
    }
    all
}

fn title(client: &dyn Client) -> &'static str {
    match ClientWiring::named(client.name()) {
        Some(wiring) => wiring.title,
        None if client.name() == clients::claude_code::NAME => "Claude Code",
        None => "any other client",
    }
}

/// How the client takes a denial, in a few words.
fn words_of_denial(answer: &HookAnswer) -> String {
    match serde_json::from_str::<serde_json::Value>(&answer.stdout) {
        Ok(answer) => {
            let keys: Vec<String> = answer.as_object().unwrap().keys().map(|key| format!("`{key}`")).collect();
            format!("JSON: {}", keys.join(", "))
        }
        Err(_) => format!("exit {} with the text", answer.code),
    }
}

/// An event of a client at a moment, without anything in it.
fn event(client: &'static dyn Client, moment: Moment) -> Event {
    let known = client.wired().iter().find(|known| known.moment == moment).map_or("", |known| known.event);
    Event {
        name: known.to_owned(),
        moment,
        client,
        certain: true,
        cwd: None,
        session: String::new(),
        mode: "default".to_owned(),
        agent: "main".to_owned(),
        agent_id: None,
        tool: None,
        source: String::new(),
        file: None,
        call: None,
        response: actions::json::Json::Null,
        outcome: None,
        error: None,
        interrupted: false,
        background: false,
        took: None,
        stopping: false,
        transcript: None,
    }
}

/// The moments at which a text of the hook reaches the model.
fn reaches_model(client: &'static dyn Client) -> Vec<&'static str> {
    let moments =
        [(Moment::SessionStart, "session start"), (Moment::Prompt, "prompt"), (Moment::AfterCall, "after a call"), (Moment::TurnEnd, "end of a turn")];
    let reaches = |moment: Moment| {
        let wired = client.wired().iter().any(|known| known.moment == moment);
        wired && !client.context(&event(client, moment), Some("text"), None).stdout.is_empty() && client.takes_context(moment)
    };
    moments.into_iter().filter(|(moment, _)| reaches(*moment)).map(|(_, name)| name).collect()
}

/// Whether it is known how a command ended, by the recorded events.
fn says_end(client: &'static dyn Client, recorded: &BTreeMap<String, String>) -> &'static str {
    if client.end_in_transcript().is_some() {
        return "by its transcript";
    }
    let ends = recorded.iter().filter(|(file, _)| {
        let (sender, _) = sender_and_event(file);
        sender.name() == client.name()
    });
    let outcomes: Vec<Option<Outcome>> = ends
        .filter_map(|(file, text)| {
            let event = Invocation::new(Some(sender_and_event(file).1), Some(client.name())).read(text.as_bytes()).ok()?;
            let shell = event.tool.as_ref().is_some_and(|call| actions::tools::runs_command(&call.name));
            (shell && matches!(event.moment, Moment::AfterCall | Moment::AfterFailure) && !event.background).then_some(event.outcome)
        })
        .collect();
    match outcomes.as_slice() {
        [] => "not known",
        some if some.iter().all(Option::is_some) => "yes",
        _ => "no",
    }
}

/// Whether calls of sub-agents are marked, by the recorded events.
fn marks_sub_agents(client: &dyn Client, recorded: &BTreeMap<String, String>, tried: &Tried) -> &'static str {
    let marked = recorded.keys().any(|file| file.ends_with(".in-subagent") && sender_and_event(file).0.name() == client.name());
    match (marked, tried.ran.as_str()) {
        (true, _) => "judged and named",
        (false, "no") => "judged",
        _ => "not known",
    }
}

fn seen(client: &dyn Client, matrix: &BTreeMap<(String, String), Tried>) -> (String, String) {
    let tried = matrix.iter().find(|((name, _), tried)| name == client.name() && !tried.version.is_empty()).map(|(_, tried)| tried);
    match (tried, ClientWiring::named(client.name()).map(|wiring| wiring.known)) {
        (Some(tried), _) => (tried.version.clone(), format!("run on {}", tried.date)),
        (None, Some(Knowledge::Read((major, minor, patch)))) => (format!("{major}.{minor}.{patch}"), "not run; read in its program".to_owned()),
        _ => (String::new(), "not run; from its documentation".to_owned()),
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

#[test]
fn the_page_of_clients_is_fresh() {
    let (matrix, recorded) = (matrix(), recorded(&Scratch::new()));
    let mut text = String::from(
        "# Coding clients\n\n<!-- Made by tests/it/clients_documented.rs from the clients, their wiring and tests/clients/. Do not edit it. -->\n\n\
         Portcullis judges the calls of these clients and answers each in its own words. `portcullis init --client NAME` wires one,\n\
         `portcullis init --client auto` all that are used here, and `portcullis doctor` checks them.\n\n",
    );
    capabilities(&mut text, &matrix, &recorded);
    runs(&mut text, &matrix);
    let gaps = rows("limits.tsv");
    for client in CLIENTS {
        section(&mut text, *client, &matrix, &gaps);
    }
    fresh("docs/clients.md", &(text.trim_end().to_owned() + "\n"));
}

fn capabilities(text: &mut String, matrix: &BTreeMap<(String, String), Tried>, recorded: &BTreeMap<String, String>) {
    text.push_str(
        "## What works where\n\n\
         Rules, limits, approvals, tests first and stall look at calls before they are made, so they work in every client. What else a\n\
         client offers decides the other columns. *End of a command*: gates, the flywheel and stall know how a command ended. *Texts for\n\
         the model*: when notes and suggestions reach it. *Holds a turn's end*: a gate can make the agent continue. *Spend*: budgets that\n\
         count tokens.\n\n\
         | client | version | seen | a denial is | asks a person | sub-agents | end of a command | texts for the model | holds a turn's end | settings changes | spend |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for client in CLIENTS {
        let has = |moment| client.wired().iter().any(|known| known.moment == moment);
        let (version, how) = seen(*client, matrix);
        let denial = client.denial(Moment::BeforeCall, "REASON");
        assert_eq!(denial.held, Some(Held::Deny), "{}", client.name());
        let sub = matrix.get(&(client.name().to_owned(), "sub-agent".to_owned()));
        let texts = reaches_model(*client);
        let _ = writeln!(
            text,
            "| {} | {version} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            title(*client),
            if client.name() == "generic" { "" } else { &how },
            words_of_denial(&denial),
            yes(client.can_ask(&event(*client, Moment::BeforeCall), true)),
            sub.map_or("not known", |tried| marks_sub_agents(*client, recorded, tried)),
            says_end(*client, recorded),
            if texts.is_empty() { "none".to_owned() } else { texts.join(", ") },
            // The last events of Cline are started without waiting for them.
            yes(has(Moment::TurnEnd) && client.holds_turn_end()),
            if has(Moment::SettingsChanged) { "judged" } else { "the calls that make them" },
            yes(client.transcript().is_some()),
        );
    }
    text.push('\n');
}

fn runs(text: &mut String, matrix: &BTreeMap<(String, String), Tried>) {
    text.push_str(
        "## Seen with the real clients\n\n\
         Each was run offline, with a script in place of the model, after `portcullis init --client`. The table says whether the tool\n\
         ran. *The hook is missing, crashes, hangs*: the program that the entry starts was deleted, was killed by a signal, or slept until\n\
         the client gave up; Portcullis' own deadline is shorter than that, and its answer then is a denial. What the model read is in\n\
         the section of the client.\n\n",
    );
    let shown: Vec<&dyn Client> = CLIENTS.iter().copied().filter(|client| client.name() != "generic").collect();
    let _ = writeln!(text, "| | {} |", shown.iter().map(|client| title(*client)).collect::<Vec<_>>().join(" | "));
    let _ = writeln!(text, "| --- |{}", " --- |".repeat(shown.len()));
    for (key, what) in TRIED {
        let cells = shown.iter().map(|client| match matrix[&(client.name().to_owned(), (*key).to_owned())].ran.as_str() {
            "not run" => "*not run*",
            "yes" if *key == "harmless" => "ran",
            "yes" => "**ran**",
            _ => "did not run",
        });
        let _ = writeln!(text, "| {what} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    text.push('\n');
}

fn section(text: &mut String, client: &'static dyn Client, matrix: &BTreeMap<(String, String), Tried>, gaps: &[Vec<String>]) {
    let _ = write!(text, "## {}\n\n", capital(title(client)));
    let _ = writeln!(text, "`portcullis init --client {}`\n", client.name());
    if let Some(wiring) = ClientWiring::named(client.name()) {
        wired(text, wiring);
    }
    let events: Vec<String> = client.wired().iter().map(|known| format!("`{}`", known.event)).collect();
    let _ = writeln!(text, "Events with an entry: {}.", events.join(", "));
    let others: Vec<String> =
        client.unwired().iter().filter(|known| known.reason != NotWired::NotNeeded).map(|known| format!("`{}` ({})", known.event, why(known.reason))).collect();
    if !others.is_empty() {
        let _ = writeln!(text, "Without one: {}.", others.join(", "));
    }
    let denial = client.denial(Moment::BeforeCall, "REASON");
    let _ = write!(text, "\nIts no, exit {}{}:\n\n", denial.code, if denial.stdout.is_empty() { ", on standard error" } else { ", on standard output" });
    let _ = write!(text, "```text\n{}```\n\n", if denial.stdout.is_empty() { &denial.stderr } else { &denial.stdout });
    let tried: Vec<(&str, &Tried)> = TRIED
        .iter()
        .filter_map(|(key, what)| Some((*what, matrix.get(&(client.name().to_owned(), (*key).to_owned()))?)))
        .filter(|(_, tried)| tried.ran != "not run")
        .collect();
    if !tried.is_empty() {
        text.push_str("| tried | the tool ran | the model read |\n| --- | --- | --- |\n");
        for (what, Tried { ran, read, .. }) in tried {
            let read = if read.is_empty() { String::new() } else { format!("`` {} ``", read.replace('|', "\\|")) };
            let _ = writeln!(text, "| {what} | {ran} | {read} |");
        }
        text.push('\n');
    }
    let mine: Vec<&str> = gaps.iter().filter(|row| row[0] == client.name()).map(|row| row[1].as_str()).collect();
    if !mine.is_empty() {
        text.push_str("What Portcullis cannot stop there, and what to know:\n\n");
        for gap in mine {
            let _ = writeln!(text, "- {gap}");
        }
        text.push('\n');
    }
}

fn capital(text: &str) -> String {
    // Some names begin with a small letter.
    if text.starts_with("any") { format!("A{}", &text[1..]) } else { text.to_owned() }
}

fn why(reason: NotWired) -> &'static str {
    match reason {
        NotWired::NotNeeded => "not needed",
        NotWired::SeenByCall => "another event shows it",
        NotWired::ReplacesClient => "its answer replaces what the client does",
        NotWired::AnswerIgnored => "the client does not wait for an answer",
        NotWired::TooFrequent => "too frequent",
    }
}

/// Where and how a client is wired.
fn wired(text: &mut String, wiring: &ClientWiring) {
    let form = match wiring.form {
        HookForm::Groups { program: true, .. } => "JSON, a program with arguments for each event",
        HookForm::Groups { .. } => "JSON, a command line for each event",
        HookForm::Handlers => "JSON, a list of handlers for each event",
        HookForm::OwnFile => "a JSON file of its own",
        HookForm::Plugin => "a plugin",
        HookForm::Tables { .. } => "TOML, a table for each event",
        HookForm::Programs => "an executable file for each event",
    };
    let folder = if wiring.form == HookForm::Programs { "/" } else { "" };
    let project = wiring.project.map_or_else(|| "none that is known".to_owned(), |file| format!("`{file}{folder}`"));
    let local = wiring.local.map(|file| format!(", a person's own in a project `{file}`")).unwrap_or_default();
    let moved = wiring.home.variable.map(|name| format!(" (`{name}` moves the folder)")).unwrap_or_default();
    let _ = writeln!(text, "Hooks: {form}. A person's: `~/{}/{}{folder}`{moved}; a project's: {project}{local}.", wiring.home.folder, wiring.user);
    let guard = match wiring.guard {
        FailureGuard::Line => "the line that starts it makes every failure a denial",
        FailureGuard::Key(key) => {
            let _ = write!(text, "If the hook fails: `{key}` of the entry makes it a denial. ");
            ""
        }
        FailureGuard::Client => "the client denies",
        FailureGuard::File => "the file around it makes every failure a denial",
    };
    if !guard.is_empty() {
        let _ = write!(text, "If the hook fails: {guard}. ");
    }
    if let Some(replaced) = wiring.replaced_by {
        let by = match replaced {
            ReplacedBy::SameName => "a project's hook of the same name".to_owned(),
            ReplacedBy::EventIn(file) => format!("the same event in `{file}`"),
            ReplacedBy::ProjectFile => "the project's file as a whole".to_owned(),
        };
        let _ = write!(text, "A person's entry is replaced by {by}. ");
    }
    if let Some(confirm) = wiring.confirm {
        let _ = write!(text, "Once: {confirm}. ");
    }
    let switches: Vec<String> = wiring.switches.iter().map(|switch| format!("`{}`", switch.keys.join("."))).collect();
    if !switches.is_empty() {
        let mut unique = switches;
        unique.dedup();
        let _ = write!(text, "Switched off by {}, which an agent cannot set. ", unique.join(", "));
    }
    while text.ends_with(' ') {
        text.pop();
    }
    text.push_str("\n\n");
}
