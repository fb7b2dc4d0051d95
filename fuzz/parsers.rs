//! Each parser of text from outside, with what must be true of every input beside that nothing crashes. The fuzz target
//! `parsers` and the test `outside` both go by this list: the first byte of an input chooses the parser.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use actions::json::{Json, quoted};
use actions::lookup::{Lookup, LookupAnswer, Lookups};
use actions::shell::{Setting, Shell};
use actions::{Change, Deed, Edited, ToolCall, change, code, patch};
use clients::transcript::TranscriptForm;
use clients::transcript::calls::{TranscriptState, is_event, items, may_speak};
use clients::wiring::WIRINGS;
use clients::wiring::forms::HookPath;
use clients::{CLIENTS, Invocation};
use flywheel::{ledger, page};
use gate::chain::{self, LineLink};
use gate::record::{Entry, MAX_LINE};
use gate::stall;
use gate::world::repository::{configuration, discover, has_ref_tables, head_branch};
use gate::world::store::{CALLS, NOTES, SCRIPTS, Store, TESTS};
use gate::world::{World, meters, phase, record, trail, unread};
use gate::{BUILT_IN, hook};
use policy::decide::decide;
use policy::facts::{Facts, Places};
use policy::{Layer, Policy};
use policy_compiler::compile::{Input, PolicySource, compile};
use portcullis::approval::code as approval_code;
use portcullis::approval::signature;
use portcullis::approval::signers;
use portcullis::approval::statement::ApprovalStatement;
use portcullis::cli::settings::{self, Wiring};
use portcullis::cli::wiring::{unwired_text, wired_text};
use portcullis::deep::tests_first::changed_text;
use portcullis::git::block;
use portcullis::pipeline::imports::ImportLanguage;
use portcullis::pipeline::{coverage, seen};
use portcullis::record::checkpoint::RecordCheckpoint;
use portcullis::record::feed::FeedPosition;
use portcullis::record::http::{self, HttpAddress};
use portcullis::record::otlp;
use portcullis::replay::sources::{self, SeenCalls};
use query_reader::{QueryLanguage, QuerySettings, Source, read};
use tests_first::{Changed, FileVersion};

/// A parser: the byte that chooses it, its name, and what checks it.
pub(crate) type OutsideParser = (u8, &'static str, fn(&[u8]));

/// All of them.
pub(crate) const PARSERS: &[OutsideParser] = &[
    (b'0', "what calls answer, and what gates look into", answers),
    (b'a', "lines of the record and their links", record_lines),
    (b'b', "answers of HTTP", http_answers),
    (b'c', "answers of a receiver of logs", otlp_answers),
    (b'd', "transcripts, for a replay", transcripts),
    (b'e', "transcripts, for what models cost", spent),
    (b'f', "files of signers", allowed_signers),
    (b'g', "signatures of SSH", ssh_signatures),
    (b'h', "settings of clients", client_settings),
    (b'i', "reports of covered lines", covered_lines),
    (b'j', "configuration of git", git_configuration),
    (b'k', "the index of git", git_index),
    (b'l', "the git folder", git_folder),
    (b'm', "lines of a push, and messages of commits", push_lines),
    (b'n', "checkpoints and approvals", statements),
    (b'o', "files of the state", state_files),
    (b'p', "a compiled policy", compiled_policy),
    (b'q', "patches", patches),
    (b'r', "texts for databases", queries),
    (b's', "JSON", json),
    (b't', "suggestions and their ledger", suggestions),
    (b'u', "the answer of the cold binary", cold_answer),
    (b'v', "scripts of editing programs", edits),
    (b'w', "hooks of git", git_hooks),
    (b'x', "program text", program_text),
    (b'y', "source code with its tests", source_code),
    (b'z', "recipes", recipes),
];

/// Checks an input. One that chooses no parser is left out.
pub(crate) fn check(input: &[u8]) {
    if let Some((first, rest)) = input.split_first()
        && let Some((_, _, parser)) = PARSERS.iter().find(|(byte, ..)| byte == first)
    {
        parser(rest);
    }
}

fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// A folder that only this thread uses, with a git folder in it.
fn in_folder(work: impl FnOnce(&Path)) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a folder");
    }
    FOLDER.with(|folder| work(folder.path()));
}

fn answers(input: &[u8]) {
    let text = text(input);
    let answer = Json::read(input).unwrap_or_else(|_| Json::Text(text.clone()));
    assert_eq!(stall::fingerprint(&answer), stall::fingerprint(&answer.clone()));
    if let Some(code) = approval_code::read(&text) {
        assert_eq!(approval_code::read(&code).as_deref(), Some(code.as_str()), "a code is itself");
    }
    let (ticked, open) = seen::boxes(&text);
    assert!(ticked.len() + open.len() <= text.lines().count());
    for path in ["a.py", "a.ts", "a.rs", "a.go"] {
        if let Some(language) = ImportLanguage::of(path) {
            let imported = language.imported(&text);
            assert!(imported.len() <= text.len());
            let _ = imported.iter().all(|import| language.names(&text, import));
        }
    }
}

fn record_lines(input: &[u8]) {
    for line in input.split(|byte| *byte == b'\n') {
        let link = LineLink::read(line);
        if let Some(link) = link {
            assert_eq!(link.follows(&chain::START, line), link.after(&chain::START, line) == link.digest);
        }
        if let Some(entry) = Entry::read(line) {
            let written = entry.line();
            assert!(written.len() <= MAX_LINE && written.ends_with("}\n") && written.matches('\n').count() == 1, "{written}");
            let read = Entry::read(written.as_bytes()).expect("what was written is read");
            assert_eq!(read.line(), written, "a line is the same once more");
            let linked = chain::linked(&written, chain::ChainEnd::default(), true);
            assert!(LineLink::read(linked.trim_end().as_bytes()).is_some_and(|link| link.number == 1));
        }
    }
    if let (Some(one), Some(all)) = (chain::end_of(input), chain::end_of_all(input)) {
        assert!(all.number >= one.number);
    }
}

fn http_answers(input: &[u8]) {
    if let Some(answer) = http::answer(input) {
        assert!(answer.body.len() <= input.len());
    }
    if let Ok(address) = HttpAddress::read(&text(input), "/v1/logs") {
        let line = format!("{}{}", address.authority, address.path);
        assert!(line.bytes().all(|byte| byte.is_ascii_graphic()) && address.path.starts_with('/'), "{line}");
    }
}

fn otlp_answers(input: &[u8]) {
    // A sign that is no text becomes one of three bytes.
    assert!(otlp::answer(input).message.len() <= 3 * input.len());
}

fn transcripts(input: &[u8]) {
    let mut state = TranscriptState::default();
    for line in input.split(|byte| *byte == b'\n') {
        if let Ok(mut json) = Json::read(line) {
            let found = items(&mut json, &mut state).unwrap_or_default();
            assert!(found.len() <= line.len());
        }
        let _ = (may_speak(line), is_event(line));
    }
    let ends = CLIENTS.iter().filter_map(|client| client.end_in_transcript());
    ends.for_each(|end| drop(end("call", &text(input))));
    in_folder(|folder| {
        let file = folder.join("transcript.jsonl");
        fs::write(&file, input).expect("a file");
        let (mut seen, mut count) = (SeenCalls::default(), 0);
        let read = sources::read(&file, &mut |id, time, call| seen.is_new(id, time, call), &mut |_| count += 1, &mut |_| {});
        assert!(count <= input.len() && read.is_ok());
    });
}

fn spent(input: &[u8]) {
    for form in TranscriptForm::ALL {
        let mut before = spend::LinesBefore::default();
        for line in text(input).lines() {
            let _ = spend::answer(form, line, &mut before);
        }
    }
}

/// A key of tests, whose other half nobody has.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHbyNwZBheoQUZAfaU+Q4qoyE5/jE0BYTZMyuI8pcDvS";

fn allowed_signers(input: &[u8]) {
    let text = text(input);
    let lines = text.lines().count();
    assert!(signers::count(&text, "portcullis", 1_800_000_000) <= lines);
    assert!(signers::unreadable_lines(&text).iter().all(|line| (1..=lines).contains(line)));
    // What a line that cannot be read is put in front of changes nothing for the lines behind it.
    let good = format!("person namespaces=\"portcullis\" {KEY}\n");
    assert_eq!(signers::count(&format!("{good}cert-authority {}", text.replace('\n', " ")), "portcullis", 1_800_000_000), 1);
}

fn ssh_signatures(input: &[u8]) {
    let allowed = format!("person {KEY}\n");
    // Nobody signed this text.
    assert!(signature::signer("a text that nobody signed", &text(input), &allowed, false, 1_800_000_000).is_err());
}

fn client_settings(input: &[u8]) {
    const HOOK: HookPath = HookPath::Installed("/opt/portcullis-hook");
    let text = text(input);
    let _ = clients::settings::judge(&text);
    let own = Wiring { command: "/opt/portcullis-hook".to_owned(), events: clients::claude_code::WIRED, timeout_seconds: 60 };
    if let Ok(wired) = settings::install(Some(&text), &own) {
        assert_eq!(settings::install(Some(&wired), &own).as_ref(), Ok(&wired), "wired twice");
        assert!(
            settings::remove_entries(&wired, &own)
                .is_ok_and(|left| left.is_none_or(|left| !left.contains("/opt/portcullis-hook") || text.contains("/opt/portcullis-hook")))
        );
    }
    for wiring in WIRINGS {
        if let Ok(wired) = wired_text(wiring, Some(&text), HOOK) {
            assert_eq!(wired_text(wiring, Some(&wired), HOOK).as_ref(), Ok(&wired), "{} is wired twice", wiring.title);
            assert!(unwired_text(wiring, &wired).is_ok(), "{}: what was wired cannot be undone", wiring.title);
        }
    }
}

fn covered_lines(input: &[u8]) {
    for (all, covered) in coverage::read(&text(input)).unwrap_or_default().into_values() {
        assert!(covered <= all);
    }
}

fn git_configuration(input: &[u8]) {
    let text = text(input);
    let entries = configuration::parse(&text);
    assert!(entries.len() <= text.len());
    assert!(entries.iter().all(|(key, _)| key.contains('.') || !key.is_empty()));
}

fn git_index(input: &[u8]) {
    assert!(unread::named(input).iter().all(|name| name.ends_with("/portcullis.toml")));
}

fn git_folder(input: &[u8]) {
    in_folder(|folder| {
        let git = folder.join("work/.git");
        for made in ["refs/heads", "objects"] {
            fs::create_dir_all(git.join(made)).expect("a folder");
        }
        fs::write(git.join("HEAD"), "ref: refs/heads/main\n").expect("a file");
        // Each part of the input is one of the files.
        let mut parts = input.split(|byte| *byte == 0);
        for name in ["HEAD", "config", "packed-refs", "commondir", "index"] {
            let _ = parts.next().map(|part| fs::write(git.join(name), part));
        }
        let world = World { homes: vec![folder.to_path_buf()], states: vec![folder.join("state")], ..World::default() };
        let _ = discover(&folder.join("work"));
        if let Ok(around) = world.at(&folder.join("work")) {
            let _ = configuration::entries(&folder.join("work"), &around);
            if let Some(repository) = &around.repository {
                let _ = (head_branch(repository), has_ref_tables(repository), unread::note(repository));
            }
        }
        let _ = fs::remove_file(git.join("commondir"));
    });
}

fn push_lines(input: &[u8]) {
    for update in change::updates(input).unwrap_or_default() {
        assert!(!update.name().contains('\n'));
    }
    let text = text(input);
    for cleanup in [change::message::Cleanup::Strip, change::message::Cleanup::Whitespace, change::message::Cleanup::Verbatim] {
        let cleaned = change::message::cleaned(&text, cleanup, "#");
        assert!(cleaned.len() <= text.len() + 1);
    }
}

fn statements(input: &[u8]) {
    let text = text(input);
    if let Some(read) = RecordCheckpoint::read(&text) {
        assert!(RecordCheckpoint::read(&read.text()).is_some_and(|again| again.digest == read.digest && again.number == read.number));
    }
    if let Some(read) = ApprovalStatement::read(&text) {
        assert!(ApprovalStatement::read(&read.text()).is_some_and(|again| again.digest == read.digest && again.code == read.code));
    }
    in_folder(|folder| {
        let file = folder.join("export.json");
        fs::write(&file, input).expect("a file");
        let _ = FeedPosition::read(&file);
        fs::write(folder.join("checkpoints.jsonl"), input).expect("a file");
        let _ = portcullis::record::checkpoint::kept(&[folder.to_path_buf()]);
    });
}

fn state_files(input: &[u8]) {
    in_folder(|folder| {
        let work = folder.join("plain");
        fs::create_dir_all(&work).expect("a folder");
        let world = World { homes: vec![folder.to_path_buf()], states: vec![folder.join("state")], ..World::default() };
        let Ok(mut around) = world.at(&work) else { return };
        "s".clone_into(&mut around.session);
        let Some(memory) = around.memory.first().cloned() else { return };
        let _ = fs::remove_dir_all(&memory);
        fs::create_dir_all(&memory).expect("a folder");
        let stores = [CALLS, NOTES, SCRIPTS, TESTS];
        let names = stores.iter().map(|store| format!("{}.store", store.name));
        let others = ["limit.0000000000000001.slots", "budget.0000000000000001.ledger", "passing.0000000000000001.ledger", "retention", "record.jsonl"];
        for name in names.chain(others.map(str::to_owned)).chain([phase::name(around.tree())]) {
            fs::write(memory.join(name), input).expect("a file");
        }
        for store in stores {
            let store = Store::look(&around.memory, store);
            let _ = store.and_then(|store| store.get(1));
        }
        let _ = (meters::check(&around), phase::read(&around), trail::read(&around));
        record::let_go(&around.memory, 1_800_000_000_000);
        let mut entry = Entry::new("Stop", gate::record::RecordSource::Hot, 1);
        "s".clone_into(&mut entry.session);
        record::append(&around.memory, &entry.line(), None).expect("a line can be added behind anything");
        let files = record::files(&around.memory);
        let newest = files.last().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let last = newest.strip_suffix(b"\n").and_then(|text| text.rsplit(|byte| *byte == b'\n').next()).expect("a last line");
        assert!(Entry::read(last).is_some() && LineLink::read(last).is_some(), "{}", String::from_utf8_lossy(last));
    });
}

/// The built-in policy with some bytes changed: three say where, and one what is put there.
fn compiled_policy(input: &[u8]) {
    let mut bytes = BUILT_IN.to_vec();
    for edit in input.chunks_exact(4) {
        let at = edit.iter().take(3).fold(0, |at: usize, byte| at << 8 | usize::from(*byte)) % bytes.len();
        bytes[at] = edit[3];
    }
    if input.len() % 4 == 1 {
        bytes.truncate(usize::from(input[input.len() - 1]) * bytes.len() / 256);
    }
    let Some(policy) = Policy::open(&bytes) else { return };
    let _ = (policy.all_rules(), policy.tiers(), policy.has_meters());
    let setting = Setting { cwd: "/repo".to_owned(), home: None, temporary: "/tmp".to_owned(), zsh: true, root: "/repo".to_owned() };
    let (actions, _) = actions::tools::of(&ToolCall::command("git push --force origin main && rm -rf x"), &setting, &policy.programs, Lookups::default());
    let facts =
        Facts { known: BTreeMap::default(), today: 0, agent: "main".to_owned(), mode: "default".to_owned(), committing: false, places: Places::default() };
    let _ = decide(&actions, &facts, &policy, true);
}

fn patches(input: &[u8]) {
    let text = text(input);
    let lines = text.lines().count();
    for found in patch::read(&text).unwrap_or_default() {
        assert!(found.added.lines().count() <= lines && found.removed.lines().count() <= lines);
    }
}

/// What the reader of texts for databases knows.
const LANGUAGES: [QueryLanguage; 6] =
    [QueryLanguage::Postgres, QueryLanguage::Mysql, QueryLanguage::Sqlite, QueryLanguage::Any, QueryLanguage::Redis, QueryLanguage::Mongo];

fn queries(input: &[u8]) {
    let text = text(input);
    for language in LANGUAGES {
        let settings = QuerySettings::new(language);
        let _ = read(&settings, &[(Source::Argument, text.clone())], &mut |_| None);
        let _ = read(&settings, &[(Source::Input, text.clone())], &mut |_| Some("SELECT 1;".to_owned()));
    }
}

fn json(input: &[u8]) {
    let text = text(input);
    assert_eq!(Json::read(quoted(&text).as_bytes()), Ok(Json::Text(text)));
    if Json::read(input).is_ok() {
        assert!(
            serde_json::from_slice::<serde_json::Value>(input).is_ok() || !input.is_ascii() || input.iter().any(|byte| *byte < b' ') || has_wide_number(input),
            "another reader refuses it"
        );
    }
}

/// A number that only fits into a text.
fn has_wide_number(input: &[u8]) -> bool {
    input.windows(2).any(|two| two[0].is_ascii_digit() && matches!(two[1], b'0'..=b'9' | b'e' | b'E'))
}

fn suggestions(input: &[u8]) {
    let text = text(input);
    for found in page::parse(&text) {
        let again = page::parse(&page::render(&found.suggestion));
        assert_eq!(again.len(), 1, "a suggestion that was written is read");
    }
    assert!(page::without(&text, &["none"]).len() <= text.len() + 1);
    let _ = ledger::standings(&text);
}

fn cold_answer(input: &[u8]) {
    if let Some(answer) = hook::unmarked(input) {
        assert!(answer.stdout.len() + answer.stderr.len() < input.len() && answer.held.is_none());
    }
}

fn edits(input: &[u8]) {
    let text = text(input);
    let (script, before) = text.split_once('\0').unwrap_or((&text, "one\ntwo\nthree\n"));
    for (language, options) in [("sed", vec![]), ("sed", vec!["--regexp-extended".to_owned()]), ("perl", vec!["-p".to_owned()])] {
        let edited = Edited { language: language.to_owned(), options, script: script.to_owned(), ..Edited::default() };
        let _ = changed_text(before, &Change::Edited(edited));
    }
}

fn git_hooks(input: &[u8]) {
    let text = text(input);
    for call in block::known_calls() {
        let with = block::with(&call, "pre-push", &text);
        // Texts that name Portcullis may hold a block already. Of a hook that does nothing, nothing need be left.
        if !text.to_lowercase().contains("portcullis") && text.trim() != "#!/bin/sh" && !text.is_empty() {
            assert_eq!(block::without(&with).as_deref(), Some(text.as_str()), "what was put in front is taken out again");
        }
    }
}

fn program_text(input: &[u8]) {
    use code::Language::{Awk, Cron, JavaScript, Julia, Jvm, Lua, Perl, Php, Python, Ruby, Sed, Unknown};
    let text = text(input);
    for language in [Python, JavaScript, Ruby, Perl, Php, Lua, Julia, Jvm, Awk, Sed, Cron, Unknown] {
        let found = code::scan(&text, language);
        assert!(found.len() <= 16 * (text.len() + 1));
    }
}

/// A policy file without the shipped packs.
fn compiled(text: &str) -> Vec<u8> {
    let layers = [PolicySource { layer: Layer::Project, path: "portcullis.toml", text }];
    compile(&Input { layers: &layers, ..Input::default() }).map(|compiled| compiled.bytes).expect("a policy without mistakes")
}

/// No file but those that change.
struct NoFiles;

impl tests_first::Tree for NoFiles {
    fn read(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn exists(&self, _: &str) -> bool {
        false
    }

    fn list(&self, _: &str) -> Vec<(String, bool)> {
        Vec::new()
    }
}

/// A policy with nothing but that.
static WITH_TESTS: LazyLock<Vec<u8>> = LazyLock::new(|| compiled("schema = 1\n[tests-first]\n"));

fn source_code(input: &[u8]) {
    let text = text(input);
    let (old, new) = text.split_once('\0').unwrap_or(("", &text));
    let Some(section) = Policy::open(&WITH_TESTS).and_then(|policy| policy.tests_first) else { return };
    for path in
        ["src/a.py", "tests/test_a.py", "src/a.ts", "src/a.test.ts", "src/a.rs", "a.go", "a_test.go", "lib/a.rb", "src/main/java/A.java", "a.c", "A.cs", "a.ex"]
    {
        let changed = Changed { path: path.to_owned(), old: FileVersion::Known(old.to_owned()), new: FileVersion::Known(new.to_owned()), part: false };
        let _ = tests_first::judge(&[changed], &NoFiles, &section, 0);
    }
}

fn recipes(input: &[u8]) {
    let text = text(input);
    let Some(programs) = Policy::programs_of(BUILT_IN) else { return };
    let setting = Setting { cwd: "/repo".to_owned(), home: Some("/home/dev".to_owned()), temporary: "/tmp".to_owned(), zsh: false, root: "/repo".to_owned() };
    for line in ["make all", "npm run build", "just build", "task build", "bash run.sh", "python run.py", "git frobnicate"] {
        let mut lookups = Lookups::default();
        for _ in 0..4 {
            let mut shell = Shell::new(&setting, &programs, lookups);
            shell.line(line);
            let (actions, mut found) = shell.finish();
            assert!(!actions.is_empty(), "{line}");
            if found.asked.is_empty() {
                break;
            }
            for asked in std::mem::take(&mut found.asked) {
                let answer = match &asked {
                    Lookup::Text(paths) => LookupAnswer::Text { path: paths.first().cloned().unwrap_or_default(), text: text.clone(), written: true },
                    Lookup::Configuration(_) => LookupAnswer::Entries(configuration::parse(&text)),
                    _ => LookupAnswer::Nothing,
                };
                found.known.push((asked, answer));
            }
            lookups = found;
        }
    }
}

/// What a client sends, through the whole way of the hook.
pub(crate) fn event(input: &[u8]) {
    // A world without folders: nothing is written, and no policy file is found.
    let world = World { attended: true, ..World::default() };
    for argument in [None, Some("PreToolUse"), Some("PermissionRequest"), Some("PostToolUse")] {
        let said = gate::call::answer(&Invocation::new(argument, None), input, &world, &gate::deep::HandsOver);
        let again = gate::call::answer(&Invocation::new(argument, None), input, &world, &gate::deep::HandsOver);
        let (Ok(said), Ok(again)) = (said, again) else { continue };
        assert_eq!(said, again);
        match said.code {
            0 => assert!(said.stderr.is_empty() && !said.stdout.contains("\"allow\"")),
            2 => assert!(said.stdout.is_empty() && !said.stderr.is_empty()),
            code => panic!("no client understands exit {code}"),
        }
    }
}

/// A shell command: read to its end or given up on with a word, and never hiding what is before it.
pub(crate) fn command(input: &[u8]) {
    let policy = Policy::open(BUILT_IN).expect("the built-in policy");
    let setting = Setting { cwd: "/repo".to_owned(), home: Some("/home/dev".to_owned()), temporary: "/tmp".to_owned(), zsh: true, root: "/repo".to_owned() };
    let mut shell = Shell::new(&setting, &policy.programs, Lookups::default());
    // Bash runs a line before it reads the next one, whatever is there.
    shell.line(&format!("git push --force\n{}", text(input)));
    let (actions, _) = shell.finish();
    assert!(actions.iter().any(|action| matches!(action.deed, Deed::Push(_))), "the force push was lost");
    assert!(actions.iter().all(|action| !action.shown().trim().is_empty()));
}

/// A policy file: compiled to what can be read again, or refused with a place for every mistake.
pub(crate) fn policy_file(input: &[u8]) {
    let text = text(input);
    for layer in [Layer::Organisation, Layer::Project] {
        let layers = [PolicySource { layer, path: "portcullis.toml", text: &text }];
        // Without the shipped packs, which would take most of the time.
        let input = Input { layers: &layers, ..Input::default() };
        match compile(&input) {
            Ok(compiled) => {
                let policy = Policy::open(&compiled.bytes).expect("what was compiled can be opened");
                assert_eq!(policy.all_rules().expect("its rules can be read").len(), compiled.rules.len());
            }
            Err(mistakes) => assert!(!mistakes.is_empty() && !input.render(&mistakes, false).is_empty()),
        }
    }
}

/// A target: its name, and what checks an input.
pub(crate) type FuzzTarget = (&'static str, fn(&[u8]));

/// The targets, by the names of their folders of seeds.
pub(crate) const TARGETS: &[FuzzTarget] = &[("event", event), ("command", command), ("policy", policy_file), ("parsers", check)];

/// The bytes that choose a parser, each once.
pub(crate) fn choosing() -> BTreeSet<u8> {
    PARSERS.iter().map(|(byte, ..)| *byte).collect()
}
