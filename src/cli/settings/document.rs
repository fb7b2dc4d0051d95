//! A settings text with the places of its parts: where the gate's handlers are, and which bytes to cut or fill.
//!
//! What is to be there is said by the parent module.

use std::collections::HashSet;
use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use serde_json::{Map, Value};

use super::SettingsMistake;
use super::layout::JsonLayout;
use clients::settings::shape::PathStep;

/// One change of a text: these bytes give way to that text.
pub(super) struct Splice {
    range: Range<usize>,
    with: String,
}

impl Splice {
    pub(super) fn applied_to(&self, text: &str) -> String {
        let mut text = text.to_owned();
        text.replace_range(self.range.clone(), &self.with);
        text
    }
}

/// An object or an array: the bytes of its brackets and of its children (of members, key and value).
pub(super) struct Container {
    range: Range<usize>,
    children: Vec<Range<usize>>,
}

impl Container {
    fn of_object(object: &ast::Object) -> Self {
        Self { range: bytes(object), children: object.properties.iter().map(bytes).collect() }
    }

    fn of_array(array: &ast::Array) -> Self {
        Self { range: bytes(array), children: array.elements.iter().map(bytes).collect() }
    }

    fn inside(&self) -> Range<usize> {
        self.range.start + 1..self.range.end.saturating_sub(1)
    }
}

/// A handler in the document, by its way from the top.
#[derive(PartialEq)]
pub(super) struct HandlerPlace {
    /// The event's name.
    pub name: String,
    event: usize,
    group: usize,
    index: usize,
    /// How many handlers are in the same group, this one included.
    siblings: usize,
    pub handler: Value,
    pub handler_at: Range<usize>,
    /// The matcher of the group.
    pub matcher: Option<Value>,
    /// Where it is; the group itself if it has none.
    pub matcher_at: Range<usize>,
}

impl HandlerPlace {
    /// Whether no other handler shares the group.
    pub(super) fn is_alone(&self) -> bool {
        self.siblings == 1
    }
}

/// A text that is JSON with an object at the top, in whose hooks no key is given twice. It is strict, or has comments.
pub(super) struct SettingsDocument<'t> {
    text: &'t str,
    value: Value,
    root: ast::Object<'t>,
    layout: JsonLayout,
}

impl<'t> SettingsDocument<'t> {
    /// Reads a text as the client does. `comments`: it accepts them.
    pub(super) fn read(text: &'t str, comments: bool) -> Result<Self, SettingsMistake> {
        if text.trim().is_empty() {
            return Err(mistake(text, 0, "the file is empty, which is not JSON", "delete it, or write `{}` into it"));
        }
        // This reader is as strict as the client; the one that knows the places need not be.
        let options = with_comments();
        let value: Value = if comments {
            jsonc_parser::parse_to_serde_value(text, &options)
                .map_err(|error| mistake(text, error.range().start, &format!("this is not JSON: {}", error.kind()), IGNORED))?
        } else {
            serde_json::from_str(text).map_err(|error| not_json(text, &error))?
        };
        let options = if comments { options } else { jsonc_parser::ParseOptions::default() };
        let parsed = jsonc_parser::parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &options);
        let root = match parsed.map(|parsed| parsed.value) {
            Ok(Some(ast::Value::Object(root))) => root,
            Ok(_) => return Err(mistake(text, 0, "the file is not a JSON object", "begin it with `{` and end it with `}`")),
            Err(error) => return Err(mistake(text, error.range().start, &error.kind().to_string(), "fix it, then run this again")),
        };
        if let Some((key, at)) = twice(&root) {
            return Err(mistake(text, at, &format!("the key `{key}` is given twice"), "keep one of the two: the client uses the last only"));
        }
        let layout = layout_of(text, &root);
        Ok(Self { text, value, root, layout })
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    pub(super) fn root(&self) -> Container {
        Container::of_object(&self.root)
    }

    pub(super) fn hooks(&self) -> Option<Container> {
        self.root.get_object("hooks").map(Container::of_object)
    }

    /// The groups of an event, where there is a list of them.
    pub(super) fn groups(&self, event: &str) -> Option<Container> {
        self.root.get_object("hooks")?.get_array(event).map(Container::of_array)
    }

    /// The handlers that are ours, on those events. What has not the form of a handler is passed over. `groups`: they are in
    /// groups, and not in the event's list itself.
    pub(super) fn places(&self, groups: bool, is_ours: &impl Fn(&Map<String, Value>) -> bool, on: impl Fn(&str) -> bool) -> Vec<HandlerPlace> {
        let mut found = Vec::new();
        let ours = |value: &ast::Value| Some(self.value_at(bytes(value))).filter(|value| value.as_object().is_some_and(is_ours));
        let events = self.root.get_object("hooks").into_iter().flat_map(|hooks| hooks.properties.iter().enumerate());
        for (event, property) in events.filter(|(_, property)| on(property.name.as_str())) {
            let name = property.name.as_str().to_owned();
            for (group, value) in elements(&property.value).iter().enumerate() {
                if !groups {
                    let at = || bytes(value);
                    found.extend(ours(value).map(|handler| HandlerPlace {
                        name: name.clone(),
                        event,
                        group,
                        index: 0,
                        siblings: 1,
                        handler,
                        handler_at: at(),
                        matcher: None,
                        matcher_at: at(),
                    }));
                    continue;
                }
                let Some(members) = value.as_object() else { continue };
                let handlers = members.get_array("hooks").map(|hooks| hooks.elements.as_slice()).unwrap_or_default();
                for (index, handler) in handlers.iter().enumerate() {
                    let Some(value_of) = ours(handler) else { continue };
                    let matcher = members.get("matcher").map(|matcher| &matcher.value);
                    found.push(HandlerPlace {
                        name: name.clone(),
                        event,
                        group,
                        index,
                        siblings: handlers.len(),
                        handler: value_of,
                        handler_at: bytes(handler),
                        matcher: matcher.map(|matcher| self.value_at(bytes(matcher))),
                        matcher_at: bytes(matcher.unwrap_or(value)),
                    });
                }
            }
        }
        found
    }

    /// Adds a child after the last one.
    pub(super) fn append(&self, container: &Container, key: Option<&str>, piece: &Value) -> Splice {
        let JsonLayout { eol, unit, .. } = &self.layout;
        if let Some(last) = container.children.last() {
            let before = container.children.iter().rev().nth(1).map_or(container.range.start + 1, |before| before.end);
            let lead = self.part(before..last.start);
            let with = match lead.rsplit_once('\n') {
                Some((_, tail)) => {
                    let indent = blanks_of(tail);
                    format!(",{eol}{indent}{}", self.layout.child(key, piece, Some(indent)))
                }
                None => format!("{}{}", self.layout.comma(), self.layout.child(key, piece, None)),
            };
            // A comment behind the last child stays with it. A line comment ends with its line, so what follows is on the next.
            let behind = self.part(last.end..container.inside().end).trim_end();
            if !behind.trim_start().is_empty() {
                let comma = with.find(|sign| sign != ',').map_or("", |at| with.get(at..).unwrap_or_default());
                let lines = if comma.starts_with(['\r', '\n']) { "" } else { eol };
                return Splice { range: last.end..last.end + behind.len(), with: format!(",{behind}{lines}{comma}") };
            }
            return Splice { range: last.end..last.end, with };
        }
        // The blank behind the bracket is our mark: the container was here, and empty. What was within stays
        // behind what we add.
        let start = container.range.start + 1;
        let in_lines = container.range == bytes(&self.root) || self.part(bytes(&self.root)).contains('\n');
        let with = if in_lines {
            let outer = self.indent_at(start);
            let inner = format!("{outer}{unit}");
            format!(" {eol}{inner}{}{eol}{outer}", self.layout.child(key, piece, Some(&inner)))
        } else {
            format!(" {}", self.layout.child(key, piece, None))
        };
        Splice { range: start..start, with }
    }

    /// Puts a value in the place of another one, in as many lines.
    pub(super) fn replace(&self, range: &Range<usize>, piece: &Value) -> Splice {
        let indent = self.part(range.clone()).contains('\n').then(|| self.indent_at(range.start));
        Splice { range: range.clone(), with: self.layout.value(piece, indent) }
    }

    /// Takes a handler out, and with it every container that then is empty and was not here before us.
    /// `None` where the whole document goes with it.
    pub(super) fn taken_out(&self, place: &HandlerPlace) -> Option<Splice> {
        let hooks_index = self.root.properties.iter().position(|property| property.name.as_str() == "hooks")?;
        let hooks = self.root.get_object("hooks")?;
        let groups = hooks.properties.get(place.event)?.value.as_array()?;
        if !place.is_alone() {
            let handlers = groups.elements.get(place.group)?.as_object()?.get_array("hooks")?;
            return self.cut(&Container::of_array(handlers), place.index);
        }
        let chain = [(Container::of_array(groups), place.group), (Container::of_object(hooks), place.event), (self.root(), hooks_index)];
        chain.iter().find_map(|(container, index)| self.cut(container, *index).or_else(|| self.emptied(container)))
    }

    /// Cuts one of several children, with the comma before it (of the first: after it). Comments around it stay.
    fn cut(&self, container: &Container, index: usize) -> Option<Splice> {
        let child = container.children.get(index)?;
        let before = index.checked_sub(1).and_then(|before| container.children.get(before));
        let (range, gap) = match before {
            Some(before) => (before.end..child.end, before.end..child.start),
            None => {
                let next = container.children.get(index + 1)?;
                (child.start..next.start, child.end..next.start)
            }
        };
        let gap = self.part(gap);
        let comma = comma_in(gap)?;
        let kept = format!("{}{}", gap.get(..comma)?, gap.get(comma + 1..)?);
        // Between two children without a comment there is nothing to keep.
        let with = match (kept.trim().is_empty(), before) {
            (true, _) => String::new(),
            (false, Some(_)) => kept.trim_end().to_owned(),
            (false, None) => kept.trim_start().to_owned(),
        };
        Some(Splice { range, with })
    }

    /// Empties a container that was here before us, so that it looks as it did; `None` without our mark.
    fn emptied(&self, container: &Container) -> Option<Splice> {
        let child = container.children.first()?;
        let inside = container.inside();
        let lead = self.part(inside.start..child.start).strip_prefix(' ')?;
        let rest = self.part(child.end..inside.end);
        let gap = if lead.is_empty() {
            rest
        } else {
            let eol = if lead.starts_with("\r\n") { "\r\n" } else { "\n" };
            // The line of the bracket may have changed since; the child's own indentation has not.
            let outer = lead.strip_prefix(eol)?.strip_suffix(self.layout.unit.as_str());
            outer.and_then(|outer| rest.strip_prefix(eol)?.strip_prefix(outer)).unwrap_or_default()
        };
        Some(Splice { with: gap.to_owned(), range: inside })
    }

    /// The byte at which the last part of a way begins that is there.
    pub(super) fn offset_of(&self, way: &[PathStep]) -> usize {
        let mut offset = self.root.range.start;
        let mut members = Some(&self.root);
        let mut items: &[ast::Value] = &[];
        for step in way {
            let found = match step {
                PathStep::Key(key) => members.and_then(|members| members.get(key)).map(|property| (property.range.start, &property.value)),
                PathStep::Index(index) => items.get(*index).map(|value| (value.range().start, value)),
            };
            let Some((start, value)) = found else { break };
            (offset, members, items) = (start, value.as_object(), elements(value));
        }
        offset
    }

    pub(super) fn mistake(&self, offset: usize, what: &str, fix: &str) -> SettingsMistake {
        mistake(self.text, offset, what, fix)
    }

    fn part(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    fn value_at(&self, range: Range<usize>) -> Value {
        jsonc_parser::parse_to_serde_value(self.part(range), &with_comments()).unwrap_or_default()
    }

    /// The blanks at the start of the line in which the byte is.
    fn indent_at(&self, offset: usize) -> &'t str {
        let before = self.part(0..offset);
        blanks_of(before.rsplit_once('\n').map_or(before, |(_, line)| line))
    }
}

fn bytes(node: &impl Ranged) -> Range<usize> {
    let range = node.range();
    range.start..range.end
}

fn elements<'v, 't>(value: &'v ast::Value<'t>) -> &'v [ast::Value<'t>] {
    value.as_array().map(|array| array.elements.as_slice()).unwrap_or_default()
}

fn blanks_of(line: &str) -> &str {
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}

/// The byte of the first comma that is in no comment.
fn comma_in(gap: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(rest) = gap.get(at..) {
        let end = if rest.starts_with("//") { "\n" } else { "*/" };
        match rest.chars().next()? {
            ',' => return Some(at),
            '/' => at += rest.get(2..)?.find(end)? + 2 + end.len(),
            other => at += other.len_utf8(),
        }
    }
    None
}

/// As clients read JSON with comments.
fn with_comments() -> jsonc_parser::ParseOptions {
    jsonc_parser::ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// What to do about a text that is not JSON.
const IGNORED: &str = "fix it: the client ignores the whole file now";

/// The first key that is twice at the top or in one object below `hooks`, and where.
fn twice(root: &ast::Object) -> Option<(String, usize)> {
    fn in_one(object: &ast::Object) -> Option<(String, usize)> {
        let mut seen = HashSet::new();
        let property = object.properties.iter().find(|property| !seen.insert(property.name.as_str()))?;
        Some((property.name.as_str().to_owned(), property.range.start))
    }
    fn below(value: &ast::Value) -> Option<(String, usize)> {
        let members = value.as_object();
        members
            .and_then(in_one)
            .or_else(|| members.into_iter().flat_map(|members| &members.properties).find_map(|property| below(&property.value)))
            .or_else(|| elements(value).iter().find_map(below))
    }
    in_one(root).or_else(|| root.get("hooks").and_then(|hooks| below(&hooks.value)))
}

fn layout_of(text: &str, root: &ast::Object) -> JsonLayout {
    let ours = JsonLayout::ours();
    let part = |range: Range<usize>| text.get(range).unwrap_or_default();
    let first = root.properties.first();
    // What the members are indented beyond the bracket of the object that holds them.
    let outer = blanks_of(part(0..root.range.start).rsplit('\n').next().unwrap_or_default());
    let inner = first.and_then(|first| part(root.range.start + 1..first.range.start).rsplit_once('\n')).map(|(_, indent)| blanks_of(indent));
    let unit = inner.map(|inner| inner.strip_prefix(outer).unwrap_or(inner));
    JsonLayout {
        eol: if text.contains("\r\n") { "\r\n" } else { ours.eol },
        unit: unit.filter(|unit| !unit.is_empty()).map_or(ours.unit, str::to_owned),
        dense: first.is_some_and(|first| part(first.name.range().end..first.value.range().start) == ":"),
    }
}

fn mistake(text: &str, offset: usize, what: &str, fix: &str) -> SettingsMistake {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    SettingsMistake { line: before.matches('\n').count() + 1, column: line.chars().count() + 1, what: what.to_owned(), fix: fix.to_owned() }
}

fn not_json(text: &str, error: &serde_json::Error) -> SettingsMistake {
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut offset = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let (before, after) = text.split_at_checked(offset).unwrap_or((text, ""));
    let is_comment = after.starts_with("//") || after.starts_with("/*") || (before.ends_with('/') && after.starts_with(['/', '*']));
    let what = if is_comment {
        "a comment, which settings files do not allow".to_owned()
    } else {
        let whole = error.to_string();
        format!("this is not JSON: {}", whole.split(" at line ").next().unwrap_or(&whole))
    };
    mistake(text, offset, &what, IGNORED)
}
