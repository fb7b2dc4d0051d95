//! The record on its way to others: a receiver that comes and goes, what an independent reader of the protocol finds, and the
//! printed forms.
//!
//! `PORTCULLIS_EXPORT_LINES` makes the long run of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gate::chain::LineLink;
use gate::record::{Entry, Held, Outcome, RecordSource, RecordedRule};
use gate::world::record;
use serde_json::Value;

use crate::support::{COLD, Said, Scratch, not_run, run};

/// Lines of one request.
const BATCH: usize = 500;
/// What the receiver answers when it took all.
const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

fn memory(scratch: &Scratch) -> Vec<PathBuf> {
    scratch.world().at(&scratch.repo()).unwrap().memory
}

/// Records some decisions, of which every tenth is a denial with a name that wants to be more than a name.
fn fill(scratch: &Scratch, from: usize, count: usize) {
    let folders = memory(scratch);
    for at in from..from + count {
        let denied = at % 10 == 0;
        let mut entry = Entry {
            session: "s".to_owned(),
            agent: "main".to_owned(),
            tool: "Bash".to_owned(),
            call: format!("toolu_{at}"),
            input: Some(at as u64),
            kinds: vec!["run".to_owned()],
            tier: Some(if denied { 4 } else { 1 }),
            held: denied.then_some(Held::Deny),
            what: if denied { "=HYPERLINK(\"http://x\",\"y\")\u{202e}, <script>alert(1)</script>".to_owned() } else { format!("make {at}") },
            ..Entry::new("PreToolUse", RecordSource::Hot, 1_796_000_000_000 + at as u64)
        };
        if denied {
            entry.rules.push(RecordedRule { name: "force-push".to_owned(), tier: 4, shadow: false });
        }
        record::append(&folders, &entry.line(), None).unwrap();
    }
}

/// The ids of all lines that are kept, in their order.
fn ids(scratch: &Scratch) -> Vec<String> {
    let texts: Vec<String> = record::files(&memory(scratch)).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let id = |line: &str| LineLink::read(line.as_bytes()).map(|link| String::from_utf8(link.digest.to_vec()).unwrap());
    texts.iter().flat_map(|text| text.lines().map(|line| id(line).unwrap()).collect::<Vec<_>>()).collect()
}

/// A receiver on loopback, which keeps the bodies of the requests that it took.
struct Receiver {
    port: u16,
    ends: Arc<AtomicBool>,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Receiver {
    /// `answer` is what it says to the request with this number. `None`: it takes the request and hangs up.
    fn start(port: u16, answer: impl Fn(usize) -> Option<Vec<u8>> + Send + 'static) -> Self {
        let begun = Instant::now();
        let listener = loop {
            match TcpListener::bind(("127.0.0.1", port)) {
                Ok(listener) => break listener,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let port = listener.local_addr().unwrap().port();
        let (ends, bodies) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (ended, kept) = (ends.clone(), bodies.clone());
        let thread = std::thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                kept.lock().unwrap().push(body(&mut stream));
                if let Some(answer) = answer(at) {
                    let _ = stream.write_all(&answer);
                }
            }
        });
        Self { port, ends, bodies, thread: Some(thread) }
    }

    fn stop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.thread.take().unwrap().join().unwrap();
    }

    fn bodies(&self) -> Vec<Vec<u8>> {
        self.bodies.lock().unwrap().clone()
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// A process that is ended with the test.
struct Exporter(Child);

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads a request.
fn body(stream: &mut TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    body
}

/// How often each id came, found without reading the messages: its name, and then its digits.
fn arrived(bodies: &[Vec<u8>]) -> BTreeMap<String, usize> {
    let name = b"log.record.uid";
    let mut counts = BTreeMap::new();
    for body in bodies {
        let places = (0..body.len()).filter(|at| body[*at..].starts_with(name));
        for at in places {
            // A value of 34 bytes, in it a text of 32.
            let digits = String::from_utf8(body[at + name.len() + 4..][..32].to_vec()).unwrap();
            *counts.entry(digits).or_default() += 1;
        }
    }
    counts
}

fn export(scratch: &Scratch, arguments: &[&str]) -> Said {
    run(scratch.command(COLD).args(["log", "export"]).args(arguments), b"")
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what `--nocapture` is for")]
fn every_line_arrives_though_the_receiver_comes_and_goes() {
    let all = number("PORTCULLIS_EXPORT_LINES", 3000);
    let scratch = Scratch::new();
    fill(&scratch, 0, all / 2);
    // The third request is taken and not answered: nobody can know that it arrived.
    let mut first = Receiver::start(0, |at| if at == 2 { None } else { Some(TAKEN.to_vec()) });
    let address = first.address();
    let exporter = scratch.command(COLD).args(["log", "export", "--follow", "--otlp", &address]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let exporter = Exporter(exporter);
    let wait = |what: &str, done: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait("the first requests", &|| first.bodies().len() >= 4);
    first.stop();
    fill(&scratch, all / 2, all - all / 2);
    std::thread::sleep(Duration::from_millis(300));
    let mut second = Receiver::start(first.port, |_| Some(TAKEN.to_vec()));
    let expected = ids(&scratch);
    let bodies = || [first.bodies(), second.bodies()].concat();
    wait("all lines", &|| arrived(&bodies()).len() >= expected.len());
    drop(exporter);
    let counts = arrived(&bodies());
    assert!(expected.iter().all(|id| counts.contains_key(id)) && counts.len() == expected.len(), "{} of {}", counts.len(), expected.len());
    let repeats: usize = counts.values().map(|count| count - 1).sum();
    println!("{} lines in {} requests, {repeats} sent again", expected.len(), bodies().len());
    assert!(repeats <= 2 * BATCH && repeats > 0, "{repeats}");
    // Another run sends only what is new.
    let before = second.bodies().len();
    fill(&scratch, all, 7);
    let said = export(&scratch, &["--otlp", &address, "--json"]);
    let report: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"));
    // The exporter may have been killed before it noted the last request.
    assert!((7..=7 + BATCH as u64).contains(&report["sent"].as_u64().unwrap()), "{report}");
    assert!(ids(&scratch)[all..].iter().all(|id| arrived(&second.bodies()[before..]).contains_key(id)));
    assert!(export(&scratch, &["--otlp", &address]).stdout.starts_with("0 lines sent"));
    assert!(export(&scratch, &["--otlp", &address, "--from-start", "--dry-run"]).stdout.starts_with(&format!("{} lines would be sent", all + 7)));
    second.stop();
}

/// Reads the bodies with the messages of `opentelemetry-proto` of the Python index, and prints a JSON object for each record.
const READER: &str = r#"
import json, sys
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
def value(any):
    kind = any.WhichOneof("value")
    return [value(item) for item in any.array_value.values] if kind == "array_value" else getattr(any, kind)
for path in sys.argv[1:]:
    request = ExportLogsServiceRequest()
    request.ParseFromString(open(path, "rb").read())
    for of_resource in request.resource_logs:
        resource = {pair.key: value(pair.value) for pair in of_resource.resource.attributes}
        for of_scope in of_resource.scope_logs:
            for record in of_scope.log_records:
                print(json.dumps({"resource": resource, "scope": of_scope.scope.name, "time": record.time_unix_nano, "observed": record.observed_time_unix_nano,
                    "severity": record.severity_number, "text": record.severity_text, "body": value(record.body), "event": record.event_name,
                    "attributes": {pair.key: value(pair.value) for pair in record.attributes}}))
"#;

#[test]
fn an_independent_reader_finds_what_was_recorded() {
    let python = Command::new("python3").args(["-c", "import opentelemetry.proto.collector.logs.v1.logs_service_pb2"]).stderr(Stdio::null()).status();
    if !python.is_ok_and(|status| status.success()) {
        return not_run("opentelemetry-proto of PyPI");
    }
    let scratch = Scratch::new();
    fill(&scratch, 0, 25);
    let mut receiver = Receiver::start(0, |_| Some(TAKEN.to_vec()));
    assert_eq!(export(&scratch, &["--otlp", &receiver.address()]).code, 0);
    let file = scratch.home().join("body");
    fs::write(&file, &receiver.bodies()[0]).unwrap();
    receiver.stop();
    let read = Command::new("python3").args(["-c", READER]).arg(&file).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let records: Vec<Value> = String::from_utf8(read.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<&str> = records.iter().map(|record| record["attributes"]["log.record.uid"].as_str().unwrap()).collect();
    assert_eq!(found, ids(&scratch));
    let first = &records[0];
    assert_eq!(first["resource"]["service.name"], "portcullis");
    assert_eq!((first["severity"].as_i64(), first["text"].as_str(), first["event"].as_str()), (Some(17), Some("ERROR"), Some("portcullis.decision")));
    assert_eq!(first["time"].as_u64(), Some(1_796_000_000_000_000_000));
    assert!(first["observed"].as_u64().unwrap() > 1_000_000_000_000_000_000);
    let attributes = &first["attributes"];
    assert_eq!((attributes["portcullis.tier"].as_i64(), attributes["portcullis.decision"].as_str()), (Some(4), Some("denied")));
    assert_eq!(attributes["portcullis.rules"], serde_json::json!(["force-push"]));
    assert_eq!(attributes["portcullis.n"], 1);
    // What could turn the line around on a terminal is escaped.
    assert!(first["body"].as_str().unwrap().contains("\\u{202e}"), "{first}");
    assert_eq!(records[1]["severity"], 9);
}

/// Checks events by the schema of OCSF 1.6 with the packages `ocsf-json-schema` and `jsonschema` of the Python index, and each number by
/// the word beside it. Prints a line for each fault.
const OCSF_CHECK: &str = r#"
import json, sys
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
raw = get_ocsf_schema(version="1.6.0")
schema = OcsfJsonSchemaEmbedded(raw).get_class_schema(class_name="api_activity", profiles=["security_control"])
check = Draft202012Validator(schema)
attributes = raw["classes"]["api_activity"]["attributes"]
attributes = attributes if isinstance(attributes, dict) else {name: about for one in attributes for name, about in one.items()}
for number, line in enumerate(sys.stdin):
    event = json.loads(line)
    for error in check.iter_errors(event):
        print(number, "/".join(map(str, error.absolute_path)), error.message[:200])
    for name, about in attributes.items():
        known, word = about.get("enum", {}).get(str(event.get(name))), about.get("sibling")
        if known and word in event and known["caption"] not in ("Other", event[word]):
            print(number, name, event[name], "is", known["caption"], "and not", event[word])
print("checked")
"#;

#[test]
fn events_of_ocsf_are_valid_by_its_schema() {
    let python = Command::new("python3").args(["-c", "import jsonschema, ocsf_json_schema"]).stderr(Stdio::null()).status();
    if !python.is_ok_and(|status| status.success()) {
        return not_run("ocsf-json-schema and jsonschema of PyPI");
    }
    let scratch = Scratch::new();
    fill(&scratch, 0, 25);
    // Every form that a line can have.
    let folders = memory(&scratch);
    let put = |entry: Entry| record::append(&folders, &entry.line(), None).unwrap();
    let kinds: [&[&str]; 7] = [&[], &["read"], &["write"], &["delete", "run"], &["fetch"], &["read", "run"], &["opaque"]];
    for (at, kinds) in kinds.iter().enumerate() {
        for held in [None, Some(Held::Ask), Some(Held::Deny)] {
            let rules = held.map(|_| RecordedRule { name: "a-rule".to_owned(), tier: 3, shadow: at % 2 == 0 }).into_iter().collect();
            let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
            put(Entry {
                tool: "T".to_owned(),
                kinds,
                tier: Some(3),
                held,
                rules,
                took: Some(1234),
                paused: at == 1,
                ..Entry::new("PreToolUse", RecordSource::Cold, 1)
            });
        }
    }
    for outcome in [None, Some(Outcome::Ok), Some(Outcome::Failed), Some(Outcome::Interrupted)] {
        put(Entry { outcome, exit: Some(-1), error: Some(7), said: "\u{202e}x".to_owned(), ..Entry::new("PostToolUse", RecordSource::Hot, 1) });
    }
    for source in [RecordSource::Git, RecordSource::Check, RecordSource::Trial] {
        put(Entry { tier: Some(1), approved: "code who".to_owned(), ..Entry::new("pre-push", source, 1) });
    }
    let events = export(&scratch, &["--format", "ocsf"]).stdout;
    assert!(events.lines().count() >= 25 + 21 + 4 + 2, "{events}");
    let checked = run(Command::new("python3").args(["-c", OCSF_CHECK]), events.as_bytes());
    assert_eq!((checked.code, checked.stdout.as_str()), (0, "checked\n"), "{}", checked.stderr);
    // What is not valid is seen.
    let wrong = events.lines().next().unwrap().replace("\"severity_id\":4", "\"severity_id\":3").replace("\"time\"", "\"when\"");
    let checked = run(Command::new("python3").args(["-c", OCSF_CHECK]), format!("{wrong}\n").as_bytes());
    assert!(checked.stdout.contains("'time' is a required property") && checked.stdout.contains("severity_id 3 is Medium"), "{checked:?}");
}

#[test]
fn what_a_receiver_refuses_is_counted_and_an_error_stops() {
    let scratch = Scratch::new();
    fill(&scratch, 0, 5);
    // partial_success { rejected_log_records: 2, error_message: "too old" }
    let partial = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n\x0a\x0b\x08\x02\x12\x07too old\r\n0\r\n\r\n".to_vec();
    let mut receiver = Receiver::start(0, move |_| Some(partial.clone()));
    let said = export(&scratch, &["--otlp", &receiver.address()]);
    assert!(said.code == 0 && said.stdout.contains("the receiver refused 2 of them") && said.stderr.contains("too old"), "{said:?}");
    receiver.stop();
    fill(&scratch, 5, 5);
    let mut strict = Receiver::start(receiver.port, |_| Some(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n".to_vec()));
    let said = export(&scratch, &["--otlp", &strict.address()]);
    assert!(said.code == 1 && said.stderr.contains("refuses the lines (400)"), "{said:?}");
    strict.stop();
    // They are still to be sent.
    let mut busy = Receiver::start(receiver.port, |at| {
        Some(if at == 0 { b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n".to_vec() } else { TAKEN.to_vec() })
    });
    let said = export(&scratch, &["--otlp", &busy.address()]);
    assert!(said.code == 0 && said.stdout.starts_with("5 lines sent") && said.stderr.contains("503"), "{said:?}");
    busy.stop();
    for (arguments, words) in
        [(["--otlp", "https://a:1"], "needs TLS"), (["--otlp", "127.0.0.1:4318"], "does not begin with"), (["--format", "xml"], "invalid value")]
    {
        let said = export(&scratch, &arguments);
        assert!(said.code == 2 && said.stderr.contains(words), "{said:?}");
    }
}

#[test]
fn the_record_is_printed_in_other_forms() {
    let scratch = Scratch::new();
    fill(&scratch, 0, 12);
    let lines = export(&scratch, &["--format", "jsonl"]);
    assert_eq!(lines.stdout.lines().count(), 12);
    assert!(lines.stdout.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line["chain"].is_string())));
    assert!(!lines.stdout.contains('\u{202e}'));
    let events: Vec<Value> = export(&scratch, &["--format", "ocsf"]).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 12);
    for required in ["activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "src_endpoint", "time", "type_uid"] {
        assert!(events.iter().all(|event| !event[required].is_null()), "{required}");
    }
    assert_eq!((events[0]["disposition"].as_str(), events[1]["disposition"].as_str()), (Some("Blocked"), Some("Allowed")));
    assert_eq!(events.iter().map(|event| event["metadata"]["uid"].as_str().unwrap()).collect::<Vec<_>>(), ids(&scratch));
    let file = scratch.home().join("record.csv");
    let said = export(&scratch, &["--format", "csv", "--output", file.to_str().unwrap()]);
    assert!(said.code == 0 && said.stdout.is_empty(), "{said:?}");
    let csv = fs::read_to_string(&file).unwrap();
    assert_eq!(csv.lines().count(), 13);
    assert!(csv.starts_with("id,record,n,time,") && csv.contains("\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")"), "{csv}");
    // All repositories of the user, from anywhere.
    let elsewhere = run(scratch.command(COLD).args(["log", "export", "--all", "--format", "jsonl"]).current_dir(scratch.home()), b"");
    assert_eq!(elsewhere.stdout.lines().count(), 12, "{elsewhere:?}");
}

#[test]
fn units_keep_the_export_running() {
    let scratch = Scratch::new();
    let unit = export(&scratch, &["--otlp", "http://127.0.0.1:4318", "--follow", "--all", "--print-unit", "systemd"]);
    assert!(unit.code == 0 && unit.stdout.contains("[Service]\nExecStart=") && unit.stdout.contains("\"--follow\" \"--all\""), "{unit:?}");
    let analyze = "/usr/bin/systemd-analyze";
    if fs::exists(analyze).unwrap() {
        let file = scratch.home().join("portcullis-export.service");
        fs::write(&file, &unit.stdout).unwrap();
        let checked = run(Command::new(analyze).args(["--user", "verify"]).arg(&file), b"");
        assert!(!checked.stderr.contains("portcullis-export.service:"), "{checked:?}");
    }
    let unit = export(&scratch, &["--otlp", "http://127.0.0.1:4318", "--print-unit", "launchd"]);
    assert!(unit.stdout.contains("<string>--follow</string>") && unit.stdout.contains("<key>KeepAlive</key><true/>"), "{unit:?}");
    assert!(roxmltree::Document::parse_with_options(&unit.stdout, roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() }).is_ok());
}
