//! Descriptions of programs, from TOML to `actions::program`. Knows not how arguments are read.

use std::borrow::Cow;
use std::collections::HashMap;

use toml::de::DeValue;

use crate::mistake::{line, suggestion};
use crate::schema::{Checker, PROGRAMS, Text, Value};
use actions::printed::{ANY_NUMBER, OPERANDS};
use actions::program::{Form, Opt, Printed, Prints, Program, Role, Style, Subcommands, Takes};
use actions::wire::Wire;

/// Reads the descriptions of one file. `seen` holds the place of every program of the files before it.
pub(super) fn programs<'t>(table: &'t DeValue<'t>, text: &str, checker: &mut Checker, seen: &mut HashMap<&'t str, String>) -> Vec<Program<'t>> {
    let view = Value { value: table, span: 0..0 };
    checker.table(&view, PROGRAMS, "a file of programs");
    let mut programs = Vec::new();
    for table in view.tables("program") {
        for name in table.texts("name") {
            let place = format!("{}:{}", checker.path, line(text, name.span.start));
            if let Some(first) = seen.get(name.text) {
                checker.mistake(&name.span, format!("the program `{}` is described twice: here and at {first}", name.text), "merge the two descriptions");
            } else {
                seen.insert(name.text, place);
            }
        }
        programs.push(program(&table, Style::Gnu, checker));
    }
    programs
}

fn program<'t>(view: &Value<'t>, outer: Style, checker: &mut Checker) -> Program<'t> {
    let style = view.text("style").map_or(outer, |style| checker.named(&style, Style::NAMES, "style").unwrap_or(outer));
    let mut options: Vec<Opt> = Vec::new();
    for text in view.texts("options") {
        let option = option(&text, style, checker);
        if let Some(twice) = option.names.iter().find(|name| known(&options, name)) {
            checker.mistake(&text.span, format!("the option `{twice}` is described twice"), "merge the two descriptions");
        }
        options.push(option);
    }
    for (name, role) in values(view, &options, checker) {
        if let Some(option) = options.iter_mut().find(|option| option.names.contains(&name)) {
            option.role = role;
        }
    }
    let forms = forms(view, &options, checker);
    let subcommands = subcommands(view, style, checker);
    let names: Vec<&str> = view.texts("name").iter().map(|name| name.text).collect();
    let printed = prints(view, &options, &names, checker);
    let neutral = view.texts("neutral");
    for name in neutral.iter().filter(|name| !known(&options, name.text)) {
        unknown(name, &options, checker);
    }
    let neutral = neutral.iter().map(|name| name.text).collect();
    let sets_up = view.texts("sets_up");
    sets_up.iter().for_each(|call| call.text.split(' ').for_each(|word| operand(&Text { text: word, span: call.span.clone() }, checker)));
    let sets_up: Vec<&str> = sets_up.iter().map(|call| call.text).collect();
    let inner = |role: Role| matches!(role, Role::Argv | Role::ShellRest | Role::Assignments);
    let stops = !subcommands.is_empty() || forms.iter().flat_map(|form| &form.operands).any(|(role, _)| inner(*role));
    Program {
        names,
        style,
        options,
        forms,
        stops: view.flag("stops").unwrap_or(stops),
        remote: view.flag("remote").unwrap_or(false),
        shell_stdin: view.flag("shell_stdin").unwrap_or(false),
        appends: view.flag("appends").unwrap_or(false),
        runs: view.text("runs").map_or("", |program| program.text),
        language: view.text("language").map_or("", |language| language.text),
        escapes: view.texts("escapes").iter().map(|mark| mark.text).collect(),
        neutral,
        prints: laid_down(&printed),
        sets_up: laid_down(&sets_up),
        subcommands,
    }
}

/// One word of a call that is described.
fn operand(text: &Text, checker: &mut Checker) {
    let bare = text.text.trim_end_matches(['?', '*']);
    if bare.starts_with('<') && !OPERANDS.contains(&bare) {
        checker.mistake(&text.span, format!("unknown kind of operand `{bare}`"), suggestion(bare, OPERANDS.iter().copied()));
    }
}

/// A list that is read only when it is asked for; an empty one takes no byte of its own.
fn laid_down<'t, T: Wire<'t>>(list: &Vec<T>) -> Cow<'t, [u8]> {
    let mut out = Vec::new();
    if !list.is_empty() {
        list.put(&mut out);
    }
    Cow::Owned(out)
}

fn prints<'t>(view: &Value<'t>, options: &[Opt], names: &[&str], checker: &mut Checker) -> Vec<Printed<'t>> {
    let mut all = Vec::new();
    for table in view.tables("prints") {
        let Some(what) = table.text("as").and_then(|text| checker.named(&text, Prints::NAMES, "kind of output")) else { continue };
        let texts = |key: &str| table.texts(key).iter().map(|text| text.text).collect::<Vec<_>>();
        for name in table.texts("called").iter().filter(|name| !names.contains(&name.text)) {
            checker.mistake(&name.span, format!("`{}` is not a name of this program", name.text), suggestion(name.text, names.iter().copied()));
        }
        for name in table.texts("with").iter().chain(&table.texts("only")) {
            let bare = name.text.split_once('=').map_or(name.text, |(bare, _)| bare);
            if !known(options, bare) && bare != ANY_NUMBER {
                unknown(&Text { text: bare, span: name.span.clone() }, options, checker);
            }
        }
        table.texts("operands").iter().for_each(|text| operand(text, checker));
        all.push(Printed {
            called: texts("called"),
            with: texts("with"),
            only: texts("only"),
            operands: texts("operands"),
            always: table.flag("always").unwrap_or(false),
            what,
            text: table.text("text").map_or("", |text| text.text),
        });
    }
    all
}

fn subcommands<'t>(view: &Value<'t>, style: Style, checker: &mut Checker) -> Subcommands<'t> {
    let mut seen: Vec<&str> = Vec::new();
    let mut all = Subcommands::EMPTY;
    for table in view.tables("subcommand") {
        for name in table.texts("name") {
            if seen.contains(&name.text) {
                checker.mistake(&name.span, format!("the subcommand `{}` is described twice", name.text), "merge the two descriptions");
            }
            seen.push(name.text);
        }
        all.add(&program(&table, style, checker));
    }
    all
}

/// `-u|--user=`
fn option<'t>(text: &Text<'t>, style: Style, checker: &mut Checker) -> Opt<'t> {
    let ends = |(sign, takes): &(&str, Takes)| Some((text.text.strip_suffix(sign)?, *takes));
    let (names, takes) = Takes::NAMES.iter().rev().find_map(ends).unwrap_or((text.text, Takes::Nothing));
    let names: Vec<&str> = names.split('|').collect();
    for name in &names {
        if name.is_empty() || name.contains(['=', ' ']) || (style != Style::Keys && !name.starts_with(['-', '+'])) {
            checker.mistake(
                &text.span,
                format!("`{}` does not name an option", text.text),
                "write names with their dashes, joined by `|`, then `=` if it takes a value: `-u|--user=`",
            );
            break;
        }
    }
    Opt { names, takes, role: Role::None }
}

fn forms<'t>(view: &Value<'t>, options: &[Opt], checker: &mut Checker) -> Vec<Form<'t>> {
    let mut forms = Vec::new();
    for table in view.tables("forms") {
        let with = table.texts("with");
        for name in with.iter().filter(|name| !known(options, name.text)) {
            unknown(name, options, checker);
        }
        forms.push(Form { with: with.iter().map(|name| name.text).collect(), operands: operands(&table, checker), values: values(&table, options, checker) });
    }
    if let Some(value) = view.get("operands") {
        if view.get("forms").is_some() {
            checker.mistake(&value.span, "`operands` and `forms` are in one table", "write `operands` as the last of the forms, without `with`");
        }
        forms.push(Form { with: Vec::new(), operands: operands(view, checker), values: Vec::new() });
    }
    forms
}

/// Roles of the values of options.
fn values<'t>(view: &Value<'t>, options: &[Opt], checker: &mut Checker) -> Vec<(&'t str, Role)> {
    let mut roles = Vec::new();
    for (name, value) in view.table("values").iter().flat_map(Value::entries) {
        let Some(role) = value.as_text() else {
            checker.mistake(&value.span, format!("the role of `{}` is not a string", name.text), "write the name of a role");
            continue;
        };
        match options.iter().find(|option| option.names.contains(&name.text)) {
            None => unknown(&name, options, checker),
            Some(option) if option.takes == Takes::Nothing => {
                let mend = format!("write `{}=` in `options`", name.text);
                checker.mistake(&name.span, format!("the option `{}` takes no value", name.text), mend);
            }
            Some(_) => roles.extend(checker.named(&role, Role::NAMES, "role").map(|role| (name.text, role))),
        }
    }
    roles
}

fn operands(view: &Value, checker: &mut Checker) -> Vec<(Role, bool)> {
    let mut roles = Vec::new();
    for text in view.texts("operands") {
        let (name, many) = text.text.strip_suffix('*').map_or((text.text, false), |name| (name, true));
        if many && roles.iter().any(|(_, many)| *many) {
            checker.mistake(&text.span, "two operands of a form end in `*`", "only one can take the remaining operands");
        }
        if let Some(role) = checker.named(&Text { text: name, span: text.span.clone() }, Role::NAMES, "role") {
            roles.push((role, many));
        }
    }
    roles
}

fn known(options: &[Opt], name: &str) -> bool {
    options.iter().any(|option| option.names.contains(&name))
}

fn unknown(name: &Text, options: &[Opt], checker: &mut Checker) {
    let names = options.iter().flat_map(|option| option.names.iter().copied());
    checker.mistake(&name.span, format!("the option `{}` is not in `options`", name.text), suggestion(name.text, names));
}
