//! `[approval]`: who may approve an action of tier 3 where nobody can be asked, in the compiled form.

use crate::Layer;
use actions::wire_struct;

/// `[approval]`. Only the organisation and the user can have it, so that a repository never names who may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalSection<'a> {
    /// `portcullis.toml:12`
    pub place: &'a str,
    /// The uppermost layer that has the section. It owns it; the other only makes it stricter.
    pub layer: Layer,
    /// The file of public keys that may sign, as it is written: `~/…` or a full path. Empty: nobody signs.
    pub signers: &'a str,
    /// Only keys that a security key holds count, and only with a touch.
    pub security_key: bool,
    /// A person may approve without a key, on their own terminal.
    pub terminal: bool,
    /// Seconds from an approval to its end.
    pub lifetime: u32,
    /// A program and its arguments, started when a call begins to wait for a person. Empty: none.
    pub notify: Vec<&'a str>,
}
wire_struct!(ApprovalSection { place, layer, signers, security_key, terminal, lifetime, notify });

/// Seconds from an approval to its end where the policy does not say otherwise.
pub const LIFETIME: u32 = 15 * 60;
/// The longest of them.
pub const MAX_LIFETIME: u32 = 24 * 3600;
