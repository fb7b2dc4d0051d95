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
