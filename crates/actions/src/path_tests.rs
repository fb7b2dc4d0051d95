//! Paths are cleaned by their text.

use super::*;

#[test]
fn paths_are_cleaned_by_their_text() {
    let hole = Word { pieces: vec![WordPiece::Any(Bound::Anything), WordPiece::Lit("/x".to_owned())], ..Word::default() };
    for (cwd, written, expected) in
        [("/r", Word::lit("a/./b//c"), "/r/a/b/c"), ("/r/s", Word::lit("../../.."), "/"), ("/r", Word::lit("/etc/../tmp/"), "/tmp"), ("/r", hole, "…/x")]
    {
        assert_eq!(Path::resolve(&Word::lit(cwd), &written).word.to_string(), expected);
    }
}

#[test]
fn known_paths_are_cleaned_as_others_are() {
    let texts = ["", "/", ".", "..", "a", "a/b", "/a/./b//c/", "../x", "../../../..", "/../a", "a/..", "./..//b/.", "/a/b/../../..", "größe/../語", "a b"];
    for cwd in texts {
        for written in texts {
            let mut components = Vec::new();
            if !written.starts_with('/') {
                clean(&Word::lit(cwd), &mut components);
            }
            clean(&Word::lit(written), &mut components);
            let path = Path::resolve(&Word::lit(cwd), &Word::lit(written));
            assert_eq!(path.word, join(&components), "{written:?} in {cwd:?}");
            assert_eq!((path.shown.as_str(), &path), (written, &Path::known(cwd, written)));
        }
    }
}
