//! What the gate costs: a call against an empty program, instructions, and how the work grows with the input.

use crate::hook;
use crate::step::{Step, command, pass};
use crate::workspace::{HOOK, HOOK_PROFILE, hook_member, target};

/// Texts of each shell's trial in the long form.
const TRIAL: &str = "30000";
/// Bytes of the inputs in the long form.
const GROWTH: &str = "1000,10000,100000,1000000";

pub(crate) fn steps(long: bool) -> Vec<Step> {
    let mut steps = vec![
        Step::action("startup", |state| hook::startup(hook::shipped(state)?)),
        Step::action("instructions", |state| hook::instructions(hook::shipped(state)?)),
        Step::command("cargo test --locked --test measure -- --nocapture"),
    ];
    if long {
        steps.push(Step::action("growth in instructions", |_| growth()));
        steps.push(
            Step::command("cargo test --locked --release --test trial -- --nocapture").with("PORTCULLIS_TRIAL", TRIAL).with("PORTCULLIS_JAIL", "required"),
        );
    }
    steps
}

/// Counts the instructions of the optimised hook by the size of its input. The shipped hook keeps its deadline whatever the
/// environment says, and valgrind takes fifty times as long; debug assertions let the deadline be switched off.
fn growth() -> anyhow::Result<()> {
    let (package, folder) = (hook_member()?.name, target().join("growth"));
    let mut build = command("cargo");
    build.args(["build", "--locked", "--profile", HOOK_PROFILE, "--package", &package, "--no-default-features", "--bin", HOOK]);
    pass(build.env("CARGO_PROFILE_HOOK_DEBUG_ASSERTIONS", "true").env("CARGO_TARGET_DIR", &folder))?;
    let mut measure = command("cargo");
    measure.args(["test", "--locked", "--test", "measure", "work", "--", "--nocapture"]);
    pass(measure.env("PORTCULLIS_HOOK", folder.join(HOOK_PROFILE).join(HOOK)).env("PORTCULLIS_GROWTH", GROWTH))
}
