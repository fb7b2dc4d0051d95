//! What is said of a form of secrets that begins with a mark of their provider. The forms are data.

use super::Confidence;

/// What the part behind the mark is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    /// `0-9 a-f`
    Hex,
    /// `A-Z 2-7`, the alphabet of base 32.
    Base32,
    /// `0-9 A-Z a-z`
    Alnum,
    /// `0-9 A-Z`
    Upper,
    /// As `Alnum`, with `_` and `-`: base 64 for addresses.
    Url,
    /// As `Url`, with `.`
    Dotted,
}

/// What must be true of the part behind the mark beside its letters and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// It looks like chance.
    Chance,
    /// Its last six characters are the CRC-32 of the rest in base 62. The provider documents this, so a text with another checksum is not a key.
    Crc,
    /// As `Crc`, but what fails is only less certain: the rule is known for a part of the provider's tokens.
    MaybeCrc,
    /// It holds this text, and looks like chance.
    Holds(&'static str),
}

/// A form.
#[derive(Clone, Copy, Debug)]
pub(super) struct SecretFormat {
    /// What it is, for messages: `a … `.
    pub(super) kind: &'static str,
    pub(super) mark: &'static str,
    pub(super) letters: Letters,
    /// Bytes behind the mark: at least and at most.
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) check: Check,
    pub(super) confidence: Confidence,
}

/// The forms, from `policies/secret-formats.txt`; of two that fit, the first counts.
pub(super) static FORMATS: &[SecretFormat] = include!(concat!(env!("OUT_DIR"), "/formats.rs"));
