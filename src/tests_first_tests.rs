//! Tests of `tests_first`.
