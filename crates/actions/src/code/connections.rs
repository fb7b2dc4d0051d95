//! Connections to databases that program text opens, and the texts that it sends through them. Knows no database: which
//! client of the command line a connection is like is data, and that client's description says the rest.

use super::effects::{Arg, CodeCall};
use super::value::{CodeText, CodeValue};
use super::{CodeAction, Scan, functions};

/// Options that hold a whole address.
const WHOLE: &[&str] = &["dsn", "conninfo", "connectionString", "uri", "url", "name", "filename"];
const HOSTS: &[&str] = &["host", "hostname"];
const DATABASES: &[&str] = &["dbname", "database", "db"];

/// A connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeConnection {
    /// The client of the command line that speaks to the same databases.
    pub client: &'static str,
    /// A whole address, or a file; unknown parts are written as [`super::HOLE`].
    pub address: Option<String>,
    pub host: Option<String>,
    pub database: Option<String>,
    /// Methods are commands themselves.
    pub commands: bool,
}

impl CodeConnection {
    /// What a call connects to.
    fn new(call: &CodeCall<'_>, client: &'static str) -> Self {
        let value = |value: &CodeValue| value.clone().settled().into_text().text;
        let option = |names: &[&str]| names.iter().find_map(|name| call.option(name)).map(value);
        let (host, database) = (option(HOSTS), option(DATABASES));
        let first = call.plain().find(|value| !matches!(value, CodeValue::Object(_) | CodeValue::Bool(_)));
        let address = option(WHOLE).or_else(|| first.map(value).filter(|_| host.is_none()));
        let address = address.map(|address| address.strip_prefix("pgsql:").map_or(address.clone(), |rest| rest.replace(';', " ")));
        Self { client, address, host, database, commands: false }
    }
}

impl Scan {
    /// A call that opens a connection.
    pub(super) fn connected(&self, call: &CodeCall<'_>, commands: bool) -> CodeValue {
        let Some(client) = functions::client(self.language, call.name) else { return CodeValue::Unknown };
        let mut connection = CodeConnection { commands, ..CodeConnection::new(call, client) };
        // The scheme of an address says which database it is.
        if let Some((scheme, rest)) = connection.address.as_deref().and_then(|address| address.split_once("://"))
            && let (scheme, _) = scheme.split_once('+').unwrap_or((scheme, ""))
            && let Some(client) = functions::client_of_scheme(scheme)
        {
            connection.client = client;
            let file = rest.strip_prefix('/').filter(|_| scheme == "sqlite");
            connection.address =
                Some(file.map_or_else(|| format!("{scheme}://{rest}"), |file| if file.is_empty() { ":memory:".to_owned() } else { file.to_owned() }));
        }
        CodeValue::Connection(Box::new(connection))
    }

    /// A method of a connection, a cursor or the like. Its value is the same connection.
    pub(super) fn connection_method(&mut self, connection: &CodeConnection, name: &str, args: &[Arg], emit: bool) -> CodeValue {
        /// Methods that send the text which is their first argument.
        const SENDS: &[&str] = &[
            "execute",
            "executemany",
            "executescript",
            "exec",
            "exec_params",
            "exec_driver_sql",
            "query",
            "run",
            "raw",
            "unsafe",
            "execute_query",
            "execute_batch",
            "multi_query",
            "sql",
            "batch",
        ];
        let texts = if connection.commands {
            let words = args.iter().flat_map(|arg| arg.value.clone().settled().elements());
            let words = words.map(|word| word.unwrap_or_else(|| super::HOLE.to_owned()));
            vec![CodeText::lit(&std::iter::once(name.to_owned()).chain(words).collect::<Vec<_>>().join(" "))]
        } else if SENDS.contains(&name) {
            let text = |value: CodeValue| match value {
                CodeValue::Object(keys) => keys.into_iter().find(|(key, _)| matches!(key.as_str(), "text" | "sql")).map(|(_, text)| text.into_text()),
                other => Some(other.into_text()),
            };
            args.first().into_iter().flat_map(|arg| arg.value.clone().choices()).filter_map(text).collect()
        } else {
            Vec::new()
        };
        for text in texts.into_iter().filter(|text| emit && text.known) {
            self.push(CodeAction::Query { connection: connection.clone(), text: text.text });
        }
        CodeValue::Connection(Box::new(connection.clone()))
    }

    /// A call that makes a client of a service.
    pub(super) fn service(&self, call: &CodeCall<'_>) -> CodeValue {
        let named = call.option("service_name").or_else(|| call.plain().next()).and_then(CodeValue::literal);
        let (Some(program), Some(service)) = (functions::client(self.language, call.name), named) else { return CodeValue::Unknown };
        let word = functions::service(program, &service).map_or(service, str::to_owned);
        let mut words = vec![program.to_owned(), word];
        if let Some(address) = call.option("endpoint_url") {
            words.push(format!("--endpoint-url={}", address.clone().into_text().text));
        }
        if call.name.ends_with("resource") { CodeValue::Resource(words, String::new()) } else { CodeValue::Service(words) }
    }

    /// A method of a thing of a service: `s3.Bucket(name).delete()` is `delete-bucket`, `instances.all().terminate()` is
    /// `terminate-instances`.
    pub(super) fn resource_method(&mut self, resource: CodeValue, name: &str, args: &[Arg], emit: bool) -> CodeValue {
        if matches!(name, "all" | "filter" | "limit" | "page_size") {
            return resource;
        }
        if name.starts_with(|first: char| first.is_ascii_uppercase()) {
            return resource.resource(name);
        }
        let CodeValue::Resource(words, of) = resource else { return CodeValue::Unknown };
        if emit && !matches!(name, "load" | "reload") && !name.starts_with("wait_") {
            // The command line takes several of them at once.
            let several = if name == "terminate" && !of.ends_with('s') { "s" } else { "" };
            let method = if of.is_empty() { name.to_owned() } else { format!("{name}-{of}{several}") };
            self.service_method(&words, &method, args);
        }
        CodeValue::Unknown
    }

    /// A method of such a client, as the subcommand of the same name. What only reads changes nothing, and may show nothing.
    pub(super) fn service_method(&mut self, words: &[String], name: &str, args: &[Arg]) {
        if ["get_", "list_", "describe_", "head_"].iter().any(|reads| name.starts_with(reads)) || matches!(name, "close" | "meta" | "exceptions") {
            return;
        }
        let dry = args.iter().any(|arg| arg.name.as_deref() == Some("DryRun") && arg.value == CodeValue::Bool(true));
        let method = name.replace('_', "-");
        let (front, options) = words.split_at(words.len().min(2));
        let words = front.iter().cloned().chain([method]).chain(options.iter().cloned()).chain(dry.then(|| "--dry-run".to_owned()));
        let known = |word: String| (!word.contains(super::HOLE)).then_some(word);
        self.push(CodeAction::Argv(words.map(known).collect()));
    }
}

impl CodeValue {
    /// What is named `name` below a thing of a service.
    pub(super) fn resource(self, name: &str) -> CodeValue {
        let CodeValue::Resource(words, _) = self else { return CodeValue::Unknown };
        let mut of = String::new();
        for (at, c) in name.chars().enumerate() {
            if c.is_ascii_uppercase() && at > 0 {
                of.push('-');
            }
            of.push(if c == '_' { '-' } else { c.to_ascii_lowercase() });
        }
        CodeValue::Resource(words, of)
    }
}
