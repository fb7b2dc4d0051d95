//! Values of a policy file with their places. Knows no key.

use std::ops::Range;

use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

/// A string and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'t> {
    /// The string.
    pub text: &'t str,
    /// Where it stands.
    pub span: Range<usize>,
}

/// A table and where it stands.
#[derive(Clone, Debug)]
pub struct View<'t> {
    /// The table.
    pub table: &'t DeTable<'t>,
    /// Its header, or the whole of an inline table.
    pub span: Range<usize>,
}

/// Values of the wrong kind read as absent here: [`super::Checker`] has reported them.
impl<'t> View<'t> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value<'t>> {
        self.table.get(key).map(|value| Value { value: value.get_ref(), span: value.span() })
    }

    /// A string.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Text<'t>> {
        self.get(key)?.text()
    }

    /// A string or a list of strings.
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<Text<'t>> {
        self.get(key).map(|value| value.elements().iter().filter_map(Value::text).collect()).unwrap_or_default()
    }

    /// `true` or `false`.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)?.value {
            DeValue::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }

    /// An integer.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<i64> {
        self.get(key)?.number()
    }

    /// A table or a list of tables.
    #[must_use]
    pub fn tables(&self, key: &str) -> Vec<Self> {
        self.get(key).map(|value| value.tables()).unwrap_or_default()
    }

    /// A table.
    #[must_use]
    pub fn table(&self, key: &str) -> Option<Self> {
        self.get(key)?.table()
    }

    /// All keys with their values, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> Vec<(Text<'t>, Value<'t>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| (Text { text: key.get_ref(), span: key.span() }, Value { value: value.get_ref(), span: value.span() }))
            .collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        entries
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Value<'t> {
    /// The value.
    pub value: &'t DeValue<'t>,
    /// Where it stands.
    pub span: Range<usize>,
}

impl<'t> Value<'t> {
    /// The string that it is.
    #[must_use]
    pub fn text(&self) -> Option<Text<'t>> {
        match self.value {
            DeValue::String(text) => Some(Text { text, span: self.span.clone() }),
            _ => None,
        }
    }

    /// The integer that it is.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self.value {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
    }

    /// The table that it is.
    #[must_use]
    pub fn table(&self) -> Option<View<'t>> {
        match self.value {
            DeValue::Table(table) => Some(View { table, span: self.span.clone() }),
            _ => None,
        }
    }

    /// The day that it is, in days since 1970-01-01.
    #[must_use]
    pub fn day(&self) -> Option<i64> {
        match self.value {
            DeValue::Datetime(Datetime { date: Some(date), time: None, offset: None }) => {
                Some(days(i64::from(date.year), i64::from(date.month), i64::from(date.day)))
            }
            _ => None,
        }
    }

    /// The elements of a list; anything else is its own single element.
    #[must_use]
    pub fn elements(&self) -> Vec<Self> {
        match self.value {
            DeValue::Array(list) => list.iter().map(|value| Self { value: value.get_ref(), span: value.span() }).collect(),
            _ => vec![self.clone()],
        }
    }

    /// The tables that it is.
    #[must_use]
    pub fn tables(&self) -> Vec<View<'t>> {
        self.elements().iter().filter_map(Self::table).collect()
    }

    /// What kind of value it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }
}

/// Days since 1970-01-01 of a day of the Gregorian calendar, by counting in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::days;

    #[test]
    fn days_are_counted_from_1970() {
        for (day, expected) in [((1970, 1, 1), 0), ((1969, 12, 31), -1), ((2000, 2, 29), 11_016), ((2027, 3, 31), 20_908), ((2100, 3, 1), 47_541)] {
            assert_eq!(days(day.0, day.1, day.2), expected, "{day:?}");
        }
    }
}
