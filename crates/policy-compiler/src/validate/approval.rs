//! Reads `[approval]`. The organisation's and the user's policy alone may have it: whoever could write it in a repository
//! could name the keys that approve what is done there.

use super::{layers::Head, when::WhenReader};
use crate::schema::SpannedValue;
use policy::section::approval::{ApprovalSection, LIFETIME, MAX_LIFETIME};
use policy::{Layer, keys, table::Key};

/// Keys of `[approval]`.
pub(crate) static APPROVAL: &[Key] = keys![may "signers": Text, may "key": Text, may "terminal": Flag, may "lifetime": Text, may "notify": Texts];

/// Values of `key`: whether only security keys count.
const KEY_KINDS: &[(&str, bool)] = &[("any", false), ("security-key", true)];

/// Reads the section of one more layer into what the layer above it says.
pub(super) fn approval<'t>(known: Option<ApprovalSection<'t>>, head: &Head<'t>, reader: &mut WhenReader<'_, 't, '_>) -> Option<ApprovalSection<'t>> {
    let Some(table) = head.document.view().table("approval") else { return known };
    let layer = head.document.layer;
    if !matches!(layer, Layer::Organisation | Layer::User) {
        let what = format!("`[approval]` is not allowed in the {} layer, because it says who may approve", layer.name());
        reader.checker.mistake(&table.span, what, "put it into the policy of the organisation or of the user");
        return known;
    }
    let signers = table.text("signers");
    if let Some(text) = signers.as_ref().filter(|text| !is_whole_path(text.text)) {
        reader.checker.mistake(&text.span, format!("`{}` is not a full path", text.text), "write it like `~/.config/portcullis/allowed_signers`");
    }
    let notify = table.texts("notify");
    if let Some(program) = notify.first().filter(|program| !is_whole_path(program.text)) {
        reader.checker.mistake(
            &program.span,
            format!("the program `{}` is not a full path", program.text),
            "write it like `/usr/local/bin/notify-me`; its arguments are the other texts of the list",
        );
    }
    let security_key = table.text("key").and_then(|key| reader.checker.named(&key, KEY_KINDS, "value of `key`")).unwrap_or(false);
    let terminal = table.is("terminal");
    let seconds = lifetime(&table, reader);
    let words: Vec<&str> = notify.iter().map(|text| text.text).collect();
    if let Some(upper) = known {
        for key in ["signers"] {
            if let Some(value) = table.get(key) {
                let what = format!("`{key}` is not allowed here, because the {} layer has `[approval]` too", upper.layer.name());
                reader.checker.mistake(&value.span, what, "remove it; here `lifetime` can be shorter, and `key` can be \"security-key\"");
            }
        }
        return Some(ApprovalSection {
            security_key: security_key || upper.security_key,
            // Both must say so: the person for their terminal, and the organisation for its people.
            terminal: terminal && upper.terminal,
            lifetime: seconds.map_or(upper.lifetime, |seconds| seconds.min(upper.lifetime)),
            notify: if words.is_empty() { upper.notify } else { words },
            ..upper
        });
    }
    Some(ApprovalSection {
        place: reader.patterns.keep(&head.document.place(&table.span)),
        layer,
        signers: signers.map_or("", |text| text.text),
        security_key,
        terminal,
        lifetime: seconds.unwrap_or(LIFETIME),
        notify: words,
    })
}

/// What is left of the section once all layers are read: the organisation alone cannot let a person approve without a key.
pub(super) fn settled<'t>(section: Option<ApprovalSection<'t>>, heads: &[&Head<'t>]) -> Option<ApprovalSection<'t>> {
    let by_user = heads.iter().filter(|head| head.document.layer == Layer::User);
    let says = |head: &&Head<'t>| head.document.view().table("approval").is_some_and(|table| table.is("terminal"));
    let allowed = by_user.copied().any(|head| says(&head));
    section.map(|section| ApprovalSection { terminal: section.terminal && allowed, ..section })
}

fn is_whole_path(text: &str) -> bool {
    (text.starts_with('/') || text.starts_with("~/")) && !text.contains('\n')
}

/// `lifetime` in seconds.
fn lifetime(table: &SpannedValue, reader: &mut WhenReader) -> Option<u32> {
    let text = table.text("lifetime")?;
    let seconds = seconds(text.text);
    match seconds {
        None => reader.checker.mistake(&text.span, format!("`{}` is not a length of time", text.text), "write it as `15m`, `1h` or `90s`"),
        Some(seconds) if seconds == 0 || seconds > MAX_LIFETIME => {
            reader.checker.mistake(&text.span, format!("`{}` is not between a second and 24 hours", text.text), "write it as `15m`, `1h` or `90s`");
        }
        Some(_) => {}
    }
    seconds
}

/// `1h30m` in seconds. `None` if it is no length of time.
fn seconds(text: &str) -> Option<u32> {
    let (mut total, mut number) = (0u32, String::new());
    for sign in text.chars() {
        let unit = match sign {
            '0'..='9' => {
                number.push(sign);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u32>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then_some(total)
}
