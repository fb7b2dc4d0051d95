//! Comments and strings of each language. Data only; `lex` reads by it.

use super::{Language, lex::TextForm};
use Escapes::{C, Single};
use TextForm::{Command, Plain, Regex, Replace, Template, Words};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// Nothing, but the quote after it does not close.
    Raw,
    /// It only escapes itself and the quote.
    Single,
    C,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holes {
    None,
    /// `{…}`
    Braces,
    /// `${…}`
    Dollar,
    /// `#{…}`
    Hash,
    /// `$name`, `@name`, `${…}`, `{$…}`
    Sigil,
}

#[derive(Clone, Copy)]
pub(super) struct Quote {
    /// What it begins with. A plain quote ends with the same; after a word comes a delimiter of the program's choice.
    pub(super) open: &'static str,
    pub(super) form: TextForm,
    pub(super) escapes: Escapes,
    pub(super) holes: Holes,
    /// A line end ends the string although it is not closed.
    pub(super) one_line: bool,
}

pub(super) struct Grammar {
    /// Beginnings of comments that end with their line.
    pub(super) lines: &'static [&'static str],
    /// Beginnings and ends of other comments; those that begin with `=` or `_` only count at the start of a line.
    pub(super) blocks: &'static [(&'static str, &'static str)],
    /// The signs that can be in front of a name.
    pub(super) sigils: &'static str,
    /// Strings, the longer beginnings first.
    pub(super) quotes: &'static [Quote],
    /// Strings that begin with a word, the longer ones first.
    pub(super) words: &'static [Quote],
    /// Letters in front of a quote change how it is read, as in Python.
    pub(super) prefixes: bool,
    /// The beginning of a here-document, where there are any.
    pub(super) here: &'static str,
    /// `/` may begin a regular expression.
    pub(super) regex: bool,
    /// A line end may end a statement.
    pub(super) newlines: bool,
}

const fn long(open: &'static str, form: TextForm, escapes: Escapes, holes: Holes) -> Quote {
    Quote { open, form, escapes, holes, one_line: false }
}

/// A string that ends with its line.
const fn line(open: &'static str) -> Quote {
    Quote { one_line: true, ..long(open, Plain, C, Holes::None) }
}

/// A string without holes of which only the end matters.
pub(super) const RAW: Quote = long("", Regex, Single, Holes::None);

const NONE: Grammar = Grammar { lines: &["#"], blocks: &[], sigils: "", quotes: &[], words: &[], prefixes: false, here: "", regex: false, newlines: true };

/// Text where strings are as in Python and comments as in C.
static UNKNOWN: Grammar = Grammar {
    lines: &["#", "//"],
    blocks: &[("/*", "*/")],
    sigils: "$",
    quotes: &[long("\"\"\"", Plain, C, Holes::None), long("'''", Plain, C, Holes::None), line("\""), line("'"), line("`")],
    prefixes: true,
    ..NONE
};

static PYTHON: Grammar =
    Grammar { quotes: &[long("\"\"\"", Plain, C, Holes::None), long("'''", Plain, C, Holes::None), line("\""), line("'")], prefixes: true, ..NONE };

static JAVASCRIPT: Grammar =
    Grammar { lines: &["//", "#!"], blocks: &[("/*", "*/")], quotes: &[line("'"), line("\""), long("`", Template, C, Holes::Dollar)], regex: true, ..NONE };

static RUBY: Grammar = Grammar {
    blocks: &[("=begin", "\n=end"), ("__END__", "\0")],
    sigils: "$@",
    quotes: &[long("'", Plain, Single, Holes::None), long("\"", Plain, C, Holes::Hash), long("`", Command, C, Holes::Hash)],
    words: &[
        long("%w", Words, Single, Holes::None),
        long("%W", Words, Single, Holes::None),
        long("%i", Words, Single, Holes::None),
        long("%x", Command, C, Holes::Hash),
        long("%r", Regex, Single, Holes::None),
        long("%q", Plain, Single, Holes::None),
        long("%s", Plain, Single, Holes::None),
        long("%Q", Plain, C, Holes::Hash),
        long("%", Plain, C, Holes::Hash),
    ],
    here: "<<",
    regex: true,
    ..NONE
};

const CUT: &str = "\n=cut";

static PERL: Grammar = Grammar {
    blocks: &[
        ("=pod", CUT),
        ("=head", CUT),
        ("=begin", CUT),
        ("=over", CUT),
        ("=item", CUT),
        ("=for", CUT),
        ("=encoding", CUT),
        ("__END__", "\0"),
        ("__DATA__", "\0"),
    ],
    sigils: "$@%",
    quotes: &[long("'", Plain, Single, Holes::None), long("\"", Plain, C, Holes::Sigil), long("`", Command, C, Holes::Sigil)],
    words: &[
        long("qq", Plain, C, Holes::Sigil),
        long("qw", Words, Single, Holes::None),
        long("qx", Command, C, Holes::Sigil),
        long("qr", Regex, Single, Holes::None),
        long("tr", Replace, Single, Holes::None),
        long("q", Plain, Single, Holes::None),
        long("m", Regex, Single, Holes::None),
        long("s", Replace, Single, Holes::None),
        long("y", Replace, Single, Holes::None),
    ],
    here: "<<",
    regex: true,
    newlines: false,
    ..NONE
};

static PHP: Grammar = Grammar {
    lines: &["//", "#"],
    // Between `?>` and `<?` is the page.
    blocks: &[("/*", "*/"), ("?>", "<?")],
    sigils: "$",
    quotes: PERL.quotes,
    here: "<<<",
    newlines: false,
    ..NONE
};

static LUA: Grammar = Grammar {
    lines: &["--", "#!"],
    blocks: &[("--[[", "]]"), ("--[=[", "]=]"), ("--[==[", "]==]")],
    quotes: &[
        line("\""),
        line("'"),
        long("[[", Plain, Escapes::Raw, Holes::None),
        long("[=[", Plain, Escapes::Raw, Holes::None),
        long("[==[", Plain, Escapes::Raw, Holes::None),
    ],
    ..NONE
};

static JULIA: Grammar = Grammar {
    blocks: &[("#=", "=#")],
    quotes: &[
        long("\"\"\"", Plain, C, Holes::Sigil),
        long("\"", Plain, C, Holes::Sigil),
        long("```", Command, C, Holes::Sigil),
        long("`", Command, C, Holes::Sigil),
    ],
    ..NONE
};

static JVM: Grammar = Grammar {
    lines: &["//", "#!"],
    blocks: &[("/*", "*/")],
    quotes: &[
        long("\"\"\"", Plain, C, Holes::Sigil),
        long("'''", Plain, C, Holes::None),
        Quote { one_line: true, ..long("\"", Plain, C, Holes::Sigil) },
        line("'"),
    ],
    ..NONE
};

static AWK: Grammar = Grammar { quotes: &[line("\"")], regex: true, ..NONE };

pub(super) fn of(language: Language) -> &'static Grammar {
    match language {
        Language::Python => &PYTHON,
        Language::JavaScript => &JAVASCRIPT,
        Language::Ruby => &RUBY,
        Language::Perl => &PERL,
        Language::Php => &PHP,
        Language::Lua => &LUA,
        Language::Julia => &JULIA,
        Language::Jvm => &JVM,
        Language::Awk => &AWK,
        _ => &UNKNOWN,
    }
}
