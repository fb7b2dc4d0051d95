//! `portcullis pause`: a person allows everything for a limited time. The pause ends by itself.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{agent, can_ask, say};
use actions::shown::escaped;
use gate::world::{state, system};

/// The longest pause, in seconds: a working day.
const LONGEST: u64 = 8 * 3600;

#[derive(Args, Debug)]
pub struct PauseArguments {
    /// How long: `10m`, `1h30m`, `90s`; at most `8h`
    #[arg(required_unless_present_any = ["end", "status"], conflicts_with_all = ["end", "status"])]
    duration: Option<String>,
    /// The reason, which is shown during the pause
    #[arg(long, required_unless_present_any = ["end", "status"], value_name = "TEXT")]
    reason: Option<String>,
    /// End the pause now
    #[arg(long, conflicts_with = "status")]
    end: bool,
    /// Show whether there is a pause
    #[arg(long)]
    status: bool,
}

/// Runs the command.
///
/// # Errors
///
/// An agent asks, nobody is there, or the pause cannot be written.
pub fn run(arguments: &PauseArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    let (states, root) = (&place.world.states, &place.around.root);
    if arguments.status {
        say(&status(&place));
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.end {
        let paused = gate::call::pause_until(&place.world, &place.around).is_some();
        state::remove(states, root, state::PAUSE).map_err(|error| Refusal::new("the pause was not ended", error, "make the state folder writable"))?;
        say(if paused { "the pause has ended: Portcullis is active again" } else { "there is no pause: Portcullis is active" });
        return Ok(ExitCode::SUCCESS);
    }
    let (duration, reason) = (arguments.duration.as_deref().unwrap_or_default(), arguments.reason.as_deref().unwrap_or_default().trim());
    let seconds = seconds(duration)
        .ok_or_else(|| Refusal::usage("nothing was paused", format!("`{duration}` is not a length of time"), "write it as `10m`, `1h30m` or `90s`"))?;
    if seconds == 0 || seconds > LONGEST {
        return Err(Refusal::usage(
            "nothing was paused",
            format!("`{duration}` is not between a second and {} hours", LONGEST / 3600),
            "pause for a shorter time; you can pause again",
        ));
    }
    if reason.is_empty() {
        return Err(Refusal::usage("nothing was paused", "the reason is empty", "give the reason with `--reason`"));
    }
    if let Some(variable) = agent() {
        return Err(Refusal::new("nothing was paused", format!("an agent runs this (`{variable}` is set)"), "a person must run this at a terminal"));
    }
    if !can_ask() {
        return Err(Refusal::new("nothing was paused", "there is no terminal here", "a person must run this at a terminal"));
    }
    let since = system::now();
    let by = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".to_owned());
    let pause = json!({ "until": since + seconds, "since": since, "reason": reason, "by": by });
    state::write(states, root, state::PAUSE, format!("{pause}\n").as_bytes())
        .map_err(|error| Refusal::new("nothing was paused", error, "make the state folder writable"))?;
    say(&format!("paused for {} min in {}: no call is denied or asked about; `portcullis pause --end` ends the pause", seconds.div_ceil(60), root.display()));
    Ok(ExitCode::SUCCESS)
}

/// Whether there is a pause, in one line.
pub fn status(place: &Place) -> String {
    let Some(minutes) = gate::call::pause_minutes(&place.world, &place.around) else { return "there is no pause: Portcullis is active".to_owned() };
    let kept =
        state::read(&place.world.states, &place.around.root, state::PAUSE).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()).unwrap_or_default();
    let text = |key: &str| kept.get(key).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    format!("paused for {minutes} more min by {}: no call is denied; reason: {}", escaped(&text("by")), escaped(&text("reason")))
}

/// `1h30m` in seconds.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut total = 0u64;
    let mut number = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then_some(total)
}
