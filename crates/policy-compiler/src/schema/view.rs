//! Values of a policy file with their places. Knows no key.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;
use toml::value::Datetime;

/// A string and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpannedText<'t> {
    pub text: &'t str,
    pub span: Range<usize>,
}

/// A value and its place: for a table its header, or the whole of an inline table.
///
/// Values of the wrong kind read as absent here: [`super::Checker`] has reported them.
#[derive(Clone, Debug)]
pub struct SpannedValue<'t> {
    pub value: &'t DeValue<'t>,
    pub span: Range<usize>,
}

impl<'t> SpannedValue<'t> {
    fn of(value: &'t Spanned<DeValue<'t>>) -> Self {
        Self { value: value.get_ref(), span: value.span() }
    }

    pub fn get(&self, key: &str) -> Option<Self> {
        if let DeValue::Table(table) = self.value { table.get(key).map(Self::of) } else { None }
    }

    pub fn text(&self, key: &str) -> Option<SpannedText<'t>> {
        self.get(key)?.as_text()
    }

    /// The string or list of strings at a key.
    pub fn texts(&self, key: &str) -> Vec<SpannedText<'t>> {
        self.get(key).map(|value| value.elements().iter().filter_map(Self::as_text).collect()).unwrap_or_default()
    }

    /// The texts of [`Self::texts`], without their places.
    pub fn words(&self, key: &str) -> Vec<&'t str> {
        self.texts(key).iter().map(|text| text.text).collect()
    }

    /// The string at a key; empty without one.
    pub fn word(&self, key: &str) -> &'t str {
        self.text(key).map_or("", |text| text.text)
    }

    /// True if the flag at a key is set.
    pub fn is(&self, key: &str) -> bool {
        self.flag(key) == Some(true)
    }

    /// `true` or `false` at a key.
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.get(key)?.value.as_bool()
    }

    /// The table or list of tables at a key.
    pub fn tables(&self, key: &str) -> Vec<Self> {
        self.get(key).map(|value| value.as_tables()).unwrap_or_default()
    }

    pub fn table(&self, key: &str) -> Option<Self> {
        self.get(key).filter(Self::is_table)
    }

    /// The keys of a table with their values, in the order of the file.
    pub fn entries(&self) -> Vec<(SpannedText<'t>, Self)> {
        let DeValue::Table(table) = self.value else { return Vec::new() };
        let mut entries: Vec<_> = table.iter().map(|(key, value)| (SpannedText { text: key.get_ref(), span: key.span() }, Self::of(value))).collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        entries
    }

    pub fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub fn as_text(&self) -> Option<SpannedText<'t>> {
        self.value.as_str().map(|text| SpannedText { text, span: self.span.clone() })
    }

    pub fn as_number(&self) -> Option<i64> {
        self.value.as_integer().and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok())
    }

    /// A number with or without a fraction.
    pub fn as_decimal(&self) -> Option<f64> {
        match self.value {
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            _ => self.as_number().and_then(|number| i32::try_from(number).ok()).map(f64::from),
        }
    }

    /// The day that it is, in days since 1970-01-01.
    pub fn as_day(&self) -> Option<i64> {
        match self.value {
            DeValue::Datetime(Datetime { date: Some(date), time: None, offset: None }) => {
                Some(policy::facts::days(i64::from(date.year), i64::from(date.month), i64::from(date.day)))
            }
            _ => None,
        }
    }

    /// The elements of a list; anything else is its own single element.
    pub fn elements(&self) -> Vec<Self> {
        if let DeValue::Array(list) = self.value { list.iter().map(Self::of).collect() } else { vec![self.clone()] }
    }

    pub fn as_tables(&self) -> Vec<Self> {
        self.elements().into_iter().filter(Self::is_table).collect()
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
