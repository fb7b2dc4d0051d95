//! The binary form of a compiled policy: how values are laid down and read back. Knows no rule.
//! Reading borrows from the bytes and checks every length; bytes that do not fit give `None`, never a panic.

use std::borrow::Cow;

/// A value of the compiled form.
pub trait Wire<'a>: Sized {
    /// Lays the value down.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads it back. `None` if the bytes do not hold one.
    fn get(from: &mut Bytes<'a>) -> Option<Self>;
}

/// Bytes still to be read.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }
}

/// Numbers are LEB128: seven bits a byte, the lowest first.
impl<'a> Wire<'a> for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        out.push(rest.to_le_bytes()[0]);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *from.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

#[macro_export]
macro_rules! narrow {
    ($($kind:ty),*) => {$(
        impl<'a> Wire<'a> for $kind {
            fn put(&self, out: &mut Vec<u8>) { u64::try_from(*self).unwrap_or(u64::MAX).put(out); }
            fn get(from: &mut Bytes<'a>) -> Option<Self> { u64::get(from)?.try_into().ok() }
        }
    )*};
}
narrow!(u8, u16, u32, usize);

/// Signed numbers are stored as their two's complement, which is long for negative ones; those are rare.
impl<'a> Wire<'a> for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        self.cast_unsigned().put(out);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        u64::get(from).map(u64::cast_signed)
    }
}

impl<'a> Wire<'a> for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        match from.take(1)? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

impl<'a> Wire<'a> for &'a str {
    fn put(&self, out: &mut Vec<u8>) {
        Bytes(self.as_bytes()).put(out);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        std::str::from_utf8(Bytes::get(from)?.0).ok()
    }
}

impl<'a> Wire<'a> for Cow<'a, [u8]> {
    fn put(&self, out: &mut Vec<u8>) {
        Bytes(self).put(out);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        Bytes::get(from).map(|bytes| Cow::Borrowed(bytes.0))
    }
}

/// Bytes that are read later, if at all.
impl<'a> Wire<'a> for Bytes<'a> {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.len().put(out);
        out.extend_from_slice(self.0);
    }

    fn get(from: &mut Self) -> Option<Self> {
        let length = usize::get(from)?;
        from.take(length).map(Bytes)
    }
}

impl<'a, T: Wire<'a>> Wire<'a> for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        if bool::get(from)? { T::get(from).map(Some) } else { Some(None) }
    }
}

impl<'a, T: Wire<'a>> Wire<'a> for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        for value in self {
            value.put(out);
        }
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        let length = usize::get(from)?;
        // Each element takes at least one byte, so a length beyond the rest is a lie, not a reason to allocate.
        if length > from.0.len() {
            return None;
        }
        (0..length).map(|_| T::get(from)).collect()
    }
}

impl<'a, A: Wire<'a>, B: Wire<'a>> Wire<'a> for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        Some((A::get(from)?, B::get(from)?))
    }
}

/// Lays a struct down field by field, in the order in which they are named. Declares it too, if it is written out.
#[macro_export]
macro_rules! wire_struct {
    ($(#[$meta:meta])* pub struct $name:ident<'a> { $($(#[$doc:meta])* $vis:vis $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        pub struct $name<'a> { $($(#[$doc])* $vis $field: $kind,)* }
        $crate::wire_struct!($name { $($field),* });
    };
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl<'a> $crate::wire::Wire<'a> for $name<'a> {
            fn put(&self, out: &mut Vec<u8>) { $($crate::wire::Wire::put(&self.$field, out);)* }
            fn get(from: &mut $crate::wire::Bytes<'a>) -> Option<Self> {
                Some(Self { $($field: $crate::wire::Wire::get(from)?),* })
            }
        }
    };
}

/// Lays an enum without data down as the place of its variant in this list.
#[macro_export]
macro_rules! wire_enum {
    ($name:ident { $($variant:ident),* $(,)? }) => {
        impl<'a> $crate::wire::Wire<'a> for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let at = [$(Self::$variant),*].iter().position(|variant| variant == self);
                out.push(at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX));
            }
            fn get(from: &mut $crate::wire::Bytes<'a>) -> Option<Self> {
                [$(Self::$variant),*].get(usize::from(*from.take(1)?.first()?)).copied()
            }
        }
    };
}

/// Declares an enum without data whose variants have names in policies.
#[macro_export]
macro_rules! named_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)* }
        impl $name {
            /// Each with the name that policies give it.
            pub const NAMES: &[(&str, Self)] = &[$(($text, Self::$variant)),*];

            /// The name that policies give it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
        $crate::wire_enum!($name { $($variant),* });
    };
}

/// A map from 32-bit keys to records, several to a key; a look-up decodes only what it finds.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// Eight bytes an entry, sorted: key, then offset into `records`, both little-endian.
    index: Bytes<'a>,
    records: Bytes<'a>,
}
wire_struct!(Table { index, records });

impl<'a> Table<'a> {
    /// The bytes of all records with this key.
    pub fn find(&self, key: u32) -> impl Iterator<Item = Bytes<'a>> + use<'a> {
        let entries = self.index.0.as_chunks::<8>().0;
        let start = entries.partition_point(|entry| split(*entry).0 < key);
        let records = self.records.0;
        entries
            .get(start..)
            .unwrap_or(&[])
            .iter()
            .map(|entry| split(*entry))
            .take_while(move |(found, _)| *found == key)
            .filter_map(move |(_, offset)| records.get(usize::try_from(offset).ok()?..).map(Bytes))
    }
}

fn split(entry: [u8; 8]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = entry;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

/// A [`Table`] being made.
#[derive(Debug, Default)]
pub struct TableWriter {
    index: Vec<(u32, u32)>,
    records: Vec<u8>,
}

impl TableWriter {
    /// Adds a record that is found under each of `keys`.
    pub fn add<'a>(&mut self, keys: impl IntoIterator<Item = u32>, record: &impl Wire<'a>) {
        let offset = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        record.put(&mut self.records);
        self.index.extend(keys.into_iter().map(|key| (key, offset)));
    }

    /// Adds all records of another table, after those that are there.
    pub fn append(&mut self, table: &Table) {
        let start = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        self.index.extend(table.index.0.as_chunks::<8>().0.iter().map(|entry| split(*entry)).map(|(key, offset)| (key, start + offset)));
        self.records.extend_from_slice(table.records.0);
    }

    /// Lays the table down.
    pub fn put(mut self, out: &mut Vec<u8>) {
        self.index.sort_unstable();
        self.index.dedup();
        let index: Vec<u8> = self.index.iter().flat_map(|(key, offset)| [key.to_le_bytes(), offset.to_le_bytes()].concat()).collect();
        Table { index: Bytes(&index), records: Bytes(&self.records) }.put(out);
    }
}

/// The key of a text: FNV-1a, 32 bits. Two texts may share a key, so what is found must be compared.
pub fn key(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
