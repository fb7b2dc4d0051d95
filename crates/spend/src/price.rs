//! What tokens cost: published list prices, as data with a date.

use super::TokenUsage;

/// The day on which the prices were looked up.
pub const PRICED_ON: &str = "2026-11-29";

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// What the model's name contains.
    pub model: &'static str,
    pub input: f64,
    pub cache_read: f64,
    pub cache_write: f64,
    pub cache_write_hour: f64,
    pub output: f64,
}

const fn priced(model: &'static str, input: f64, cache_read: f64, cache_write: f64, cache_write_hour: f64, output: f64) -> Price {
    Price { model, input, cache_read, cache_write, cache_write_hour, output }
}

/// The first whose name is in the model's counts, so longer names are in front of shorter ones.
const PRICES: &[Price] = &[
    // Solved from what Claude Code 2.1.332 itself reckons.
    priced("claude-opus-5-5", 4.0, 0.20, 5.0, 8.0, 20.0),
    // List prices of the vendors for models of 2025.
    priced("claude-opus-4-5", 5.0, 0.50, 6.25, 10.0, 25.0),
    priced("claude-opus-4", 15.0, 1.50, 18.75, 30.0, 75.0),
    priced("claude-sonnet-4", 3.0, 0.30, 3.75, 6.0, 15.0),
    priced("claude-haiku-4", 1.0, 0.10, 1.25, 2.0, 5.0),
    priced("gpt-5-mini", 0.25, 0.025, 0.25, 0.25, 2.0),
    priced("gpt-5-nano", 0.05, 0.005, 0.05, 0.05, 0.40),
    priced("gpt-5", 1.25, 0.125, 1.25, 1.25, 10.0),
    priced("gemini-2.5-flash", 0.30, 0.075, 0.30, 0.30, 2.50),
    priced("gemini-2.5-pro", 1.25, 0.31, 1.25, 1.25, 10.0),
];

/// The price of a model, and whether it is known. One that is not known costs as the dearest that is.
#[must_use]
pub fn price_of(model: &str) -> (Price, bool) {
    let known = PRICES.iter().find(|price| model.contains(price.model));
    let dearest = || PRICES.iter().copied().reduce(|one, other| if other.output > one.output { other } else { one });
    match known {
        Some(price) => (*price, true),
        None => (dearest().unwrap_or(priced("", 0.0, 0.0, 0.0, 0.0, 0.0)), false),
    }
}

/// What an answer costs, in millionths of a US dollar, rounded up.
#[must_use]
pub fn cost(usage: &TokenUsage, price: &Price) -> u64 {
    let parts = [
        (usage.input, price.input),
        (usage.cache_read, price.cache_read),
        (usage.cache_write, price.cache_write),
        (usage.cache_write_hour, price.cache_write_hour),
        (usage.output, price.output),
    ];
    // Dollars for a million tokens are millionths of a dollar for one.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "tokens are far below 2^53, and prices are positive"
    )]
    let micro = parts.iter().map(|(tokens, price)| *tokens as f64 * price).sum::<f64>().ceil().max(0.0) as u64;
    micro
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_costs_what_its_client_reckons() {
        // Two answers that Claude Code 2.1.332 priced at 0.5492504 USD.
        let (price, known) = price_of("claude-opus-5-5");
        let both = TokenUsage { input: 4028, cache_read: 60_042, cache_write: 8_010, cache_write_hour: 10_020, output: 20_046 };
        assert_eq!((cost(&both, &price), known), (549_251, true));
    }

    #[test]
    fn a_model_of_no_known_price_costs_as_the_dearest() {
        let (price, known) = price_of("house-model");
        assert!(!known && PRICES.iter().all(|other| other.output <= price.output && other.input <= price.input));
    }
}
