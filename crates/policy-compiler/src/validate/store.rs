//! Reads `[store]`. The organisation's and the user's policy alone may have it: it says where a machine connects to.

use super::{layers::Head, when::WhenReader};
use policy::{FleetSection, Layer};

/// Values of `unreachable`: whether calls are then counted on this machine alone.
const UNREACHABLE: &[(&str, bool)] = &[("deny", false), ("local", true)];
/// How an engine is named.
const SCHEME: &str = "redis://";

/// Reads the section of one more layer. The uppermost layer that has it owns it.
pub(super) fn store<'t>(known: Option<FleetSection<'t>>, head: &Head<'t>, reader: &mut WhenReader<'_, 't, '_>) -> Option<FleetSection<'t>> {
    let Some(table) = head.document.view().table("store") else { return known };
    let layer = head.document.layer;
    if !matches!(layer, Layer::Organisation | Layer::User) {
        let what = format!("`[store]` is not allowed in the {} layer, because it says where this machine connects to", layer.name());
        reader.checker.mistake(&table.span, what, "put it into the policy of the organisation or of the user");
        return known;
    }
    if let Some(upper) = known {
        let what = format!("`[store]` is not allowed here, because the {} layer has it too", upper.layer.name());
        reader.checker.mistake(&table.span, what, "remove it");
        return Some(upper);
    }
    let engine = table.text("engine")?;
    let address = engine.text.strip_prefix(SCHEME);
    if address.is_none_or(|address| address.is_empty() || address.starts_with('/')) {
        let what = format!("`{}` is no address of an engine", engine.text.escape_debug());
        reader.checker.mistake(&engine.span, what, "write it like `redis://127.0.0.1:6379/0`; `rediss://` is not supported by this version");
    }
    if address.is_some_and(|address| address.split('/').next().unwrap_or_default().contains('@')) {
        reader.checker.mistake(&engine.span, "the address holds a password", "name the variable or the file that has it: `password_env`, `password_file`");
    }
    if let Some(file) = table.text("password_file").filter(|file| !file.text.starts_with('/')) {
        reader.checker.mistake(&file.span, format!("`{}` is not a full path", file.text), "write it like `/etc/portcullis/redis-password`");
    }
    let local = table.text("unreachable").and_then(|text| reader.checker.named(&text, UNREACHABLE, "value of `unreachable`")).unwrap_or(false);
    Some(FleetSection {
        place: reader.patterns.keep(&head.document.place(&table.span)),
        layer,
        engine: engine.text,
        local,
        password_env: table.word("password_env"),
        password_file: table.word("password_file"),
    })
}
