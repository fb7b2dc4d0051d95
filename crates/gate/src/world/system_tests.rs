//! What the system answers.

use super::*;

#[test]
fn absence_is_told_from_failure() {
    let own = own_path().expect("the test binary has a path");
    let long = "x".repeat(300);
    for (path, expected) in [
        (own.join("below-a-file"), Ok(false)),
        (own.with_file_name("there-is-no-such-file"), Ok(false)),
        (own.clone(), Ok(true)),
        (own.with_file_name(&long), Err(libc::ENAMETOOLONG)),
        (PathBuf::from("a\0b"), Err(libc::EINVAL)),
    ] {
        assert_eq!(identity(&path).map(|found| found.is_some()), expected, "{}", path.display());
    }
}

#[test]
fn the_password_database_knows_a_home() {
    // A user without an entry is no fault; a path that is not absolute would be one.
    assert!(account().and_then(|account| account.home).is_none_or(|home| home.is_absolute()));
}
