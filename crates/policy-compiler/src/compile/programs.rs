//! Descriptions of programs, from TOML to `actions::program`. Does not know how arguments are read.

use std::{borrow::Cow, collections::HashMap, rc::Rc};

use toml::de::DeValue;

use crate::examples::ProgramExamples;
use crate::mistake::{line, suggestion};
use crate::schema::{Checker, PROGRAMS, SpannedText, SpannedValue};
use actions::printed::{ANY_NUMBER, OPERANDS};
use actions::program::{Details, Method, OperandForm, Opt, OptionStyle, Printed, Prints, Program, ProgramWay, QueryClient, Role, Scripts, Subcommands, Takes};
use actions::wire::lay_down;

/// Descriptions, and what is beside them.
#[derive(Debug, Default)]
pub(super) struct Described<'t> {
    pub(super) programs: Vec<Program<'t>>,
    /// Variables whose values programs start.
    pub(super) starts: Vec<&'t str>,
    /// `PYTHON=python3`
    pub(super) named: Vec<&'t str>,
    /// Where programs are given secrets.
    pub(super) secrets: Vec<&'t str>,
    pub(super) examples: Vec<ProgramExamples>,
    /// The file in which each program is described, its text, and the byte in it.
    seen: HashMap<&'t str, (Rc<str>, &'t str, usize)>,
}

impl<'t> Described<'t> {
    /// Reads the descriptions of a shipped file.
    pub(super) fn shipped(&mut self, table: &'t DeValue<'t>, text: &'t str, checker: &mut Checker) {
        let view = SpannedValue { value: table, span: 0..0 };
        checker.table(&view, PROGRAMS, "a file of programs");
        self.read(&view, text, false, checker);
    }

    /// Reads the descriptions of a layer's file: programs that no shipped file describes. They never make a
    /// verdict more permissive.
    pub(super) fn house(&mut self, table: &'t DeValue<'t>, text: &'t str, checker: &mut Checker) {
        self.read(&SpannedValue { value: table, span: 0..0 }, text, true, checker);
    }

    fn read(&mut self, view: &SpannedValue<'t>, text: &'t str, house: bool, checker: &mut Checker) {
        let path: Rc<str> = Rc::from(checker.path);
        for table in view.tables("program") {
            let names = table.texts("name");
            for name in &names {
                if let Some((path, text, at)) = self.seen.get(name.text) {
                    let first = format!("{path}:{}", line(text, *at));
                    let fix = if house { "give the wrapper another name; a description cannot be changed" } else { "merge the two descriptions" };
                    checker.mistake(&name.span, format!("the program `{}` is described twice: here and at {first}", name.text), fix);
                } else {
                    self.seen.insert(name.text, (Rc::clone(&path), text, name.span.start));
                }
            }
            let mut program = program(&table, OptionStyle::Gnu, checker);
            if house {
                looser(&table, checker);
                program.ways.push(ProgramWay::House);
            }
            let first = names.first().map_or("", |name| name.text);
            self.starts.extend(variables(&table, "starts", false, checker));
            self.named.extend(variables(&table, "named_by", true, checker));
            if table.get("secrets").is_some() {
                self.secrets.extend(names.iter().map(|name| name.text));
            }
            let written = table.table("examples");
            let examples = written.iter().flat_map(SpannedValue::entries).filter_map(|(command, value)| {
                let inner = value.as_text();
                if inner.is_none() {
                    checker.mistake(&value.span, "an example does not say which command it runs", "write that command, or \"\" if it runs none");
                }
                Some((command.text.to_owned(), inner?.text.to_owned()))
            });
            let examples: Vec<_> = examples.collect();
            if !examples.is_empty() {
                let place = format!("{}:{}", checker.path, line(text, table.span.start));
                self.examples.push(ProgramExamples { name: first.to_owned(), place, examples });
            }
            self.programs.push(program);
        }
    }
}

/// Names of variables: `NAME`, or `NAME=program`.
fn variables<'t>(table: &SpannedValue<'t>, key: &str, named: bool, checker: &mut Checker) -> Vec<&'t str> {
    let texts = table.texts(key);
    for text in texts.iter().filter(|text| text.text.contains(' ') || text.text.contains('=') != named) {
        let fix = if named { "write `PYTHON=python3`" } else { "write the name of a variable" };
        checker.mistake(&text.span, format!("`{}` does not name a variable", text.text), fix);
    }
    texts.iter().map(|text| text.text).collect()
}

/// Reports keys that could make a verdict more permissive, also in subcommands.
fn looser(view: &SpannedValue, checker: &mut Checker) {
    for (name, _) in view.entries().iter().filter(|(name, _)| ["prints", "sets_up", "neutral", "named_by", "hushes"].contains(&name.text)) {
        let what = format!("`{}` is not allowed in a policy", name.text);
        checker.mistake(&name.span, what, "remove it; only shipped descriptions can say what a program prints");
    }
    view.tables("subcommand").iter().for_each(|table| looser(table, checker));
}

fn program<'t>(view: &SpannedValue<'t>, outer: OptionStyle, checker: &mut Checker) -> Program<'t> {
    let style = view.text("style").map_or(outer, |style| checker.named(&style, OptionStyle::NAMES, "style").unwrap_or(outer));
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
    let names = view.words("name");
    let printed = prints(view, &options, &names, checker);
    let neutral = view.texts("neutral");
    for name in neutral.iter().filter(|name| !known(&options, name.text)) {
        unknown(name, &options, checker);
    }
    let neutral = neutral.iter().map(|name| name.text).collect();
    let sets_up = view.texts("sets_up");
    for call in &sets_up {
        call.text.split(' ').for_each(|word| operand(&SpannedText { text: word, span: call.span.clone() }, checker));
    }
    let sets_up: Vec<&str> = sets_up.iter().map(|call| call.text).collect();
    let mut ways: Vec<ProgramWay> = view.texts("ways").iter().filter_map(|way| checker.named(way, ProgramWay::NAMES, "way")).collect();
    let details = Details {
        neutral,
        prints: printed,
        sets_up,
        methods: methods(view, checker),
        scripts: scripts(view),
        writes: view.words("writes"),
        options_in: view.words("options_in"),
        empties: view.words("empties"),
        hushes: view.words("hushes"),
        opens: view.words("opens"),
        secrets: view.words("secrets"),
        query: query(view),
    };
    ways.extend(details.query.is_some().then_some(ProgramWay::Queries));
    ways.extend((!details.sets_up.is_empty()).then_some(ProgramWay::SetsUp));
    ways.extend((!details.opens.is_empty()).then_some(ProgramWay::Opens));
    ways.extend(details.scripts.is_some().then_some(ProgramWay::Scripts));
    let inner = |role: Role| matches!(role, Role::Argv | Role::ShellRest | Role::Assignments);
    let stops = !subcommands.is_empty() || forms.iter().flat_map(|form| &form.operands).any(|(role, _)| inner(*role));
    Program {
        names,
        style,
        options,
        forms,
        stops: view.flag("stops").unwrap_or(stops),
        remote: view.is("remote"),
        shell_stdin: view.is("shell_stdin"),
        appends: view.is("appends"),
        runs: view.word("runs"),
        language: view.word("language"),
        escapes: view.words("escapes"),
        ways,
        details: if details == Details::default() { Cow::Borrowed(&[]) } else { Cow::Owned(lay_down(&details)) },
        subcommands,
    }
}

fn methods<'t>(view: &SpannedValue<'t>, checker: &mut Checker) -> Vec<Method<'t>> {
    let method = |table: &SpannedValue<'t>| {
        let is = table.text("is");
        if is.is_none() {
            checker.mistake(&table.span, "the method is not a string", "write `is = \"POST\"`, or `is = \"\"` where it is not known");
        }
        Some(Method { any: table.words("any"), items: table.is("items"), method: is?.text })
    };
    view.tables("methods").iter().filter_map(method).collect()
}

fn scripts<'t>(view: &SpannedValue<'t>) -> Option<Scripts<'t>> {
    let table = view.table("scripts")?;
    let names = table.table("names")?.entries().into_iter().filter_map(|(name, value)| Some((name.text, value.as_text()?.text))).collect();
    Some(Scripts { file: table.text("file")?.text, key: table.text("key")?.text, names })
}

fn query<'t>(view: &SpannedValue<'t>) -> Option<QueryClient<'t>> {
    let table = view.table("query")?;
    Some(QueryClient {
        language: table.word("language"),
        words: table.is("words"),
        file: table.is("file"),
        input: table.is("input"),
        one: table.words("one"),
        stops: table.words("stops"),
        continues: table.words("continues"),
        lines: table.words("lines"),
        nothing: table.words("nothing"),
        reads: table.words("reads"),
        delimiter: table.word("delimiter"),
        variable: table.word("variable"),
        host: table.words("host"),
        host_in: table.words("host_in"),
        database: table.words("database"),
        starts_with: table.words("starts_with"),
        loses: table.words("loses"),
    })
}

/// One word of a call that is described.
fn operand(text: &SpannedText, checker: &mut Checker) {
    let bare = text.text.trim_end_matches(['?', '*']);
    if bare.starts_with('<') && !OPERANDS.contains(&bare) {
        checker.mistake(&text.span, format!("unknown kind of operand `{bare}`"), suggestion(bare, OPERANDS.iter().copied()));
    }
}

fn prints<'t>(view: &SpannedValue<'t>, options: &[Opt], names: &[&str], checker: &mut Checker) -> Vec<Printed<'t>> {
    let mut all = Vec::new();
    for table in view.tables("prints") {
        let Some(what) = table.text("as").and_then(|text| checker.named(&text, Prints::NAMES, "kind of output")) else { continue };
        for name in table.texts("called").iter().filter(|name| !names.contains(&name.text)) {
            checker.mistake(&name.span, format!("`{}` is not a name of this program", name.text), suggestion(name.text, names.iter().copied()));
        }
        for name in table.texts("with").iter().chain(&table.texts("only")) {
            let bare = name.text.split_once('=').map_or(name.text, |(bare, _)| bare);
            if !known(options, bare) && bare != ANY_NUMBER {
                unknown(&SpannedText { text: bare, span: name.span.clone() }, options, checker);
            }
        }
        table.texts("operands").iter().for_each(|text| operand(text, checker));
        all.push(Printed {
            called: table.words("called"),
            with: table.words("with"),
            only: table.words("only"),
            operands: table.words("operands"),
            always: table.is("always"),
            what,
            text: table.word("text"),
        });
    }
    all
}

fn subcommands<'t>(view: &SpannedValue<'t>, style: OptionStyle, checker: &mut Checker) -> Subcommands<'t> {
    let mut seen: Vec<&str> = Vec::new();
    let mut all = Subcommands::EMPTY;
    for table in view.tables("subcommand") {
        for name in table.texts("name") {
            if seen.contains(&name.text) {
                checker.mistake(&name.span, format!("the subcommand `{}` is described twice", name.text), "merge the two descriptions");
            }
            seen.push(name.text);
        }
        let program = program(&table, style, checker);
        all.add(&program);
    }
    all
}

/// `-u|--user=`
fn option<'t>(text: &SpannedText<'t>, style: OptionStyle, checker: &mut Checker) -> Opt<'t> {
    let ends = |(sign, takes): &(&str, Takes)| Some((text.text.strip_suffix(sign)?, *takes));
    let (names, takes) = Takes::NAMES.iter().rev().find_map(ends).unwrap_or((text.text, Takes::Nothing));
    let names: Vec<&str> = names.split('|').collect();
    for name in &names {
        if name.is_empty() || name.contains(['=', ' ']) || (style != OptionStyle::Keys && !name.starts_with(['-', '+', '/'])) {
            let what = format!("`{}` does not name an option", text.text);
            checker.mistake(&text.span, what, "write names with their dashes, joined by `|`, then `=` if it takes a value: `-u|--user=`");
            break;
        }
    }
    Opt { names, takes, role: Role::None }
}

fn forms<'t>(view: &SpannedValue<'t>, options: &[Opt], checker: &mut Checker) -> Vec<OperandForm<'t>> {
    let mut forms = Vec::new();
    for table in view.tables("forms") {
        let with = table.texts("with");
        for name in with.iter().filter(|name| !known(options, name.text)) {
            unknown(name, options, checker);
        }
        forms.push(OperandForm {
            with: with.iter().map(|name| name.text).collect(),
            operands: operands(&table, checker),
            values: values(&table, options, checker),
        });
    }
    if let Some(value) = view.get("operands") {
        if view.get("forms").is_some() {
            checker.mistake(&value.span, "`operands` and `forms` are in one table", "write `operands` as the last of the forms, without `with`");
        }
        forms.push(OperandForm { with: Vec::new(), operands: operands(view, checker), values: Vec::new() });
    }
    forms
}

/// Roles of the values of options.
fn values<'t>(view: &SpannedValue<'t>, options: &[Opt], checker: &mut Checker) -> Vec<(&'t str, Role)> {
    let mut roles = Vec::new();
    for (name, value) in view.table("values").iter().flat_map(SpannedValue::entries) {
        let Some(role) = value.as_text() else {
            checker.mistake(&value.span, format!("the role of `{}` is not a string", name.text), "write the name of a role");
            continue;
        };
        match options.iter().find(|option| option.names.contains(&name.text)) {
            None => unknown(&name, options, checker),
            Some(option) if option.takes == Takes::Nothing => {
                let fix = format!("write `{}=` in `options`", name.text);
                checker.mistake(&name.span, format!("the option `{}` takes no value", name.text), fix);
            }
            Some(_) => roles.extend(checker.named(&role, Role::NAMES, "role").map(|role| (name.text, role))),
        }
    }
    roles
}

fn operands(view: &SpannedValue, checker: &mut Checker) -> Vec<(Role, bool)> {
    let mut roles = Vec::new();
    for text in view.texts("operands") {
        let (name, many) = text.text.strip_suffix('*').map_or((text.text, false), |name| (name, true));
        if many && roles.iter().any(|(_, many)| *many) {
            checker.mistake(&text.span, "two operands of a form end in `*`", "only one can take the remaining operands");
        }
        if let Some(role) = checker.named(&SpannedText { text: name, span: text.span.clone() }, Role::NAMES, "role") {
            roles.push((role, many));
        }
    }
    roles
}

fn known(options: &[Opt], name: &str) -> bool {
    options.iter().any(|option| option.names.contains(&name))
}

fn unknown(name: &SpannedText, options: &[Opt], checker: &mut Checker) {
    let names = options.iter().flat_map(|option| option.names.iter().copied());
    checker.mistake(&name.span, format!("the option `{}` is not in `options`", name.text), suggestion(name.text, names));
}
