//! Approvals: a person allows one exact action of tier 3 where nobody can be asked about it.
//!
//! A denied call leaves a request with a code (`store`), which is bound to a digest of all that the call would do
//! (`parts`). A person signs a statement with the code and the digest (`statement`, `signature`); the file of keys that
//! may sign is named by the organisation's or the user's policy alone (`signers`). The same call is then allowed once.
//! Before a person decides, what git can keep is kept (`kept`).

pub mod code;
pub mod gitfacts;
pub mod kept;
pub mod parts;
pub mod person;
pub mod signature;
pub mod signers;
pub mod statement;
pub mod store;

use gate::world::system;
use policy::ApprovalSection;
use policy::section::approval::MAX_LIFETIME;

use signers::SignersFile;
use statement::ApprovalStatement;
use store::{ApprovalRecord, ApprovalWay};

/// The namespace of the signatures.
pub const NAMESPACE: &str = "portcullis";
/// The namespace of signatures of checkpoints of the record.
pub const RECORD_NAMESPACE: &str = "portcullis-record";
/// The namespace of signatures of an organisation's policy.
pub const POLICY_NAMESPACE: &str = "portcullis-policy";
/// Seconds by which the clock of the machine where it was signed may be ahead.
const SKEW: u64 = 120;

/// Who approved, if an approval counts for a request now.
///
/// # Errors
///
/// Why it does not count.
pub fn approver(record: &ApprovalRecord, code: &str, digest: &str, section: Option<&ApprovalSection>, within: &SignersFile) -> Result<String, String> {
    let section = section.ok_or("the policy has no `[approval]`")?;
    let statement = ApprovalStatement::read(&record.statement).ok_or("its statement cannot be read")?;
    if statement.code != code || statement.digest != digest {
        return Err("it was made for another call".to_owned());
    }
    let now = system::now();
    if statement.from > now + SKEW {
        return Err("it begins later than now".to_owned());
    }
    if now >= statement.until {
        return Err("its time has ended".to_owned());
    }
    if statement.until.saturating_sub(statement.from) > u64::from(section.lifetime.min(MAX_LIFETIME)) {
        return Err("it would last longer than the policy allows".to_owned());
    }
    match record.way {
        ApprovalWay::Terminal if section.terminal => Ok(format!("{} (at the terminal, without a key)", record.by)),
        ApprovalWay::Terminal => Err("the policy does not allow approvals without a key".to_owned()),
        ApprovalWay::Key => {
            let signature = record.signature.as_deref().ok_or("it has no signature")?;
            let text = within.text()?;
            signature::signer(&record.statement, signature, &text, section.security_key, now)
        }
    }
}
