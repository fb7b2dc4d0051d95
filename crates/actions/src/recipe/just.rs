//! justfiles (just's manual, "The Justfile Language"): the lines of the given recipes and of what they depend on.
//! Conditions, functions and imports are not followed.

use super::{Order, filled};
use crate::word::Word;

#[derive(Debug)]
struct Recipe<'t> {
    name: &'t str,
    parameters: Vec<&'t str>,
    needs: Vec<&'t str>,
    lines: Vec<&'t str>,
}

/// The command lines that `just WORDS` runs: a recipe and its arguments, or several recipes without; one that begins
/// with `#!` is one text. Without words: the first recipe.
pub fn read(text: &str, words: &[Word]) -> (Vec<Word>, bool) {
    let mut variables: Vec<(&str, &str)> = Vec::new();
    let mut aliases: Vec<(&str, &str)> = Vec::new();
    let mut recipes: Vec<Recipe> = Vec::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some(recipe) = recipes.last_mut() {
                recipe.lines.push(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(":=") {
            match name.trim().strip_prefix("alias ") {
                Some(alias) => aliases.push((alias.trim(), value.trim())),
                None => variables.push((name.trim().trim_start_matches("export ").trim(), value.trim())),
            }
        } else if let Some((head, needs)) = line.split_once(':').filter(|_| !line.starts_with(['#', '['])) {
            let mut parts = head.split_whitespace();
            let name = parts.next().unwrap_or("").trim_start_matches('@');
            let parameters = parts.map(|part| part.split('=').next().unwrap_or("").trim_start_matches(['+', '*', '$'])).collect();
            let needs = needs.split('#').next().unwrap_or("").split_whitespace().map(|need| need.trim_matches(['(', ')'])).filter(|need| *need != "&&");
            recipes.push(Recipe { name, parameters, needs: needs.collect(), lines: Vec::new() });
        }
    }
    let named = |word: &Word| {
        let name = word.literal()?;
        let name = aliases.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
        recipes.iter().find(|recipe| recipe.name == name)
    };
    let mut lines = Vec::new();
    let mut order = Order::default();
    let mut rest = words;
    if rest.is_empty() {
        follow(recipes.first(), &[], &recipes, &variables, &mut order, &mut lines, 0);
    }
    while let Some((first, behind)) = rest.split_first() {
        let recipe = named(first);
        let count = recipe.map_or(0, |recipe| recipe.parameters.len()).min(behind.len());
        let (given, behind) = behind.split_at_checked(count).unwrap_or((behind, &[]));
        follow(recipe, given, &recipes, &variables, &mut order, &mut lines, 0);
        rest = behind;
    }
    (lines, order.cut)
}

fn follow(recipe: Option<&Recipe>, given: &[Word], recipes: &[Recipe], variables: &[(&str, &str)], order: &mut Order, lines: &mut Vec<Word>, depth: usize) {
    let Some(recipe) = recipe.filter(|recipe| order.first(recipe.name, depth)) else { return };
    for need in &recipe.needs {
        follow(recipes.iter().find(|known| known.name == *need), &[], recipes, variables, order, lines, depth + 1);
    }
    let known = |name: &str| {
        let parameter = recipe.parameters.iter().position(|parameter| *parameter == name).map(|at| given.get(at).cloned());
        let variable = || variables.iter().find(|(known, _)| *known == name).and_then(|(_, value)| quoted(value)).map(Word::lit);
        parameter.unwrap_or_else(variable).unwrap_or_else(Word::unknown)
    };
    let text = |line: &str| filled(line, known);
    if recipe.lines.first().is_some_and(|line| line.starts_with("#!")) {
        let mut whole = Word::default();
        for line in &recipe.lines {
            whole.extend(&text(line));
            whole.push_lit("\n");
        }
        lines.push(whole);
        return;
    }
    let mut goes_on = false;
    for line in &recipe.lines {
        let line = if goes_on { line } else { line.trim_start_matches(['@', '-']) };
        let (line, more) = line.strip_suffix('\\').map_or((line, false), |line| (line, true));
        match lines.last_mut().filter(|_| goes_on) {
            Some(last) => last.extend(&text(line)),
            None => lines.push(text(line)),
        }
        goes_on = more;
    }
}

/// The text of a plain string.
fn quoted(value: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).filter(|text| !text.contains(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_their_lines() {
        let text = "dir := \"out\"\nalias b := build\n# note\ndefault: build\n\nbuild target='all': lint\n    @cc {{target}} -o {{dir}} \\\n      -v\nlint:\n    -check .\n[private]\npublish tag:\n    #!/usr/bin/env bash\n    git push {{tag}}\n";
        for (words, expected) in [
            (vec![], vec!["check .", "cc … -o out -v"]),
            (vec!["b", "x"], vec!["check .", "cc x -o out -v"]),
            (vec!["publish", "v1"], vec!["#!/usr/bin/env bash\ngit push v1\n"]),
            (vec!["nothing"], vec![]),
        ] {
            let words: Vec<Word> = words.into_iter().map(Word::lit).collect();
            let lines: Vec<String> = read(text, &words).0.iter().map(ToString::to_string).collect();
            assert_eq!(lines, expected, "{words:?}");
        }
    }
}
