//! Taskfiles (taskfile.dev, "Schema Reference"), given as JSON: the command lines of a task and of what it depends on.

use super::{Order, filled};
use crate::{json::Json, word::Word};

/// The command lines that `task NAMES` runs; without a name the task `default`. Templates are holes. And whether there are
/// more of them.
pub fn read(text: &str, names: &[&str]) -> (Vec<Word>, bool) {
    let Ok(json) = Json::read(text.as_bytes()) else { return (Vec::new(), false) };
    let Some(tasks) = json.get("tasks") else { return (Vec::new(), false) };
    let mut lines = Vec::new();
    let mut order = Order::default();
    for name in if names.is_empty() { &["default"] } else { names } {
        follow(tasks, name, &mut order, &mut lines, 0);
    }
    (lines, order.cut)
}

fn follow(tasks: &Json, name: &str, order: &mut Order, lines: &mut Vec<Word>, depth: usize) {
    let Some(task) = tasks.get(name).filter(|_| order.first(name, depth)) else { return };
    for part in [task.get("deps"), task.get("cmds"), task.get("cmd"), Some(task)].into_iter().flatten() {
        let steps = match part {
            Json::List(steps) => steps.as_slice(),
            Json::Text(_) => std::slice::from_ref(part),
            _ => continue,
        };
        let needs = task.get("deps").is_some_and(|deps| std::ptr::eq(deps, part));
        for step in steps {
            match step {
                Json::Text(name) if needs => follow(tasks, name, order, lines, depth + 1),
                Json::Text(line) => lines.push(filled(line, |_| Word::unknown())),
                step => {
                    if let Some(line) = step.text("cmd").or_else(|| step.text("defer")) {
                        lines.push(filled(line, |_| Word::unknown()));
                    }
                    if let Some(name) = step.text("task") {
                        follow(tasks, name, order, lines, depth + 1);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_their_lines() {
        let text = r#"{"tasks":{"default":{"deps":["lint"],"cmds":["build {{.X}}",{"task":"sign"},{"cmd":"done"}]},"lint":"check","sign":["gpg x","gpg y"],"one":{"cmd":"only"}}}"#;
        for (names, expected) in [(vec![], vec!["check", "build …", "gpg x", "gpg y", "done"]), (vec!["one"], vec!["only"]), (vec!["nothing"], vec![])] {
            assert_eq!(read(text, &names).0.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{names:?}");
        }
    }
}
