//! The figures as tables and a picture in `docs/`.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};

use super::counts::Counts;
use super::pairs::PairFigures;
use crate::workspace::root;

/// The page, and the marks between which the figures are.
const PAGE: &str = "docs/performance.md";
const BEGIN: &str = "<!-- figures: `cargo xtask bench` writes them -->";
const END: &str = "<!-- end of the figures -->";
/// The picture.
const PICTURE: &str = "docs/performance.svg";

/// A table: its head, and its rows.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = line(&head) + &line(&vec!["---".to_owned(); head.len()]);
    for row in rows {
        text += &line(row);
    }
    text
}

/// A ratio as a table shows it.
pub(crate) fn ratio(figures: &PairFigures) -> String {
    format!("{:.2}", figures.ratio)
}

/// Instructions, page faults and system calls of each call.
pub(crate) fn counted(all: &[(&str, Counts)]) -> String {
    let rows = all.iter().map(|(name, counts)| {
        let instructions = if counts.stages.is_empty() { "not counted".to_owned() } else { format!("{}k", counts.instructions() / 1000) };
        let system_calls = counts.system_calls.map_or_else(|| "not counted".to_owned(), |calls| calls.to_string());
        vec![(*name).to_owned(), instructions, counts.faults.to_string(), system_calls]
    });
    table(&["call", "instructions", "page faults", "system calls"], &rows.collect::<Vec<_>>())
}

/// Thousands of instructions of each stage.
pub(crate) fn by_stage(all: &[(&str, Counts)]) -> String {
    let stages: Vec<&str> = all.iter().flat_map(|(_, counts)| counts.stages.keys()).map(String::as_str).collect();
    let mut head = vec!["call"];
    for stage in stages {
        if !head.contains(&stage) {
            head.push(stage);
        }
    }
    let cell = |counts: &Counts, stage: &str| counts.stages.get(stage).map_or_else(String::new, |count| format!("{}k", count / 1000));
    let rows = all.iter().map(|(name, counts)| {
        let cells = head.iter().skip(1).map(|stage| cell(counts, stage));
        [(*name).to_owned()].into_iter().chain(cells).collect()
    });
    table(&head, &rows.collect::<Vec<_>>())
}

/// Writes the figures into the page.
/// Error: the page has no place for them.
pub(crate) fn write(figures: &str) -> Result<()> {
    let path = root().join(PAGE);
    let text = fs::read_to_string(&path).context(PAGE)?;
    let (front, rest) = text.split_once(BEGIN).with_context(|| format!("{PAGE} has no `{BEGIN}`"))?;
    let (_, behind) = rest.split_once(END).with_context(|| format!("{PAGE} has no `{END}`"))?;
    fs::write(&path, format!("{front}{BEGIN}\n\n{}\n\n{END}{behind}", figures.trim())).context(PAGE)
}

/// Draws the ratios: for each call a bar of each program.
/// Error: the picture cannot be written.
pub(crate) fn draw(programs: &[String], rows: &[(String, Vec<f64>)]) -> Result<()> {
    const BAR: usize = 9;
    const LEFT: usize = 210;
    const WIDTH: f64 = 560.0;
    const COLOURS: [&str; 5] = ["#1b6ca8", "#a6bddb", "#bdbdbd", "#d9b38c", "#8c8c8c"];
    let most = rows.iter().flat_map(|(_, ratios)| ratios).copied().fold(1.2, f64::max).min(4.0);
    let place = |ratio: f64| WIDTH * ratio.min(most) / most;
    let row = programs.len() * BAR + 10;
    let (mut text, top) = (String::new(), 24 + programs.len() * 14);
    for (at, program) in programs.iter().enumerate() {
        let colour = COLOURS.get(at % COLOURS.len()).unwrap_or(&"#000");
        let y = 12 + at * 14;
        writeln!(
            text,
            "<rect x=\"{LEFT}\" y=\"{y}\" width=\"10\" height=\"10\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\">{program}</text>",
            LEFT + 16,
            y + 9
        )?;
    }
    for (at, (call, ratios)) in rows.iter().enumerate() {
        let y = top + at * row;
        writeln!(text, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", LEFT - 8, y + row / 2, call.replace('`', "").replace('&', "&amp;"))?;
        for (within, ratio) in ratios.iter().enumerate() {
            let colour = COLOURS.get(within % COLOURS.len()).unwrap_or(&"#000");
            writeln!(text, "<rect x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\"/>", y + within * BAR, place(*ratio), BAR - 1)?;
        }
    }
    let height = top + rows.len() * row + 30;
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    let line = LEFT as f64 + place(1.0);
    writeln!(text, "<line x1=\"{line:.1}\" x2=\"{line:.1}\" y1=\"{}\" y2=\"{}\" stroke=\"#333\" stroke-dasharray=\"3 3\"/>", top - 6, height - 24)?;
    writeln!(text, "<text x=\"{line:.1}\" y=\"{}\" text-anchor=\"middle\">/bin/true</text>", height - 10)?;
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 {height}\" font-family=\"sans-serif\" font-size=\"12\">\n<title>What a call costs, as a ratio to starting /bin/true</title>\n<rect width=\"800\" height=\"{height}\" fill=\"#fff\"/>\n{text}</svg>\n"
    );
    fs::write(root().join(PICTURE), svg).context(PICTURE)
}
