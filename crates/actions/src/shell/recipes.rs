//! Commands that run the lines of a recipe: which file, which names.

use super::{Shell, Stdin};
use crate::arguments::{ParsedArguments, assignment};
use crate::lookup::{Lookup, LookupAnswer};
use crate::program::{Program, ProgramWay};
use crate::recipe::{just, make, package, task};
use crate::word::Word;

/// Folders on the way up in which a recipe is looked for.
const MAX_LEVELS: usize = 8;

impl Shell<'_> {
    /// Follows the lines of a recipe, where the program called `name` runs one.
    pub(super) fn recipes(&mut self, program: &Program, name: &str, arguments: &ParsedArguments, stdin: &Stdin) {
        if [ProgramWay::Make, ProgramWay::Just, ProgramWay::Task, ProgramWay::Scripts].into_iter().any(|way| program.is(way)) {
            // What a script is given grows where it leads to itself: `npm run test --workspaces` as the script `test`.
            let counted = if program.is(ProgramWay::Scripts) { 2 } else { usize::MAX };
            let words = arguments.subcommand.iter().chain(&arguments.operands).take(counted).map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let what = format!("{name} {words} in {}", self.state.place.cwd);
            self.unless_open(what, |shell| shell.recipe_lines(program, name, arguments, stdin));
        }
    }

    fn recipe_lines(&mut self, program: &Program, name: &str, arguments: &ParsedArguments, stdin: &Stdin) {
        let kind = [ProgramWay::Make, ProgramWay::Just, ProgramWay::Task].into_iter().find(|way| program.is(*way));
        if self.remote || ["--dry-run", "--help", "--list", "--version", "--question"].iter().any(|flag| arguments.has(flag)) {
            return;
        }
        let before = self.state.place.cwd.clone();
        let names: Vec<&str> = arguments.operands.iter().filter_map(Word::literal).collect();
        let mut stored = true;
        let lines = match kind {
            Some(ProgramWay::Make) => {
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
            Some(ProgramWay::Just) => {
                let file = self.named_file(arguments, "--justfile").unwrap_or_else(|| self.places(&["justfile", "Justfile", ".justfile"], MAX_LEVELS));
                let words: Vec<Word> = arguments.operands.iter().filter(|word| assignment(word).is_none()).cloned().collect();
                self.recipe(file, &mut stored).map(|(path, text)| {
                    self.enter_folder_of(&path);
                    just::read(&text, &words)
                })
            }
            Some(_) => {
                let names_of_files = ["Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml", "Taskfile.dist.yml", "Taskfile.dist.yaml"];
                let file = self.named_file(arguments, "--taskfile").unwrap_or_else(|| self.places(&names_of_files, MAX_LEVELS));
                match self.look_up(Lookup::Yaml(file)) {
                    LookupAnswer::Text { path, text, .. } => {
                        self.enter_folder_of(&path);
                        Some(task::read(&text, &names))
                    }
                    _ => None,
                }
            }
            None => self.package_scripts(program, arguments, &mut stored).map(|lines| (lines, false)),
        };
        let (lines, cut) = lines.unwrap_or_default();
        if cut {
            self.limit("it leads to more than can be followed");
        }
        // What is in front of the command, and what `make NAME=VALUE` gives, is in the environment of the lines.
        let given = arguments.operands.iter().filter_map(assignment).filter(|_| kind == Some(ProgramWay::Make));
        let lent: Vec<(String, Word)> = self.lent.iter().cloned().chain(given).collect();
        for line in lines {
            let follow = |shell: &mut Self| {
                let run = shell.within(name, |shell| {
                    shell.separate(|shell| {
                        shell.lent.clone_from(&lent);
                        shell.inherit();
                        shell.text(&line, &Stdin::default())
                    })
                });
                run.unwrap_or_default()
            };
            if stored {
                self.while_stored(follow);
            } else {
                follow(self);
            }
        }
        self.state.place.cwd = before;
    }

    /// The lines of the script that a package manager's command runs.
    fn package_scripts(&mut self, program: &Program, arguments: &ParsedArguments, stored: &mut bool) -> Option<Vec<Word>> {
        let scripts = program.details().scripts?;
        let subcommand = arguments.subcommand.first().map_or(Some(""), Word::literal)?;
        let named = |wanted: &str| scripts.names.iter().find(|(name, _)| *name == wanted).map(|(_, script)| *script);
        let other = || named("*").filter(|_| !program.has_subcommand(subcommand));
        let script = named(subcommand).or_else(other)?;
        let operands: Vec<&str> = arguments.operands.iter().filter_map(Word::literal).collect();
        let (script, behind) = match script {
            "<operand>" => (*operands.first()?, 1),
            "<subcommand>" => (subcommand, 0),
            // A script that is set will be used: it is followed now.
            "<assigned>" if operands.first() == Some(&"set") => {
                *stored = false;
                let front = format!("{}.", scripts.key);
                let value = |word: &Word| Some(word.without_prefix(word.prefix().strip_prefix(&front)?.find('=')? + front.len() + 1));
                return Some(arguments.operands.iter().filter_map(value).collect());
            }
            "<assigned>" => return None,
            // What a package manager runs on its own, each by its own name.
            list if list.contains('|') => {
                let (list, only) = list.strip_prefix("only ").map_or((list, false), |list| (list, true));
                if arguments.has("--ignore-scripts") || arguments.has("--no-scripts") || (only && !operands.is_empty()) {
                    return None;
                }
                let (path, text) = self.recipe(self.places(&[scripts.file], MAX_LEVELS), stored)?;
                self.enter_folder_of(&path);
                return Some(package::read_all(&text, scripts.key, &list.split('|').collect::<Vec<_>>()).into_iter().map(Word::lit).collect());
            }
            script => script.strip_prefix("only ").map_or((script, 0), |script| (script, operands.len())),
        };
        self.package(scripts.file, scripts.key, script, behind, arguments, stored)
    }

    /// The lines of a script, with the arguments of the command behind the last.
    fn package(&mut self, file: &str, key: &str, script: &str, behind: usize, arguments: &ParsedArguments, stored: &mut bool) -> Option<Vec<Word>> {
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
    fn named_file(&self, arguments: &ParsedArguments, option: &str) -> Option<Vec<String>> {
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
