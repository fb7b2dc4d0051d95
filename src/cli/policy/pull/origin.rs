//! Where an organisation's policy comes from, and by what it is known: `source.toml` beside the policy. Only the owner of that
//! folder can write it, so neither a project nor what is pulled changes it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use gate::world::system;
use serde::Deserialize;

use crate::approval::signers::trusted_text;

/// The file, beside the policy.
pub const FILE: &str = "source.toml";
/// The version of its form.
const SCHEMA: u32 = 1;
/// What a digest begins with.
const DIGEST: &str = "sha256:";
/// The digits of one.
const DIGITS: usize = 64;
/// The file in a repository where the address names none.
const USUAL_FILE: &str = "portcullis.toml";

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginFile {
    schema: u32,
    source: String,
    branch: Option<String>,
    digest: Option<String>,
    signers: Option<PathBuf>,
}

/// Where the policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyOrigin {
    pub address: PolicyAddress,
    /// As it is written.
    pub shown: String,
    pub pin: PolicyPin,
}

/// By what the policy is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyPin {
    /// The SHA-256 of its bytes, in hexadecimal digits.
    Digest(String),
    /// A signature of a key in this file.
    Signers(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyAddress {
    File(PathBuf),
    /// `https://…`
    Web(String),
    /// A repository, the branch or tag, and the file in it.
    Git {
        repository: String,
        branch: Option<String>,
        path: String,
    },
}

impl PolicyOrigin {
    /// Reads the file in a folder. `from` is an address in the place of the one that it names; what the policy is known by stays.
    ///
    /// # Errors
    ///
    /// It is missing, others can change it, or it has a mistake.
    pub fn read(folder: &Path, from: Option<&str>) -> Result<Self, String> {
        let path = folder.join(FILE);
        only_owners(folder)?;
        let text = trusted_text(&path, "a file that says where the policy comes from")?;
        let shown = path.display();
        let file: OriginFile = toml::from_str(&text).map_err(|error| format!("`{shown}`: {}", error.to_string().trim_end()))?;
        if file.schema != SCHEMA {
            return Err(format!("`{shown}`: this schema is not known to this version; write `schema = {SCHEMA}`"));
        }
        let pin = match (file.digest, file.signers) {
            (Some(digest), None) => {
                let digits = digest.strip_prefix(DIGEST).filter(|digits| digits.len() == DIGITS && digits.bytes().all(|sign| sign.is_ascii_hexdigit()));
                PolicyPin::Digest(digits.ok_or_else(|| format!("`{shown}`: `digest` is not `{DIGEST}` and {DIGITS} hexadecimal digits"))?.to_ascii_lowercase())
            }
            (None, Some(signers)) if signers.is_absolute() => PolicyPin::Signers(signers),
            (None, Some(_)) => return Err(format!("`{shown}`: `signers` is not a full path")),
            _ => return Err(format!("`{shown}`: write either `digest` or `signers`; without one anybody on the way could send a policy")),
        };
        let address = from.unwrap_or(&file.source);
        Ok(Self { address: PolicyAddress::read(address, file.branch)?, shown: address.to_owned(), pin })
    }
}

/// That nobody but its owner can put files into a folder.
fn only_owners(folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    let found = fs::metadata(folder).map_err(|error| format!("`{shown}`: {error}"))?;
    if found.mode() & 0o022 != 0 || (found.uid() != system::user() && found.uid() != 0) {
        return Err(format!("files can be put into `{shown}` by others (`chmod go-w` it)"));
    }
    Ok(())
}

impl PolicyAddress {
    /// Reads an address: `git+ADDRESS#FILE`, `https://…` or a full path.
    ///
    /// # Errors
    ///
    /// It has another form, or it holds a password.
    pub fn read(text: &str, branch: Option<String>) -> Result<Self, String> {
        if text.chars().any(|sign| sign.is_control() || sign == ' ') {
            return Err("the address has a blank or a control character".to_owned());
        }
        let host = text.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
        if host.split_once('@').is_some_and(|(person, _)| person.contains(':') || text.contains("http")) {
            return Err("the address holds a name or a password; use an SSH key that may only read, or an address that needs none".to_owned());
        }
        if let Some(rest) = text.strip_prefix("git+") {
            let (repository, path) = rest.split_once('#').unwrap_or((rest, USUAL_FILE));
            let inside = !path.is_empty() && !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
            if repository.is_empty() || repository.starts_with('-') || repository.contains("::") || !inside {
                return Err("write it like `git+https://HOST/policies.git#FOLDER/portcullis.toml`".to_owned());
            }
            if branch.as_ref().is_some_and(|branch| branch.is_empty() || branch.starts_with('-')) {
                return Err("`branch` is no name of a branch or a tag".to_owned());
            }
            return Ok(Self::Git { repository: repository.to_owned(), branch, path: path.to_owned() });
        }
        match text {
            _ if text.starts_with("https://") => Ok(Self::Web(text.to_owned())),
            _ if text.starts_with('/') => Ok(Self::File(PathBuf::from(text))),
            _ => Err("an address is `git+ADDRESS#FILE`, `https://…` or a full path".to_owned()),
        }
    }
}
