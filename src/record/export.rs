//! A line of the record in forms that other programs read: as attributes, as CSV (RFC 4180), and as an event of OCSF 1.6.

use serde_json::{Map, Value, json};

use actions::shown::escaped;
use clients::Moment;
use gate::BUILD;
use gate::chain::LineLink;
use gate::digest::digest;
use gate::record::{Entry, Held, Outcome, RecordSource};

/// A line to be exported.
#[derive(Clone, Debug)]
pub struct ExportLine {
    /// The digest of its chain; for a line without one, the digest of the line.
    pub id: String,
    /// The line has a link, so it can be found again by its id.
    pub linked: bool,
    /// The folder of its record.
    pub record: String,
    /// As it was recorded, without the line end.
    pub text: String,
    pub entry: Entry,
    number: Option<u64>,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    Text(String),
    Flag(bool),
    Number(i64),
    List(Vec<String>),
}

/// How much a line concerns people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Information,
    Warning,
    Error,
}

/// The columns of CSV, in their order.
pub const COLUMNS: &[&str] = &[
    "id",
    "record",
    "n",
    "time",
    "source",
    "event",
    "client",
    "session",
    "agent",
    "agent_id",
    "tool",
    "call",
    "input",
    "kinds",
    "tier",
    "decision",
    "rules",
    "shadow_rules",
    "paused",
    "approved",
    "took",
    "outcome",
    "exit",
    "error",
    "said",
    "path",
    "what",
];

/// A call that Portcullis made up. Lines of earlier versions only name its session.
#[must_use]
pub fn is_trial(entry: &Entry) -> bool {
    entry.source == RecordSource::Trial || entry.session == gate::call::TRIAL
}

/// A verdict on a call. Silence where the client asks its person does not count: the same call was decided before, and what the
/// person says is not known.
#[must_use]
pub fn is_decision(entry: &Entry) -> bool {
    entry.tier.is_some() && (entry.held.is_some() || Moment::of(&entry.event) != Moment::Permission)
}

impl ExportLine {
    /// Reads a line. `None`: it is no line of a record.
    #[must_use]
    pub fn read(text: &str, record: &str) -> Option<Self> {
        let entry = Entry::read(text.as_bytes())?;
        let link = LineLink::read(text.as_bytes());
        let id = link.map_or_else(|| digest(&[text.as_bytes()]), |link| link.digest);
        let id = id.iter().copied().map(char::from).collect();
        Some(Self { id, linked: link.is_some(), record: record.to_owned(), text: text.to_owned(), entry, number: link.map(|link| link.number) })
    }

    /// `decision`, `signal` or `trial`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if is_trial(&self.entry) {
            "trial"
        } else if is_decision(&self.entry) {
            "decision"
        } else {
            "signal"
        }
    }

    /// What was decided. `None`: nothing.
    fn decision(&self) -> Option<&'static str> {
        match self.entry.held {
            Some(Held::Deny) => Some("denied"),
            Some(Held::Ask) => Some("asked"),
            None => is_decision(&self.entry).then_some("allowed"),
        }
    }

    #[must_use]
    pub fn severity(&self) -> Severity {
        match (self.entry.held, self.entry.outcome) {
            (Some(Held::Deny), _) => Severity::Error,
            (Some(Held::Ask), _) | (None, Some(Outcome::Failed)) => Severity::Warning,
            _ if self.entry.paused => Severity::Warning,
            _ => Severity::Information,
        }
    }

    /// One line for people.
    #[must_use]
    pub fn words(&self) -> String {
        let Entry { tool, event, path, what, .. } = &self.entry;
        let rules: Vec<&str> = self.rules(false);
        let rules = if rules.is_empty() { String::new() } else { format!(" [{}]", rules.join(", ")) };
        let subject = if tool.is_empty() { event } else { tool };
        let target = if path.is_empty() { what } else { path };
        let word = self.decision().map_or(String::new(), |word| format!("{word} "));
        let target = if target.is_empty() { String::new() } else { format!(": {target}") };
        escaped(&format!("{word}{subject}{target}{rules}")).into_owned()
    }

    fn rules(&self, shadow: bool) -> Vec<&str> {
        self.entry.rules.iter().filter(|rule| rule.shadow == shadow).map(|rule| rule.name.as_str()).collect()
    }

    /// What is known of it, by names. What is not known is left out.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, FieldValue)> {
        let entry = &self.entry;
        let text = |text: &str| if text.is_empty() { None } else { Some(FieldValue::Text(escaped(text).into_owned())) };
        let list =
            |items: Vec<&str>| if items.is_empty() { None } else { Some(FieldValue::List(items.iter().map(|item| escaped(item).into_owned()).collect())) };
        let hash = |hash: Option<u64>| hash.map(|hash| FieldValue::Text(format!("{hash:016x}")));
        let outcome = |outcome| match outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "failed",
            Outcome::Interrupted => "interrupted",
        };
        let source = match entry.source {
            RecordSource::Hot => "hot",
            RecordSource::Cold => "cold",
            RecordSource::Git => "git",
            RecordSource::Check => "check",
            RecordSource::Trial => "trial",
        };
        [
            ("record", text(&self.record)),
            ("n", self.number.and_then(|number| i64::try_from(number).ok()).map(FieldValue::Number)),
            ("source", text(source)),
            ("event", text(&entry.event)),
            ("client", text(&entry.client)),
            ("session", text(&entry.session)),
            ("agent", text(&entry.agent)),
            ("agent_id", text(&entry.agent_id)),
            ("tool", text(&entry.tool)),
            ("call", text(&entry.call)),
            ("input", hash(entry.input)),
            ("kinds", list(entry.kinds.iter().map(String::as_str).collect())),
            ("tier", entry.tier.map(|tier| FieldValue::Number(tier.into()))),
            ("decision", self.decision().and_then(text)),
            ("rules", list(self.rules(false))),
            ("shadow_rules", list(self.rules(true))),
            ("paused", entry.paused.then_some(FieldValue::Flag(true))),
            ("approved", text(&entry.approved)),
            ("took", entry.took.and_then(|took| i64::try_from(took).ok()).map(FieldValue::Number)),
            ("outcome", entry.outcome.map(outcome).and_then(text)),
            ("exit", entry.exit.map(FieldValue::Number)),
            ("error", hash(entry.error)),
            ("said", text(&entry.said)),
            ("path", text(&entry.path)),
            ("what", text(&entry.what)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }

    /// A line of CSV with [`COLUMNS`].
    #[must_use]
    pub fn csv(&self) -> String {
        let fields = self.fields();
        let cell = |column: &&str| match *column {
            "id" => self.id.clone(),
            "time" => self.entry.time.to_string(),
            column => fields.iter().find(|(key, _)| *key == column).map_or_else(String::new, |(_, value)| match value {
                FieldValue::Text(text) => text.clone(),
                FieldValue::Flag(flag) => flag.to_string(),
                FieldValue::Number(number) => number.to_string(),
                FieldValue::List(items) => items.join(" "),
            }),
        };
        COLUMNS.iter().map(|column| csv_cell(&cell(column))).collect::<Vec<_>>().join(",")
    }

    /// An event of OCSF: what an agent wanted to do is API Activity, with the profile of security controls for the verdict.
    #[must_use]
    pub fn ocsf(&self) -> Value {
        let entry = &self.entry;
        let (disposition_id, disposition) = match self.decision() {
            Some("denied") => (2, "Blocked"),
            Some("allowed") => (1, "Allowed"),
            Some(_) => (99, "Asked"),
            None => (17, "Logged"),
        };
        let (action_id, action) = match self.decision() {
            Some("denied") => (2, "Denied"),
            Some("allowed") => (1, "Allowed"),
            Some(_) => (99, "Asked"),
            None => (3, "Observed"),
        };
        let (status_id, status) = match (entry.outcome, entry.held) {
            (Some(Outcome::Ok), _) => (1, "Success"),
            (Some(Outcome::Failed | Outcome::Interrupted), _) | (None, Some(Held::Deny)) => (2, "Failure"),
            _ => (0, "Unknown"),
        };
        let (severity_id, severity) = match self.severity() {
            Severity::Information => (1, "Informational"),
            Severity::Warning => (3, "Medium"),
            Severity::Error => (4, "High"),
        };
        let has = |kind: &str| entry.kinds.iter().any(|known| known == kind);
        let (activity_id, activity) = match () {
            () if has("delete") => (4, "Delete"),
            () if has("write") => (3, "Update"),
            () if entry.kinds.iter().all(|kind| kind == "read") && has("read") => (2, "Read"),
            () => (99, "Other"),
        };
        let fields = self.fields().into_iter().map(|(key, value)| (key.to_owned(), plain(value)));
        let rules = self.rules(false);
        let mut event = json!({
            "category_uid": 6, "category_name": "Application Activity",
            "class_uid": 6003, "class_name": "API Activity",
            "activity_id": activity_id, "activity_name": activity, "type_uid": 600_300 + activity_id,
            "time": entry.time,
            "severity_id": severity_id, "severity": severity,
            "status_id": status_id, "status": status,
            "disposition_id": disposition_id, "disposition": disposition, "action_id": action_id, "action": action,
            "message": self.words(),
            "metadata": {
                "version": "1.6.0", "uid": self.id, "profiles": ["security_control"], "event_code": escaped(&entry.event), "log_name": "portcullis record",
                "product": { "name": "Portcullis", "vendor_name": "Portcullis", "version": BUILD },
            },
            "actor": { "session": { "uid": escaped(&entry.session) }, "app_name": escaped(&entry.agent) },
            "src_endpoint": { "name": host() },
            "api": { "operation": escaped(if entry.tool.is_empty() { &entry.event } else { &entry.tool }), "request": { "uid": escaped(&entry.call) } },
            "unmapped": fields.collect::<Map<_, _>>(),
        });
        if let (Some(took), Some(event)) = (entry.took, event.as_object_mut()) {
            event.insert("duration".to_owned(), json!(took.div_ceil(1000)));
        }
        if let (Some(first), Some(event)) = (rules.first(), event.as_object_mut()) {
            event.insert("firewall_rule".to_owned(), json!({ "name": escaped(first) }));
        }
        event
    }
}

fn plain(value: FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => text.into(),
        FieldValue::Flag(flag) => flag.into(),
        FieldValue::Number(number) => number.into(),
        FieldValue::List(items) => items.into(),
    }
}

/// A cell of CSV. A spreadsheet takes a cell that begins with certain signs for a formula, so such a text gets a quote in front.
fn csv_cell(text: &str) -> String {
    let number = text.parse::<i64>().is_ok();
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// The name of this machine. Empty where the system does not tell.
#[must_use]
pub fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname")).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
