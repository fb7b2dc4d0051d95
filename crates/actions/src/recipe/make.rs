//! Makefiles (GNU make manual, "Writing Rules", "Using Variables"): the recipes of the goals and of what they need. Both
//! ways of a condition are taken; functions, `include` and pattern rules are not followed.

use super::Order;
use crate::word::{Word, WordPiece};

/// Variables whose values lead to variables.
const MAX_DEPTH: usize = 8;

#[derive(Debug, Default)]
struct Makefile<'t> {
    variables: Vec<(String, String)>,
    rules: Vec<MakeRule<'t>>,
}

#[derive(Debug, Default)]
struct MakeRule<'t> {
    targets: Vec<String>,
    needs: Vec<String>,
    lines: Vec<&'t str>,
}

/// The command lines that `make GOALS NAME=VALUE…` runs, in order; without a goal those of the first rule. And whether there are
/// more of them.
pub fn read(text: &str, goals: &[&str], given: &[(String, String)]) -> (Vec<Word>, bool) {
    // A line that continues is one line. What follows a backslash in a recipe begins with the recipe's tab, which is blank.
    let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut makefile = Makefile::parse(&text);
    makefile.variables.extend(given.iter().cloned());
    let first = makefile.rules.iter().flat_map(|rule| &rule.targets).find(|target| !target.starts_with('.') && !target.contains('%')).cloned();
    let goals: Vec<String> = if goals.is_empty() { first.into_iter().collect() } else { goals.iter().map(|goal| (*goal).to_owned()).collect() };
    let mut lines = Vec::new();
    let mut order = Order::default();
    for line in text.lines().filter(|line| !line.starts_with('\t')) {
        makefile.started(line, &mut lines);
    }
    for goal in goals {
        makefile.follow(&goal, &mut order, &mut lines, 0);
    }
    (lines, order.cut)
}

impl<'t> Makefile<'t> {
    fn parse(text: &'t str) -> Self {
        let mut makefile = Self::default();
        let mut skipping = false;
        for line in text.lines() {
            if let (Some(recipe), Some(rule)) = (line.strip_prefix('\t'), makefile.rules.last_mut()) {
                rule.lines.push(recipe);
                continue;
            }
            let line = line.trim_start();
            let word = line.split_whitespace().next().unwrap_or("");
            skipping = (skipping || word == "define") && word != "endef";
            if !skipping && !line.starts_with('#') {
                makefile.line(line, word);
            }
        }
        makefile
    }

    fn line(&mut self, line: &'t str, word: &str) {
        if matches!(word, "ifeq" | "ifneq" | "ifdef" | "ifndef" | "else" | "endif" | "include" | "-include" | "sinclude" | "vpath" | "unexport" | "endef") {
            return;
        }
        let line = if matches!(word, "export" | "override" | "private") { line.get(word.len()..).unwrap_or("").trim_start() } else { line };
        let colon = line.find(':');
        let equals = line.find('=');
        match (colon, equals) {
            // `name := value`, `name ::= value`, `name ?= value`; a colon in front of a target's own variable is a rule.
            (_, Some(equals)) if colon.is_none_or(|colon| equals < colon || line.get(colon..equals).is_some_and(|text| text.bytes().all(|b| b == b':'))) => {
                let name = line.get(..equals).unwrap_or("").trim_end_matches(['?', ':', '+', '!']).trim();
                let value = line.get(equals + 1..).unwrap_or("").trim();
                if line.get(..equals).is_some_and(|front| front.ends_with('+'))
                    && let Some((_, before)) = self.variables.iter_mut().rev().find(|(known, _)| known == name)
                {
                    before.push(' ');
                    before.push_str(value);
                } else if !(line.get(..equals).is_some_and(|front| front.ends_with('?')) && self.variables.iter().any(|(known, _)| known == name)) {
                    self.variables.push((name.to_owned(), value.to_owned()));
                }
            }
            (Some(colon), _) => {
                let (targets, rest) = line.split_at_checked(colon).unwrap_or((line, ""));
                let rest = rest.trim_start_matches([':', '&']);
                let (needs, recipe) = rest.split_once(';').map_or((rest, None), |(needs, recipe)| (needs, Some(recipe)));
                let needs = needs.split('#').next().unwrap_or("");
                self.rules.push(MakeRule {
                    targets: self.names(targets.trim_end_matches('&')),
                    // A target's own variable is no name that is needed.
                    needs: if needs.contains('=') { Vec::new() } else { self.names(needs) },
                    lines: recipe.into_iter().collect(),
                });
            }
            _ => {}
        }
    }

    fn names(&self, text: &str) -> Vec<String> {
        let word = self.expand(text, "", "", 0);
        word.literal().unwrap_or("").split_whitespace().filter(|name| *name != "|").map(str::to_owned).collect()
    }

    fn follow(&self, goal: &str, order: &mut Order, lines: &mut Vec<Word>, depth: usize) {
        if !order.first(goal, depth) {
            return;
        }
        for rule in self.rules.iter().filter(|rule| rule.targets.iter().any(|target| target == goal)) {
            for need in &rule.needs {
                self.follow(need, order, lines, depth + 1);
            }
            let first = rule.needs.first().map_or("", String::as_str);
            for line in &rule.lines {
                self.started(line, lines);
            }
            lines.extend(rule.lines.iter().map(|line| self.expand(line.trim_start().trim_start_matches(['@', '-', '+', ' ']), goal, first, 0)));
        }
    }

    /// What a line runs while it is read: `$(shell COMMAND)`, `NAME != COMMAND`.
    fn started(&self, line: &str, lines: &mut Vec<Word>) {
        let mut run = |text: &str| lines.push(self.expand(text, "", "", 0));
        for (at, mark) in line.match_indices("$(shell ") {
            let rest = line.get(at + 1..).unwrap_or("");
            run(rest.get(mark.len() - 1..end_of(rest, '(', ')')).unwrap_or(""));
        }
        if let Some((_, command)) = line.split_once("!=").filter(|_| !line.starts_with('\t')) {
            run(command);
        }
    }

    /// A text with its variables put in; what is not known is a hole.
    fn expand(&self, text: &str, target: &str, first: &str, depth: usize) -> Word {
        let mut word = Word::default();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            word.push_lit(rest.get(..at).unwrap_or(""));
            rest = rest.get(at + 1..).unwrap_or("");
            let Some(letter) = rest.chars().next() else { break };
            let closing = match letter {
                '(' => Some(')'),
                '{' => Some('}'),
                _ => None,
            };
            let name = match closing {
                None => {
                    rest = rest.get(letter.len_utf8()..).unwrap_or("");
                    letter.to_string()
                }
                Some(closing) => {
                    let end = end_of(rest, letter, closing);
                    let name = rest.get(1..end).unwrap_or("").to_owned();
                    rest = rest.get(end + 1..).unwrap_or("");
                    name
                }
            };
            match name.as_str() {
                "$" => word.push_lit("$"),
                "@" => word.push_lit(target),
                "<" => word.push_lit(first),
                "MAKE" => word.push_lit("make"),
                "CURDIR" => word.push_lit("."),
                name => match self.variables.iter().rev().find(|(known, _)| known == name) {
                    Some((_, value)) if depth < MAX_DEPTH => word.extend(&self.expand(value, target, first, depth + 1)),
                    _ => word.push(WordPiece::Any(crate::word::Bound::Anything)),
                },
            }
        }
        word.push_lit(rest);
        word
    }
}

/// Where the bracket that opens `text` is closed.
fn end_of(text: &str, opening: char, closing: char) -> usize {
    let mut open = 0;
    for (at, c) in text.char_indices() {
        if c == opening {
            open += 1;
        } else if c == closing {
            open -= 1;
            if open == 0 {
                return at;
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_lead_to_their_recipes() {
        let text = "DIR := build\nFLAGS ?= -rf\n.PHONY: all clean\nall: lib app ## the default\n\t@echo $@\nlib:\n\tcc -c lib.c\napp: lib; ld $< \\\n\t-o app\nclean: export X=1\nclean:\n\t-rm $(FLAGS) ${DIR}\n\tgit status $$HOME $(shell pwd)\nsub:\n\t$(MAKE) -C sub all\n";
        for (goals, given, expected) in [
            (vec![], vec![], vec!["cc -c lib.c", " ld lib  \t-o app", "echo all"]),
            (vec!["clean"], vec![], vec!["pwd", "rm -rf build", "git status $HOME …"]),
            (vec!["clean"], vec![("DIR".to_owned(), "/".to_owned())], vec!["pwd", "rm -rf /", "git status $HOME …"]),
            (vec!["sub"], vec![], vec!["make -C sub all"]),
            (vec!["nothing"], vec![], vec![]),
        ] {
            let lines: Vec<String> = read(text, &goals, &given).0.iter().map(ToString::to_string).collect();
            let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
            let expected: Vec<&str> = expected.iter().map(|line| line.trim()).collect();
            assert_eq!(lines, expected, "{goals:?}");
        }
    }
}
