//! Hooks that a person must confirm in the client before it starts them: Codex keeps a hash of each confirmed hook in its
//! `config.toml`, and passes over others in silence (observed with 0.169.0 and 0.171.0, also for a person's own hooks).
//!
//! The hash is that of the entry as sorted JSON. What Codex 0.171.0 itself names as the hash was compared with it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use toml::Table;

use super::HookPlace;
use crate::cli::init::scope::{Scope, Site};
use clients::wiring::forms;

/// The file with the hashes, in the folder of the person's configuration.
const CONFIG: &str = "config.toml";

/// The events of a place whose hooks the client does not start yet. Empty if all are confirmed, or if nothing needs to be.
pub fn unconfirmed(place: &HookPlace, site: &Site) -> Vec<String> {
    if place.wiring.confirm.is_none() {
        return Vec::new();
    }
    let config = super::home_of(place.wiring.home, site).and_then(|home| fs::read_to_string(home.join(CONFIG)).ok());
    let config: Table = config.and_then(|text| text.parse().ok()).unwrap_or_default();
    let state = config.get("hooks").and_then(|hooks| hooks.get("state"));
    let text = fs::read_to_string(&place.path).unwrap_or_default();
    let root: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut left = Vec::new();
    for hook in place.found().unwrap_or_default() {
        let Some((group, index, handler)) = position(&root, &hook.event) else { continue };
        let key = format!("{}:{}:{group}:{index}", place.path.display(), snake(&hook.event));
        let known = state.and_then(|state| state.get(&key));
        let hash = known.and_then(|known| known.get("trusted_hash")).and_then(toml::Value::as_str);
        let enabled = known.and_then(|known| known.get("enabled")).and_then(toml::Value::as_bool).unwrap_or(true);
        if !enabled || hash != Some(hash_of(&hook.event, group_matcher(&root, &hook.event, group), handler).as_str()) {
            left.push(hook.event);
        }
    }
    left
}

/// True if the client passes over the hooks of this project because no person trusts it.
pub fn is_untrusted(place: &HookPlace, site: &Site) -> bool {
    let (Some(trust), Scope::Project) = (place.wiring.trust, place.scope) else { return false };
    let config = super::home_of(place.wiring.home, site).and_then(|home| fs::read_to_string(home.join(trust.file)).ok());
    let config: Table = config.and_then(|text| text.parse().ok()).unwrap_or_default();
    // A linked work tree is trusted with its main one.
    let main = site.repository.as_ref().and_then(|repository| repository.common_dir.parent());
    let roots = std::iter::once(place.top.as_path()).chain(main);
    let says = |root: &Path| config.get(trust.table)?.get(root.to_str()?)?.get(trust.key)?.as_str().map(str::to_owned);
    !roots.filter_map(says).any(|value| value == trust.value)
}

/// Where our handler of an event is: its group, its place in the group, and the handler.
fn position<'r>(root: &'r Value, event: &str) -> Option<(usize, usize, &'r Value)> {
    let groups = root.get("hooks")?.get(event)?.as_array()?;
    groups.iter().enumerate().find_map(|(at, group)| {
        let handlers = group.get("hooks")?.as_array()?;
        let ours = |handler: &&Value| handler.as_object().is_some_and(|handler| forms::started_by(handler).is_some());
        let index = handlers.iter().position(|handler| ours(&handler))?;
        Some((at, index, handlers.get(index)?))
    })
}

fn group_matcher<'r>(root: &'r Value, event: &str, group: usize) -> Option<&'r Value> {
    root.get("hooks")?.get(event)?.get(group)?.get("matcher")
}

/// `PreToolUse` as `pre_tool_use`.
fn snake(event: &str) -> String {
    let mut text = String::new();
    for sign in event.chars() {
        if sign.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(sign.to_ascii_lowercase());
    }
    text
}

/// The hash that the client gives an entry.
pub fn hash_of(event: &str, matcher: Option<&Value>, handler: &Value) -> String {
    let command = handler.get("command").cloned().unwrap_or_default();
    let timeout = handler.get("timeout").cloned().unwrap_or_else(|| json!(600));
    let handler = json!({ "async": false, "command": command, "timeout": timeout, "type": "command" });
    let mut entry = json!({ "event_name": snake(event), "hooks": [handler] });
    if let Some(matcher) = matcher {
        entry["matcher"] = matcher.clone();
    }
    // The keys of each object are in alphabetical order.
    let digest = Sha256::digest(entry.to_string().as_bytes());
    digest.iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
