//! The fields of a payload brought into the common form, for clients that have other names or other places for them.

use actions::json::Json;

/// A payload with the names of the common form in place of a client's own: pairs of its name and the common one.
pub(crate) fn renamed(mut payload: Json, names: &[(&str, &str)]) -> Json {
    if let Json::Object(fields) = &mut payload {
        for (name, _) in fields {
            if let Some((_, common)) = names.iter().find(|(own, _)| own == name) {
                name.clear();
                name.push_str(common);
            }
        }
    }
    payload
}

/// A payload with a further field `name`: the first element of the list `list`. It stays as it is if it has the field, or no
/// such list.
pub(crate) fn first_as(mut payload: Json, list: &str, name: &str) -> Json {
    let first = match payload.get(list) {
        Some(Json::List(items)) if payload.get(name).is_none() => items.first().cloned(),
        _ => None,
    };
    if let (Json::Object(fields), Some(first)) = (&mut payload, first) {
        fields.push((name.to_owned(), first));
    }
    payload
}

/// A payload in which the field `name` is read, if it is JSON in a text.
pub(crate) fn parsed(mut payload: Json, name: &str) -> Json {
    if let Json::Object(fields) = &mut payload
        && let Some((_, value)) = fields.iter_mut().find(|(field, _)| field == name)
        && let Json::Text(text) = value
        && let Ok(inner) = Json::read(text.as_bytes())
    {
        *value = inner;
    }
    payload
}

/// A payload with the common name of a tool server's tool, `mcp__SERVER__TOOL`, so that a rule about it holds in each client.
/// `parts` finds the server and the tool in the client's own name. A payload of another tool stays as it is.
pub(crate) fn served(payload: Json, parts: impl FnOnce(&str) -> Option<(&str, &str)>) -> Json {
    let name = payload.text("tool_name").and_then(parts).and_then(|(server, tool)| served_name(server, tool));
    called(payload, name)
}

/// The common name of a tool server's tool. `None` if a part of it is empty.
pub(crate) fn served_name(server: &str, tool: &str) -> Option<String> {
    (!server.is_empty() && !tool.is_empty()).then(|| format!("mcp__{server}__{tool}"))
}

/// A payload whose tool has this name.
pub(crate) fn called(mut payload: Json, name: Option<String>) -> Json {
    if let (Json::Object(fields), Some(name)) = (&mut payload, name)
        && let Some((_, tool)) = fields.iter_mut().find(|(field, _)| field == "tool_name")
    {
        *tool = Json::Text(name);
    }
    payload
}

/// An event in the common form, made of the parts of another one. A part that is not there gives no field.
pub(crate) fn object(parts: impl IntoIterator<Item = (&'static str, Option<Json>)>) -> Json {
    Json::Object(parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// A failure as it is written down: the first line is `Exit code N`. `None` for 0, and for what is no number.
pub(crate) fn exit_failure(code: &str, said: &str) -> Option<String> {
    let code: i64 = code.trim().parse().ok()?;
    (code != 0).then(|| format!("Exit code {code}\n{}", said.trim_end()))
}

/// How a command failed by the text for the model, as Gemini CLI 0.61.0 and Qwen Code 0.24.4 write it (recorded): `Exit Code: 1`
/// after the output, then signals and the processes that still run. Gemini leaves the row out for 0. `None` if it did not fail,
/// or if the text does not say.
pub(crate) fn failure_in_rows(text: &str) -> Option<String> {
    let (output, _) = text.rsplit_once("\nProcess Group PGID: ")?;
    let rows: Vec<&str> = output.lines().collect();
    let last = rows.iter().rposition(|row| !["Background PIDs: ", "Signal: "].iter().any(|key| row.starts_with(key)))?;
    let code = rows.get(last)?.strip_prefix("Exit Code: ")?;
    let said = rows.get(..last)?.join("\n");
    exit_failure(code, said.split_once("Output: ").map_or(said.as_str(), |(_, said)| said))
}

/// The exit code that a text ends with, between two marks, and what is in front of it.
pub(crate) fn code_at_end<'t>(text: &'t str, before: &str, after: &str) -> Option<(&'t str, &'t str)> {
    let (said, code) = text.trim_end().strip_suffix(after)?.rsplit_once(before)?;
    code.bytes().all(|byte| byte.is_ascii_digit()).then_some((said, code))
}
