//! Signatures of keys and of security keys, made up here, and what must not count.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use sha2::{Digest as _, Sha256};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::public::SkEd25519;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, Signature, SigningKey};

const NOW: u64 = 1_800_000_000;

pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "test").expect("a key")
}

pub(crate) fn line(key: &PublicKey, principal: &str, options: &str) -> String {
    let blank = if options.is_empty() { "" } else { " " };
    format!("{principal}{blank}{options} {}\n", key.to_openssh().expect("a line"))
}

/// Whether `ssh-keygen -Y verify` takes `text.sig` for a signature of `text` by `me@home`, by the file `allowed`. `None`: it is
/// not installed.
pub(crate) fn taken_by_keygen(folder: &Path, namespace: &str) -> Option<bool> {
    let status = Command::new("/usr/bin/ssh-keygen")
        .args(["-Y", "verify", "-f", "allowed", "-I", "me@home", "-n", namespace, "-s", "text.sig"])
        .current_dir(folder)
        .env_clear()
        .stdin(fs::File::open(folder.join("text")).expect("the text"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.ok().map(|status| status.success())
}

/// The signature itself, by way of the bound: the trait of it is no dependency of ours.
fn raw<S: SigningKey>(key: &S, message: &[u8]) -> Signature {
    key.try_sign(message).expect("signed")
}

fn pem(key: &PrivateKey, namespace: &str, text: &str) -> String {
    key.sign(namespace, HashAlg::Sha512, text.as_bytes()).and_then(|signature| signature.to_pem(LineEnding::LF)).expect("signed")
}

/// A signature as a security key makes it (PROTOCOL.u2f): over the digest of its application, flags, a counter, and the
/// digest of the text.
fn touched(key: &PrivateKey, flags: u8, text: &str) -> (PublicKey, String) {
    let KeypairData::Ed25519(pair) = key.key_data() else { panic!("an ed25519 key") };
    let public = KeyData::SkEd25519(SkEd25519::new(pair.public, "ssh:"));
    let message = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, text.as_bytes()).expect("a text");
    let mut trailer = vec![flags];
    trailer.extend(7u32.to_be_bytes());
    let signed = [Sha256::digest("ssh:").to_vec(), trailer.clone(), Sha256::digest(&message).to_vec()].concat();
    let bytes = [raw(key, &signed).as_bytes().to_vec(), trailer].concat();
    let signature = Signature::new(Algorithm::SkEd25519, bytes).expect("a signature");
    let whole = SshSig::new(public.clone(), NAMESPACE, HashAlg::Sha512, signature).and_then(|signature| signature.to_pem(LineEnding::LF)).expect("a signature");
    (PublicKey::from(public), whole)
}

#[test]
fn a_good_signature_names_its_signer_and_every_other_does_not_count() {
    let (one, other) = (key(1), key(2));
    let allowed = line(one.public_key(), "me@home", "namespaces=\"portcullis\"");
    let good = pem(&one, NAMESPACE, "text\n");
    let name = signer("text\n", &good, &allowed, false, NOW).expect("it counts");
    assert!(name.starts_with("me@home SHA256:"), "{name}");
    for (what, found) in [
        ("another text", signer("text", &good, &allowed, false, NOW)),
        ("another key", signer("text\n", &pem(&other, NAMESPACE, "text\n"), &allowed, false, NOW)),
        ("another namespace", signer("text\n", &pem(&one, "git", "text\n"), &allowed, false, NOW)),
        ("no signature", signer("text\n", "", &allowed, false, NOW)),
        ("a cut one", signer("text\n", good.get(..good.len() / 2).unwrap_or_default(), &allowed, false, NOW)),
        ("nobody allowed", signer("text\n", &good, "", false, NOW)),
        ("another namespace allowed", signer("text\n", &good, &line(one.public_key(), "me", "namespaces=\"git\""), false, NOW)),
        ("no security key", signer("text\n", &good, &allowed, true, NOW)),
    ] {
        assert!(found.is_err(), "{what}: {found:?}");
    }
    // One bit of the signature.
    let at = good.len() / 2;
    let changed: String = good.char_indices().map(|(place, sign)| if place == at { if sign == 'A' { 'B' } else { 'A' } } else { sign }).collect();
    assert!(signer("text\n", &changed, &allowed, false, NOW).is_err());
}

#[test]
fn a_security_key_must_have_been_touched() {
    let private = key(3);
    for (flags, counts) in [(0x01, true), (0x05, true), (0x00, false), (0x04, false)] {
        let (public, signature) = touched(&private, flags, "text\n");
        let allowed = line(&public, "me", "");
        for only_hardware in [false, true] {
            let found = signer("text\n", &signature, &allowed, only_hardware, NOW);
            assert_eq!(found.is_ok(), counts, "{flags:#x}: {found:?}");
        }
        // The flag is signed too.
        assert!(signer("other\n", &signature, &allowed, false, NOW).is_err());
    }
}

#[test]
fn a_signature_of_ssh_keygen_is_read() {
    // Made by `ssh-keygen -Y sign -n portcullis` of OpenSSH 9.2 with a key that was thrown away, over "recorded\n".
    let allowed = include_str!("recorded/allowed_signers");
    let signature = include_str!("recorded/recorded.sig");
    assert!(signer("recorded\n", signature, allowed, false, NOW).is_ok_and(|name| name.starts_with("recorded SHA256:")));
    assert!(signer("recorded", signature, allowed, false, NOW).is_err());
}

/// A signature that was recorded; the README beside it says how it was made.
struct Recorded {
    name: &'static str,
    namespace: &'static str,
    text: &'static str,
    public: &'static str,
    signature: &'static str,
    /// What is said of it. `None`: it counts.
    refused: Option<&'static str>,
    /// It also counts where the policy asks for a security key.
    in_hardware: bool,
}

macro_rules! recorded {
    ($name:literal, $namespace:expr, $text:expr, $refused:expr, $in_hardware:expr) => {
        Recorded {
            name: $name,
            namespace: $namespace,
            text: $text,
            public: include_str!(concat!("recorded/security-keys/", $name, ".pub")),
            signature: include_str!(concat!("recorded/security-keys/", $name, ".sig")),
            refused: $refused,
            in_hardware: $in_hardware,
        }
    };
}

const OPENSSH: (&str, &str) = (include_str!("recorded/security-keys/openssh/namespace"), include_str!("recorded/security-keys/openssh/signed-data"));
const RECORDED: [Recorded; 8] = [
    recorded!("touched", NAMESPACE, "recorded\n", None, true),
    recorded!("untouched", NAMESPACE, "recorded\n", Some("nobody touched"), true),
    recorded!("ecdsa-touched", NAMESPACE, "recorded\n", Some("cannot be read"), true),
    recorded!("ecdsa-untouched", NAMESPACE, "recorded\n", Some("cannot be read"), true),
    recorded!("openssh/ed25519", OPENSSH.0, OPENSSH.1, None, false),
    recorded!("openssh/ed25519_sk", OPENSSH.0, OPENSSH.1, None, true),
    recorded!("openssh/ecdsa_sk", OPENSSH.0, OPENSSH.1, Some("cannot be read"), true),
    recorded!("openssh/ecdsa_sk_webauthn", OPENSSH.0, OPENSSH.1, Some("cannot be read"), true),
];

#[test]
fn recorded_signatures_of_security_keys_count_only_with_a_touch() {
    for recorded in &RECORDED {
        let Recorded { name, namespace, text, public, signature, refused, in_hardware } = *recorded;
        let allowed = format!("me@home {public}");
        for only_hardware in [false, true] {
            let found = signer_in(namespace, text, signature, &allowed, only_hardware, NOW);
            match refused {
                None if only_hardware && !in_hardware => assert!(found.is_err_and(|why| why.contains("security key")), "{name}"),
                None => assert!(found.as_ref().is_ok_and(|who| who.starts_with("me@home SHA256:")), "{name}: {found:?}"),
                Some(said) => assert!(found.as_ref().is_err_and(|why| why.contains(said)), "{name}: {found:?}"),
            }
            // Another text, nobody allowed, and what approvals are signed for.
            assert!(signer_in(namespace, "other\n", signature, &allowed, only_hardware, NOW).is_err(), "{name}");
            assert!(signer_in(namespace, text, signature, "", only_hardware, NOW).is_err(), "{name}");
            assert_eq!(signer(text, signature, &allowed, only_hardware, NOW).is_ok(), namespace == NAMESPACE && refused.is_none(), "{name}");
        }
    }
}

/// `ssh-keygen -Y verify` takes all of them: it does not look at the flag of presence, and it knows the other curve. What it does
/// not take does not count here either.
#[test]
fn what_counts_of_recorded_signatures_counts_for_ssh_keygen() {
    let folder = tempfile::tempdir().expect("a folder");
    for recorded in &RECORDED {
        for (text, whole) in [(recorded.text.to_owned(), true), (format!("{}x", recorded.text), false)] {
            for (file, content) in [("allowed", &format!("me@home {}", recorded.public)), ("text.sig", &recorded.signature.to_owned()), ("text", &text)] {
                fs::write(folder.path().join(file), content).expect("written");
            }
            let keygen = taken_by_keygen(folder.path(), recorded.namespace);
            let ours = signer_in(recorded.namespace, &text, recorded.signature, &format!("me@home {}", recorded.public), false, NOW).is_ok();
            assert_eq!(ours, whole && recorded.refused.is_none(), "{}", recorded.name);
            // A build of OpenSSH without security keys takes fewer.
            if let Some(taken) = keygen {
                assert!(taken == whole || whole && recorded.in_hardware, "{}", recorded.name);
            }
        }
    }
}
