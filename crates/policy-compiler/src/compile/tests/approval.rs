//! `[approval]`: which layer may say what, and its mistakes.

use super::{RULE, with_pack};
use policy::{ApprovalSection, Layer, Policy};

/// What `then` says of the section, or the mistakes.
fn section<T>(layers: &[(Layer, &str)], then: impl FnOnce(Option<&ApprovalSection>) -> T) -> Result<T, Vec<String>> {
    let texts: Vec<(Layer, String)> = layers.iter().map(|(layer, text)| (*layer, format!("schema = 1\n[approval]\n{text}\n"))).collect();
    let layers: Vec<(Layer, &str)> = texts.iter().map(|(layer, text)| (*layer, text.as_str())).collect();
    with_pack(RULE, &layers, |_, result| match result {
        Ok(compiled) => Ok(then(Policy::open(&compiled.bytes).unwrap().approval.as_ref())),
        Err(mistakes) => Err(mistakes.into_iter().map(|mistake| mistake.what).collect()),
    })
}

#[test]
fn what_is_not_said_has_a_default() {
    assert!(section(&[], |section| section.is_none()).unwrap());
    section(&[(Layer::User, "signers = \"~/a\"")], |section| {
        let section = section.unwrap();
        assert_eq!((section.signers, section.security_key, section.terminal, section.lifetime), ("~/a", false, false, 900));
        assert_eq!((section.layer, section.place), (Layer::User, "user:2"));
        assert!(section.notify.is_empty());
    })
    .unwrap();
}

#[test]
fn the_user_only_tightens_what_the_organisation_says() {
    let organisation = "signers = \"/etc/a\"\nterminal = true\nlifetime = \"10m\"\nnotify = [\"/bin/a\"]";
    section(&[(Layer::Organisation, organisation), (Layer::User, "key = \"security-key\"\nlifetime = \"1h\"\nnotify = [\"/bin/b\", \"x\"]")], |section| {
        let section = section.unwrap();
        assert_eq!((section.signers, section.security_key, section.terminal, section.lifetime), ("/etc/a", true, false, 600));
        assert_eq!(section.notify, ["/bin/b", "x"]);
    })
    .unwrap();
    for (organisation, user, terminal) in
        [("terminal = true", "terminal = true", true), ("terminal = true", "lifetime = \"1m\"", false), ("lifetime = \"1m\"", "terminal = true", false)]
    {
        let found = section(&[(Layer::Organisation, organisation), (Layer::User, user)], |section| section.unwrap().terminal);
        assert_eq!(found, Ok(terminal), "{organisation} / {user}");
    }
    // The organisation alone says it for nobody's terminal.
    assert_eq!(section(&[(Layer::Organisation, "terminal = true")], |section| section.unwrap().terminal), Ok(false));
    let mistakes = section(&[(Layer::Organisation, "signers = \"/etc/a\""), (Layer::User, "signers = \"~/b\"")], |_| ()).unwrap_err();
    assert!(mistakes[0].contains("`signers` is not allowed here"), "{mistakes:?}");
}

#[test]
fn mistakes_are_named() {
    for (layer, text, what) in [
        (Layer::Project, "signers = \"~/a\"", "not allowed in the project layer"),
        (Layer::Local, "terminal = true", "not allowed in the local layer"),
        (Layer::User, "signers = \"allowed_signers\"", "is not a full path"),
        (Layer::User, "notify = [\"notify-me\"]", "is not a full path"),
        (Layer::User, "lifetime = \"soon\"", "is not a length of time"),
        (Layer::User, "lifetime = \"0s\"", "is not between"),
        (Layer::User, "lifetime = \"25h\"", "is not between"),
        (Layer::User, "lifetime = \"99999999999h\"", "is not a length of time"),
        (Layer::User, "key = \"hardware\"", "unknown value of `key`"),
        (Layer::User, "signer = \"~/a\"", "unknown key `signer`"),
        (Layer::User, "terminal = \"yes\"", "`terminal` is"),
    ] {
        let mistakes = section(&[(layer, text)], |_| ()).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].contains(what), "{text}: {mistakes:?}");
    }
}
