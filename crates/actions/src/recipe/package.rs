//! `scripts` of package.json and its like: the command lines of a name.

use crate::json::Json;

/// The command lines that running the script `name` of the object `key` runs: with those that npm runs before and after
/// it (npm-scripts, "Pre & Post Scripts").
pub fn read(text: &str, key: &str, name: &str) -> Vec<String> {
    let Ok(json) = Json::read(text.as_bytes()) else { return Vec::new() };
    let Some(scripts) = json.get(key) else { return Vec::new() };
    if scripts.get(name).is_none() {
        return Vec::new();
    }
    let names = [format!("pre{name}"), name.to_owned(), format!("post{name}")];
    names.iter().filter_map(|name| scripts.get(name)).flat_map(lines).collect()
}

/// The command lines of these names alone, in order.
pub fn read_all(text: &str, key: &str, names: &[&str]) -> Vec<String> {
    let Ok(json) = Json::read(text.as_bytes()) else { return Vec::new() };
    let Some(scripts) = json.get(key) else { return Vec::new() };
    names.iter().filter_map(|name| scripts.get(name)).flat_map(lines).collect()
}

/// A script is a text, a list of texts (composer), or an object with a `command` (deno).
fn lines(script: &Json) -> Vec<String> {
    match script {
        Json::Text(line) => vec![line.clone()],
        Json::List(all) => all.iter().filter_map(Json::scalar).collect(),
        other => other.text("command").map(str::to_owned).into_iter().collect(),
    }
}
