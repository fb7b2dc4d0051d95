//! Files that hold the input, and programs that are not there.

use super::*;
use std::io::Read as _;

#[test]
fn both_kinds_of_file_hold_the_input() {
    for (kind, file) in [("memory", memory_file().or_else(|_| unlinked_file())), ("unlinked", unlinked_file())] {
        let mut file = file.expect(kind);
        file.write_all(b"input").expect(kind);
        file.rewind().expect(kind);
        let mut text = String::new();
        file.read_to_string(&mut text).expect(kind);
        assert_eq!(text, "input", "{kind}");
    }
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let nul = OsString::from("a\0b");
    // Fails before anything of this process is changed.
    let error = hand_over(Path::new("/nowhere"), &[nul.as_os_str()], &[], b"");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}
