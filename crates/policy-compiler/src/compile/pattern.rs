//! Compiles patterns. Does not know the keys that contain them.

use std::collections::HashMap;

use super::Texts;
use super::automaton::{PatternMode, automaton, nothing};
use super::glob::{GlobPart, MAX_PATTERN, any_of, expand, is_deep, is_slash, literal, over_each, over_path, over_text, parts};
use policy::pattern::{Automaton, PathAnchor, PathPattern, Pattern};

/// What all tables of a policy may take together, in bytes.
const MAX_TABLES: usize = 16 << 20;

/// The names of a path pattern, split at its slashes.
type Components = Vec<Vec<GlobPart>>;

/// Why a pattern cannot be compiled, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternFault {
    pub what: String,
    pub fix: String,
}

impl PatternFault {
    pub(super) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: fix.into() }
    }
}

/// Compiles patterns; the same expression only once.
pub struct Patterns<'t> {
    texts: &'t Texts,
    made: HashMap<(String, PatternMode), Automaton<'static>>,
    /// Bytes of the tables made so far.
    size: usize,
}

impl<'t> Patterns<'t> {
    /// `texts` keeps what patterns must own.
    pub fn new(texts: &'t Texts) -> Self {
        Self { texts, made: HashMap::new(), size: 0 }
    }

    /// Keeps a text for as long as the compiled policy borrows it.
    pub fn keep(&self, text: &str) -> &'t str {
        self.texts.push_get(text.to_owned())
    }

    /// A pattern on a text: a glob over the whole of it, or `/regex/` anywhere in it.
    ///
    /// # Errors
    ///
    /// The pattern cannot be read, or its table is too large.
    pub fn text(&mut self, source: &str) -> Result<Pattern<'t>, PatternFault> {
        if let Some((regex, any_case)) = slashed(source) {
            let table = self.table(regex.to_owned(), PatternMode { anywhere: true, any_case, lines: false })?;
            return Ok(Pattern { source: self.keep(source), table: Some(table) });
        }
        let (glob, any_case) = case(source);
        let parts = parts(glob)?;
        if let (Some(text), false) = (literal(&parts), any_case) {
            return Ok(self.exactly(&text));
        }
        let table = self.table(over_text(&parts), PatternMode { anywhere: false, any_case, lines: false })?;
        Ok(Pattern { source: self.keep(source), table: Some(table) })
    }

    /// The patterns that a glob over a text stands for: a literal for each alternative that is one, and one table for the rest.
    /// A table of many names is far larger than the names.
    ///
    /// # Errors
    ///
    /// The pattern cannot be read, or its table is too large.
    pub fn alternatives(&mut self, source: &str) -> Result<Vec<Pattern<'t>>, PatternFault> {
        if slashed(source).is_some() || case(source).1 {
            return Ok(vec![self.text(source)?]);
        }
        let all = expand(&parts(source)?, &|_| true)?;
        let mut patterns: Vec<Pattern<'t>> = all.iter().filter_map(|parts| literal(parts)).map(|text| self.exactly(&text)).collect();
        let globs: Vec<Vec<String>> = all.iter().filter(|parts| literal(parts).is_none()).map(|parts| over_each(parts)).collect();
        if !globs.is_empty() {
            let table = self.table(any_of(&globs), PatternMode { anywhere: false, any_case: false, lines: false })?;
            patterns.push(Pattern { source: self.keep(source), table: Some(table) });
        }
        Ok(patterns)
    }

    /// A pattern on content: a regular expression that is found anywhere; `^` and `$` match at lines.
    ///
    /// # Errors
    ///
    /// The expression cannot be read, or its table is too large.
    pub fn content(&mut self, source: &str) -> Result<Pattern<'t>, PatternFault> {
        let table = self.table(source.to_owned(), PatternMode { anywhere: true, any_case: false, lines: true })?;
        Ok(Pattern { source: self.keep(source), table: Some(table) })
    }

    /// The pattern that only `text` matches.
    pub fn exactly(&self, text: &str) -> Pattern<'t> {
        Pattern { source: self.keep(text), table: None }
    }

    /// A pattern that no text matches, for an empty list that must not be taken for one that is not asked.
    pub fn never(&self, source: &str) -> Pattern<'t> {
        Pattern { source: self.keep(source), table: Some(nothing()) }
    }

    /// A pattern on a path. Braces may make several of it, because each begins at its own place.
    ///
    /// # Errors
    ///
    /// The pattern cannot be read, or its table is too large.
    pub fn path(&mut self, source: &str) -> Result<Vec<PathPattern<'t>>, PatternFault> {
        let (glob, any_case) = case(source);
        let mut groups: Vec<(PathStart, Vec<Components>)> = Vec::new();
        let glob = parts(glob)?;
        for alternative in expand(&glob, &|_| true)? {
            let (placed, components) = PathStart::of(&alternative)?;
            match groups.iter_mut().find(|(known, _)| *known == placed) {
                Some((_, all)) => all.push(components),
                None => groups.push((placed, vec![components])),
            }
        }
        let mut made = Vec::new();
        for (placed, all) in &groups {
            // Braces within names are best left to the expression; where all begin at one place, they can be.
            let folded = if groups.len() == 1 && all.len() > 1 { folded(&glob, placed.anchor)? } else { None };
            made.push(self.anchored(source, placed, all, folded.as_deref().unwrap_or(all), any_case)?);
        }
        Ok(made)
    }

    fn anchored(
        &mut self,
        source: &str,
        placed: &PathStart,
        all: &[Components],
        folded: &[Components],
        any_case: bool,
    ) -> Result<PathPattern<'t>, PatternFault> {
        let rooted = placed.anchor.is_whole();
        let whole = match (all, any_case) {
            ([only], false) => only.iter().map(|component| literal(component)).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let pattern = if let Some(names) = whole {
            let text = format!("{}{}", if rooted { "/" } else { "" }, names.join("/"));
            Pattern { source: self.keep(&text), table: None }
        } else {
            let regexes: Vec<Vec<String>> = folded.iter().map(|components| over_path(components, rooted)).collect::<Result<_, _>>()?;
            let table = self.table(any_of(&regexes), PatternMode { anywhere: false, any_case, lines: false })?;
            Pattern { source: self.keep(source), table: Some(table) }
        };
        let mut literals: Vec<&str> = Vec::new();
        for component in all.iter().flatten() {
            if let Some(run) = longest_run(component).map(|run| self.keep(&run))
                && !literals.contains(&run)
            {
                literals.push(run);
            }
        }
        let stem = placed.stem.as_ref().map(|stem| self.keep(stem));
        let telling = all.iter().map(|components| if any_case { "" } else { self.keep(&telling(components)) }).collect();
        Ok(PathPattern { anchor: placed.anchor, pattern, source: self.keep(source), literals, stem, telling })
    }

    fn table(&mut self, regex: String, reading: PatternMode) -> Result<Automaton<'t>, PatternFault> {
        if regex.len() > MAX_PATTERN * 64 {
            return Err(PatternFault::new("this pattern is too long", "split it into several patterns"));
        }
        if let Some(known) = self.made.get(&(regex.clone(), reading)) {
            return Ok(known.clone());
        }
        let table = automaton(&regex, reading)?;
        self.size += table.next.len() + table.classes.len();
        if self.size > MAX_TABLES {
            return Err(PatternFault::new(
                format!("all patterns together are larger than {} MB", MAX_TABLES >> 20),
                "remove rules, or simplify their patterns",
            ));
        }
        self.made.insert((regex, reading), table.clone());
        Ok(table)
    }
}

/// The text between the slashes of `/regex/` or `/regex/i`, and whether the case does not matter.
fn slashed(source: &str) -> Option<(&str, bool)> {
    let inside = source.strip_prefix('/')?;
    let (regex, any_case) = inside.strip_suffix("/i").map_or_else(|| (inside.strip_suffix('/'), false), |regex| (Some(regex), true));
    regex.filter(|regex| !regex.is_empty()).map(|regex| (regex, any_case))
}

fn case(source: &str) -> (&str, bool) {
    source.strip_prefix("(?i)").map_or((source, false), |rest| (rest, true))
}

/// The pattern with braces only in names, if it begins at `anchor` then too.
fn folded(glob: &[GlobPart], anchor: PathAnchor) -> Result<Option<Vec<Components>>, PatternFault> {
    let mut all = Vec::new();
    for alternative in expand(glob, &is_deep)? {
        match PathStart::of(&alternative) {
            Ok((placed, components)) if placed.anchor == anchor => all.push(components),
            _ => return Ok(None),
        }
    }
    Ok(Some(all))
}

/// The longest text that is in a component as it is.
fn longest_run(component: &[GlobPart]) -> Option<String> {
    let runs = component.split(|part| !matches!(part, GlobPart::Character(..)));
    runs.filter(|run| !run.is_empty()).max_by_key(|run| run.len()).and_then(literal)
}

/// Letters of the beginning of a name by which a rule is found.
const BEGINNING: usize = 4;

/// What every path has that these components match: the longest of its names as `/name`, else the first letters of its last
/// name as `^name`, else the ending of that name. Empty if there is no such thing.
fn telling(components: &Components) -> String {
    let names = components.iter().filter_map(|component| literal(component));
    if let Some(longest) = names.filter(|name| !name.is_empty()).max_by_key(String::len) {
        return format!("/{longest}");
    }
    let last = components.last().map_or(&[][..], Vec::as_slice);
    let first = last.split(|part| !matches!(part, GlobPart::Character(..))).next().and_then(literal).unwrap_or_default();
    if let Some(beginning) = first.get(..BEGINNING) {
        return format!("^{beginning}");
    }
    let run = last.rsplit(|part| !matches!(part, GlobPart::Character(..))).next().and_then(literal).unwrap_or_default();
    run.rfind('.').and_then(|at| run.get(at..)).unwrap_or_default().to_owned()
}

/// Where a path pattern begins, and the folders in front of its first wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PathStart {
    anchor: PathAnchor,
    stem: Option<String>,
}

const NAMED: &[(&str, PathAnchor)] = &[
    ("<binaries>", PathAnchor::Binaries),
    ("<state>", PathAnchor::State),
    ("<config>", PathAnchor::Config),
    ("<policy>", PathAnchor::Policy),
    ("<temporary>", PathAnchor::Temporary),
    ("<here>", PathAnchor::Here),
    ("<root>", PathAnchor::Repository),
    ("<beside>", PathAnchor::Beside),
    ("<git>", PathAnchor::GitDirectory),
    ("<hooks>", PathAnchor::Hooks),
    (".", PathAnchor::Here),
    ("~", PathAnchor::Home),
];

impl PathStart {
    /// The place of a pattern without braces, and the components behind its anchor.
    fn of(glob: &[GlobPart]) -> Result<(Self, Components), PatternFault> {
        if glob.is_empty() {
            return Err(PatternFault::new("a path pattern is empty", "write `.` for the folder of the command, `**` for every path"));
        }
        let (anchor, rest) = anchor(glob)?;
        let mut components = Components::new();
        let mut names = rest.split(is_slash).peekable();
        while let Some(name) = names.next() {
            if name.is_empty() && names.peek().is_none() {
                break;
            }
            match literal(name).as_deref() {
                Some("") => return Err(PatternFault::new("a path pattern has two slashes in a row", "remove one")),
                Some("." | "..") => {
                    return Err(PatternFault::new(
                        "a path pattern has `.` or `..` in it",
                        "paths are normalised before they are matched; write the normalised path",
                    ));
                }
                _ => components.push(name.to_vec()),
            }
        }
        let known: Vec<String> = components.iter().map_while(|component| literal(component)).collect();
        let stem =
            if known.is_empty() && !components.is_empty() { None } else { Some(format!("{}{}", if anchor.is_whole() { "/" } else { "" }, known.join("/"))) };
        Ok((Self { anchor, stem }, components))
    }
}

fn anchor(glob: &[GlobPart]) -> Result<(PathAnchor, &[GlobPart]), PatternFault> {
    let plain = |part: &GlobPart| if let GlobPart::Character(sign, false) = part { Some(*sign) } else { None };
    let head: String = glob.iter().map_while(plain).collect();
    let behind = |count: usize| glob.get(count..).unwrap_or(&[]);
    if head.starts_with('/') {
        return Ok((PathAnchor::Absolute, behind(1)));
    }
    if glob.first() == Some(&GlobPart::Deep) && glob.get(1).is_none_or(is_slash) {
        return Ok((PathAnchor::Anywhere, glob));
    }
    for (name, anchor) in NAMED {
        match head.strip_prefix(name) {
            Some("") if glob.len() == name.len() => return Ok((*anchor, &[])),
            Some(rest) if rest.starts_with('/') => return Ok((*anchor, behind(name.len() + 1))),
            _ => {}
        }
    }
    if head.starts_with('<') {
        let names: Vec<String> = NAMED.iter().filter(|(name, _)| name.len() > 1).map(|(name, _)| format!("`{name}/`")).collect();
        return Err(PatternFault::new("a path pattern begins at an unknown place", format!("the places are {}", names.join(", "))));
    }
    if head.starts_with('~') {
        return Err(PatternFault::new("a path pattern begins with the home folder of a user", "write `~/`, which matches every known home folder"));
    }
    Ok((PathAnchor::Repository, glob))
}
