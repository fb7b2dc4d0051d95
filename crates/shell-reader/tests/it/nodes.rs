//! The tree as nodes that are all alike: for printing, and for what holds of every node.

use std::fmt::Write as _;

use shell_reader::ast::{Arm, Assign, Command, Compound, Item, Join, Op, Parameter, Part, RawWord, Redirect, Script, Simple, Span, Target, Value};

/// A node with what is in it.
#[derive(Debug)]
pub(crate) struct Node {
    /// What it is, in one line.
    pub(crate) label: String,
    /// None: a branch of a compound command, which has no span of its own.
    pub(crate) span: Option<Span>,
    pub(crate) children: Vec<Node>,
    /// The body of a here-document: it is outside of its redirection.
    pub(crate) apart: bool,
}

impl Node {
    fn new(label: impl Into<String>, span: Span, children: Vec<Self>) -> Self {
        Self { label: label.into(), span: Some(span), children, apart: false }
    }

    fn branch(label: &str, children: Vec<Self>) -> Self {
        Self { label: label.to_owned(), span: None, children, apart: false }
    }

    /// One line for each node, indented by its depth.
    pub(crate) fn print(&self, depth: usize, spans: bool, out: &mut String) {
        out.push_str(&"  ".repeat(depth));
        out.push_str(&self.label);
        if let Some(span) = self.span.filter(|_| spans) {
            _ = write!(out, " {}..{}", span.start, span.end);
        }
        out.push('\n');
        for child in &self.children {
            child.print(depth + 1, spans, out);
        }
    }
}

pub(crate) fn script(script: &Script) -> Vec<Node> {
    script.items.iter().map(item).collect()
}

fn item(item: &Item) -> Node {
    let mut node = command(&item.command);
    let join = match item.join {
        Join::Then => "",
        Join::And => "&& ",
        Join::Or => "|| ",
    };
    node.label = format!("{join}{}{}{}", if item.negated { "! " } else { "" }, node.label, if item.background { " &" } else { "" });
    node
}

fn command(shown: &Command) -> Node {
    let span = shown.span();
    match shown {
        Command::Simple(simple) => Node::new("simple", span, parts_of_simple(simple)),
        Command::Pipeline(commands) => Node::new("pipeline", span, commands.iter().map(command).collect()),
        Command::Function { name, body, .. } => Node::new(format!("function {name}"), span, vec![command(body)]),
        Command::Coproc { body, .. } => Node::new("coproc", span, vec![command(body)]),
        Command::Compound { body, redirects, .. } => {
            let (label, mut children) = compound(body);
            children.extend(redirects.iter().map(redirect));
            Node::new(label, span, children)
        }
    }
}

fn parts_of_simple(simple: &Simple) -> Vec<Node> {
    let after = simple.assigns_after.iter().map(|after| Node { label: format!("also {}", assign(after).label), ..assign(after) });
    let words = simple.words.iter().map(|one| word("word", one));
    simple.assigns.iter().map(assign).chain(words).chain(after).chain(simple.redirects.iter().map(redirect)).collect()
}

fn compound(body: &Compound) -> (String, Vec<Node>) {
    match body {
        Compound::Subshell(body) => ("subshell".to_owned(), script(body)),
        Compound::Group(body) => ("group".to_owned(), script(body)),
        Compound::If { branches, otherwise } => {
            let branch = |(condition, body): &(Script, Script)| [Node::branch("condition", script(condition)), Node::branch("then", script(body))];
            let otherwise = otherwise.iter().map(|body| Node::branch("else", script(body)));
            ("if".to_owned(), branches.iter().flat_map(branch).chain(otherwise).collect())
        }
        Compound::While { condition, body } => ("while".to_owned(), vec![Node::branch("condition", script(condition)), Node::branch("do", script(body))]),
        Compound::For { name, words, body } => (format!("for {name}{}", if words.is_some() { " in" } else { "" }), looped(words.as_deref(), body)),
        Compound::Select { name, words, body } => (format!("select {name}{}", if words.is_some() { " in" } else { "" }), looped(words.as_deref(), body)),
        Compound::ArithmeticFor { expressions, body } => ("for ((".to_owned(), vec![word("expression", expressions), Node::branch("do", script(body))]),
        Compound::Case { word: subject, arms } => ("case".to_owned(), [word("word", subject)].into_iter().chain(arms.iter().map(arm)).collect()),
        Compound::Test(words) => ("test".to_owned(), words.iter().map(|one| word("word", one)).collect()),
        Compound::Arithmetic(expression) => ("((".to_owned(), vec![word("expression", expression)]),
    }
}

fn looped(words: Option<&[RawWord]>, body: &Script) -> Vec<Node> {
    let words = words.into_iter().flatten().map(|one| word("word", one));
    words.chain([Node::branch("do", script(body))]).collect()
}

fn arm(arm: &Arm) -> Node {
    let patterns = arm.patterns.iter().map(|pattern| word("pattern", pattern));
    Node::branch(if arm.goes_on { "arm, goes on" } else { "arm" }, patterns.chain([Node::branch("do", script(&arm.body))]).collect())
}

fn assign(assign: &Assign) -> Node {
    let mut children: Vec<Node> = assign.subscript.iter().map(|subscript| word("subscript", subscript)).collect();
    match &assign.value {
        Value::Scalar(value) => children.push(word("value", value)),
        Value::Array(elements) => {
            for (subscript, value) in elements {
                children.extend(subscript.iter().map(|subscript| word("subscript", subscript)));
                children.push(word("element", value));
            }
        }
    }
    Node::new(format!("assign {}{}", assign.name, if assign.append { " +=" } else { "" }), assign.span, children)
}

fn redirect(redirect: &Redirect) -> Node {
    let (operator, target) = match &redirect.to {
        Target::Read(target) => ("<", word("word", target)),
        Target::Write(target) => (">", word("word", target)),
        Target::Append(target) => (">>", word("word", target)),
        Target::ReadWrite(target) => ("<>", word("word", target)),
        Target::Duplicate { word: target, output } => (if *output { ">&" } else { "<&" }, word("word", target)),
        Target::HereString(target) => ("<<<", word("word", target)),
        Target::HereDocument(body) => ("<<", Node { apart: true, ..word("body", &body.get().cloned().unwrap_or_default()) }),
    };
    Node::new(format!("redirect {}{operator}", redirect.fd.as_deref().unwrap_or_default()), redirect.span, vec![target])
}

/// A word: its parts in one line, and below it what is in its expansions.
pub(crate) fn word(label: &str, word: &RawWord) -> Node {
    let text: String = word.parts.iter().map(spelled).collect();
    Node::new(format!("{label} {text}").trim_end().to_owned(), word.span, word.parts.iter().filter_map(part).collect())
}

fn visible(text: &str) -> String {
    text.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

fn spelled(part: &Part) -> String {
    match part {
        Part::Text(text) => visible(text),
        Part::Quoted(text) => format!("'{}'", visible(text)),
        Part::Parameter(parameter) if is_plain(parameter) => format!("${}", parameter.name),
        Part::Parameter(parameter) => format!("${{{}}}", parameter.name),
        Part::Command { .. } => "$()".to_owned(),
        Part::Arithmetic(_) => "$(())".to_owned(),
        Part::Process { write, .. } => if *write { ">()" } else { "<()" }.to_owned(),
    }
}

fn is_plain(parameter: &Parameter) -> bool {
    parameter.op == Op::None && parameter.subscript.is_none() && !parameter.indirect && !parameter.length
}

fn part(part: &Part) -> Option<Node> {
    let quoted = |quoted: bool| if quoted { ", quoted" } else { "" };
    match part {
        Part::Text(_) | Part::Quoted(_) => None,
        Part::Parameter(parameter) => Some(Node::new(format!("parameter{}", quoted(parameter.quoted)), parameter.span, parts_of_parameter(parameter))),
        Part::Command { script: inner, quoted: is_quoted, span } => Some(Node::new(format!("substitution{}", quoted(*is_quoted)), *span, script(inner))),
        Part::Arithmetic(expression) => Some(word("arithmetic", expression)),
        Part::Process { script: inner, span, .. } => Some(Node::new("process", *span, script(inner))),
    }
}

fn parts_of_parameter(parameter: &Parameter) -> Vec<Node> {
    let colon = |colon: bool| if colon { ":" } else { "" };
    let twice = |sign: &str, twice: bool| sign.repeat(1 + usize::from(twice));
    let mut nodes: Vec<Node> = parameter.subscript.iter().map(|subscript| word("subscript", subscript)).collect();
    match &parameter.op {
        Op::None => {}
        Op::Default { assign, colon: with, word: operand } => nodes.push(word(&format!("{}{}", colon(*with), if *assign { "=" } else { "-" }), operand)),
        Op::Alternative { colon: with, word: operand } => nodes.push(word(&format!("{}+", colon(*with)), operand)),
        Op::Error { colon: with, word: operand } => nodes.push(word(&format!("{}?", colon(*with)), operand)),
        Op::Trim { suffix, longest, pattern } => nodes.push(word(&twice(if *suffix { "%" } else { "#" }, *longest), pattern)),
        Op::Replace { all, anchor, pattern, with } => {
            nodes.push(word(&format!("{}{}", twice("/", *all), anchor.map(String::from).unwrap_or_default()), pattern));
            nodes.push(word("with", with));
        }
        Op::Substring { offset, length } => {
            nodes.push(word("offset", offset));
            nodes.extend(length.iter().map(|length| word("length", length)));
        }
        Op::Case { upper, all, pattern } => nodes.push(word(&twice(if *upper { "^" } else { "," }, *all), pattern)),
        Op::Transform(letter) => nodes.push(Node::branch(&format!("@{letter}"), Vec::new())),
        Op::Other(rest) => nodes.push(word("other", rest)),
    }
    nodes
}
