//! What was concluded, and from which findings. Reads nothing and words nothing.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use crate::Tier;
use actions::Span;

/// A three-valued answer (strong Kleene): *and* is `min`, *or* is `max`, *not* is [`std::ops::Not`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It does not hold.
    No,
    /// It could hold: something was not known.
    Maybe,
    /// It holds.
    Yes,
}

impl Answer {
    /// This answer *and* the condition that `ask` answers as `expected`. Does not ask if nothing is expected, or if the answer is
    /// no already.
    #[must_use]
    pub fn and_as(self, expected: Option<bool>, ask: impl FnOnce() -> Self) -> Self {
        match expected.filter(|_| self != Self::No) {
            Some(true) => self.min(ask()),
            Some(false) => self.min(!ask()),
            None => self,
        }
    }
}

impl std::ops::Not for Answer {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

impl From<bool> for Answer {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// A rule that holds, or might, for an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// The pack or layer it is in.
    pub pack: String,
    /// `policies/git.toml:12`
    pub place: String,
    /// What the finding asks for: the rule's tier, or tier 3 where the rule only might hold.
    pub tier: Tier,
    /// Whether the rule holds or only might.
    pub answer: Answer,
    /// The word or fact that could not be read, where the rule only might hold.
    pub unread: Option<String>,
    /// The rule only watches.
    pub shadow: bool,
    /// The model reads the reason after the call.
    pub tell: bool,
    /// Why the rule is there.
    pub reason: String,
    /// What to do instead.
    pub instead: String,
    /// The action, in one line.
    pub action: String,
    /// How the action was reached.
    pub via: Vec<String>,
    /// The reasons that came with the facts the rule asked for. Empty: none.
    pub told: String,
    /// What it speaks of in the text of the tool call: the word that could not be read, else the action. `None`: the call has
    /// no such text, or the action is not in it.
    pub span: Option<Span>,
    /// A limit or a budget has no room for the call.
    pub used_up: Option<UsedUp>,
    /// Something that a gate needs is missing: the same call passes once it is there.
    pub missing: bool,
}

/// A limit or a budget that has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedUp {
    /// Seconds after which the same call passes. `None`: waiting does not help.
    pub opens_in: Option<u64>,
}

impl Finding {
    /// A finding of a section, without a reason and an action. `place` is the section's.
    #[must_use]
    pub fn of_section(pack: &str, rule: &str, place: &str, tier: Tier, shadow: bool) -> Self {
        Self {
            rule: rule.to_owned(),
            pack: pack.to_owned(),
            place: place.to_owned(),
            tier,
            answer: Answer::Yes,
            unread: None,
            shadow,
            tell: false,
            reason: String::new(),
            instead: String::new(),
            action: String::new(),
            via: Vec::new(),
            told: String::new(),
            span: None,
            used_up: None,
            missing: false,
        }
    }
}

/// What was concluded on a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The strictest tier of the findings that are not shadowed; free without any.
    pub tier: Tier,
    /// All findings, the strictest first.
    pub findings: Vec<Finding>,
    /// What the call costs by the budgets that speak of it, in millionths of a US dollar.
    pub price: u64,
}

impl Verdict {
    /// Adds findings; the verdict is the strictest of all that are not shadowed.
    pub fn add(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
        // Certain findings are before uncertain ones of the same tier; otherwise their order stays.
        self.findings.sort_by_key(|finding| std::cmp::Reverse((!finding.shadow, finding.tier, finding.answer)));
        self.tier = self.findings.iter().filter(|finding| !finding.shadow).map(|finding| finding.tier).max().unwrap_or(Tier::Free);
    }

    /// The findings that the model reads after the call.
    pub fn notes(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.tell && !finding.shadow)
    }

    /// The findings that hold the call.
    pub fn holding(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| !finding.shadow && finding.tier >= Tier::Supervised)
    }
}

/// A finding in a commit or in what is to become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub finding: Finding,
    /// From the top of the repository. `None`: the commit itself.
    pub path: Option<String>,
    /// The line of the new text, from one, where one line is at fault.
    pub line: Option<usize>,
    /// The commit's number. `None`: it is not made yet.
    pub commit: Option<String>,
    /// Tells it from others of its rule in its file, whatever is around it: the text of the line.
    pub text: String,
}

/// What one rule answered for one action, for `explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The action's place in the list.
    pub action: usize,
    /// The rule.
    pub rule: String,
    /// Its answer.
    pub answer: Answer,
    /// A waiver took it back: the waiver's place.
    pub waived: Option<String>,
}
