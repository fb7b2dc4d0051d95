//! Where the tests of a source file are, by the layouts in `policies/layouts/*.toml` and those of the policy: is a path a
//! source, a test, a snapshot; which paths could hold its test. Looks at names alone; opens nothing.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod template;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::syntax::{Silencers, SourceLanguage, Strengths, ToolSettings};
pub use template::{Captures, matches};
pub use template::{alternatives, unknown_variable};
use template::{area, capture, fill, fits, widened};

/// The shipped layouts, `policies/layouts/*.toml` in one: TOML takes ten times as long to read. A test holds the two to
/// each other.
const SHIPPED: &str = include_str!("../../../policies/layouts.json");

/// Variables that are made of the source's own name, or of its folder's.
const NAMES: &[&str] = &["{stem}", "{base}", "{Pascal}", "{snake}", "{kebab}", "{parent}"];

/// What files of layouts hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Catalogue {
    #[serde(rename = "language")]
    pub languages: Vec<SourceLanguage>,
    #[serde(rename = "layout")]
    pub layouts: Vec<Layout>,
    pub settings: Vec<ToolSettings>,
    pub silencers: Silencers,
    pub strengths: Strengths,
    /// Files that hold what tests expect, written by the tools themselves.
    pub snapshots: Vec<String>,
    /// Commands that run tests: the program, then words of it in their order.
    pub runners: Vec<String>,
}

/// How a family of projects lays out its sources and tests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Layout {
    pub name: String,
    /// For people: `Rust, cargo`.
    pub title: String,
    /// Names of files that mark a package.
    pub manifest: Vec<String>,
    /// It holds only where such a file is.
    pub required: bool,
    /// What that file must hold, any of it.
    pub says: Vec<String>,
    /// Sources, from the package's folder.
    pub source: Vec<String>,
    /// Where a test can be, the likeliest first. `NAME => …` holds for files of that name alone.
    pub test: Vec<String>,
    /// As `test`; there the test must also name the source.
    pub mention: Vec<String>,
    /// Sources that a program begins with: tests of the package run them.
    pub entry: Vec<String>,
    /// Sources that never need a test.
    pub exempt: Vec<String>,
    /// Endings that `{base}` leaves out.
    pub cut: Vec<String>,
    /// A test can be in the source itself.
    pub inline: bool,
    /// A test in documentation counts.
    pub doctest: bool,
    pub unit: Unit,
    /// The policy names it, so it holds whatever else is there.
    #[serde(skip)]
    pub named: bool,
    #[serde(skip)]
    read: OnceLock<LayoutLists>,
}

/// A layout's lists without choices.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LayoutLists {
    source: Vec<String>,
    /// What the names of sources are like.
    names: Vec<String>,
    exempt: Vec<String>,
    tests: Vec<Template>,
}

/// A choice of a template of tests.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Template {
    /// The name of the sources that it holds for.
    only: Option<String>,
    text: String,
    /// The test must name the source.
    mention: bool,
    /// Nothing in it is taken from the source's name, so that it stands for tests of others too.
    wide: bool,
    /// How any test of this form is called, from the package's folder.
    form: String,
    /// Where such tests are, if nothing else does there.
    area: Option<String>,
}

/// What one test covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    #[default]
    File,
    /// All sources of a folder.
    Folder,
    /// A module with those below it, where the test names them.
    Module,
}

/// A path where a test can be; it may hold `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub path: String,
    /// The test must name the source.
    pub mention: bool,
    /// It is the place of other sources' tests too: the test must speak of something that the source defines.
    pub wide: bool,
    /// The template it comes from, with wildcards for what differs from source to source.
    pub form: String,
}

impl Catalogue {
    /// All shipped layouts, read once per process.
    ///
    /// # Errors
    ///
    /// A file is not as it should be, and why.
    pub fn shipped() -> Result<&'static Self, String> {
        static READ: OnceLock<Result<Catalogue, String>> = OnceLock::new();
        READ.get_or_init(|| serde_json::from_str(SHIPPED).map_err(|error| format!("policies/layouts.json: {error}"))).as_ref().map_err(Clone::clone)
    }

    /// The language of a file by its extension; a file without one is a shell script.
    pub fn language(&self, path: &str) -> Option<&SourceLanguage> {
        let extension = extension(path);
        self.languages.iter().find(|language| language.extensions.iter().any(|known| known == extension))
    }

    /// Ends of the names of files that a layout, or the settings of a tool, may speak of.
    pub fn endings(&self) -> Vec<String> {
        let extensions = self.languages.iter().flat_map(|language| &language.extensions).filter(|extension| !extension.is_empty());
        let mut endings: Vec<String> = extensions.map(|extension| format!(".{extension}")).collect();
        let files = self.settings.iter().flat_map(|settings| &settings.files).chain(&self.snapshots);
        endings.extend(files.map(|file| file.rsplit(['*', '/']).next().unwrap_or(file).to_owned()).filter(|ending| !ending.is_empty()));
        endings.sort();
        endings.dedup();
        endings
    }

    /// Names that are tests' wherever they are, of all layouts or of the `named` ones: `test_*.py`.
    pub fn test_names(&self, named: &[&str]) -> Vec<String> {
        let layouts = self.layouts.iter().filter(|layout| !layout.required && (named.is_empty() || named.contains(&layout.name.as_str())));
        let forms = layouts.flat_map(|layout| layout.read().tests.iter().filter(|template| !template.mention).map(|template| template.form.as_str()));
        let mut found: Vec<String> = forms
            .filter_map(|form| form.strip_prefix("**/"))
            // One of all files of a kind would say nothing.
            .filter(|name| !name.contains(['/', '[', '{']) && name.rsplit_once('.').is_some_and(|(stem, _)| stem.contains(char::is_alphabetic)))
            .map(str::to_owned)
            .collect();
        found.sort();
        found.dedup();
        found
    }

    pub fn is_snapshot(&self, path: &str) -> bool {
        self.snapshots.iter().any(|pattern| matches(pattern, path))
    }

    /// What the settings file of this path sets.
    pub fn settings(&self, path: &str) -> Vec<&ToolSettings> {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.settings.iter().filter(|settings| settings.files.iter().any(|file| matches(file, name))).collect()
    }
}

/// The last extension of a path; empty if it has none.
pub fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, extension)| extension)
}

/// The folder of a path, with a slash at its end; empty for the root.
pub fn folder(path: &str) -> &str {
    path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or("")
}

impl Layout {
    fn read(&self) -> &LayoutLists {
        self.read.get_or_init(|| {
            let each = |patterns: &[String]| patterns.iter().flat_map(|pattern| alternatives(pattern)).collect::<Vec<_>>();
            let source = each(&self.source);
            let all = self.test.iter().map(|test| (test, false)).chain(self.mention.iter().map(|test| (test, true)));
            let tests = all.flat_map(|(test, mention)| {
                let (only, text) = test.split_once(" => ").map_or((None, test.as_str()), |(only, text)| (Some(only.to_owned()), text));
                let template = move |text: String| {
                    let form = widened(text.strip_prefix("{pkg}").unwrap_or(&text));
                    let wide = self.unit != Unit::Folder && !NAMES.iter().any(|name| text.contains(name));
                    Template { only: only.clone(), area: area(&form), text, mention, wide, form }
                };
                alternatives(text).into_iter().map(template).collect::<Vec<_>>()
            });
            let mut names: Vec<String> = source.iter().map(|source| source.rsplit('/').next().unwrap_or(source).replace("**", "*")).collect();
            names.dedup();
            let deep = |pattern: String| if pattern.contains('/') { vec![pattern] } else { vec![format!("**/{pattern}"), pattern] };
            LayoutLists { names, exempt: each(&self.exempt).into_iter().flat_map(deep).collect(), tests: tests.collect(), source }
        })
    }

    /// What the parts of a source's path are, if it is one in the package `package` (a folder with a slash at its end).
    pub fn source(&self, path: &str, package: &str) -> Option<Captures> {
        let inner = path.strip_prefix(package)?;
        self.read().source.iter().find_map(|source| capture(source, inner))
    }

    /// Whether a source may have this name: a cheap look before folders are listed. `bare`: names without an ending are
    /// scripts of a language that has sources here.
    pub fn may_hold(&self, name: &str, bare: bool) -> bool {
        self.read().names.iter().any(|wanted| (bare && !wanted.contains('.')) || fits(wanted, name))
    }

    /// Whether it needs no test by its name.
    pub fn exempts(&self, path: &str, package: &str) -> bool {
        let inner = path.strip_prefix(package).unwrap_or(path);
        // A package may itself are among examples.
        self.read().exempt.iter().any(|pattern| fits(pattern, inner) || fits(pattern, path))
    }

    /// Whether a program begins there.
    pub fn enters(&self, path: &str, package: &str) -> bool {
        let inner = path.strip_prefix(package).unwrap_or(path);
        self.entry.iter().any(|pattern| fits(pattern, inner))
    }

    /// Whether a path looks like a test, or is where tests do.
    pub fn is_test(&self, path: &str, package: &str) -> bool {
        let Some(inner) = path.strip_prefix(package) else { return false };
        // What must name its source is no test by its place alone.
        self.read().tests.iter().filter(|template| !template.mention).any(|Template { form, area, .. }| {
            (form.contains(|sign: char| sign.is_alphabetic()) && fits(form, inner)) || area.as_ref().is_some_and(|area| fits(area, inner))
        })
    }

    /// Whether a path is called as tests are, so that they are run there; what only is among them is not.
    pub fn runs(&self, path: &str, package: &str) -> bool {
        path.strip_prefix(package).is_some_and(|inner| self.read().tests.iter().any(|template| fits(&template.form, inner)))
    }

    /// Where the test of a source can be, the likeliest first.
    pub fn candidates(&self, path: &str, package: &str, captures: &Captures) -> Vec<Candidate> {
        let variables = self.variables(path, package, captures);
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut candidates: Vec<Candidate> = Vec::new();
        // `mod.rs` and its like are named by their folder: `tests/mod.rs` is no test of all of them.
        let of_folder = self.read().tests.iter().any(|template| template.only.as_ref().is_some_and(|only| matches(only, name)));
        for Template { only, text, mention, wide, form, .. } in &self.read().tests {
            if of_folder && only.is_none() && text.starts_with("{pkg}") && !text.contains("{rel}") && !text.contains("{parent}") {
                continue;
            }
            if only.as_ref().is_some_and(|only| !matches(only, name)) {
                continue;
            }
            if let Some(path) = fill(text, &variables)
                && candidates.iter().all(|known| known.path != path)
            {
                candidates.push(Candidate { path, mention: *mention, wide: *wide, form: format!("{package}{form}") });
            }
        }
        candidates
    }

    fn variables(&self, path: &str, package: &str, captures: &Captures) -> BTreeMap<&'static str, String> {
        let folder = folder(path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or(name, |(stem, _)| stem);
        let mut base = stem.to_owned();
        while let Some(length) = self.cut.iter().find_map(|cut| base.strip_suffix(cut.as_str()).map(str::len).filter(|length| *length > 0)) {
            base.truncate(length);
        }
        let words = words(&base);
        let pascal: String = words.iter().flat_map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1))).collect();
        let mut variables: BTreeMap<&'static str, String> = BTreeMap::from([
            ("pkg", package.to_owned()),
            ("dir", folder.to_owned()),
            ("stem", stem.to_owned()),
            ("ext", extension(path).to_owned()),
            ("Pascal", pascal),
            ("snake", words.join("_")),
            ("kebab", words.join("-")),
            ("parent", folder.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned()),
            // The folder above, and the file that is a module beside its folder.
            ("up", self::folder(folder.trim_end_matches('/')).to_owned()),
            ("base", base),
        ]);
        variables.extend(captures.iter().map(|(name, value)| (*name, value.clone())));
        variables
    }
}

/// The words of a name, in lower case: `TaxRule`, `tax_rule` and `tax-rule` are `tax`, `rule`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut lower = false;
    for sign in name.chars() {
        if !sign.is_alphanumeric() {
            lower = false;
            words.push(String::new());
            continue;
        }
        if words.is_empty() || (sign.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = sign.is_lowercase() || sign.is_numeric();
        words.last_mut().into_iter().for_each(|word| word.extend(sign.to_lowercase()));
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
