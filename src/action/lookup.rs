//! What must be looked up before a call can be read to its end: scripts that it runs, configuration that gives its words
//! their meaning. Reading comes back with these, as `decide` comes back with facts. Looks nothing up itself.

/// A question to the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The text of the first of these files that is there (absolute paths).
    Text(Vec<String>),
    /// As [`Lookup::Text`], for YAML, which is given as JSON text.
    Yaml(Vec<String>),
    /// The configuration that git reads in this folder, in the order in which later entries win.
    Configuration(String),
    /// Whether there is a file or folder here, and no branch, tag or commit of the name: folder and name.
    IsFile(String, String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file's path and its text; only the beginning of one that is very long. And whether this session wrote it.
    Text { path: String, text: String, written: bool },
    /// Entries of a configuration: `section.sub.name`, section and name in small letters.
    Entries(Vec<(String, String)>),
    /// Yes.
    Yes,
    /// No; no such file; nothing that can be read as text.
    Nothing,
}

/// What is known so far, and what is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// Answers, in the order in which they were asked.
    pub known: Vec<(Lookup, Found)>,
    /// Questions that came up since.
    pub asked: Vec<Lookup>,
}

impl Lookups {
    /// The answer; [`Found::Nothing`] where it is not known yet, and the question is noted.
    pub(in crate::action) fn of(&mut self, lookup: Lookup) -> &Found {
        match self.known.iter().position(|(asked, _)| *asked == lookup) {
            Some(at) => self.known.get(at).map_or(&Found::Nothing, |(_, found)| found),
            None => {
                if !self.asked.contains(&lookup) {
                    self.asked.push(lookup);
                }
                &Found::Nothing
            }
        }
    }
}
