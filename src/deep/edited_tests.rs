//! Edits, with what GNU sed and Perl made of them.

use super::*;

const TEXT: &str = "one 1\ntwo (2)\nthree a.b\nfour\n";

fn edit(language: &str, options: &[&str], script: &str) -> Option<String> {
    let options = options.iter().map(|option| (*option).to_owned()).collect();
    apply(TEXT, &Edited { language: language.to_owned(), options, script: script.to_owned(), ..Edited::default() })
}

#[test]
fn simple_scripts_are_computed() {
    for (script, expected) in [
        ("s/o/0/", "0ne 1\ntw0 (2)\nthree a.b\nf0ur\n"),
        ("s/[aeiou]/-/g", "-n- 1\ntw- (2)\nthr-- -.b\nf--r\n"),
        ("s/[aeiou]/-/2", "on- 1\ntwo (2)\nthre- a.b\nfo-r\n"),
        ("/two/d", "one 1\nthree a.b\nfour\n"),
        ("/two/!d", "two (2)\n"),
        ("2,3d", "one 1\nfour\n"),
        ("/two/,$d", "one 1\n"),
        ("3,2d", "one 1\ntwo (2)\nfour\n"),
        ("$d", "one 1\ntwo (2)\nthree a.b\n"),
        (r"s/(\([0-9]\))/<\1>/", "one 1\ntwo <2>\nthree a.b\nfour\n"),
        ("s/a.b/x/; s|four|5|", "one 1\ntwo (2)\nthree x\n5\n"),
        (r"s/a\.b/[&]/", "one 1\ntwo (2)\nthree [a.b]\nfour\n"),
        ("1i\\\nzero", "zero\none 1\ntwo (2)\nthree a.b\nfour\n"),
        ("/four/a five", "one 1\ntwo (2)\nthree a.b\nfour\nfive\n"),
        ("2c\\two", "one 1\ntwo\nthree a.b\nfour\n"),
        ("y/ot/OT/", "One 1\nTwO (2)\nThree a.b\nfOur\n"),
        ("s/ONE/1/I", "1 1\ntwo (2)\nthree a.b\nfour\n"),
        ("s/[[:digit:]]*$//", "one \ntwo (2)\nthree a.b\nfour\n"),
        ("/one/,/three/s/$/;/", "one 1;\ntwo (2);\nthree a.b;\nfour\n"),
    ] {
        assert_eq!(edit("sed", &["--in-place"], script).as_deref(), Some(expected), "{script}");
    }
    assert_eq!(edit("sed", &["--in-place", "--regexp-extended"], "s/(one|two) /x/").as_deref(), Some("x1\nx(2)\nthree a.b\nfour\n"));
    assert_eq!(edit("perl", &["-p", "-i", "-e"], r"s/(\w+) /$1-/g; s{four}{4}").as_deref(), Some("one-1\ntwo-(2)\nthree-a.b\n4\n"));
}

#[test]
fn what_is_not_simple_is_not_known() {
    for script in
        ["", "p", "n;d", "s/a/b/e", "s/a/b/w f", "N;s/\\n//", "/a/{d}", "0,/a/d", "1~2d", "b x", "s/\\(a\\)\\1/x/", "s//x/", "r f", "q", "s/a", "s/a/\\U&/"]
    {
        assert_eq!(edit("sed", &["--in-place"], script), None, "{script}");
    }
    for script in ["s/$x/y/", "s/a/@x/", "print if /a/", "s/(?=a)b/c/", "$_ = ''", "s/a/uc($&)/e"] {
        assert_eq!(edit("perl", &["-p", "-i", "-e"], script), None, "{script}");
    }
    assert_eq!(edit("sed", &["--in-place", "--quiet"], "s/a/b/"), None);
    assert_eq!(edit("perl", &["-n", "-i", "-e"], "s/a/b/"), None);
    assert_eq!(edit("", &[], "%s/a/b/"), None);
}
