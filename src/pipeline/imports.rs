//! Whether what sources import is in the manifest of their project: Python, JavaScript and TypeScript, Rust. Text in, names out.
//!
//! What is not read: imports that are computed, and names of packages that differ from what is imported and are in no list
//! below. Where a name could be a module of the project itself, it is one.

use std::collections::BTreeSet;

use ::tests_first::layout::extension;

/// A language of sources, with the manifests that may name what they import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportLanguage {
    Python,
    JavaScript,
    Rust,
}

/// Modules of Python's own library that are imported often. Others are in [`PYTHON_MORE`].
const PYTHON: &str = "__future__ abc argparse array ast asyncio atexit base64 bdb binascii bisect builtins bz2 calendar cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg csv ctypes curses dataclasses datetime dbm decimal difflib dis doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma mailbox marshal math mimetypes mmap modulefinder msvcrt multiprocessing netrc numbers operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix pprint profile pstats pty pwd py_compile pyclbr pydoc queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtplib socket socketserver sqlite3 ssl stat statistics string stringprep struct subprocess symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle types typing unicodedata unittest urllib uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo";
/// Modules that were removed from it, or are internal.
const PYTHON_MORE: &str = "_thread aifc asynchat asyncore audioop cgi cgitb chunk crypt distutils imghdr imp mailcap msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau test uu";
/// Python packages whose names are not those that are imported.
const PYTHON_NAMES: &[(&str, &str)] = &[
    ("yaml", "pyyaml"),
    ("PIL", "pillow"),
    ("cv2", "opencv-python"),
    ("sklearn", "scikit-learn"),
    ("bs4", "beautifulsoup4"),
    ("dotenv", "python-dotenv"),
    ("dateutil", "python-dateutil"),
    ("jwt", "pyjwt"),
    ("jose", "python-jose"),
    ("google", "google-"),
    ("attr", "attrs"),
    ("magic", "python-magic"),
    ("OpenSSL", "pyopenssl"),
    ("Crypto", "pycryptodome"),
    ("psycopg2", "psycopg2"),
    ("MySQLdb", "mysqlclient"),
    ("serial", "pyserial"),
    ("docx", "python-docx"),
    ("pkg_resources", "setuptools"),
    ("multipart", "python-multipart"),
    ("websocket", "websocket-client"),
    ("telegram", "python-telegram-bot"),
    ("slugify", "python-slugify"),
    ("git", "gitpython"),
    ("github", "pygithub"),
    ("usb", "pyusb"),
    ("win32api", "pywin32"),
    ("kafka", "kafka-python"),
    ("ldap", "python-ldap"),
    ("rest_framework", "djangorestframework"),
    ("corsheaders", "django-cors-headers"),
    ("environ", "django-environ"),
];
/// Modules of Node's own.
const NODE: &str = "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib test bun";
/// Crates that need no manifest, and words with which paths begin.
const RUST: &str = "std core alloc proc_macro test crate self super Self";

impl ImportLanguage {
    /// The language of a source, by the end of its name.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        match extension(path) {
            "py" => Some(Self::Python),
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" => Some(Self::JavaScript),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }

    /// The names of the manifests, of which any in the folder of the source or above it may name an import.
    #[must_use]
    pub fn manifests(self) -> &'static [&'static str] {
        match self {
            Self::Python => &[
                "pyproject.toml",
                "requirements.txt",
                "requirements-dev.txt",
                "requirements/base.txt",
                "requirements/dev.txt",
                "setup.cfg",
                "setup.py",
                "Pipfile",
                "environment.yml",
            ],
            Self::JavaScript => &["package.json"],
            Self::Rust => &["Cargo.toml"],
        }
    }

    /// What a source imports from packages, each once.
    #[must_use]
    pub fn imported(self, text: &str) -> BTreeSet<String> {
        match self {
            Self::Python => python(text),
            Self::JavaScript => javascript(text),
            Self::Rust => rust(text),
        }
    }

    /// Whether a manifest names what is imported.
    #[must_use]
    pub fn names(self, manifest: &str, import: &str) -> bool {
        let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
        match self {
            Self::Python => {
                let text = plain(manifest);
                let wanted = PYTHON_NAMES.iter().find(|(module, _)| *module == import).map(|(_, package)| *package);
                [Some(plain(import)), wanted.map(str::to_owned)].into_iter().flatten().any(|name| is_word(&text, &name))
            }
            Self::JavaScript => {
                let Ok(json) = serde_json::from_str::<serde_json::Value>(manifest) else { return false };
                let lists = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "imports"];
                let has = |name: &str| lists.iter().any(|list| json.get(list).and_then(|list| list.get(name)).is_some());
                let types = format!("@types/{}", import.trim_start_matches('@').replace('/', "__"));
                has(import) || has(&types) || json.get("name").and_then(|name| name.as_str()) == Some(import)
            }
            Self::Rust => {
                let Ok(table) = manifest.parse::<toml::Table>() else { return false };
                rust_names(&table).contains(&import.replace('-', "_"))
            }
        }
    }
}

fn listed(list: &str, name: &str) -> bool {
    list.split(' ').any(|known| known == name)
}

/// Whether a name is in a text and is no part of a longer one. One that ends in a dash is the beginning of a longer one.
fn is_word(text: &str, name: &str) -> bool {
    let inner = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|front| front.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|rest| rest.chars().next());
        before.is_none_or(|sign| !inner(sign)) && (name.ends_with('-') || after.is_none_or(|sign| !inner(sign)))
    })
}

fn python(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut quoted: Option<&str> = None;
    for line in text.lines() {
        let line = line.trim();
        // Lines within a text of several lines are no code.
        for mark in ["\"\"\"", "'''"] {
            let times = line.matches(mark).count();
            match quoted {
                Some(open) if open == mark && times % 2 == 1 => quoted = None,
                None if times % 2 == 1 => quoted = Some(mark),
                _ => {}
            }
        }
        if quoted.is_some() {
            continue;
        }
        let modules: Vec<&str> = if let Some(rest) = line.strip_prefix("import ") {
            rest.split('#').next().unwrap_or_default().split(',').collect()
        } else if let Some(rest) = line.strip_prefix("from ").filter(|rest| rest.contains(" import")) {
            rest.split_whitespace().next().into_iter().collect()
        } else {
            Vec::new()
        };
        for module in modules {
            let name = module.trim().split([' ', '.', ';']).next().unwrap_or_default();
            let word = !name.is_empty() && name.chars().all(|sign| sign.is_alphanumeric() || sign == '_');
            if word && !listed(PYTHON, name) && !listed(PYTHON_MORE, name) {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

fn javascript(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut take = |specifier: &str| {
        let alone = specifier.starts_with(['.', '/', '#', '~']) || specifier.starts_with("@/") || specifier.contains(':') || specifier.is_empty();
        let parts: Vec<&str> = specifier.split('/').collect();
        let name = match parts.as_slice() {
            [scope, name, ..] if scope.starts_with('@') => format!("{scope}/{name}"),
            [name, ..] => (*name).to_owned(),
            [] => return,
        };
        if !alone && !listed(NODE, &name) {
            found.insert(name);
        }
    };
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.starts_with('*')) {
        for mark in ["from ", "from\"", "from'", "import ", "import(", "require("] {
            for (at, _) in line.match_indices(mark) {
                let starts = line
                    .get(..at)
                    .and_then(|front| front.chars().next_back())
                    .is_none_or(|sign| !sign.is_alphanumeric() && !matches!(sign, '_' | '$' | '.' | '"' | '\''));
                let rest = line.get(at + mark.trim_end_matches(['"', '\'']).len()..).unwrap_or_default().trim_start();
                let quote = rest.chars().next().filter(|sign| matches!(sign, '"' | '\''));
                if let (true, Some(quote)) = (starts, quote)
                    && let Some((specifier, _)) = rest.get(1..).and_then(|rest| rest.split_once(quote))
                {
                    take(specifier);
                }
            }
        }
    }
    found
}

fn rust(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut own: BTreeSet<String> = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
        let name = |rest: &str| rest.split(|sign: char| !sign.is_alphanumeric() && sign != '_').next().unwrap_or_default().to_owned();
        if let Some(rest) = line.strip_prefix("mod ").or_else(|| line.strip_prefix("enum ")).or_else(|| line.strip_prefix("use self::")) {
            own.insert(name(rest));
        } else if let Some(rest) = line.strip_prefix("use ").map(|rest| rest.trim_start_matches("::")).or_else(|| line.strip_prefix("extern crate ")) {
            let name = name(rest);
            if !name.is_empty()
                && !listed(RUST, &name)
                && (rest.contains("::") || rest.contains(';') || line.starts_with("extern"))
                && name.starts_with(|sign: char| sign.is_ascii_lowercase())
            {
                found.insert(name);
            }
        }
    }
    found.retain(|name| !own.contains(name));
    found
}

/// The names under which a manifest's dependencies are used, and that of its package.
fn rust_names(table: &toml::Table) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let sections = |table: &toml::Table| -> Vec<toml::Table> {
        ["dependencies", "dev-dependencies", "build-dependencies"].iter().filter_map(|name| table.get(*name)?.as_table().cloned()).collect()
    };
    let mut all = sections(table);
    let targets = table.get("target").and_then(|target| target.as_table());
    all.extend(targets.into_iter().flat_map(|targets| targets.values()).filter_map(|target| target.as_table()).flat_map(sections));
    names.extend(all.iter().flat_map(|section| section.keys()).map(|name| name.replace('-', "_")));
    for section in ["package", "lib"] {
        names.extend(table.get(section).and_then(|section| section.get("name")?.as_str()).map(|name| name.replace('-', "_")));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(language: ImportLanguage, source: &str, manifest: &str) -> Vec<String> {
        language.imported(source).into_iter().filter(|import| !language.names(manifest, import)).collect()
    }

    #[test]
    fn imports_are_compared_with_manifests() {
        let python = "import os, requests\nfrom yaml import safe_load\nimport numpy as np  # fast\nfrom . import own\nfrom .models import User\n\"\"\"\nimport nothing\n\"\"\"\nfrom google.cloud import storage\nx = 'import hidden'\n";
        assert_eq!(missing(ImportLanguage::Python, python, "requests==2\nPyYAML>=6\nnumpy\ngoogle-cloud-storage\n"), Vec::<String>::new());
        assert_eq!(missing(ImportLanguage::Python, python, "requests-toolbelt\npyyaml\nnumpy\n"), ["google", "requests"]);
        let node = "import fs from 'node:fs';\nimport path from \"path\";\nimport React, { useState } from 'react';\nimport './style.css';\nconst x = require('@scope/tool/deep');\nexport * from \"lodash/fp\";\nconst y = await import('late');\n// import z from 'remark';\nconst text = \"from 'nowhere'\";\n";
        let manifest = r#"{"dependencies":{"react":"1","@scope/tool":"1"},"devDependencies":{"lodash":"4"}}"#;
        assert_eq!(missing(ImportLanguage::JavaScript, node, manifest), ["late"]);
        let rust = "use std::fs;\nuse serde::Deserialize;\nuse tokio_util::codec;\npub use self::inner::X;\nmod inner;\nuse inner::Y;\nuse crate::z;\nuse Kind::*;\nextern crate libc;\n";
        let manifest = "[package]\nname = \"own-crate\"\n[dependencies]\nserde = \"1\"\ntokio-util = \"0.7\"\n";
        assert_eq!(missing(ImportLanguage::Rust, rust, manifest), ["libc"]);
        assert_eq!(missing(ImportLanguage::Rust, "use own_crate::a;\n", manifest), Vec::<String>::new());
    }
}
