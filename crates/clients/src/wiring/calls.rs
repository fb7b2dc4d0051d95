//! Calls that Portcullis makes up to try what is wired, in the form in which each client sends them.

use actions::json::quoted;

use super::ClientWiring;

/// What the client sends before it runs `command` in its shell tool. `session` names the session, and so marks the call as
/// made up.
#[must_use]
pub fn made_up(wiring: &ClientWiring, command: &str, folder: &str, session: &str) -> String {
    let mut text = String::new();
    // One pass, so that a command cannot contain a placeholder.
    let mut rest = wiring.call;
    while let Some((before, behind)) = rest.split_once('@') {
        text.push_str(before);
        let (name, behind) = behind.split_once('@').unwrap_or((behind, ""));
        match name {
            "command" => text.push_str(&quoted(command)),
            "folder" => text.push_str(&quoted(folder)),
            "session" => text.push_str(&quoted(session)),
            other => text.push_str(other),
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}
