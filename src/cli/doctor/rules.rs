//! Checks the rules of the policy files: those that can match nothing, or that another one already covers.

use super::CheckResults;
use crate::cli::policy::lint::{self, LintFinding};
use policy::{Layer, Policy};
use policy_compiler::compile::Compiled;

const PART: &str = "rules";
/// Findings that are named.
const NAMED: usize = 5;

/// Looks at the rules as `portcullis policy lint` does. Waivers are checked with the policy.
pub(super) fn look(compiled: &Compiled, findings: &mut CheckResults) {
    let Some((policy, rules)) = Policy::open(&compiled.bytes).and_then(|policy| policy.all_rules().map(|rules| (policy, rules))) else { return };
    let own = rules.iter().filter(|rule| rule.layer != Layer::BuiltIn).count();
    let Some(dead) = (own > 0).then(|| lint::findings(&rules, &compiled.rules, &[], &policy)).flatten() else { return };
    for LintFinding { rule, place, what, fix } in dead.iter().take(NAMED) {
        findings.warn(PART, format!("`{rule}` ({place}): {what}"), fix);
    }
    if dead.is_empty() {
        findings.ok(PART, format!("each of the {own} rules of policy files can match"));
    } else if dead.len() > NAMED {
        findings.warn(PART, format!("{} more findings on rules", dead.len() - NAMED), "`portcullis policy lint` shows all");
    }
}
