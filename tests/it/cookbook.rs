//! docs/cookbook.md is true: each recipe passes its own examples, stops what the page says, and leaves the look-alikes alone.

use std::fs;

use crate::cli_init::portcullis;
use crate::docs::blocks;
use crate::support::{Said, Scratch, git_path, hook_path, json, package, run};

/// At least so many recipes.
const FEWEST: usize = 25;

/// Recipes that are tried at once.
const THREADS: usize = 4;

struct Recipe {
    title: String,
    policy: String,
    /// Files that are there before.
    there: Vec<String>,
    /// What it stops, and how many times the same is done before.
    stops: Vec<(String, usize)>,
    leaves: Vec<String>,
}

/// The code spans of the bullet that begins so.
fn bullet<'t>(section: &'t str, begin: &str) -> Option<&'t str> {
    section.lines().find_map(|line| line.strip_prefix(begin))
}

fn spans(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn recipes() -> Vec<Recipe> {
    let page = fs::read_to_string(package().join("docs/cookbook.md")).unwrap();
    let mut recipes = Vec::new();
    for section in page.split("\n### ").skip(1) {
        let title = section.lines().next().unwrap().to_owned();
        let policies = blocks(section, "toml");
        assert_eq!(policies.len(), 1, "{title}");
        let stops = bullet(section, "- stops: ").unwrap_or_else(|| panic!("{title} does not say what it stops"));
        // `(the 4th)` behind what is stopped: the first three are allowed.
        let times = stops.split("(the ").nth(1).and_then(|rest| rest.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok());
        let leaves = bullet(section, "- leaves alone: ").unwrap_or_else(|| panic!("{title} does not say what it leaves alone"));
        recipes.push(Recipe {
            policy: policies.into_iter().next().unwrap(),
            there: bullet(section, "- there is: ").map(spans).unwrap_or_default(),
            stops: spans(stops).into_iter().map(|what| (what, times.map_or(0, |times: usize| times - 1))).collect(),
            leaves: spans(leaves),
            title,
        });
    }
    recipes
}

/// Tool and input of what a recipe speaks of: a command, or a word that names another tool.
fn call(what: &str, scratch: &Scratch) -> (String, String) {
    let path = |path: &str| json(&scratch.repo().join(path).to_string_lossy());
    let (word, rest) = what.split_once(' ').unwrap_or((what, ""));
    match word {
        "write" => {
            let (file, text) = rest.split_once(": ").unwrap_or((rest, "x"));
            ("Write".to_owned(), format!(r#"{{"file_path":{},"content":{}}}"#, path(file), json(&format!("{text}\n"))))
        }
        "read" => ("Read".to_owned(), format!(r#"{{"file_path":{}}}"#, path(rest))),
        "spawn" => ("Task".to_owned(), format!(r#"{{"subagent_type":{},"prompt":"do it","description":"do it"}}"#, json(rest))),
        "call" => {
            let (tool, input) = rest.split_once(' ').unwrap();
            (tool.to_owned(), input.to_owned())
        }
        _ => ("Bash".to_owned(), format!(r#"{{"command":{}}}"#, json(what))),
    }
}

/// What the real hook says to it; for a commit, what git's hook says.
fn said(what: &str, scratch: &Scratch, id: usize) -> Said {
    if let Some(message) = what.strip_prefix("commit: ") {
        scratch.write(".git/COMMIT_EDITMSG", message);
        scratch.write("a.txt", message);
        let repository = git2::Repository::open(scratch.repo()).unwrap();
        let mut index = repository.index().unwrap();
        index.add_path(std::path::Path::new("a.txt")).unwrap();
        index.write().unwrap();
        return run(scratch.command(git_path()).args(["commit-msg", ".git/COMMIT_EDITMSG"]), b"");
    }
    let (agent, what) = match what.strip_prefix("as ").and_then(|rest| rest.split_once(' ')) {
        Some((agent, what)) => (format!(r#""agent_id":"a1","agent_type":{},"#, json(agent)), what),
        None => (String::new(), what),
    };
    let (tool, input) = call(what, scratch);
    let payload = scratch.payload(&tool, &input, "default").replacen(r#""tool_use_id":"toolu_1""#, &format!(r#"{agent}"tool_use_id":"toolu_{id}""#), 1);
    run(scratch.command(hook_path()).args(["PreToolUse", "claude-code", "50"]), payload.as_bytes())
}

/// Whether it was stopped, and not by a failure.
fn stopped(said: &Said) -> bool {
    let short = said.short();
    short.starts_with("ask ") || short.starts_with("deny ") || (said.code == 1 && said.stderr.contains("denied by `"))
}

/// What is wrong with a recipe.
fn faults(recipe: &Recipe) -> Vec<String> {
    let (title, scratch, mut wrong) = (&recipe.title, Scratch::new(), Vec::new());
    for file in &recipe.there {
        scratch.write(file, "before\n");
    }
    let own = recipe.policy.starts_with("# ~/.config/portcullis/portcullis.toml");
    scratch.write(if own { "../home/.config/portcullis/portcullis.toml" } else { "portcullis.toml" }, &recipe.policy);
    let tested = portcullis(&scratch, &["test"]);
    if tested.code != 0 {
        return vec![format!("{title}: {}{}", tested.stdout, tested.stderr)];
    }
    // What it brings of its own must be what stops; an exemption and a program only change what shipped rules find.
    let names: Vec<&str> = recipe.policy.lines().filter_map(|line| line.strip_prefix("name")?.split('"').nth(1)).collect();
    let brings = ["[[rule]]", "[[limit]]", "[[budget]]", "[[gate]]"].iter().any(|kind| recipe.policy.contains(kind));
    let mut id = 0;
    let mut next = |what: &str| {
        id += 1;
        said(what, &scratch, id)
    };
    for (what, before) in &recipe.stops {
        for _ in 0..*before {
            let allowed = next(what);
            if allowed.short() != "free" {
                wrong.push(format!("{title}: `{what}` is stopped too early: {allowed:?}"));
            }
        }
        let found = next(what);
        let text = format!("{}{}", found.stdout, found.stderr);
        let by_own = !brings || recipe.policy.contains("[pipeline]") || names.iter().any(|name| text.contains(&format!("`{name}`")));
        if !stopped(&found) || !by_own {
            wrong.push(format!("{title}: `{what}` should be stopped by {names:?}: {found:?}"));
        }
    }
    for what in &recipe.leaves {
        let found = next(what);
        if found.code != 0 || stopped(&found) {
            wrong.push(format!("{title}: `{what}` should be left alone: {found:?}"));
        }
    }
    assert!(!recipe.stops.is_empty() && !recipe.leaves.is_empty(), "{title}");
    wrong
}

#[test]
fn each_recipe_stops_what_it_says_and_leaves_the_look_alikes_alone() {
    let recipes = recipes();
    assert!(recipes.len() >= FEWEST, "only {} recipes", recipes.len());
    for (at, recipe) in recipes.iter().enumerate() {
        assert!(recipe.title.starts_with(&format!("{}. ", at + 1)), "`{}` is number {}", recipe.title, at + 1);
    }
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts = recipes.chunks(recipes.len().div_ceil(THREADS)).map(|part| scope.spawn(|| part.iter().flat_map(faults).collect::<Vec<_>>()));
        parts.collect::<Vec<_>>().into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_index_of_the_page_names_each_recipe() {
    let page = fs::read_to_string(package().join("docs/cookbook.md")).unwrap();
    for recipe in recipes() {
        let kept = |sign: char| (sign.is_alphanumeric() || sign == ' ' || sign == '-').then(|| if sign == ' ' { '-' } else { sign.to_ascii_lowercase() });
        let anchor: String = recipe.title.chars().filter_map(kept).collect();
        let number = recipe.title.split('.').next().unwrap();
        assert!(page.contains(&format!("[{number}](#{anchor})")), "`{}` is not in the table at the beginning", recipe.title);
    }
}
