//! `portcullis servers`: which tool servers this repository and this person declare, and what is known of their tools.

pub(super) mod declared;
mod probe;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{TextStyle, agent, can_ask, say, say_json, styled};
use actions::program::{Programs, ToolEffect};
use actions::shown::escaped;
use actions::tools::KnownTool;
use declared::DeclaredServer;
use gate::failure::Failure;
use gate::world::state;
use policy::Policy;

#[derive(Args, Debug)]
pub struct ServersArguments {
    /// Start this server, list its tools, and compare them with the last time (only a person at a terminal can do this)
    #[arg(long, value_name = "NAME")]
    probe: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The policy cannot be read, or the server that is to be started is not declared or does not answer.
pub fn run(arguments: &ServersArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let bytes = place.policy()?;
    let policy = Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    let (servers, unreadable) = declared::all(&place);
    if let Some(name) = &arguments.probe {
        return probed(name, &servers, &place, &policy.programs, arguments.json);
    }
    if arguments.json {
        let server = |server: &DeclaredServer| {
            let known = known(&server.name, &policy.programs);
            json!({ "name": server.name, "declared_in": server.file, "starts": server.start.shown(), "described": known.is_some(), "tools": known })
        };
        say_json(&json!({ "servers": servers.iter().map(server).collect::<Vec<_>>(), "unreadable": unreadable }));
        return Ok(ExitCode::SUCCESS);
    }
    for why in &unreadable {
        say(&format!("not read: {}", escaped(why)));
    }
    if servers.is_empty() {
        say("no tool server is declared here; looked into .mcp.json and the settings of the clients");
        return Ok(ExitCode::SUCCESS);
    }
    for server in &servers {
        say(&format!("{} in {}: {}", styled(&escaped(&server.name), TextStyle::Bold), escaped(&server.file), escaped(&server.start.shown())));
        match known(&server.name, &policy.programs) {
            Some(tools) => {
                let counts: Vec<String> =
                    tools.iter().filter(|(_, names)| !names.is_empty()).map(|(effect, names)| format!("{} {effect}", names.len())).collect();
                say(&format!("  described: {}", counts.join(", ")));
            }
            None => say("  not described: its calls are judged by their arguments, and its tools are free"),
        }
    }
    if let Some(other) = servers.iter().find(|server| known(&server.name, &policy.programs).is_none()) {
        say(&format!(
            "next: to ask before such a server deletes or pays, add a rule with `call = {{ tool = \"mcp__{}__*\", does = [\"deletes\", \"pays\"] }}`",
            escaped(&other.name)
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The names of a server's described tools by what they do. `None`: nobody described it.
fn known(name: &str, programs: &Programs) -> Option<BTreeMap<&'static str, Vec<String>>> {
    let server = actions::tools::server(name, programs)?;
    let mut tools: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for tool in server.subcommands.names().filter_map(|name| server.subcommand(name)) {
        let effect = ToolEffect::among(&tool.ways).map_or("unknown", ToolEffect::name);
        let known = tools.entry(effect).or_default();
        known.extend(tool.names.iter().map(|name| (*name).to_owned()).filter(|name| !known.contains(name)).collect::<Vec<_>>());
    }
    Some(tools)
}

/// Starts a server, and shows its tools with what changed since the last time.
fn probed(name: &str, servers: &[DeclaredServer], place: &Place, programs: &Programs, json: bool) -> Result<ExitCode, Refusal> {
    let refused = |why: String, fix: &str| Refusal::new("the server was not started", why, fix.to_owned());
    if let Some(variable) = agent() {
        return Err(refused(format!("an agent runs this (`{variable}` is set)"), "a person must run this at a terminal"));
    }
    if !can_ask() {
        return Err(refused("there is no terminal here".to_owned(), "a person must run this at a terminal"));
    }
    let Some(server) = servers.iter().find(|server| server.name == name) else {
        return Err(refused(format!("no server `{}` is declared here", escaped(name)), "`portcullis servers` lists those that are"));
    };
    let tools = probe::tools(server, &place.around.root).map_err(|why| refused(why, "start it as the client does, and see what it says"))?;
    let kept = state::read(&place.world.states, &place.around.root, state::SERVERS);
    let mut kept: Value = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_else(|| json!({}));
    let before = kept.get(name).cloned();
    let mut changed = Vec::new();
    let mut shown = Vec::new();
    for tool in &tools {
        let KnownTool { does, described, .. } = actions::tools::tool(&format!("mcp__{name}__{}", tool.name), programs);
        let does = does.map_or("unknown", ToolEffect::name);
        let known = before.as_ref().map(|before| before.get(&tool.name).and_then(Value::as_str).map(|digest| digest == tool.digest));
        let news = match known {
            None | Some(Some(true)) => "",
            Some(Some(false)) => "changed since the last time",
            Some(None) => "new since the last time",
        };
        if !news.is_empty() {
            changed.push(tool.name.clone());
        }
        shown.push(json!({ "tool": tool.name, "does": does, "described": described, "digest": tool.digest, "news": news }));
    }
    let digests: BTreeMap<&str, &str> = tools.iter().map(|tool| (tool.name.as_str(), tool.digest.as_str())).collect();
    if let Value::Object(all) = &mut kept {
        all.insert(name.to_owned(), json!(digests));
    }
    state::write(&place.world.states, &place.around.root, state::SERVERS, format!("{kept}\n").as_bytes())
        .map_err(|error| Refusal::new("the tools were not remembered", error, "make the state folder writable"))?;
    if json {
        say_json(&json!({ "server": name, "tools": shown, "changed": changed }));
    } else {
        for tool in &shown {
            let text = |key: &str| escaped(tool.get(key).and_then(Value::as_str).unwrap_or_default()).into_owned();
            let news = text("news");
            say(&format!("  {:<10} {}{}", text("does"), text("tool"), if news.is_empty() { news } else { format!(" ({news})") }));
        }
        say(&format!("{} tools; {} changed since the last time", tools.len(), changed.len()));
    }
    Ok(if changed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
