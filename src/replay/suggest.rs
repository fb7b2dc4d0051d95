//! What a person agreed to often, from recorded decisions: there a policy could be loosened. Writes nothing.

use std::collections::BTreeMap;

use super::past::PastDecisions;
use gate::record::Held;

/// How often a person must have agreed before it is worth a proposal.
pub const OFTEN: usize = 3;

/// The same call, which a rule stopped and a person allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedCall {
    pub rule: String,
    pub what: String,
    /// By a code, or by a yes to the client's question after which the call ran and succeeded.
    pub times: usize,
    /// How often it was stopped and did not run.
    pub refused: usize,
}

/// Calls to which a person agreed often, and more often than not, the most frequent first.
#[must_use]
pub fn agreed(past: &PastDecisions, since: u64) -> Vec<AgreedCall> {
    let mut calls: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for decision in past.all().filter(|decision| decision.time >= since) {
        // What was shortened or has a secret in it says too little.
        let Some(rule) = decision.rules.first().filter(|_| !decision.what.is_empty() && !decision.what.contains(['…']) && !decision.what.contains("[secret]"))
        else {
            continue;
        };
        let (yes, no) = calls.entry((rule.clone(), decision.what.clone())).or_default();
        if decision.approved.is_some() || (decision.held == Some(Held::Ask) && decision.succeeded) {
            *yes += 1;
        } else if decision.held.is_some() {
            *no += 1;
        }
    }
    let often = calls.into_iter().filter(|(_, (yes, no))| *yes >= OFTEN && yes > no);
    let mut found: Vec<AgreedCall> = often.map(|((rule, what), (times, refused))| AgreedCall { rule, what, times, refused }).collect();
    found.sort_by_key(|call| std::cmp::Reverse(call.times));
    found
}
