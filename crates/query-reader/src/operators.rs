//! Operators of conditions, patterns and numbers that are written out.

use crate::lex::{SqlTokenKind, Token};

/// The number that these words are.
pub(crate) fn number(tokens: &[Token]) -> Option<f64> {
    match tokens {
        [one] if one.kind == SqlTokenKind::Number || one.kind == SqlTokenKind::Text => one.text.trim().parse().ok(),
        [sign, one] if sign.sign("-") && one.kind == SqlTokenKind::Number => one.text.parse::<f64>().ok().map(|number| -number),
        _ => None,
    }
}

pub(crate) fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    text.get(..end).and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

/// Whether a pattern fits every text.
pub(crate) fn wide(pattern: &str, operator: &str) -> bool {
    match operator {
        "GLOB" => !pattern.is_empty() && pattern.chars().all(|c| c == '*'),
        "REGEXP" | "RLIKE" | "~" | "~*" => matches!(pattern, "" | "." | ".*" | ".+" | "^" | "$" | "^.*$" | "^.*" | ".*$" | "^.+$" | "()"),
        _ => !pattern.is_empty() && pattern.chars().all(|c| c == '%'),
    }
}

pub(crate) fn plain(operator: &str) -> &'static str {
    match operator {
        "=" | "==" => "=",
        "<=>" => "<=>",
        "<=" => "<=",
        ">=" => ">=",
        "<" => "<",
        ">" => ">",
        _ => "<>",
    }
}

pub(crate) fn negation(operator: &str) -> &'static str {
    match operator {
        "=" | "<=>" => "<>",
        "<>" => "=",
        "<" => ">=",
        ">=" => "<",
        ">" => "<=",
        _ => ">",
    }
}

pub(crate) fn turned(operator: &'static str) -> &'static str {
    match operator {
        "<" => ">",
        ">" => "<",
        "<=" => ">=",
        ">=" => "<=",
        other => other,
    }
}
