//! Descriptions of programs.

use super::{Input, compile};
use actions::program::{OptionStyle, Program, Role, Takes};
use policy::Policy;

fn mistakes(text: &str) -> Vec<String> {
    let programs = [("policies/programs/a.toml", text)];
    let input = Input { programs: &programs, ..Input::default() };
    compile(&input).err().unwrap_or_default().iter().map(|mistake| format!("{} {}", mistake.line(text), mistake.what)).collect()
}

#[test]
fn a_description_survives_being_compiled() {
    let text = r#"
[[program]]
name = ["sudo", "doas"]
options = ["-u|--user=", "-i|--in-place=?", "-f|--force"]
values = { "--user" = "folder" }
forms = [{ with = "--force", operands = ["none", "write*"], values = { -u = "read" } }, { operands = ["assignments", "argv"] }]
remote = true
[[program]]
name = "git"
options = "-C="
[[program.subcommand]]
name = "remote"
[[program.subcommand.subcommand]]
name = ["set-url", "add"]
operands = "url"
[[program]]
name = "dd"
style = "keys"
options = ["of=", "if="]
values = { of = "write" }
[[program]]
name = "find"
style = "single-dash"
stops = true
language = "python"
appends = true
shell_stdin = true
"#;
    assert_eq!(mistakes(text), [""; 0]);
    let programs = [("policies/programs/a.toml", text)];
    let compiled = compile(&Input { programs: &programs, ..Input::default() }).unwrap();
    let policy = Policy::open(&compiled.bytes).unwrap();
    let find = |name: &str| -> Program { policy.programs.find(name).unwrap() };

    let sudo = find("doas");
    let options: Vec<_> = sudo.options.iter().map(|option| (option.names.join(" "), option.takes, option.role)).collect();
    let expected = [
        ("-u --user".to_owned(), Takes::Value, Role::Folder),
        ("-i --in-place".to_owned(), Takes::Attached, Role::None),
        ("-f --force".to_owned(), Takes::Nothing, Role::None),
    ];
    assert_eq!(options, expected);
    assert_eq!(sudo.forms[0].with, ["--force"]);
    assert_eq!(sudo.forms[0].operands, [(Role::None, false), (Role::Write, true)]);
    assert_eq!(sudo.forms[0].values, [("-u", Role::Read)]);
    assert!(sudo.stops && sudo.remote && sudo.style == OptionStyle::Gnu);

    let git = find("git");
    assert!(git.stops);
    let inner = git.subcommand("remote").and_then(|remote| remote.subcommand("add")).unwrap();
    assert_eq!((inner.forms[0].operands.as_slice(), inner.stops), ([(Role::Url, false)].as_slice(), false));

    let dd = find("dd");
    assert_eq!((dd.style, dd.options[0].names.as_slice(), dd.options[0].role), (OptionStyle::Keys, ["of"].as_slice(), Role::Write));
    let find = find("find");
    assert!(find.stops && find.appends && find.shell_stdin && find.language == "python" && find.style == OptionStyle::SingleDash);
}

#[test]
fn each_mistake_of_a_description() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["1 `program` needs `name`"]),
        ("name = \"a\"\nstyl = \"gnu\"", &["3 unknown key `styl` in `program`"]),
        ("name = \"a\"\nstyle = \"gun\"", &["3 unknown style `gun`"]),
        ("name = \"a\"\noptions = \"force\"", &["3 `force` does not name an option"]),
        ("name = \"a\"\noptions = \"-a|\"", &["3 `-a|` does not name an option"]),
        ("name = \"a\"\noptions = [\"-a\", \"-b|-a\"]", &["3 the option `-a` is described twice"]),
        ("name = \"a\"\nvalues = { -x = \"read\" }", &["3 the option `-x` is not in `options`"]),
        ("name = \"a\"\noptions = \"-x\"\nvalues = { -x = \"read\" }", &["4 the option `-x` takes no value"]),
        ("name = \"a\"\noptions = \"-x=\"\nvalues = { -x = \"red\" }", &["4 unknown role `red`"]),
        ("name = \"a\"\noptions = \"-x=\"\nvalues = { -x = 1 }", &["4 the role of `-x` is not a string"]),
        ("name = \"a\"\noperands = \"reed*\"", &["3 unknown role `reed`"]),
        ("name = \"a\"\noperands = [\"read*\", \"write*\"]", &["3 two operands of a form end in `*`"]),
        ("name = \"a\"\nforms = { with = \"-x\", operands = \"read\" }", &["3 the option `-x` is not in `options`"]),
        ("name = \"a\"\nforms = { operand = \"read\" }", &["3 unknown key `operand` in `forms`"]),
        ("name = \"a\"\nforms = { values = { -f = \"read\" } }", &["3 the option `-f` is not in `options`"]),
        ("name = \"a\"\noperands = \"read\"\nforms = { operands = \"read\" }", &["3 `operands` and `forms` are in one table"]),
        ("name = [\"a\", \"a\"]", &["2 the program `a` is described twice: here and at policies/programs/a.toml:2"]),
        ("name = \"b\"\n[[program]]\nname = \"b\"", &["4 the program `b` is described twice: here and at policies/programs/a.toml:2"]),
        ("name = \"a\"\nsubcommand = [{ name = \"x\" }, { name = \"x\" }]", &["3 the subcommand `x` is described twice"]),
        ("name = \"a\"\nsubcommand = [{ nam = \"x\" }]", &["3 `subcommand` needs `name`", "3 unknown key `nam` in `subcommand`"]),
    ];
    for (body, expected) in cases {
        assert_eq!(mistakes(&format!("[[program]]\n{body}")), *expected, "{body}");
    }
}
