//! Lines in the forms that other programs read.

use super::*;

#[test]
fn a_cell_is_no_formula_and_ends_where_it_should() {
    for (text, cell) in
        [("a", "a"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("=1+1", "'=1+1"), ("-5", "-5"), ("-rf", "'-rf"), ("@x,y", "\"'@x,y\"")]
    {
        assert_eq!(csv_cell(text), cell);
    }
}

#[test]
fn the_columns_are_the_fields() {
    let entry = Entry {
        tier: Some(4),
        held: Some(Held::Deny),
        tool: "Bash".to_owned(),
        what: "git push --force".to_owned(),
        input: Some(1),
        exit: Some(-1),
        ..Entry::new("PreToolUse", RecordSource::Hot, 5)
    };
    let line = ExportLine::read(entry.line().trim_end(), "r").unwrap();
    assert!(line.fields().iter().all(|(key, _)| COLUMNS.contains(key)));
    assert_eq!(line.csv().split(',').count(), COLUMNS.len());
    let event = line.ocsf();
    assert_eq!(
        (event["type_uid"].as_i64(), event["disposition"].as_str(), event["metadata"]["uid"].as_str()),
        (Some(600_399), Some("Blocked"), Some(line.id.as_str()))
    );
    assert_eq!(line.words(), "denied Bash: git push --force");
}
