//! Files of keys: what each line allows, compared with `ssh-keygen -Y verify` where that is installed.

use std::fs;

use super::super::NAMESPACE;
use super::super::signature::tests::{key, line, taken_by_keygen};
use super::*;
use ssh_key::{HashAlg, LineEnding};

/// Files in which the key that signs is `{KEY}` and another one `{OTHER}`. The principal who is asked for is `me@home`.
const FILES: &[&str] = &[
    "me@home {KEY}\n",
    "me@home {OTHER}\n",
    "you@home {KEY}\n",
    "",
    "# me@home {KEY}\n",
    "   me@home {KEY}\n",
    "\tme@home\t{KEY} a comment\n",
    "me@home {KEY}",
    "me@home,you@home {KEY}\n",
    "you@home,me@home {KEY}\n",
    "*@home {KEY}\n",
    "*@else {KEY}\n",
    "!me@home,*@home {KEY}\n",
    "m?@home {KEY}\n",
    "\"me@home\" {KEY}\n",
    "\"you@home,me@home\" {KEY}\n",
    "me@home namespaces=\"portcullis\" {KEY}\n",
    "me@home namespaces=\"git\" {KEY}\n",
    "me@home namespaces=\"git,portcullis\" {KEY}\n",
    "me@home namespaces=\"port*\" {KEY}\n",
    "me@home namespaces=\"!portcullis,*\" {KEY}\n",
    "me@home NAMESPACES=\"portcullis\" {KEY}\n",
    "me@home namespaces=portcullis {KEY}\n",
    "me@home namespaces=\"portcullis\",namespaces=\"portcullis\" {KEY}\n",
    "me@home valid-after=\"20200101Z\" {KEY}\n",
    "me@home valid-after=\"29990101Z\" {KEY}\n",
    "me@home valid-before=\"20200101\" {KEY}\n",
    "me@home valid-before=\"29990101235959Z\" {KEY}\n",
    "me@home valid-after=\"202001011200\",valid-before=\"29990101\",namespaces=\"portcullis\" {KEY}\n",
    "me@home valid-after=\"29990101\",valid-before=\"20200101\" {KEY}\n",
    "me@home valid-after=\"2020-01-01\" {KEY}\n",
    "me@home valid-after=\"20201301\" {KEY}\n",
    "me@home valid-after=\"20210229\" {KEY}\n",
    "me@home valid-after=\"20200229\" {KEY}\n",
    "me@home cert-authority {KEY}\n",
    "me@home cert-authority,namespaces=\"portcullis\" {KEY}\nme@home {KEY}\n",
    "me@home verify-required {KEY}\n",
    "me@home unknown=\"x\" {KEY}\nme@home {KEY}\n",
    "you@home unknown=\"x\" {KEY}\nme@home {KEY}\n",
    "me@home\nme@home {KEY}\n",
    "me@home ssh-ed25519 AAAA\nme@home {KEY}\n",
    "me@home namespaces=\"portcullis\", {KEY}\n",
    "me@home namespaces=\"portcullis {KEY}\n",
    "me@home {OTHER}\nme@home {KEY}\n",
    "me@home ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDE\nme@home {KEY}\n",
    "me@home namespaces=\"git\" {KEY}\nme@home namespaces=\"portcullis\" {KEY}\n",
];

#[test]
fn each_file_allows_what_ssh_keygen_allows() {
    let (own, other) = (key(11), key(12));
    let text = |key: &ssh_key::PrivateKey| key.public_key().to_openssh().expect("a line").split(' ').take(2).collect::<Vec<_>>().join(" ");
    let folder = tempfile::tempdir().expect("a folder");
    let signature = own.sign(NAMESPACE, HashAlg::Sha512, b"text\n").and_then(|signature| signature.to_pem(LineEnding::LF)).expect("signed");
    fs::write(folder.path().join("text.sig"), signature).expect("written");
    fs::write(folder.path().join("text"), "text\n").expect("written");
    let now = gate::world::system::now();
    let mut compared = 0;
    for file in FILES {
        let file = file.replace("{KEY}", &text(&own)).replace("{OTHER}", &text(&other));
        let allowed = file.lines().any(|line| allowed(line, Some("me@home"), own.public_key().key_data(), NAMESPACE, now).is_some());
        fs::write(folder.path().join("allowed"), &file).expect("written");
        if let Some(taken) = taken_by_keygen(folder.path(), NAMESPACE) {
            assert_eq!(allowed, taken, "{file}");
            compared += 1;
        }
        // Whoever is named needs no question, and is never more than the line allows.
        let named = principal(&file, own.public_key().key_data(), NAMESPACE, now);
        assert!(named.is_some() || !allowed || file.contains('!'), "{file}");
    }
    assert!(compared == 0 || compared == FILES.len(), "{compared} of {} files were compared with ssh-keygen", FILES.len());
}

#[test]
fn times_are_read_as_ssh_keygen_reads_them() {
    for (text, time) in
        [("19700102Z", Some(86_400)), ("20000229Z", Some(951_782_400)), ("20270331120059Z", Some(1_806_494_459)), ("202703311200utc", Some(1_806_494_400))]
    {
        assert_eq!(seconds(text), time, "{text}");
    }
    for text in ["", "2027", "20270232Z", "20271301Z", "2027033125Z", "202703312460Z", "20270331T", "-2027033", "99991231235959ZZ"] {
        assert_eq!(seconds(text), None, "{text}");
    }
}

#[test]
fn a_name_fits_its_patterns() {
    for (name, list, fits) in [
        ("a", "a", true),
        ("ab", "a*", true),
        ("ab", "*b", true),
        ("ab", "a?", true),
        ("ab", "a", false),
        ("ab", "!ab,*", false),
        ("ab", "*", true),
        ("", "", true),
        ("a", "", false),
        ("abcb", "a*b", true),
    ] {
        assert_eq!(in_list(name, list), fits, "{name} {list}");
    }
}

#[test]
fn a_file_that_others_write_or_that_is_in_the_repository_is_not_trusted() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("allowed_signers");
    fs::write(&path, line(key(1).public_key(), "me", "")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
    let file = |outside: &[PathBuf]| SignersFile { path: Some(path.clone()), outside: outside.to_vec() };
    assert!(file(&[]).text().is_ok());
    let inside = fs::canonicalize(folder.path()).expect("a folder");
    assert!(file(&[inside]).text().is_err_and(|why| why.contains("in the repository")));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).expect("a mode");
    assert!(file(&[]).text().is_err_and(|why| why.contains("by others")));
    assert!(SignersFile { path: None, outside: Vec::new() }.text().is_err());
}
