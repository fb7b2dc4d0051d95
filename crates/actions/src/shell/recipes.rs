//! Commands that run the lines of a recipe: which file, which names.

use super::{Shell, Stdin};
use crate::arguments::{Arguments, assignment};
use crate::lookup::{Found, Lookup};
use crate::recipe::{just, make, package, task};
use crate::word::Word;

/// Folders on the way up in which a recipe is looked for.
const MAX_LEVELS: usize = 8;

impl Shell<'_> {
    /// Follows the lines of a recipe, where the program called `name` runs one.
    pub(super) fn recipes(&mut self, name: &str, arguments: &Arguments, stdin: &Stdin) {
        if self.remote || ["--dry-run", "--help", "--list", "--version", "--question"].iter().any(|flag| arguments.has(flag)) {
            return;
        }
        let before = self.state.place.cwd.clone();
        let names: Vec<&str> = arguments.operands.iter().filter_map(Word::literal).collect();
        let subcommand = arguments.subcommand.first().and_then(Word::literal);
        let mut stored = true;
        let lines = match (name, subcommand) {
            ("make" | "gmake" | "remake", _) => {
                let file = self.named_file(arguments, "--file").unwrap_or_else(|| self.places(&["GNUmakefile", "makefile", "Makefile"], 1));
                let given: Vec<(String, String)> =
                    arguments.operands.iter().filter_map(assignment).filter_map(|(name, value)| Some((name, value.literal()?.to_owned()))).collect();
                let goals: Vec<&str> = names.iter().copied().filter(|name| !name.contains('=')).collect();
                let piped = stdin.text.clone().filter(|_| arguments.value("--file").is_some_and(|file| file.is("-")));
                let given_here: Vec<String> = arguments.value("--eval").into_iter().chain(piped.as_deref()).map(ToString::to_string).collect();
                let text = if given_here.is_empty() { self.recipe(file, &mut stored).map(|(_, text)| text) } else { Some(given_here.join("\n")) };
                stored &= given_here.is_empty();
                text.map(|text| make::read(&text, &goals, &given))
            }
            ("just", _) => {
                let file = self.named_file(arguments, "--justfile").unwrap_or_else(|| self.places(&["justfile", "Justfile", ".justfile"], MAX_LEVELS));
                let words: Vec<Word> = arguments.operands.iter().filter(|word| assignment(word).is_none()).cloned().collect();
                self.recipe(file, &mut stored).map(|(path, text)| {
                    self.enter_folder_of(&path);
                    just::read(&text, &words)
                })
            }
            ("task" | "go-task", _) => {
                let names_of_files = ["Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml", "Taskfile.dist.yml", "Taskfile.dist.yaml"];
                let file = self.named_file(arguments, "--taskfile").unwrap_or_else(|| self.places(&names_of_files, MAX_LEVELS));
                match self.look_up(Lookup::Yaml(file)) {
                    Found::Text { path, text, .. } => {
                        self.enter_folder_of(&path);
                        Some(task::read(&text, &names))
                    }
                    _ => None,
                }
            }
            // A script that is set will be used: it is followed now.
            ("npm" | "pnpm", Some("pkg")) if names.first() == Some(&"set") => {
                stored = false;
                let value = |word: &Word| Some(word.without_prefix(word.prefix().strip_prefix("scripts.")?.find('=')? + "scripts.=".len()));
                Some(arguments.operands.iter().filter_map(value).collect())
            }
            ("npm" | "cnpm" | "tnpm" | "pnpm" | "yarn" | "yarnpkg" | "bun", _) => self
                .script_name(name, subcommand, &names)
                .and_then(|(script, behind)| self.package("package.json", "scripts", script, behind, arguments, &mut stored)),
            ("composer", Some("run" | "run-script")) => {
                names.first().and_then(|script| self.package("composer.json", "scripts", script, 1, arguments, &mut stored))
            }
            ("deno", Some("task")) => names.first().and_then(|script| self.package("deno.json", "tasks", script, 1, arguments, &mut stored)),
            _ => None,
        };
        for line in lines.unwrap_or_default() {
            let follow = |shell: &mut Self| shell.line_within(name, &line, &Stdin::default());
            if stored {
                self.while_stored(follow);
            } else {
                follow(self);
            }
        }
        self.state.place.cwd = before;
    }

    /// The script of a package manager's command, and how many operands stand in front of the script's own.
    fn script_name<'w>(&self, name: &str, subcommand: Option<&'w str>, operands: &[&'w str]) -> Option<(&'w str, usize)> {
        let known = |sub: &str| self.programs.find(name).is_some_and(|program| program.subcommand(sub).is_some());
        match subcommand? {
            "run" | "run-script" | "rum" | "urn" => Some((operands.first()?, 1)),
            "t" | "tst" => Some(("test", 0)),
            "install" | "i" | "ci" | "clean-install" => Some(("prepare", operands.len())),
            sub @ ("test" | "start" | "stop" | "restart") => Some((sub, 0)),
            // `yarn build`, `pnpm build`: what is no command of theirs is a script.
            sub if name != "npm" && !known(sub) => Some((sub, 0)),
            _ => None,
        }
    }

    /// The lines of a script, with the arguments of the command behind the last.
    fn package(&mut self, file: &str, key: &str, script: &str, behind: usize, arguments: &Arguments, stored: &mut bool) -> Option<Vec<Word>> {
        let (path, text) = self.recipe(self.places(&[file], MAX_LEVELS), stored)?;
        let mut lines: Vec<Word> = package::read(&text, key, script).into_iter().map(Word::lit).collect();
        self.enter_folder_of(&path);
        if let [line] | [_, line, ..] = lines.as_mut_slice() {
            for word in arguments.operands.get(behind..).unwrap_or(&[]).iter().filter(|word| !word.is("--")) {
                line.push_lit(" ");
                line.extend(word);
            }
        }
        Some(lines)
    }

    /// The first of these files: what the line wrote there, else what was there before (`stored`).
    fn recipe(&mut self, places: Vec<String>, stored: &mut bool) -> Option<(String, String)> {
        let written = places.iter().find_map(|path| Some((path.clone(), self.state.written_text(path)?.to_string())));
        *stored = written.is_none();
        written.or_else(|| self.on_disk(places))
    }

    /// The file that an option names.
    fn named_file(&self, arguments: &Arguments, option: &str) -> Option<Vec<String>> {
        let flag = arguments.flags.iter().find(|flag| flag.is(option))?;
        Some(self.path(flag.value.as_ref()?).word.literal().map(str::to_owned).into_iter().collect())
    }

    /// Files of these names in the present folder, and in those above it.
    fn places(&self, names: &[&str], levels: usize) -> Vec<String> {
        let Some(folder) = self.state.place.cwd.literal() else { return Vec::new() };
        let folders = std::iter::successors(Some(folder), |folder| folder.rsplit_once('/').map(|(above, _)| above));
        folders.take(levels).flat_map(|folder| names.iter().map(move |name| format!("{folder}/{name}"))).collect()
    }

    /// Recipes run in the folder of their file.
    fn enter_folder_of(&mut self, path: &str) {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.state.place.cwd = Word::lit(folder);
        }
    }
}
