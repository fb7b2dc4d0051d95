//! Tables for the reader: a text, and the tree in a short notation.
//!
//! Simple commands: `[assignments words redirections]`, words side by side with one blank. Quoted text is in `'…'`,
//! substitutions in `$( … )`, quoted ones in `"$( … )"`, parameters in `${…}`. Faults follow the tree as `!what`.

use super::read;
use crate::ast::{Arm, Assign, Command, Compound, Join, Op, Parameter, Part, RawWord, Redirect, Script, Target, Value};

fn shown(text: &str) -> String {
    let reading = read(text);
    let mut out = script(&reading.script);
    for fault in &reading.faults {
        out.push_str(if fault.refused_by_shell { " !" } else { " !!" });
        out.push_str(fault.what);
    }
    out
}

fn script(script: &Script) -> String {
    let mut out = String::new();
    for (index, item) in script.items.iter().enumerate() {
        if index > 0 || item.join != Join::Then {
            out.push_str(match item.join {
                Join::Then => " ; ",
                Join::And => " && ",
                Join::Or => " || ",
            });
        }
        out.push_str(&command(&item.command));
        if item.background {
            out.push_str(" &");
        }
    }
    out
}

fn command(shown: &Command) -> String {
    let (text, redirects) = match shown {
        Command::Simple(simple) => {
            let mut pieces: Vec<String> = simple.assigns.iter().map(assign).collect();
            pieces.extend(simple.words.iter().map(word));
            pieces.extend(simple.assigns_after.iter().map(|after| format!("@{}", assign(after))));
            pieces.extend(simple.redirects.iter().map(redirect));
            return format!("[{}]", pieces.join(" "));
        }
        Command::Pipeline(joined) => {
            return format!("(pipe {})", joined.iter().map(command).collect::<Vec<_>>().join(" "));
        }
        Command::Function { name, body, .. } => return format!("(function {name} {})", command(body)),
        Command::Coproc { body, .. } => return format!("(coproc {})", command(body)),
        Command::Compound { body: Compound::Subshell(body), redirects, .. } => (format!("(subshell {})", script(body)), redirects),
        Command::Compound { body: Compound::Group(body), redirects, .. } => (format!("(group {})", script(body)), redirects),
        Command::Compound { body: Compound::If { branches, otherwise }, redirects, .. } => {
            let parts = branches.iter().flat_map(|(condition, body)| [condition, body]).chain(otherwise);
            (format!("(if {})", parts.map(script).collect::<Vec<_>>().join(" / ")), redirects)
        }
        Command::Compound { body: Compound::While { condition, body }, redirects, .. } => {
            (format!("(while {} / {})", script(condition), script(body)), redirects)
        }
        Command::Compound { body: Compound::Select { name, words: list, body }, redirects, .. } => {
            (format!("(select {name} in{} / {})", words(list.as_deref().unwrap_or_default()), script(body)), redirects)
        }
        Command::Compound { body: Compound::For { name, words: None, body }, redirects, .. } => (format!("(for {name} / {})", script(body)), redirects),
        Command::Compound { body: Compound::For { name, words: Some(list), body }, redirects, .. } => {
            (format!("(for {name} in{} / {})", words(list), script(body)), redirects)
        }
        Command::Compound { body: Compound::ArithmeticFor { expressions, body }, redirects, .. } => {
            (format!("(for (({})) / {})", word(expressions), script(body)), redirects)
        }
        Command::Compound { body: Compound::Case { word: value, arms }, redirects, .. } => {
            let arms: String = arms.iter().map(arm).collect();
            (format!("(case {}{arms})", word(value)), redirects)
        }
        Command::Compound { body: Compound::Test(list), redirects, .. } => (format!("(test{})", words(list)), redirects),
        Command::Compound { body: Compound::Arithmetic(expression), redirects, .. } => (format!("(({}))", word(expression)), redirects),
    };
    redirects.iter().fold(text, |text, one| format!("{text} {}", redirect(one)))
}

fn arm(arm: &Arm) -> String {
    let patterns: Vec<String> = arm.patterns.iter().map(word).collect();
    format!(" {}) {}", patterns.join("|"), script(&arm.body))
}

fn words(list: &[RawWord]) -> String {
    list.iter().flat_map(|one| [" ".to_owned(), word(one)]).collect()
}

fn assign(assign: &Assign) -> String {
    let subscript = assign.subscript.as_ref().map(|subscript| format!("[{}]", word(subscript))).unwrap_or_default();
    let value = match &assign.value {
        Value::Scalar(value) => word(value),
        Value::Array(elements) => {
            let elements: Vec<String> = elements
                .iter()
                .map(|(subscript, value)| match subscript {
                    Some(subscript) => format!("[{}]={}", word(subscript), word(value)),
                    None => word(value),
                })
                .collect();
            format!("({})", elements.join(" "))
        }
    };
    format!("{}{subscript}{}{value}", assign.name, if assign.append { "+=" } else { "=" })
}

fn redirect(redirect: &Redirect) -> String {
    let none = RawWord::default();
    let (operator, target) = match &redirect.to {
        Target::Read(target) => ("<", target),
        Target::Write(target) => (">", target),
        Target::Append(target) => (">>", target),
        Target::ReadWrite(target) => ("<>", target),
        Target::Duplicate { word: target, output: true } => (">&", target),
        Target::Duplicate { word: target, output: false } => ("<&", target),
        Target::HereDocument(target) => ("<<", target.get().unwrap_or(&none)),
        Target::HereString(target) => ("<<<", target),
    };
    format!("{}{operator}{}", redirect.fd.as_deref().unwrap_or_default(), word(target))
}

fn visible(text: &str) -> String {
    text.replace('\n', "⏎").replace('\r', "␍").replace('\t', "⇥")
}

fn word(word: &RawWord) -> String {
    word.parts.iter().map(part).collect()
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => visible(text),
        Part::Quoted(text) => format!("'{}'", visible(text)),
        Part::Parameter(parameter_) => parameter(parameter_),
        Part::Command { script: inner, quoted: false, .. } => format!("$({})", script(inner)),
        Part::Command { script: inner, quoted: true, .. } => format!("\"$({})\"", script(inner)),
        Part::Arithmetic(expression) => format!("$(({}))", word(expression)),
        Part::Process { script: inner, write, .. } => format!("{}({})", if *write { '>' } else { '<' }, script(inner)),
    }
}

fn parameter(parameter: &Parameter) -> String {
    let colon = |colon: bool| if colon { ":" } else { "" };
    let twice = |operator: &str, twice: bool| operator.repeat(1 + usize::from(twice));
    let op = match &parameter.op {
        Op::None => String::new(),
        Op::Default { assign: false, colon: with, word: value } => format!("{}-{}", colon(*with), word(value)),
        Op::Default { assign: true, colon: with, word: value } => format!("{}={}", colon(*with), word(value)),
        Op::Alternative { colon: with, word: value } => format!("{}+{}", colon(*with), word(value)),
        Op::Error { colon: with, word: value } => format!("{}?{}", colon(*with), word(value)),
        Op::Trim { suffix, longest, pattern } => format!("{}{}", twice(if *suffix { "%" } else { "#" }, *longest), word(pattern)),
        Op::Replace { all, anchor, pattern, with } => {
            let anchor = anchor.map(String::from).unwrap_or_default();
            format!("{}{anchor}{}/{}", twice("/", *all), word(pattern), word(with))
        }
        Op::Substring { offset, length: None } => format!(":{}", word(offset)),
        Op::Substring { offset, length: Some(length) } => format!(":{}:{}", word(offset), word(length)),
        Op::Case { upper, all, pattern } => {
            format!("{}{}", twice(if *upper { "^" } else { "," }, *all), word(pattern))
        }
        Op::Transform(letter) => format!("@{letter}"),
        Op::Other(rest) => format!(" other {}", word(rest)),
    };
    let subscript = parameter.subscript.as_ref().map(|subscript| format!("[{}]", word(subscript))).unwrap_or_default();
    format!(
        "{}${{{}{}{}{subscript}{op}}}{}",
        if parameter.quoted { "\"" } else { "" },
        if parameter.indirect { "!" } else { "" },
        if parameter.length { "#" } else { "" },
        parameter.name,
        if parameter.quoted { "\"" } else { "" },
    )
}

fn check(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(text, expected)| {
            let found = shown(text);
            (found != *expected).then(|| format!("text      {text:?}\nexpected  {expected}\nfound     {found}\n"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ\n\n{}", wrong.len(), table.len(), wrong.join("\n"));
}

#[test]
fn words_and_quotes() {
    check(&[
        ("git push", "[git push]"),
        ("git pu\\\nsh --force", "[git push --force]"),
        ("g\\\n\\\nit", "[git]"),
        ("r\\m 'a b'\"c d\"", "[r'm' 'a bc d']"),
        ("echo \"\" '' x\"\"", "[echo '' '' x'']"),
        ("echo \"a\\$b\\`\\\"\\\\\\q\\\nz\"", "[echo 'a$b`\"\\\\qz']"),
        ("echo 'a\\\nb'", "[echo 'a\\⏎b']"),
        ("echo $'a\\'b\\x41\\101\\u00e9\\U1f600\\cA\\n\\q' z", "[echo 'a'bAAé😀\u{1}⏎\\q' z]"),
        ("echo $'a\\0b'c $'\\x{41}b' $'\\xc3\\xa9' $'a\\x{g}b'", "[echo 'a'c 'Ab' 'é' 'a']"),
        ("git push $\"--force\"", "[git push '--force']"),
        ("echo a#b #c\nd", "[echo a#b] ; [d]"),
        ("# c \\\nrm", "[rm]"),
        ("echo a \\\n#c\nb", "[echo a] ; [b]"),
        ("echo a\r\nb\r", "[echo a␍] ; [b␍]"),
        ("echo {b; rm -rf /x", "[echo {b] ; [rm -rf /x]"),
        ("echo {a,b}{1..3} ~/x *.c [a-z]", "[echo {a,b}{1..3} ~/x *.c [a-z]]"),
        ("]a; }b; a}", "[]a] ; [}b] ; [a}]"),
        ("echo a\\", "[echo a'\\']"),
        ("echo 'a\n' b\\", "[echo 'a⏎' b]"),
        ("echo 'a\n'\nb\\", "[echo 'a⏎'] ; [b'\\']"),
        ("echo @(a|$(b) \"c\") +(x) !(*.c)", "[echo @(a|$([b]) 'c') +(x) !(*.c)]"),
        ("", ""),
        (" \t\n\n# nothing", ""),
        ("é=ü; ñ ö", "[é=ü] ; [ñ ö]"),
    ]);
}

#[test]
fn lists_and_pipelines() {
    check(&[
        ("a && b || c; d & e", "[a] && [b] || [c] ; [d] & ; [e]"),
        ("a &&\n# c\n b", "[a] && [b]"),
        ("a &\\\n& b", "[a] && [b]"),
        ("a | b |& c |\n d", "(pipe [a] [b] [c] [d])"),
        ("! a | b", "(pipe [a] [b])"),
        ("! ! time -p -- ! a", "[a]"),
        ("time -- a", "[a]"),
        ("! ; a", "[] ; [a]"),
        ("time\na", "[] ; [a]"),
        ("a | time b", "(pipe [a] [time b])"),
        ("!(rm)", "(subshell [rm])"),
        ("! a & b", "[a] & ; [b]"),
        ("a;b", "[a] ; [b]"),
        ("echo ! time if", "[echo ! time if]"),
    ]);
}

#[test]
fn compound_commands() {
    check(&[
        ("( (rm -rf /x) )", "(subshell (subshell [rm -rf /x]))"),
        ("((((a))))", "((((a))))"),
        ("((1+$(a)))", "((1+\"$([a])\"))"),
        ("((a); b)", "(subshell (subshell [a]) ; [b])"),
        ("(((a);b);c)", "(subshell (subshell (subshell [a]) ; [b]) ; [c])"),
        ("((( 1 )); x)", "(subshell (( 1 )) ; [x])"),
        ("{ a; b; } >f", "(group [a] ; [b]) >f"),
        ("{ { a; } }", "(group (group [a]))"),
        ("if a; then b; elif c; then d; else e; fi >f", "(if [a] / [b] / [c] / [d] / [e]) >f"),
        ("if (a) then (b) fi", "(if (subshell [a]) / (subshell [b]))"),
        ("while a; do b; done; until c; do d; done", "(while [a] / [b]) ; (while [c] / [d])"),
        ("for x in a $(b); do c; done", "(for x in a $([b]) / [c])"),
        ("for x do c; done; for x; do c; done; for x in; do c; done", "(for x / [c]) ; (for x / [c]) ; (for x in / [c])"),
        ("for x\nin a\ndo\nc\ndone", "(for x in a / [c])"),
        ("for x in a; { b; }", "(for x in a / [b])"),
        ("for ((i=0;i<$(n);i++)); do b; done", "(for ((i=0;i<\"$([n])\";i++)) / [b])"),
        ("for ((;;)) { b; }", "(for ((;;)) / [b])"),
        ("select x in a; do b; done", "(select x in a / [b])"),
        ("case $x in a|b) c;; (d) e;& *) f;;& esac", "(case ${x} a|b) [c] d) [e] *) [f])"),
        ("case x in\n# c\n(esac) a\n;;\nesac", "(case x esac) [a])"),
        ("case x in a) esac", "(case x a) )"),
        ("echo $(case x in x) rm;; esac)", "[echo $((case x x) [rm]))]"),
        ("f() { a; } >g", "(function f (group [a]) >g)"),
        ("f ( )\n( a )", "(function f (subshell [a]))"),
        ("function f { a; }; function g() { b; }; function h (c)", "(function f (group [a])) ; (function g (group [b])) ; (function h (subshell [c]))"),
        ("a+() { b; }", "(function a+ (group [b]))"),
        ("coproc a b; coproc { c; }; coproc N { d; }", "(coproc [a b]) ; (coproc (group [c])) ; (coproc (group [d]))"),
        ("[[ -f a && ! ( $x == b* || c < $(d) ) ]] && e", "(test -f a && ! ( ${x} == b* || c < $([d]) )) && [e]"),
        ("[[ a =~ ^(b|c d)$|e ]]; f", "(test a =~ ^(b|c d)$|e) ; [f]"),
        ("[[ a =~ (b) && c ]]", "(test a =~ (b) && c)"),
        ("[[ -f <(a) ]]", "(test -f <([a]))"),
        ("[[ a ==\nb ]]", "(test a == b)"),
        ("[[a]]", "[[[a]]]"),
    ]);
}

#[test]
fn redirections() {
    check(&[
        ("git >o push --force", "[git push --force >o]"),
        (">o git push", "[git push >o]"),
        ("a 2>e 3<i {fd}>>x <>y >|z", "[a 2>e 3<i fd>>x <>y >z]"),
        ("a >&2 2>&1 <&3 >&f", "[a >&2 2>&1 <&3 >&f]"),
        ("a >&-rf b", "[a rf b >&-]"),
        ("a >& -rf", "[a rf >&-]"),
        ("a >&2-", "[a >&2-]"),
        ("a &>f b &>>g", "[a b >f >>g]"),
        ("a&>f", "[a >f]"),
        ("a2>f", "[a2 >f]"),
        ("a 2\\\n>\\\n>f", "[a 2>>f]"),
        ("a 99999999999>f", "[a 99999999999 >f]"),
        ("a <<<$(b) c", "[a c <<<$([b])]"),
        ("a <(b) >(c) x<(d) 2>(e)", "[a <([b]) >([c]) x<([d]) 2>([e])]"),
        ("a > >(b)", "[a >>([b])]"),
        ("(a) 2>f <g", "(subshell [a]) 2>f <g"),
    ]);
}

#[test]
fn here_documents() {
    check(&[
        ("cat <<EOF\nx $y `rm -rf /x` $(b) \\$z \"q\" 'r'\nEOF\nc", "[cat <<'x '\"${y}\"' '\"$([rm -rf /x])\"' '\"$([b])\"' $z \"q\" 'r'⏎'] ; [c]"),
        ("cat <<'EOF'\n$(a) `b`\\\nEOF\nc", "[cat <<'$(a) `b`\\⏎'] ; [c]"),
        ("cat <<-E\n\ta\\\n\tb\n\tE\nc", "[cat <<'a⇥b⏎'] ; [c]"),
        ("cat <<A; cat <<\\B\n1\nA\n2\nB\nc", "[cat <<'1⏎'] ; [cat <<'2⏎'] ; [c]"),
        ("cat <<A x | b && c\n1\nA\nd", "(pipe [cat x <<'1⏎'] [b]) && [c] ; [d]"),
        ("cat <<A \"a\nb\"\n1\nA\nc", "[cat 'a⏎b' <<'1⏎'] ; [c]"),
        ("cat <<A\n1\n", "[cat <<'1⏎']"),
        ("cat <<A", "[cat <<]"),
        ("git commit -m \"$(cat <<'EOF'\nsee `rm -rf /` and $(b)\nEOF\n)\"", "[git commit -m \"$([cat <<'see `rm -rf /` and $(b)⏎'])\"]"),
        ("x \"$(cat <<E\na\nE)\" b", "[x \"$([cat <<'a⏎'])\" b]"),
        ("x $(cat <<E); y\na\nE\nz", "[x $([cat <<'a⏎'])] ; [y] ; [z]"),
        ("x <<A $(y <<B)\nb\nB\na\nA\nz", "[x $([y <<'b⏎']) <<'a⏎'] ; [z]"),
        ("x \"$(cat <<E) more\nE\n\"\nrm", "[x \"$([cat <<])\"' more⏎E⏎'] ; [rm] !!a here-document begins within an open quote"),
        ("(cat <<E)\na\nE\nb", "(subshell [cat <<'a⏎']) ; [b]"),
        ("cat <<$(x) <<\"a b\"\n1\n$(x)\n2\na b\nc", "[cat <<'1⏎' <<'2⏎'] ; [c] !!an expansion in the delimiter of a here-document"),
        ("cat <<$(a 'b')\n$(c)\n$(a b)\nd", "[cat <<\"$([c])\"'⏎'] ; [d] !!an expansion in the delimiter of a here-document"),
        ("cat <<A\na\\\nA\nA\nb", "[cat <<'aA⏎'] ; [b]"),
        ("cat <<A\n$(cat <<B\nb\nB\n)\nA\nc", "[cat <<\"$([cat <<'b⏎'])\"'⏎'] ; [c]"),
        ("cat <<E\n${x:-\"a b\"} ${x:-'$(y)'}\nE", "[cat <<\"${x:-'a b'}\"' '\"${x:-'''\"$([y])\"'''}\"'⏎']"),
        ("while a; do b; done <<E\nx\nE\nc", "(while [a] / [b]) <<'x⏎' ; [c]"),
    ]);
}

#[test]
fn substitutions() {
    check(&[
        ("echo $(a) `b` ${ c; } ${| d; } \"$(e)\" \"`f`\" \"${ g; }\"h", "[echo $([a]) $([b]) $([c]) $([d]) \"$([e])\" \"$([f])\" \"$([g])\"h]"),
        ("echo $((1+$(cmd))) $[1+$(c)] \"$((1))\"", "[echo $((1+\"$([cmd])\")) $((1+\"$([c])\")) $((1))]"),
        ("echo $((a); b) $( (c) )", "[echo $((subshell [a]) ; [b]) $((subshell [c]))]"),
        ("(( ${x:-rm /x)} ))", "(subshell (subshell [${x:-rm /x)}]))"),
        ("echo $((a)\n)", "[echo $((subshell [a]))]"),
        ("echo $((a)\\\n)", "[echo $((a))]"),
        ("echo $(( '$(a)' ))", "[echo $(( \"$([a])\" ))]"),
        ("echo `a \\`b \\\\\\`c\\\\\\`\\``", "[echo $([a $([b $([c])])])]"),
        ("echo \"`a \\\"b c\\\"`\" `a \\\"b`", "[echo \"$([a 'b c'])\" $([a '\"'b])]"),
        ("echo `echo 'a\\\nb'`", "[echo $([echo 'ab'])]"),
        ("echo \"a$(b \"c d\")e\"", "[echo 'a'\"$([b 'c d'])\"'e']"),
        ("$(a)b $(c)", "[$([a])b $([c])]"),
        ("echo $(a # )\n)", "[echo $([a])]"),
        ("echo $x$1$10$@\"$*\"$?$$ $ $% \"$\"", "[echo ${x}${1}${1}0${@}\"${*}\"${?}${$} $ $% '$']"),
    ]);
}

#[test]
fn parameters() {
    check(&[
        ("echo ${x} ${x:-a b} ${x-$(c)} ${x:=`rm`} ${x:+d} ${x?e}", "[echo ${x} ${x:-a b} ${x-$([c])} ${x:=$([rm])} ${x:+d} ${x?e}]"),
        ("echo ${x%%$(rm)} ${x#a} ${x##b} ${x%c}", "[echo ${x%%$([rm])} ${x#a} ${x##b} ${x%c}]"),
        ("echo ${x/a/b} ${x//a/$(b)} ${x/#a/b} ${x/%a} ${x//\\//-}", "[echo ${x/a/b} ${x//a/$([b])} ${x/#a/b} ${x/%a/} ${x//'/'/-}]"),
        ("echo ${x:1} ${x: -1:$(y)} ${x:a?b:c:d}", "[echo ${x:1} ${x: -1:\"$([y])\"} ${x:a?b:c:d}]"),
        ("echo ${x^} ${x^^} ${x,} ${x,,[a]} ${x@Q} ${x@foo}", "[echo ${x^} ${x^^} ${x,} ${x,,[a]} ${x@Q} ${x other @foo}]"),
        ("echo ${#x} ${#} ${##} ${#-} ${#-a} ${#@} ${!x} ${!x*} ${!a[@]} ${!}", "[echo ${#x} ${#} ${##} ${#-} ${#-a} ${#@} ${!x} ${!x other *} ${!a[@]} ${!}]"),
        ("echo ${a[$(i)]} ${a['$(j)']} ${12}", "[echo ${a[\"$([i])\"]} ${a[\"$([j])\"]} ${12}]"),
        (
            "echo \"${x:-'$(a)'}\" \"${x:-\"b c\"}\" \"${x#'$(d)'}\" \"${x:-\\}}\"",
            "[echo \"${x:-'''\"$([a])\"'''}\" \"${x:-'b c'}\" \"${x#'$(d)'}\" \"${x:-'}'}\"]",
        ),
        ("echo \"${x:-'$(a 'b'{ c)'}\" \"${x:-'a\"b'}\"", "[echo \"${x:-'''\"$([a 'b'{ c])\"'''}\" \"${x:-''ab''}\"]"),
        (
            "echo \"${v:-$x\"y\"}\" \"${v:-\"$x\"y}\" \"${v:-\"$\"(a)}\" \"${v:-$\"(b)\"}\"",
            "[echo \"${v:-\"${xy}\"}\" \"${v:-\"${xy}\"}\" \"${v:-''\"$([a])\"}\" \"${v:-'(b)'}\"]",
        ),
        ("echo \"${v:-\"a\\q}b\"\\q\\}}\"", "[echo \"${v:-'aq}b\\q}'}\"]"),
        ("echo ${x:-}} ${x:-{a}}", "[echo ${x:-}} ${x:-{a}}]"),
        ("echo ${x:-<(a)} \"${x:-<(a)}\"", "[echo ${x:-<([a])} \"${x:-'<(a)'}\"]"),
        ("echo ${a[}'$(b)']}", "[echo ${a[]}'$(b)']}] !!a brace in a subscript"),
        ("echo ${$(a)} ${\"x\"}", "[echo ${$ other (a)} ${ other 'x'}]"),
    ]);
}

#[test]
fn assignments() {
    check(&[
        ("a=b c=$d e", "[a=b c=${d} e]"),
        ("a= b+=c", "[a= b+=c]"),
        ("e a=b", "[e a=b]"),
        ("a=(x $(y) [2]=z [$(i)]+=w \"q\" # c )\n)", "[a=(x $([y]) [2]=z [\"$([i])\"]=w 'q')]"),
        ("a+=(x) b[1+$(c)]=d", "[a+=(x) b[1+\"$([c])\"]=d]"),
        ("a=([x <(b)]) c[<(d)]", "[a=([x <([b])]) c[<([d])]]"),
        ("name[a b&c] d", "[name[a b&c] d]"),
        ("a=b >f c[x;y", "[a=b c[x >f] ; [y]"),
        ("export A=$x B=$(c) -p d", "[export A=${x} B=\"${B}\" -p d @A=${x} @B=$([c])]"),
        ("declare -a l=(1 $(b)) m[0]=3", "[declare -a l=\"${l}\" m[0]=3 @l=(1 $([b])) @m[0]=3]"),
        ("local a+=b c", "[local a+=b c @a+=b]"),
        ("eval a=(1 $(b))", "[eval a=(1 $([b]))]"),
        ("\\export A=b", "['e'xport A=b]"),
        ("1a=b 'a'=b a$b=c", "[1a=b 'a'=b a${b}=c]"),
    ]);
}

#[test]
fn faults_are_noted_and_passed_over() {
    check(&[
        ("a }", "[a }]"),
        ("a\n}\nb", "[a] ; [b] !unexpected `}`"),
        ("a; ) b", "[a] ; [b] !unexpected `)`"),
        ("a;; b", "[a] ; [b] !unexpected `;` !unexpected `;`"),
        ("a & ; b", "[a] & ; [b] !unexpected `;`"),
        ("fi; a", "[a] !unexpected reserved word !unexpected `;`"),
        ("&& a", "[a] !unexpected `&` !unexpected `&`"),
        ("a &&", "[a] !a command is missing"),
        ("a | ", "(pipe [a] []) !a command is missing"),
        ("a\necho 'b", "[a] ; [echo 'b'] !unterminated quote"),
        ("a\necho \"b$(c", "[a] ; [echo 'b'\"$([c])\"] !unterminated substitution !unterminated quote"),
        ("a; if b; then c", "[a] ; (if [b] / [c]) !a `fi` is missing"),
        ("if a; then b; }; c", "(if [a] / [b] ; [c]) !unexpected `}` !unexpected `;` !a `fi` is missing"),
        ("(a; b", "(subshell [a] ; [b]) !a `)` is missing"),
        ("(a) b", "(subshell [a]) ; [b] !unexpected word after a command"),
        ("echo a (b)", "[echo a] ; (subshell [b]) !unexpected `(`"),
        ("a >", "[a >] !a redirection has no target"),
        ("f() rm", "(function f [rm]) !the body of a function is not a compound command"),
        ("()", "(subshell ) !a command is missing"),
        ("$((a", "[$((subshell [a]))] !a `)` is missing !unterminated substitution"),
        ("[[ a ; rm", "(test a) ; [rm] !unexpected operator in a test"),
        // Bash gives up the line of a bad array, and runs the next one.
        ("x=(;) y\nrm\n", "[x=(\"${}\")] ; [rm] !unexpected operator in an array"),
        ("if a; then x=(b;c\nrm\nfi", "(if [a] / [x=(\"${}\" b)]) ; [rm] !unexpected operator in an array !unexpected reserved word"),
        ("cat <<A; x=(;)\nrm\nA", "[cat <<] ; [x=(\"${}\")] ; [rm] ; [A] !unexpected operator in an array"),
        ("echo $((1 + $(x=(;)\nrm", "[echo $((\"$([x=(\"${}\")])\"))] ; [rm] !unexpected operator in an array"),
        ("x=(+(a)\nrm)", "[x=(+(a) rm)] !!a pattern in an array in front of other lines"),
        ("((a <<A\nb\n); c)", "(subshell (subshell [a <<] ; [b]) ; [c]) !!a here-document begins within `( (` without a blank"),
        ("if a; then b; else c; else d; fi", "(if [a] / [b] / [c] ; [d]) !unexpected reserved word"),
        ("echo `a; b", "[echo $([a] ; [b])] !unterminated backquote"),
        ("echo `)`; b", "[echo $()] ; [b] !unexpected `)`"),
    ]);
}

/// Test threads have 2 MiB of stack. Without a bound on depth these overflow it; with a second try per level they never end.
#[test]
fn reading_is_bounded() {
    let units = [
        "(",
        "( ",
        "((",
        "$(",
        "$((",
        "$((a ",
        "$((a $(",
        "((a[",
        "a[$(",
        "a[$((",
        "x=(",
        "x=([",
        "export a=$(",
        "${x:-",
        "\"${x:-",
        "\"${x:-'",
        "\"$(",
        "`",
        "\\`",
        "<(",
        "{ ",
        "if ",
        "while ",
        "case x in a) ",
        "[[ a =~ (",
        "@(\"$(",
        "f() ",
        "function f ",
        "coproc ",
        "! ",
        "time ",
        "a && ",
        "a | ",
        "a\n",
        "$[",
        "$[$((",
        "$(( '$(( ",
        "$(( \"$((",
        "cat <<A\n$(",
        "cat <<A\n$((",
        "$(cat <<A) ",
        "for ((",
        "x=(;)\n",
        "#",
        "\\\n",
        ")",
        "}",
    ];
    for unit in units {
        for times in [30, 59, 61, 2_000] {
            let text = format!("first; {}", unit.repeat(times));
            let reading = read(&text);
            let Some(Command::Simple(first)) = reading.script.items.first().map(|item| &item.command) else {
                panic!("the command in front of {unit:?} is lost");
            };
            assert_eq!(words(&first.words), " first", "in front of {unit:?}");
            assert!(reading.faults.iter().all(|fault| fault.at <= text.len()), "{unit:?}");
        }
    }
    for unit in ["( ", "$(", "${x:-", "{ ", "f() "] {
        let deep = read(&unit.repeat(100_000));
        assert!(deep.faults.iter().any(|fault| !fault.refused_by_shell && fault.what == "nested too deep"), "{unit:?}");
    }
}
