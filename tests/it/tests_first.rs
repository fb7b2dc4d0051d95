//! Tests first, by small projects of many ecosystems laid out as their documentation says (`tests/ecosystems/*.toml`).
