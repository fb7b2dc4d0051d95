//! Tests of `syntax`: that the lexer is total, and what it takes for what.

use super::*;
use crate::layout::Catalogue;

fn language(catalogue: &Catalogue, name: &str) -> SourceLanguage {
    catalogue.languages.iter().find(|language| language.name == name).unwrap_or_else(|| panic!("no language {name}")).clone()
}

/// The kinds of the tokens: w, n, t(ext), c(omment), and marks as they are.
fn kinds(language: &SourceLanguage, text: &str) -> String {
    let kind = |token: &SourceToken| match token.kind {
        TokenKind::Word => "w".to_owned(),
        TokenKind::Number => "n".to_owned(),
        TokenKind::Text => "t".to_owned(),
        TokenKind::Comment => "c".to_owned(),
        TokenKind::Mark => token.text.to_owned(),
    };
    lex(text, language).iter().map(kind).collect::<Vec<_>>().join(" ")
}

#[test]
fn tokens_are_what_the_language_takes_them_for() {
    let catalogue = Catalogue::shipped().unwrap();
    for (name, text, expected) in [
        ("rust", "a /* b /* c */ d */ e", "w c w"),
        ("rust", r###"r##"a"# b"## c"###, "t w"),
        ("rust", "x: &'a str = 'b'; '\\''", "w : & ' w w = t ; t"),
        ("rust", "for\"x\"", "w t"),
        ("c", "a /* b /* c */ d", "w c w"),
        ("c", "R\"x(a)\" )x\" b", "t w"),
        ("c", "int a = 1'000;", "w w = n ;"),
        ("javascript", "a = b / c / d", "w = w / w / w"),
        ("javascript", "return /a'b/g.test(x)", "w t . w ( w )"),
        ("javascript", "`a ${b + `c ${d} e`} f` g", "t w + t w t t w"),
        ("javascript", "`a ${ {x: 1}.x } b` c", "t { w : n } . w t w"),
        ("python", "'''a\n'b' ''' c # d", "t w c"),
        ("python", "'a\nb", "t w"),
        ("ruby", "x = <<~EOS\n  it 'a' do\nEOS\ny", "w = t t w"),
        ("ruby", "class A << self; end", "w w < < w ; w"),
        ("shell", "cat <<'E' # c\nit's\nE\necho \"$(a \"b\")\" x", "w t c t w t w t t w"),
        ("shell", "echo a#b $# c", "w w # w $ # w"),
        ("lua", "--[[ a\nb ]] x [==[ ]] ]==] y", "c w t w"),
        ("haskell", "f' = 'a' {- {- x -} -} -- y", "w = t c c"),
        ("ocaml", "(* a (* b *) c *) {x|\" |y} |x} d", "c t w"),
        ("swift", "#\"a\"b\"# \"\\(x + \"y\") z\" c", "t t w + t t w"),
        ("csharp", "@\"a\\\" \"\"\" b\" \"\"\" c", "t t w"),
        ("php", "$a = <<<'X'\n'\nX;\n$b", "w = t t w"),
        ("sql", "select 'it''s' -- c", "w t c"),
        ("perl", "$#a; # b", "$ # w ; c"),
    ] {
        let found = kinds(&language(catalogue, name), text);
        // Blanks in what is written above do not matter.
        assert_eq!(found.replace(' ', ""), expected.replace(' ', ""), "{name}: {text}");
    }
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Pieces that languages give a meaning to.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "`",
    "\\",
    "/*",
    "*/",
    "//",
    "#",
    "--",
    "\n",
    " ",
    "${",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    "r#\"",
    "\"#",
    "<<EOF",
    "EOF",
    "=begin",
    "=end",
    "'''",
    "\"\"\"",
    "$(",
    "#{",
    "\\(",
    "it",
    "(",
    "test",
    "def test_a",
    "#[test]",
    "@Test",
    "assert",
    "é",
    "\u{1f600}",
    "\0",
    "\r\n",
    "\t",
    ";",
    "{|",
    "|}",
    "--[[",
    "R\"x(",
    "0x1.5e+3",
    ".",
    "fn",
    "class",
    "expect(1)",
];

#[test]
fn any_text_is_read_in_every_language() {
    let catalogue = Catalogue::shipped().unwrap();
    let mut numbers = Numbers(7);
    for language in &catalogue.languages {
        for _ in 0..60 {
            let pieces = 1 + numbers.below(40);
            let text: String = (0..pieces).map(|_| PIECES[numbers.below(PIECES.len())]).collect();
            let tokens = lex(&text, language);
            // Tokens are stretches of the text in their order, with nothing but blanks between.
            let mut at = 0;
            for token in &tokens {
                let start = at + text[at..].find(token.text).unwrap_or_else(|| panic!("{}: {text:?}", language.name));
                assert!(
                    text[at..start].chars().all(|sign| sign.is_whitespace() || sign == '\u{feff}'),
                    "{}: {text:?} loses {:?}",
                    language.name,
                    &text[at..start]
                );
                at = start + token.text.len();
            }
            let source = SourceCode::new(&text, language);
            let _ = (source.nodes(), source.tested(true), need(None, &source, &std::collections::HashMap::new(), false, true));
            let _ = tests_weakened(&source, &SourceCode::new("", language), &crate::syntax::Strengths::default(), &|_| false);
        }
    }
}

#[test]
#[expect(clippy::disallowed_types, reason = "a test may look at the clock")]
fn reading_takes_time_in_proportion_to_the_text() {
    let catalogue = Catalogue::shipped().unwrap();
    for language in &catalogue.languages {
        for piece in ["/*", "${", "`${", "(", "{", "it('a', () => { ", "def test_a():\n ", "#[test] fn a() {", "<<A\n", "r#\"", "'"] {
            let text = piece.repeat(500);
            let begun = std::time::Instant::now();
            let _ = SourceCode::new(&text, language).tested(true);
            // Far above what it takes; a square would be minutes.
            assert!(begun.elapsed().as_secs() < 20, "{} {piece:?}", language.name);
        }
    }
}
