//! Calls that send a request over HTTP, to the address and the method. Knows no host, and follows no reply.

use super::effects::{Arg, CodeCall};
use super::value::{CodeText, CodeValue};
use super::{CallEffect, CodeAction, Language, Scan};

/// Names under which functions and objects hold an address, in the order in which they count.
const ADDRESS: &[&str] = &["url", "uri", "hostname", "host", "input"];
/// Names under which a client holds the beginning of its addresses.
const BASE: &[&str] = &["base_url", "baseURL", "baseUrl", "prefixUrl", "base_uri", "url", "host"];

/// The method that a name of a function speaks of: `requests.delete`, `Net::HTTP::Delete.new`, `got.del`.
fn verb(name: &str) -> Option<&'static str> {
    const VERBS: &[(&str, &str)] = &[
        ("delete", "DELETE"),
        ("del", "DELETE"),
        ("get", "GET"),
        ("post", "POST"),
        ("put", "PUT"),
        ("patch", "PATCH"),
        ("head", "HEAD"),
        ("options", "OPTIONS"),
    ];
    name.rsplit('.').find_map(|part| VERBS.iter().find(|(verb, _)| part.eq_ignore_ascii_case(verb))).map(|(_, method)| *method)
}

/// Whether a text is an address with a host that is written out.
fn has_host(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| matches!(scheme, "http" | "https") && !rest.is_empty() && !rest.starts_with(super::HOLE))
}

/// The address of a path below a base; the path may be a whole address itself.
fn below(base: &CodeText, path: &CodeText) -> Option<String> {
    if has_host(&path.text) {
        return Some(path.text.clone());
    }
    let between = if path.text.starts_with('/') || path.text.is_empty() { "" } else { "/" };
    let base = base.text.trim_end_matches('/');
    has_host(base).then(|| format!("{base}{between}{}", path.text))
}

/// A host alone is spoken to over HTTPS.
fn whole(text: CodeText) -> CodeText {
    let bare = text.known && !text.text.contains("://") && !text.text.starts_with(['/', '.', '$']) && text.text.contains('.');
    if bare { CodeText { text: format!("https://{}", text.text), ..text } } else { text }
}

impl CodeCall<'_> {
    /// What a call makes that only makes a client: the beginning of its addresses.
    pub(super) fn client(&self) -> CodeValue {
        let named = BASE.iter().find_map(|key| self.option(key)).or_else(|| self.plain().nth(self.place)).cloned();
        match named.map(CodeValue::settled) {
            Some(CodeValue::Text(text)) => CodeValue::Client(whole(text)),
            _ => CodeValue::Client(CodeText::default()),
        }
    }

    /// The method that the arguments say; `None` if it cannot be known, and an empty one if they say nothing.
    fn said_method(&self) -> Option<String> {
        match self.option("method").or_else(|| self.option("type").filter(|_| self.effect == CallEffect::Request)) {
            Some(value) => value.literal().map(|method| method.to_ascii_uppercase()),
            None => Some(String::new()),
        }
    }

    /// The addresses that an argument or an option may be.
    fn addresses(&self, place: usize, base: &CodeText) -> Vec<String> {
        let first = self.plain().nth(place).filter(|value| !matches!(value, CodeValue::Object(_)));
        let named = || ADDRESS.iter().find_map(|key| self.option(key));
        let Some(value) = first.or_else(named) else { return Vec::new() };
        let begins = BASE.iter().take(4).find_map(|key| self.option(key)).map(|base| base.clone().into_text());
        let path = self.option("path").or_else(|| self.option("pathname")).map(|path| path.clone().into_text());
        let one = |value: CodeValue| {
            let text = value.into_text();
            match (&path, first.is_none() && self.option("url").is_none()) {
                // `{ hostname, path }`
                (Some(path), true) => below(&whole(text), path),
                _ => below(begins.as_ref().unwrap_or(base), &text),
            }
        };
        value.clone().choices().into_iter().filter_map(one).collect()
    }
}

impl Scan {
    /// A function that sends a request.
    pub(super) fn request(&mut self, call: &CodeCall<'_>, base: &CodeText) {
        let by_method = call.effect == CallEffect::RequestAs;
        let said = match call.plain().nth(call.place) {
            Some(first) if by_method && !matches!(first, CodeValue::Object(_)) => first.literal().map(|method| method.to_ascii_uppercase()),
            _ => call.said_method(),
        };
        let Some(said) = said else { return };
        let method = match verb(call.name) {
            Some(method) => method.to_owned(),
            None if !said.is_empty() => said,
            None if call.option("data").is_some() => "POST".to_owned(),
            None => "GET".to_owned(),
        };
        let second = call.place + usize::from(by_method && call.plain().count() > call.place + 1);
        for url in call.addresses(second, base) {
            self.push(CodeAction::Request { url, method: method.clone() });
        }
    }

    /// PHP: `curl_setopt($client, CURLOPT_CUSTOMREQUEST, "DELETE")`
    pub(super) fn request_option(&mut self, call: &CodeCall<'_>) {
        let mut args = call.plain();
        if let (Some(CodeValue::Client(base)), Some(CodeValue::Named(name)), Some(value)) = (args.next(), args.next(), args.next())
            && name.ends_with("CUSTOMREQUEST")
            && let Some(method) = value.literal()
            && has_host(&base.text)
        {
            self.push(CodeAction::Request { url: base.text.clone(), method: method.to_ascii_uppercase() });
        }
    }

    /// A method of a client.
    pub(super) fn client_method(&mut self, base: &CodeText, name: &str, args: &[Arg], site: usize) {
        let effect = match name {
            "request" | "fetch" | "send_request" => CallEffect::RequestAs,
            _ if verb(name).is_some() => CallEffect::Request,
            _ => return,
        };
        self.request(&CodeCall { name, effect, place: 0, args, site }, base);
    }

    /// A method of something that is not known, with a whole address: `session.delete("https://…")`. Collections of
    /// JavaScript have a method of this name too.
    pub(super) fn unknown_client(&mut self, name: &str, args: &[Arg], site: usize) {
        let languages = matches!(self.language, Language::Python | Language::Ruby | Language::Perl | Language::Php);
        if languages && name.eq_ignore_ascii_case("delete") {
            self.client_method(&CodeText::default(), name, args, site);
        }
    }
}
