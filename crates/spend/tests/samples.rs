//! The spend of recorded transcripts, against what the server really reported. `tests/samples.jsonl` holds the lines of real
//! clients that speak of usage, without their texts: a row for each file of a session.

#![expect(clippy::unwrap_used, reason = "a sample of another form is a failure")]

use std::collections::BTreeMap;

use serde_json::Value;
use spend::{LinesBefore, TokenUsage, TranscriptForm, answer};

/// Answers, uncached input, cache read, cache write, output.
type Totals = [u64; 5];

fn totals(sample: &Value) -> Totals {
    let form = TranscriptForm::ALL.into_iter().find(|form| format!("{form:?}") == sample["form"].as_str().unwrap()).unwrap();
    let mut best: BTreeMap<String, TokenUsage> = BTreeMap::new();
    for file in sample["files"].as_array().unwrap() {
        let mut before = LinesBefore::default();
        for line in file.as_array().unwrap() {
            let Some(answer) = answer(form, &line.to_string(), &mut before) else { continue };
            let known = best.entry(answer.key).or_default();
            if answer.usage.output > known.output {
                *known = answer.usage;
            }
        }
    }
    let sum = |of: fn(&TokenUsage) -> u64| best.values().map(of).sum();
    [
        best.len() as u64,
        sum(|usage| usage.input),
        sum(|usage| usage.cache_read),
        sum(|usage| usage.cache_write + usage.cache_write_hour),
        sum(|usage| usage.output),
    ]
}

#[test]
fn each_sample_has_the_totals_that_its_transcript_can_show() {
    let mut tried = 0;
    for line in include_str!("samples.jsonl").lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        let wanted: Vec<u64> = sample["shown"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
        assert_eq!(totals(&sample).to_vec(), wanted, "{} {}", sample["form"], sample["sample"]);
        tried += 1;
    }
    assert!(tried >= 40, "{tried}");
}

#[test]
fn other_lines_are_passed_over() {
    for form in TranscriptForm::ALL {
        for line in [
            "",
            "{",
            "[]",
            "null",
            "{\"type\":\"assistant\"}",
            "{\"type\":\"assistant\",\"message\":{\"usage\":3}}",
            "{\"type\":\"usage.record\",\"usage\":{}}",
            "{\"tokens\":{}}",
        ] {
            assert_eq!(answer(form, line, &mut LinesBefore::default()), None, "{form:?} {line}");
        }
    }
}
