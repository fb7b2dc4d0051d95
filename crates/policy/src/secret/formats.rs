//! The forms of secrets that begin with a mark of their provider, as data. Sources: the providers' documentation, and what
//! their own secret scanners name.

use super::Confidence::{self, Certain, Likely};

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

const fn form(kind: &'static str, mark: &'static str, letters: Letters, least: usize, most: usize) -> SecretFormat {
    SecretFormat { kind, mark, letters, least, most, check: Check::Chance, confidence: Certain }
}

const fn checked(kind: &'static str, mark: &'static str, letters: Letters, least: usize, most: usize, check: Check) -> SecretFormat {
    SecretFormat { kind, mark, letters, least, most, check, confidence: Certain }
}

const fn likely(kind: &'static str, mark: &'static str, letters: Letters, least: usize, most: usize) -> SecretFormat {
    SecretFormat { kind, mark, letters, least, most, check: Check::Chance, confidence: Likely }
}

use Letters::{Alnum, Base32, Dotted, Hex, Upper, Url};

/// The forms; of two that fit, the first counts.
pub(super) static FORMATS: &[SecretFormat] = &[
    form("age key", "AGE-SECRET-KEY-1", Upper, 58, 58),
    form("Airtable token", "pat", Dotted, 79, 79),
    form("Alibaba access key", "LTAI", Alnum, 20, 20),
    form("Anthropic key", "sk-ant-", Url, 80, 120),
    form("Atlassian token", "ATATT3", Url, 160, 220),
    form("AWS access key", "AKIA", Base32, 16, 16),
    form("AWS access key", "ASIA", Base32, 16, 16),
    form("Buildkite token", "bkua_", Hex, 40, 40),
    form("CircleCI token", "CCIPAT_", Url, 40, 90),
    form("Clojars token", "CLOJARS_", Hex, 60, 60),
    form("Databricks token", "dapi", Hex, 32, 34),
    form("DigitalOcean token", "dop_v1_", Hex, 64, 64),
    form("DigitalOcean token", "doo_v1_", Hex, 64, 64),
    form("DigitalOcean token", "dor_v1_", Hex, 64, 64),
    form("Docker Hub token", "dckr_pat_", Url, 24, 40),
    form("Doppler token", "dp.pt.", Alnum, 40, 44),
    form("Doppler token", "dp.st.", Dotted, 40, 80),
    form("Dropbox token", "sl.", Url, 130, 200),
    form("EasyPost key", "EZAK", Alnum, 54, 54),
    form("Figma token", "figd_", Url, 38, 48),
    form("Fly.io token", "fo1_", Url, 40, 50),
    checked("GitHub token", "ghp_", Alnum, 36, 36, Check::Crc),
    checked("GitHub token", "gho_", Alnum, 36, 36, Check::Crc),
    checked("GitHub token", "ghu_", Alnum, 36, 36, Check::Crc),
    checked("GitHub token", "ghs_", Alnum, 36, 36, Check::Crc),
    checked("GitHub token", "ghr_", Alnum, 36, 76, Check::MaybeCrc),
    form("GitHub token", "github_pat_", Url, 82, 82),
    form("GitLab token", "glpat-", Dotted, 20, 60),
    form("GitLab token", "gldt-", Url, 20, 30),
    form("GitLab token", "glrt-", Dotted, 20, 60),
    form("GitLab token", "glptt-", Hex, 40, 40),
    form("GitLab token", "glcbt-", Url, 20, 40),
    form("GitLab token", "gloas-", Hex, 64, 64),
    form("GitLab token", "glagent-", Url, 50, 60),
    form("Google key", "AIza", Url, 35, 35),
    form("Google client secret", "GOCSPX-", Url, 28, 28),
    likely("Google access token", "ya29.", Url, 60, 300),
    form("Grafana token", "glsa_", Url, 41, 41),
    form("Grafana token", "glc_", Alnum, 60, 400),
    form("Groq key", "gsk_", Alnum, 52, 52),
    form("Vault token", "hvs.", Url, 24, 130),
    form("Vault token", "hvb.", Url, 90, 300),
    form("Hugging Face token", "hf_", Alnum, 34, 37),
    likely("JSON web token", "eyJ", Dotted, 40, 4096),
    form("Linear key", "lin_api_", Alnum, 40, 40),
    likely("Mailgun key", "key-", Hex, 32, 32),
    form("Netlify token", "nfp_", Alnum, 36, 40),
    form("New Relic key", "NRAK-", Upper, 27, 27),
    form("Notion token", "ntn_", Alnum, 46, 46),
    checked("npm token", "npm_", Alnum, 36, 36, Check::MaybeCrc),
    form("NuGet key", "oy2", Alnum, 43, 43),
    form("1Password token", "ops_eyJ", Url, 250, 4096),
    form("OpenAI key", "sk-proj-", Url, 40, 200),
    form("OpenAI key", "sk-svcacct-", Url, 40, 200),
    form("OpenAI key", "sk-admin-", Url, 40, 200),
    form("OpenRouter key", "sk-or-v1-", Hex, 64, 64),
    checked("OpenAI key", "sk-", Alnum, 48, 48, Check::Holds("T3BlbkFJ")),
    form("Perplexity key", "pplx-", Alnum, 40, 60),
    form("PlanetScale password", "pscale_pw_", Dotted, 32, 64),
    form("PlanetScale token", "pscale_tkn_", Dotted, 32, 64),
    form("Postman key", "PMAK-", Url, 59, 59),
    form("Prefect key", "pnu_", Alnum, 36, 36),
    form("Pulumi token", "pul-", Hex, 40, 40),
    form("PyPI token", "pypi-AgE", Url, 80, 400),
    form("Replicate token", "r8_", Alnum, 37, 37),
    form("RubyGems key", "rubygems_", Hex, 48, 48),
    form("SendGrid key", "SG.", Dotted, 66, 66),
    form("Sentry token", "sntryu_", Hex, 64, 64),
    form("Shippo key", "shippo_live_", Hex, 40, 40),
    form("Shopify token", "shpat_", Hex, 32, 32),
    form("Shopify token", "shpca_", Hex, 32, 32),
    form("Shopify token", "shppa_", Hex, 32, 32),
    form("Shopify secret", "shpss_", Hex, 32, 32),
    form("Slack token", "xoxb-", Url, 24, 90),
    form("Slack token", "xoxp-", Url, 24, 100),
    form("Slack token", "xoxa-", Url, 24, 100),
    form("Slack token", "xoxr-", Url, 24, 100),
    form("Slack token", "xoxs-", Url, 24, 100),
    form("Slack token", "xoxe.", Dotted, 60, 300),
    form("Slack token", "xapp-", Url, 40, 130),
    form("Square token", "sq0atp-", Url, 22, 22),
    form("Square secret", "sq0csp-", Url, 43, 43),
    form("Stripe key", "sk_live_", Alnum, 16, 250),
    form("Stripe key", "rk_live_", Alnum, 16, 250),
    likely("Stripe webhook secret", "whsec_", Alnum, 32, 64),
    form("Supabase token", "sbp_", Hex, 40, 40),
    form("Supabase key", "sb_secret_", Url, 30, 50),
    form("Tailscale key", "tskey-", Url, 20, 70),
    likely("Twilio key", "SK", Hex, 32, 32),
    form("xAI key", "xai-", Alnum, 60, 90),
];
