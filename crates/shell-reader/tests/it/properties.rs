//! What holds of every tree, over the texts of the other tests and texts made of them.

use shell_reader::ast::{Span, Target};
use shell_reader::parse;

use crate::nodes::{Node, script};
use crate::{mutate, texts};

/// Texts that are made; `SHELL_READER_TEXTS` is another number.
const TEXTS: u64 = 6_000;

/// The texts, and some made of them, for one shell.
fn all(zsh: bool) -> impl Iterator<Item = String> {
    let mut seeds = texts("bash.txt");
    if zsh {
        seeds.extend(texts("zsh.txt"));
    }
    let made = seeds.clone();
    let count = std::env::var("SHELL_READER_TEXTS").map_or(TEXTS, |count| count.parse().unwrap());
    seeds.into_iter().chain((0..count).map(move |number| mutate::text(number, &made, zsh)))
}

/// Does `look` for every node below `nodes`, with the span of what it is in.
fn each<'n>(nodes: &'n [Node], outer: Option<Span>, look: &mut impl FnMut(&'n Node, Option<Span>)) {
    for node in nodes {
        look(node, outer);
        each(&node.children, node.span.or(outer), look);
    }
}

#[test]
fn spans_are_in_the_text_and_in_what_they_stand_in() {
    for zsh in [false, true] {
        for text in all(zsh) {
            let nodes = script(&parse::read_as(&text, zsh).script);
            each(&nodes, None, &mut |node, outer| {
                let Some(span) = node.span else { return };
                assert!(span.start <= span.end && text.get(span.range()).is_some(), "{text:?}: {node:?}");
                let inside = outer.is_none_or(|outer| outer.start <= span.start && span.end <= outer.end);
                assert!(inside || node.apart, "{text:?} (zsh: {zsh}): {} {span:?} is not in {outer:?}", node.label);
            });
        }
    }
}

#[test]
fn what_stands_side_by_side_comes_in_order() {
    for text in all(false) {
        let nodes = script(&parse::read(&text).script);
        let mut lists: Vec<&[Node]> = vec![&nodes];
        each(&nodes, None, &mut |node, _| lists.push(&node.children));
        for list in lists {
            let kind = |node: &Node| node.label.split(' ').next().unwrap_or_default().to_owned();
            for (at, node) in list.iter().enumerate() {
                // Words and redirections can be in any order among each other; `also` repeats words.
                let next = list.iter().skip(at + 1).find(|next| kind(next) == kind(node) && next.span.is_some());
                let (Some(first), Some(second)) = (node.span, next.and_then(|next| next.span)) else { continue };
                let apart = first.end <= second.start || first.is_empty() || second.is_empty();
                assert!(apart || first == second, "{text:?}: {first:?} and {second:?}");
            }
        }
    }
}

/// Whether a part of it is elsewhere (the body of a here-document) or nowhere (behind `!`, nothing can be).
fn depends(nodes: &[Node]) -> bool {
    let mut depends = false;
    each(nodes, None, &mut |node, _| depends |= node.apart || (node.label.contains("simple") && node.span.is_none_or(Span::is_empty)));
    depends
}

/// The tree of a text without its spans.
fn shape(nodes: &[Node]) -> String {
    let mut out = String::new();
    for node in nodes {
        node.print(0, false, &mut out);
    }
    out
}

#[test]
fn the_text_of_a_command_is_read_as_the_same_command() {
    let mut commands = 0;
    for text in all(false) {
        let reading = parse::read(&text);
        if !reading.faults.is_empty() {
            continue;
        }
        for item in &reading.script.items {
            let span = item.command.span();
            let slice = text.get(span.range()).unwrap();
            let nodes = script(&shell_reader::ast::Script { items: vec![item.clone()] });
            // At the end of a text, it depends on the lines above what a backslash is.
            if slice.ends_with('\\') || depends(&nodes) {
                continue;
            }
            let again = parse::read(slice);
            assert!(again.faults.is_empty(), "{text:?}: {slice:?} {:?}", again.faults);
            let plain = |shape: String| shape.trim_start_matches("&& ").trim_start_matches("|| ").trim_start_matches("! ").replacen(" &\n", "\n", 1);
            assert_eq!(plain(shape(&nodes)), plain(shape(&script(&again.script))), "{text:?}: {slice:?}");
            commands += 1;
        }
    }
    assert!(commands > 3_000, "{commands} commands");
}

#[test]
fn the_text_of_a_word_is_read_as_the_same_word() {
    let mut words = 0;
    for text in all(false) {
        let reading = parse::read(&text);
        if !reading.faults.is_empty() {
            continue;
        }
        for item in &reading.script.items {
            let shell_reader::ast::Command::Simple(simple) = &item.command else { continue };
            // Behind these, a word may be an array.
            let takes_arrays = simple.words.first().is_some_and(|word| ["alias", "eval", "let"].iter().any(|name| word.is_text(name)));
            if takes_arrays || !simple.assigns_after.is_empty() || simple.redirects.iter().any(|redirect| matches!(redirect.to, Target::HereDocument(_))) {
                continue;
            }
            for word in simple.words.iter().skip(1) {
                let slice = text.get(word.span.range()).unwrap();
                if slice.ends_with('\\') || depends(&[crate::nodes::word("", word)]) {
                    continue;
                }
                let again = parse::read(&format!("x {slice}")).script;
                let [shell_reader::ast::Item { command: shell_reader::ast::Command::Simple(simple), .. }] = again.items.as_slice() else {
                    panic!("{text:?}: {slice:?}");
                };
                let label = |word| shape(&[crate::nodes::word("", word)]);
                assert_eq!(simple.words.get(1).map(label), Some(label(word)), "{text:?}: {slice:?}");
                words += 1;
            }
        }
    }
    assert!(words > 3_000, "{words} words");
}
