//! How many lines of some files a report says are covered: lcov's tracefiles and Cobertura's XML. Text in, numbers out.

use std::collections::BTreeMap;

/// Lines that could be covered, and lines that are, by file.
pub type Covered = BTreeMap<String, (usize, usize)>;

/// Reads a report. `None`: it is neither of the two.
#[must_use]
pub fn read(text: &str) -> Option<Covered> {
    if text.contains("<coverage") { Some(cobertura(text)) } else { lcov(text) }
}

/// geninfo(1): a record for each file, from `SF:` to `end_of_record`, with `DA:LINE,HITS` for each line.
fn lcov(text: &str) -> Option<Covered> {
    let mut lines: BTreeMap<String, BTreeMap<u64, bool>> = BTreeMap::new();
    let mut file = None;
    let mut records = 0;
    for line in text.lines().map(str::trim) {
        match line.split_once(':') {
            Some(("SF", path)) => file = Some(path.trim().to_owned()),
            Some(("DA", rest)) => {
                let mut numbers = rest.split(',');
                let (number, hits) = (numbers.next()?.trim().parse::<u64>(), numbers.next()?.trim().parse::<f64>());
                if let (Some(file), Ok(number), Ok(hits)) = (&file, number, hits) {
                    // The same file can be in several records, one for each run.
                    *lines.entry(file.clone()).or_default().entry(number).or_default() |= hits > 0.0;
                }
            }
            _ if line == "end_of_record" => {
                records += 1;
                file = None;
            }
            _ => {}
        }
    }
    (records > 0).then(|| counted(lines))
}

/// A `class` for each file, with a `line` for each line; methods repeat the lines of their class.
fn cobertura(text: &str) -> Covered {
    let mut lines: BTreeMap<String, BTreeMap<u64, bool>> = BTreeMap::new();
    let mut file: Option<String> = None;
    for tag in text.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        if let Some(rest) = tag.strip_prefix("class ") {
            file = attribute(rest, "filename");
        } else if tag.starts_with("/class") && !tag.starts_with("/classes") {
            file = None;
        } else if let (Some(rest), Some(file)) = (tag.strip_prefix("line "), &file) {
            let number = attribute(rest, "number").and_then(|number| number.parse().ok());
            let hits = attribute(rest, "hits").and_then(|hits| hits.parse::<u64>().ok());
            if let (Some(number), Some(hits)) = (number, hits) {
                *lines.entry(file.clone()).or_default().entry(number).or_default() |= hits > 0;
            }
        }
    }
    counted(lines)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}="))?;
    let quote = rest.chars().next().filter(|sign| matches!(sign, '"' | '\''))?;
    let value = rest.get(1..)?.split(quote).next()?;
    Some(value.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\""))
}

fn counted(lines: BTreeMap<String, BTreeMap<u64, bool>>) -> Covered {
    lines.into_iter().map(|(file, lines)| (file, (lines.len(), lines.values().filter(|hit| **hit).count()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_count_lines() {
        let lcov = "TN:\nSF:/r/src/a.js\nDA:1,1\nDA:2,0\nDA:3,5\nLF:3\nLH:2\nend_of_record\nSF:src/b.js\nDA:1,0\nend_of_record\nSF:/r/src/a.js\nDA:2,1\nend_of_record\n";
        let found = read(lcov).expect("a report");
        assert_eq!(found.get("/r/src/a.js"), Some(&(3, 3)));
        assert_eq!(found.get("src/b.js"), Some(&(1, 0)));
        let xml = "<?xml version=\"1.0\" ?>\n<coverage line-rate=\"0.5\"><sources><source>/r</source></sources><packages><package name=\".\"><classes><class name=\"a\" filename=\"src/a.py\" line-rate=\"0.5\"><methods/><lines><line number=\"1\" hits=\"1\"/><line number=\"2\" hits=\"0\" branch=\"false\"/></lines></class></classes></package></packages></coverage>";
        assert_eq!(read(xml).expect("a report").get("src/a.py"), Some(&(2, 1)));
        assert_eq!(read("no report at all"), None);
        assert_eq!(read(""), None);
    }
}
