//! A shell command: read to its end or given up on with a word, and never hiding what is before it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use actions::Deed;
use actions::lookup::Lookups;
use actions::shell::{Setting, Shell};
use gate::BUILT_IN;
use policy::Policy;

fuzz_target!(|text: &str| {
    let policy = Policy::open(BUILT_IN).expect("the built-in policy");
    let setting = Setting { cwd: "/repo".to_owned(), home: Some("/home/dev".to_owned()), temporary: "/tmp".to_owned(), zsh: true, root: "/repo".to_owned() };
    let mut shell = Shell::new(&setting, &policy.programs, Lookups::default());
    // Bash runs a line before it reads the next one, whatever is there.
    shell.line(&format!("git push --force\n{text}"));
    let (actions, _) = shell.finish();
    assert!(actions.iter().any(|action| matches!(action.deed, Deed::Push(_))), "the force push was lost");
    for action in &actions {
        assert!(!action.shown().trim().is_empty());
    }
});
