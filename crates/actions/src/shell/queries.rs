//! Texts that a client of a database is given, and what they lose.

use query_reader::{BETWEEN, HOLE, Lost, QueryLanguage, QuerySettings, SEVERAL, Source, read};

use super::{Shell, Stdin};
use crate::arguments::ParsedArguments;
use crate::program::{Program, QueryClient, Role};
use crate::word::{Word, WordPiece};
use crate::{Deed, Query};

/// A text in which what is not known is marked. What may be several words is marked twice.
fn marked(word: &Word) -> String {
    let mut text = String::new();
    for piece in &word.pieces {
        match piece {
            WordPiece::Lit(known) | WordPiece::Glob(known) => text.push_str(known),
            WordPiece::Any(_) => text.push(HOLE),
        }
    }
    if word.multi && text.chars().all(|c| c == HOLE) { format!("{HOLE}{HOLE}") } else { text }
}

fn language(name: &str) -> QueryLanguage {
    QueryLanguage::NAMES.iter().find(|(known, _)| *known == name).map_or(QueryLanguage::Any, |(_, language)| *language)
}

impl Shell<'_> {
    /// Notes what the texts of a client lose.
    pub(super) fn queries(&mut self, program: &Program, name: &str, arguments: &ParsedArguments, env: &[(String, Word)], stdin: &Stdin, at: usize) {
        let Some(client) = program.details().query else { return };
        let given = |names: &[&str]| names.iter().any(|name| arguments.has(name));
        if given(&client.nothing) {
            return;
        }
        let query = self.addressed(&client, name, arguments, env);
        for line in &client.loses {
            let Some((what, option)) = line.split_once(' ') else { continue };
            let loses = query_reader::LossKind::NAMES.iter().find(|(known, _)| *known == what).map_or("unknown", |(known, _)| *known);
            let operand = arguments.operands.first().is_some_and(|first| first.is(option));
            if option == "*" || arguments.has(option) || operand {
                self.push(Deed::Query(Box::new(Query { loses, ..query.clone() })), Some(at));
            }
        }
        if client.language.is_empty() {
            return;
        }
        if client.file && arguments.operands.first().is_some_and(|file| file.is(":memory:")) {
            return;
        }
        let mut stored = false;
        let mut texts = Vec::new();
        for (_, file) in env.iter().filter(|(name, _)| client.starts_with.contains(&name.as_str())) {
            texts.extend(self.query_file(file, &mut stored).map(|text| (Source::Input, text)));
        }
        let argument = if client.input { Source::Input } else { Source::Argument };
        let mut named = false;
        for (role, word) in &arguments.roles {
            match role {
                Role::Commands | Role::Code => {
                    named = true;
                    texts.push((argument, marked(word)));
                }
                Role::Queries | Role::Script if word.is("-") => {
                    named = true;
                    texts.extend(self.on_stdin(stdin, &mut stored).map(|text| (Source::Input, text)));
                }
                Role::Queries | Role::Script => {
                    named = true;
                    let source = if client.language == "mongodb" { Source::Argument } else { Source::Input };
                    texts.extend(self.query_file(word, &mut stored).map(|text| (source, text)));
                }
                _ => {}
            }
        }
        if client.words && !arguments.operands.is_empty() {
            named = true;
            let words: Vec<String> = arguments.operands.iter().map(marked).collect();
            texts.push((Source::Argument, format!("{BETWEEN}{}", words.join(&BETWEEN.to_string()))));
        }
        if !named {
            match self.on_stdin(stdin, &mut stored) {
                Some(text) => texts.push((Source::Input, text)),
                None if stdin.connected && stdin.file.is_none() => texts.push((Source::Input, HOLE.to_string())),
                None => {}
            }
        }
        if texts.is_empty() {
            return;
        }
        self.spend(texts.iter().map(|(_, text)| text.len()).sum());
        let mut settings = QuerySettings::new(language(client.language));
        settings.one_transaction = given(&client.one);
        settings.stops = (settings.stops || given(&client.stops)) && !given(&client.continues);
        settings.lines = given(&client.lines);
        settings.read_only = given(&client.reads);
        arguments.value(client.delimiter).and_then(Word::literal).unwrap_or("").clone_into(&mut settings.delimiter);
        let set = arguments.flags.iter().filter(|flag| !client.variable.is_empty() && flag.is(client.variable));
        let pair = |word: &Word| marked(word).split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        settings.variables = set.filter_map(|flag| pair(flag.value.as_ref()?)).collect();
        let mut more = stored;
        let lost = read(&settings, &texts, &mut |file| self.query_file(&Word::lit(file), &mut more));
        if stored || more {
            self.while_stored(|shell| shell.losses(lost, &query, at));
        } else {
            self.losses(lost, &query, at);
        }
    }

    fn losses(&mut self, lost: Vec<Lost>, query: &Query, at: usize) {
        for lost in lost {
            let several = lost.name == SEVERAL;
            let deed = Deed::Query(Box::new(Query { loses: lost.what.name(), name: if several { String::new() } else { lost.name }, ..query.clone() }));
            if several {
                self.unsurely(|shell| shell.push(deed, Some(at)));
            } else {
                self.push(deed, Some(at));
            }
        }
    }

    /// The language of a database server by a word of its tool's name, as the descriptions say it.
    pub(crate) fn served_language(&self, tool: &str) -> Option<&'static str> {
        let words = tool.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let described = words.filter_map(|word| self.programs.find(&format!("database:{}", word.to_ascii_lowercase())));
        described.filter_map(|program| program.details().query).map(|client| language(client.language).name()).next()
    }

    /// A text of a tool server.
    pub(crate) fn served_query(&mut self, name: &str, text: &str, tool: &str) {
        let mut settings = QuerySettings::new(language(name));
        settings.client = false;
        settings.stops = false;
        settings.continues = true;
        let query = Query { language: settings.language.name(), program: tool.to_owned(), ..Query::default() };
        for lost in read(&settings, &[(Source::Input, text.to_owned())], &mut |_| None) {
            self.add(Deed::Query(Box::new(Query { loses: lost.what.name(), name: lost.name, ..query.clone() })));
        }
    }

    /// The text of a file, and whether it was there before the call.
    fn query_file(&mut self, file: &Word, stored: &mut bool) -> Option<String> {
        let path = self.path(file).word;
        let mut whole = String::new();
        let texts = self.texts(&path);
        for (text, was) in &texts {
            *stored |= was;
            whole.push_str(&marked(text));
        }
        (!texts.is_empty()).then_some(whole)
    }

    fn on_stdin(&mut self, stdin: &Stdin, stored: &mut bool) -> Option<String> {
        match (&stdin.text, &stdin.file) {
            (Some(text), _) => Some(marked(text)),
            (None, Some(file)) => self.query_file(&Word::lit(file.clone()), stored),
            (None, None) => None,
        }
    }

    /// Which database a call is about.
    fn addressed(&mut self, client: &QueryClient, name: &str, arguments: &ParsedArguments, env: &[(String, Word)]) -> Query {
        let value = |names: &[&str]| names.iter().find_map(|name| arguments.value(name)).cloned();
        let mut host = value(&client.host);
        let mut database = value(&client.database);
        let first = arguments.operands.first().filter(|_| !client.words && !client.file);
        let addresses: Vec<Word> = [first, database.as_ref(), host.as_ref()].into_iter().flatten().cloned().collect();
        if let Some(uri) = addresses.iter().find(|word| word.prefix().contains("://")) {
            host = Some(authority(uri)).filter(|host| !host.is(""));
            let rest = uri.prefix().split_once("://").map_or("", |(_, rest)| rest);
            database = rest.split_once('/').map(|(_, path)| Word::lit(path.split('?').next().unwrap_or("")));
        } else if let Some(text) = addresses.iter().find(|word| word.prefix().contains("host=")) {
            host = text.prefix().split_whitespace().find_map(|part| part.strip_prefix("host=")).map(Word::lit);
            database = text.prefix().split_whitespace().find_map(|part| part.strip_prefix("dbname=")).map(Word::lit);
        } else if database.is_none() {
            database = first.cloned();
        }
        if host.is_none() {
            let exported = self.state.environment();
            let set = |name: &&str| env.iter().chain(exported.iter()).rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            host = client.host_in.iter().find_map(set).map(|value| if value.prefix().contains("://") { authority(&value) } else { value });
        }
        let file = arguments.operands.first().filter(|_| client.file).map(|word| self.path(word));
        Query {
            language: language(client.language).name(),
            loses: "unknown",
            name: database.as_ref().filter(|_| !client.loses.is_empty()).and_then(Word::literal).unwrap_or("").to_lowercase(),
            program: name.to_owned(),
            host: if self.remote { None } else { host },
            database,
            file: file.filter(|_| !self.remote),
        }
    }
}

/// The host of an address.
fn authority(uri: &Word) -> Word {
    let text = uri.prefix().split_once("://").map_or(uri.prefix(), |(_, rest)| rest);
    let end = text.find(['/', '?']).unwrap_or(text.len());
    let whole = text.get(..end).unwrap_or(text);
    let host = whole.rsplit_once('@').map_or(whole, |(_, host)| host);
    let host = if host.starts_with('[') { host.split(']').next().unwrap_or(host) } else { host.split(':').next().unwrap_or(host) };
    if end == text.len() && uri.has_hole() { Word::unknown() } else { Word::lit(host.trim_start_matches('[')) }
}
