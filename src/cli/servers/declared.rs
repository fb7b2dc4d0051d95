//! Reads which tool servers a project and a person declare, in the files of the clients.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::place::Place;
use clients::declared::{SERVER_FILES, ServerFile};

/// A tool server as a file declares it.
#[derive(Clone, Debug)]
pub(in crate::cli) struct DeclaredServer {
    pub(in crate::cli) name: String,
    /// The file, for people.
    pub(in crate::cli) file: String,
    pub(in crate::cli) start: ServerStart,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub(in crate::cli) enum ServerStart {
    /// A program with its arguments, and variables for it.
    Program { words: Vec<String>, env: Vec<(String, String)> },
    /// An address.
    Address(String),
    /// The declaration has another form.
    Unknown,
}

impl ServerStart {
    /// For people: what is started, without the values of variables.
    pub(in crate::cli) fn shown(&self) -> String {
        match self {
            Self::Program { words, .. } => words.join(" "),
            Self::Address(url) => url.clone(),
            Self::Unknown => "it is declared in a form that is not known".to_owned(),
        }
    }
}

/// All declared servers, and why a file could not be read.
pub(in crate::cli) fn all(place: &Place) -> (Vec<DeclaredServer>, Vec<String>) {
    let (mut servers, mut unreadable) = (Vec::new(), Vec::new());
    let root = &place.around.root;
    for ServerFile { path, at_home, key } in SERVER_FILES {
        let folder = if *at_home { place.world.homes.first().map(PathBuf::as_path) } else { Some(root.as_path()) };
        let Some(folder) = folder.filter(|folder| !at_home || *folder != root) else { continue };
        let file = folder.join(path);
        let shown = if *at_home { format!("~/{path}") } else { (*path).to_owned() };
        match read(&file) {
            Ok(None) => {}
            Err(why) => unreadable.push(format!("{shown}: {why}")),
            Ok(Some(value)) => {
                // Claude Code keeps a person's servers for one project beside those for all.
                let own = value.get("projects").and_then(|projects| projects.get(root.to_str()?)).and_then(|project| project.get(*key));
                for table in [value.get(*key), own].into_iter().flatten() {
                    let table = table.as_object().into_iter().flatten();
                    servers.extend(table.map(|(name, value)| DeclaredServer { name: name.clone(), file: shown.clone(), start: start(value) }));
                }
            }
        }
    }
    (servers, unreadable)
}

fn read(file: &Path) -> Result<Option<Value>, String> {
    let text = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound || error.kind() == std::io::ErrorKind::NotADirectory => return Ok(None),
        text => text.map_err(|error| error.to_string())?,
    };
    if file.extension().is_some_and(|extension| extension == "toml") {
        return toml::from_str(&text).map(Some).map_err(|error| error.message().to_owned());
    }
    let parsed = jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default());
    parsed.map_err(|error| error.to_string())
}

fn start(value: &Value) -> ServerStart {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let texts = |value: &Value| value.as_array().into_iter().flatten().filter_map(text).collect::<Vec<_>>();
    if let Some(url) = ["url", "httpUrl", "serverUrl"].iter().find_map(|key| value.get(key)).and_then(text) {
        return ServerStart::Address(url);
    }
    let mut words = match value.get("command") {
        Some(Value::String(program)) => vec![program.clone()],
        Some(list @ Value::Array(_)) => texts(list),
        _ => return ServerStart::Unknown,
    };
    words.extend(value.get("args").map(texts).unwrap_or_default());
    let env = ["env", "environment"].iter().find_map(|key| value.get(key)).and_then(Value::as_object);
    let env = env.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
    ServerStart::Program { words, env }
}
