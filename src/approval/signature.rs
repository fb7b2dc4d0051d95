//! Signatures in the format of `ssh-keygen -Y sign`. They are read and verified here; `ssh-keygen` itself makes them, on a
//! person's own terminal.

use ssh_key::public::KeyData;
use ssh_key::{PublicKey, SshSig};

use super::{NAMESPACE, signers};

/// The flag of a security key's signature that says that somebody touched it (FIDO CTAP2, "user presence").
const TOUCHED: u8 = 1;
/// Bytes behind a security key's signature: flags, and a counter of four bytes.
const TRAILER: usize = 5;
/// The longest signature that is read.
const MAX_SIGNATURE: usize = 16 << 10;

/// Who signed a text, if the signature is good and the key may sign.
///
/// # Errors
///
/// Why it does not count.
pub fn signer(text: &str, signature: &str, allowed: &str, security_key: bool, now: u64) -> Result<String, String> {
    signer_in(NAMESPACE, text, signature, allowed, security_key, now)
}

/// As [`signer`], for signatures of another namespace.
///
/// # Errors
///
/// Why it does not count.
pub fn signer_in(namespace: &str, text: &str, signature: &str, allowed: &str, security_key: bool, now: u64) -> Result<String, String> {
    let key = verified_in(namespace, text, signature)?;
    match &key {
        KeyData::SkEd25519(_) => {}
        _ if security_key => return Err("the policy asks for a security key, and this key is not one".to_owned()),
        _ => {}
    }
    let principal = signers::principal(allowed, &key, namespace, now);
    let print = PublicKey::from(key).fingerprint(ssh_key::HashAlg::Sha256);
    principal.map(|name| format!("{name} {print}")).ok_or_else(|| format!("the key {print} may not sign, or not now"))
}

/// The key of a good signature of an approval.
///
/// # Errors
///
/// Why it is not good.
pub fn verified(text: &str, signature: &str) -> Result<KeyData, String> {
    verified_in(NAMESPACE, text, signature)
}

fn verified_in(namespace: &str, text: &str, signature: &str) -> Result<KeyData, String> {
    if signature.len() > MAX_SIGNATURE {
        return Err("the signature is too long".to_owned());
    }
    let signature = SshSig::from_pem(signature.trim_end().to_owned() + "\n").map_err(|error| format!("the signature cannot be read: {error}"))?;
    if signature.namespace() != namespace {
        return Err(format!("the signature is for `{}`, not for `{namespace}`", signature.namespace()));
    }
    let key = signature.public_key().clone();
    if !matches!(key, KeyData::Ed25519(_) | KeyData::SkEd25519(_)) {
        return Err(format!("keys of the kind {} are not supported; use an ed25519 key", key.algorithm()));
    }
    PublicKey::from(key.clone()).verify(namespace, text.as_bytes(), &signature).map_err(|_| "the signature is not of this text".to_owned())?;
    if matches!(key, KeyData::SkEd25519(_)) {
        let bytes = signature.signature_bytes();
        let flags = bytes.len().checked_sub(TRAILER).and_then(|at| bytes.get(at));
        if flags.is_none_or(|flags| flags & TOUCHED == 0) {
            return Err("nobody touched the security key".to_owned());
        }
    }
    Ok(key)
}

#[cfg(test)]
#[path = "signature_tests.rs"]
pub(crate) mod tests;
