//! Lines of the record as a request of OTLP (OpenTelemetry protocol 1.x, logs, binary protobuf), and the answer to one. Of the
//! protocol's messages only the fields that are filled here are known; the numbers are those of `opentelemetry-proto` 1.7.

use super::export::{ExportLine, FieldValue, Severity};

/// Where a receiver takes logs if the address names no path (OTLP/HTTP).
pub const PATH: &str = "/v1/logs";
/// The type of the body.
pub const TYPE: &str = "application/x-protobuf";

/// What the receiver said of a request that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtlpAnswer {
    /// Lines that it did not take. They must not be sent again.
    pub rejected: u64,
    /// Why, or a warning.
    pub message: String,
}

/// A protobuf message that is being written.
#[derive(Default)]
struct ProtoMessage(Vec<u8>);

impl ProtoMessage {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn fixed(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn message(&mut self, field: u64, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes(field, &inner.0);
    }

    /// `AnyValue`
    fn value(&mut self, field: u64, value: &FieldValue) {
        self.message(field, |any| match value {
            FieldValue::Text(text) => any.bytes(1, text.as_bytes()),
            FieldValue::Flag(flag) => any.number(2, u64::from(*flag)),
            FieldValue::Number(number) => any.number(3, number.cast_unsigned()),
            FieldValue::List(items) => any.message(5, |list| items.iter().for_each(|item| list.value(1, &FieldValue::Text(item.clone())))),
        });
    }

    /// `KeyValue`
    fn attribute(&mut self, field: u64, key: &str, value: &FieldValue) {
        self.message(field, |pair| {
            pair.bytes(1, key.as_bytes());
            pair.value(2, value);
        });
    }
}

/// `ExportLogsServiceRequest` with these lines. `resource` says what they are of.
#[must_use]
pub fn request(lines: &[ExportLine], resource: &[(&str, String)], version: &str, now_ns: u64) -> Vec<u8> {
    let mut request = ProtoMessage::default();
    request.message(1, |of_resource| {
        of_resource.message(1, |about| resource.iter().for_each(|(key, text)| about.attribute(1, key, &FieldValue::Text(text.clone()))));
        of_resource.message(2, |of_scope| {
            of_scope.message(1, |scope| {
                scope.bytes(1, b"portcullis.record");
                scope.bytes(2, version.as_bytes());
            });
            for line in lines {
                of_scope.message(2, |record| log_record(record, line, now_ns));
            }
        });
    });
    request.0
}

/// `LogRecord`
fn log_record(record: &mut ProtoMessage, line: &ExportLine, now_ns: u64) {
    let (number, text) = match line.severity() {
        Severity::Information => (9, "INFO"),
        Severity::Warning => (13, "WARN"),
        Severity::Error => (17, "ERROR"),
    };
    record.fixed(1, line.entry.time.saturating_mul(1_000_000));
    record.number(2, number);
    record.bytes(3, text.as_bytes());
    record.value(5, &FieldValue::Text(line.words()));
    // Receivers may take lines with the same value for one (semantic conventions, general logs).
    record.attribute(6, "log.record.uid", &FieldValue::Text(line.id.clone()));
    line.fields().iter().for_each(|(key, value)| record.attribute(6, &format!("portcullis.{key}"), value));
    record.fixed(11, now_ns);
    record.bytes(12, format!("portcullis.{}", line.kind()).as_bytes());
}

/// Reads `ExportLogsServiceResponse`. What cannot be read says nothing: the receiver took the request.
#[must_use]
pub fn answer(body: &[u8]) -> OtlpAnswer {
    let mut answer = OtlpAnswer::default();
    for (field, value) in fields(body) {
        if let (1, ProtoValue::Bytes(partial)) = (field, value) {
            for (field, value) in fields(partial) {
                match (field, value) {
                    (1, ProtoValue::Number(rejected)) => answer.rejected = rejected,
                    (2, ProtoValue::Bytes(message)) => answer.message = String::from_utf8_lossy(message).into_owned(),
                    _ => {}
                }
            }
        }
    }
    answer
}

enum ProtoValue<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

/// The fields of a message, as far as it can be read.
fn fields(bytes: &[u8]) -> Vec<(u64, ProtoValue<'_>)> {
    let (mut rest, mut found) = (bytes, Vec::new());
    while let Some((field, value, after)) = field(rest) {
        found.push((field, value));
        rest = after;
    }
    found
}

fn field(bytes: &[u8]) -> Option<(u64, ProtoValue<'_>, &[u8])> {
    let (key, rest) = varint(bytes)?;
    let (value, rest) = match key & 7 {
        0 => varint(rest).map(|(number, rest)| (ProtoValue::Number(number), rest))?,
        1 => rest.split_first_chunk::<8>().map(|(number, rest)| (ProtoValue::Number(u64::from_le_bytes(*number)), rest))?,
        2 => {
            let (length, rest) = varint(rest)?;
            let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (ProtoValue::Bytes(value), rest)
        }
        5 => rest.split_first_chunk::<4>().map(|(number, rest)| (ProtoValue::Number(u32::from_le_bytes(*number).into()), rest))?,
        _ => return None,
    };
    Some((key >> 3, value, rest))
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let (number, rest) = bytes.split_at_checked(length)?;
    Some((number.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whatever_it_is() {
        assert_eq!(answer(b""), OtlpAnswer::default());
        let mut message = ProtoMessage::default();
        message.number(7, 300);
        message.message(1, |partial| {
            partial.number(1, 12);
            partial.bytes(2, b"too old");
            partial.fixed(9, 1);
        });
        assert_eq!(answer(&message.0), OtlpAnswer { rejected: 12, message: "too old".to_owned() });
        // Cut anywhere, and with any byte changed, it is read as far as it goes.
        for end in 0..message.0.len() {
            let _ = answer(&message.0[..end]);
            for byte in [0, 0x7f, 0x80, 0xff] {
                let mut other = message.0.clone();
                other[end] = byte;
                let _ = answer(&other);
            }
        }
    }
}
