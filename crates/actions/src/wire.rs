//! The binary form of a compiled policy: how values are laid down and read back. Knows no rule.
//! Reading checks every length; bytes that do not fit give `None`, never a panic.
//!
//! A policy is a head and tables of records. A look-up reads a few pieces of the file: an entry of the table's directory, the
//! bucket that it names, and the records that are in it. Each of them carries a checksum, or is covered by one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Debug;

/// A value of the compiled form.
pub trait Wire<'a>: Sized {
    /// Lays the value down.
    fn put(&self, out: &mut RecordOutput);
    /// Reads it back. `None` if the bytes do not hold one.
    fn get(from: &mut Bytes<'a>) -> Option<Self>;
}

/// A record that is being laid down. Its texts are kept together, so that they are checked only once when it is read.
#[derive(Debug, Default)]
pub struct RecordOutput {
    bytes: Vec<u8>,
    texts: String,
}

impl RecordOutput {
    /// Adds one byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }
}

/// What is still to be read of a record.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a> {
    rest: &'a [u8],
    texts: &'a str,
}

impl<'a> Bytes<'a> {
    /// A record, from its beginning. `None` if its texts are not UTF-8.
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let mut bytes = Self { rest: record, texts: "" };
        let length = usize::get(&mut bytes)?;
        bytes.texts = str::from_utf8(bytes.take(length)?).ok()?;
        Some(bytes)
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(count)?;
        self.rest = tail;
        Some(head)
    }
}

/// A value as a record.
pub fn lay_down<'a>(value: &impl Wire<'a>) -> Vec<u8> {
    let (mut record, mut length) = (RecordOutput::default(), RecordOutput::default());
    value.put(&mut record);
    record.texts.len().put(&mut length);
    [length.bytes, record.texts.into_bytes(), record.bytes].concat()
}

/// Reads a record back; what is behind it does not matter.
pub fn read_back<'a, T: Wire<'a>>(record: &'a [u8]) -> Option<T> {
    T::get(&mut Bytes::of(record)?)
}

/// Numbers are LEB128: seven bits a byte, the lowest first.
impl<'a> Wire<'a> for u64 {
    fn put(&self, out: &mut RecordOutput) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.bytes.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        out.bytes.push(rest.to_le_bytes()[0]);
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
            fn put(&self, out: &mut RecordOutput) { u64::try_from(*self).unwrap_or(u64::MAX).put(out); }
            fn get(from: &mut Bytes<'a>) -> Option<Self> { u64::get(from)?.try_into().ok() }
        }
    )*};
}
narrow!(u8, u16, u32, usize);

/// Signed numbers are stored as their two's complement, which is long for negative ones; those are rare.
impl<'a> Wire<'a> for i64 {
    fn put(&self, out: &mut RecordOutput) {
        self.cast_unsigned().put(out);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        u64::get(from).map(u64::cast_signed)
    }
}

impl<'a> Wire<'a> for bool {
    fn put(&self, out: &mut RecordOutput) {
        out.bytes.push(u8::from(*self));
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
    fn put(&self, out: &mut RecordOutput) {
        self.len().put(out);
        out.texts.push_str(self);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        let length = usize::get(from)?;
        let (text, rest) = from.texts.split_at_checked(length)?;
        from.texts = rest;
        Some(text)
    }
}

/// Bytes that are read later, if at all.
impl<'a> Wire<'a> for Cow<'a, [u8]> {
    fn put(&self, out: &mut RecordOutput) {
        self.len().put(out);
        out.bytes.extend_from_slice(self);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        let length = usize::get(from)?;
        from.take(length).map(Cow::Borrowed)
    }
}

impl<'a, T: Wire<'a>> Wire<'a> for Option<T> {
    fn put(&self, out: &mut RecordOutput) {
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
    fn put(&self, out: &mut RecordOutput) {
        self.len().put(out);
        for value in self {
            value.put(out);
        }
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        let length = usize::get(from)?;
        // Each element takes at least one byte, so a length beyond the rest is a lie, not a reason to allocate.
        if length > from.rest.len() {
            return None;
        }
        (0..length).map(|_| T::get(from)).collect()
    }
}

impl<'a, A: Wire<'a>, B: Wire<'a>> Wire<'a> for (A, B) {
    fn put(&self, out: &mut RecordOutput) {
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
            fn put(&self, out: &mut $crate::wire::RecordOutput) { $($crate::wire::Wire::put(&self.$field, out);)* }
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
            fn put(&self, out: &mut $crate::wire::RecordOutput) {
                let at = [$(Self::$variant),*].iter().position(|variant| variant == self);
                out.byte(at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX));
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

/// Where the pieces of a compiled policy come from.
#[derive(Clone, Copy, Debug)]
pub enum Pieces<'a> {
    /// All of it is in memory, and was checked as a whole if it came from a file.
    Memory(&'a [u8]),
    /// Pieces are read when they are needed, and each is checked.
    Apart(&'a dyn ReadsPieces),
}

/// Reads pieces of a file that others may change meanwhile.
pub trait ReadsPieces: Debug + Sync {
    /// A copy of `length` bytes at `at`. `None`: the file is shorter, or cannot be read.
    fn read(&self, at: usize, length: usize) -> Option<&[u8]>;
    /// Notes that a piece is not what was written.
    fn found_damaged(&self);
}

impl<'a> Pieces<'a> {
    fn read(self, at: usize, length: usize) -> Option<&'a [u8]> {
        match self {
            Self::Memory(bytes) => bytes.get(at..at.checked_add(length)?),
            Self::Apart(pieces) => pieces.read(at, length),
        }
    }

    /// A piece with this checksum. `seed` tells it from all others.
    fn checked(self, at: usize, length: usize, sum: u64, seed: u64) -> Option<&'a [u8]> {
        let piece = self.read(at, length)?;
        (matches!(self, Self::Memory(_)) || checksum(piece, seed) == sum).then_some(piece)
    }
}

/// A checksum over bytes: it finds damage, and proves nothing against somebody who can write the file.
fn checksum(bytes: &[u8], seed: u64) -> u64 {
    let mix = |sum: u64, words: u128| {
        // The upper half gets the sum too, so that no word alone can make the product 0.
        let [low, high] = [words, words >> 64].map(|word| u64::try_from(word & u128::from(u64::MAX)).unwrap_or(0));
        let product = u128::from(low ^ sum ^ 0x9e37_79b9_7f4a_7c15) * u128::from(high ^ sum.rotate_left(32) ^ 0xd6e8_feb8_6659_fd93);
        let [low, high] = [product, product >> 64].map(|word| u64::try_from(word & u128::from(u64::MAX)).unwrap_or(0));
        low ^ high ^ sum.rotate_left(17)
    };
    let (words, rest) = bytes.as_chunks::<16>();
    let sum = words.iter().fold(mix(seed, u128::from(wide(bytes.len()))), |sum, word| mix(sum, u128::from_le_bytes(*word)));
    let mut last = [0; 16];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    mix(sum, u128::from_le_bytes(last))
}

/// Tables of a policy.
const TABLES: usize = 3;
/// Bytes that say of one table where it begins, how many buckets it has, how long its records are, and how long its filter is.
const TABLE_PLACE: usize = 16;
/// Bytes between the magic and the head: a checksum over the rest of them, the head and the filters, the head's length, the
/// tables' places. The filters are behind the head.
const FRONT: usize = 12 + TABLES * TABLE_PLACE;
/// Bytes of an entry of a directory: where the bucket begins, how many entries it has, its checksum.
const BUCKET: usize = 16;
/// Bytes in front of a record: its length and its checksum.
pub const RECORD: usize = 12;
/// Entries that a bucket has on the average, at most.
const ENTRIES: usize = 8;

/// A compiled policy whose front was read and checked.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'a> {
    /// The record with what every call needs.
    pub head: &'a [u8],
    /// Its tables, in the order in which they were sealed.
    pub tables: [Table<'a>; TABLES],
}

/// Joins a head and tables to a compiled policy.
pub fn seal(magic: &[u8], head: &[u8], tables: [TableWriter; TABLES]) -> Vec<u8> {
    let (mut places, mut body) = (number(head.len()).to_vec(), Vec::new());
    let filters = tables.each_ref().map(TableWriter::filter);
    let behind = [head, &filters.concat()].concat();
    let start = magic.len() + FRONT + behind.len();
    for (table, filter) in tables.into_iter().zip(filters) {
        let at = start + body.len();
        places.extend(number(at));
        let (buckets, records) = table.lay_down(at, &mut body);
        places.extend([number(buckets), number(records), number(filter.len())].concat());
    }
    [magic, &front_sum(&places, &behind).to_le_bytes(), &places, &behind, &body].concat()
}

/// A checksum over what is between the magic and the tables.
fn front_sum(places: &[u8], behind: &[u8]) -> u64 {
    checksum(behind, checksum(places, 0))
}

/// Reads the front of a compiled policy. `None` if it is not one, or is damaged.
pub fn unseal<'a>(magic: &[u8], pieces: Pieces<'a>) -> Option<Sealed<'a>> {
    let (sum, places, behind) = front(magic, pieces)?;
    if matches!(pieces, Pieces::Apart(_)) && front_sum(places, behind) != sum {
        return None;
    }
    let (length, places) = places.split_at_checked(4)?;
    let (head, mut filters) = behind.split_at_checked(whole(length)?)?;
    let mut tables = places.as_chunks::<TABLE_PLACE>().0.iter().map(|place| {
        let [at, buckets, records, length] = numbers(place)?;
        let filter = filters.split_off(..length)?;
        Some(Table { pieces, at, buckets, records, filter })
    });
    Some(Sealed { head, tables: [tables.next()??, tables.next()??, tables.next()??] })
}

/// What is in front of the tables: the checksum, the places of the tables behind the head's length, the head and the filters.
fn front<'a>(magic: &[u8], pieces: Pieces<'a>) -> Option<(u64, &'a [u8], &'a [u8])> {
    let front = pieces.read(0, magic.len() + FRONT)?.strip_prefix(magic)?;
    let (sum, places) = front.split_at_checked(8)?;
    let (length, tables) = places.split_at_checked(4)?;
    let filters = tables.as_chunks::<TABLE_PLACE>().0.iter().map(|place| numbers(place).map(|[.., filter]| filter));
    let length = filters.sum::<Option<usize>>()?.checked_add(whole(length)?)?;
    Some((u64::from_le_bytes(sum.try_into().ok()?), places, pieces.read(magic.len() + FRONT, length)?))
}

/// The four numbers of a table's place.
fn numbers(place: &[u8; TABLE_PLACE]) -> Option<[usize; 4]> {
    let mut all = place.chunks_exact(4).map(whole);
    Some([all.next()??, all.next()??, all.next()??, all.next()??])
}

/// True if all of a compiled policy is as it was sealed.
pub fn is_intact(magic: &[u8], bytes: &[u8]) -> bool {
    let whole_table = |table: &Table| {
        let buckets = (0..table.buckets).all(|bucket| {
            let checked = || {
                let (start, entries, sum) = table.place(bucket)?;
                Some(checksum(bytes.get(table.at + start..)?.get(..entries * 8)?, seed(table.at, bucket)) == sum)
            };
            checked().unwrap_or(false)
        });
        buckets && table.all_records().all(|(at, record)| record.is_some_and(|(sum, record)| checksum(record, seed(table.at, at)) == sum))
    };
    let intact = |(sum, places, behind): (u64, &[u8], &[u8])| front_sum(places, behind) == sum;
    front(magic, Pieces::Memory(bytes)).is_some_and(intact) && unseal(magic, Pieces::Memory(bytes)).is_some_and(|sealed| sealed.tables.iter().all(whole_table))
}

fn number(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}

fn whole(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

/// A map from 32-bit keys to records, several to a key. Keys are spread over buckets.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    pieces: Pieces<'a>,
    at: usize,
    buckets: usize,
    /// Bytes of all records, which are behind the buckets.
    records: usize,
    /// Which [`rare`](KeyStart::rare) keys the table may have, as bits.
    filter: &'a [u8],
}

impl<'a> Table<'a> {
    /// Where the records with this key are. `None` if the table is damaged.
    #[inline]
    pub fn find(&self, key: u32) -> Option<Vec<u32>> {
        let found = self.bucket(key);
        if let (None, Pieces::Apart(pieces)) = (&found, self.pieces) {
            pieces.found_damaged();
        }
        found
    }

    fn bucket(&self, key: u32) -> Option<Vec<u32>> {
        if self.buckets == 0 || (key & RARE != 0 && !passes(self.filter, key)) {
            return Some(Vec::new());
        }
        let bucket = bucket_of(key, self.buckets);
        let (start, entries, sum) = self.place(bucket)?;
        let entries = self.pieces.checked(self.at + start, entries.checked_mul(8)?, sum, seed(self.at, bucket))?;
        Some(entries.as_chunks::<8>().0.iter().map(|entry| split(*entry)).filter(|(found, _)| *found == key).map(|(_, at)| at).collect())
    }

    /// Where a bucket begins, how many entries it has, and its checksum.
    fn place(&self, bucket: usize) -> Option<(usize, usize, u64)> {
        let entry = self.pieces.read(self.at + bucket * BUCKET, BUCKET)?;
        Some((whole(entry.get(..4)?)?, whole(entry.get(4..8)?)?, u64::from_le_bytes(entry.get(8..)?.try_into().ok()?)))
    }

    /// The record at a place that [`Table::find`] gave. `None` if it is damaged.
    pub fn record(&self, at: u32) -> Option<&'a [u8]> {
        let found = usize::try_from(at).ok().and_then(|at| {
            let (length, sum) = self.front(at)?;
            self.pieces.checked(self.at + at + RECORD, length, sum, seed(self.at, at))
        });
        if let (None, Pieces::Apart(pieces)) = (found, self.pieces) {
            pieces.found_damaged();
        }
        found
    }

    fn front(&self, at: usize) -> Option<(usize, u64)> {
        let front = self.pieces.read(self.at + at, RECORD)?;
        Some((whole(front.get(..4)?)?, u64::from_le_bytes(front.get(4..)?.try_into().ok()?)))
    }

    /// Every record, in the order in which they were added. The last is `None` if the table is damaged.
    pub fn records(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        self.all_records().map(|(_, record)| record.map(|(_, record)| record))
    }

    /// Every record with its keys, in the order in which they were added. `None` if the table is damaged.
    pub fn keyed_records(&self) -> Option<Vec<(Vec<u32>, &'a [u8])>> {
        let mut places: HashMap<usize, Vec<u32>> = HashMap::new();
        for bucket in 0..self.buckets {
            let (start, entries, _) = self.place(bucket)?;
            for entry in self.pieces.read(self.at + start, entries.checked_mul(8)?)?.as_chunks::<8>().0 {
                let (key, at) = split(*entry);
                places.entry(usize::try_from(at).ok()?).or_default().push(key);
            }
        }
        self.all_records().map(|(at, record)| Some((places.remove(&at).unwrap_or_default(), record?.1))).collect()
    }

    /// Where each record is, its checksum and its bytes.
    fn all_records(&self) -> impl Iterator<Item = (usize, Option<(u64, &'a [u8])>)> + use<'a> {
        let table = *self;
        let last = table.pieces.read(table.at + table.buckets.saturating_sub(1) * BUCKET, BUCKET).filter(|_| table.buckets > 0);
        let first = last.and_then(|entry| Some(whole(entry.get(..4)?)? + whole(entry.get(4..8)?)? * 8)).unwrap_or(0);
        let end = first + table.records;
        let mut at = first;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let place = at;
            let found = table.front(at).and_then(|(length, sum)| Some((sum, table.pieces.read(table.at + at + RECORD, length)?)));
            at = found.map_or(end, |(_, record)| at + RECORD + record.len());
            Some((place, found))
        })
    }
}

/// What tells a bucket or a record of the table at `at` from all others.
fn seed(at: usize, part: usize) -> u64 {
    (wide(at) << 32) ^ wide(part)
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The bucket of a key.
fn bucket_of(key: u32, buckets: usize) -> usize {
    usize::try_from((u64::from(key) * wide(buckets)) >> 32).unwrap_or(usize::MAX)
}

fn split(entry: [u8; 8]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = entry;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

/// A [`Table`] being made.
#[derive(Debug, Default)]
pub struct TableWriter {
    /// Each key with the number of its record.
    index: Vec<(u32, usize)>,
    records: Vec<Vec<u8>>,
}

impl TableWriter {
    /// Adds a record that is found under each of `keys`.
    pub fn add<'a>(&mut self, keys: impl IntoIterator<Item = u32>, record: &impl Wire<'a>) {
        self.index.extend(keys.into_iter().map(|key| (key, self.records.len())));
        self.records.push(lay_down(record));
    }

    /// Adds a record that is laid down already and has no key: a later record names it by its distance.
    pub fn add_unnamed(&mut self, record: Vec<u8>) {
        self.records.push(record);
    }

    /// Adds all records of another table, after those that are there. `None` if that table is damaged.
    pub fn append(&mut self, table: &Table) -> Option<()> {
        for (keys, record) in table.keyed_records()? {
            self.index.extend(keys.into_iter().map(|key| (key, self.records.len())));
            self.records.push(record.to_vec());
        }
        Some(())
    }

    /// A bit for each of the places of each rare key: eight bits a key, so that one in twenty others passes.
    fn filter(&self) -> Vec<u8> {
        let mut keys: Vec<u32> = self.index.iter().map(|(key, _)| *key).filter(|key| key & RARE != 0).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut filter = vec![0; keys.len()];
        for (byte, bit) in keys.iter().flat_map(|key| filter_places(keys.len(), *key)) {
            filter.get_mut(byte).into_iter().for_each(|byte| *byte |= bit);
        }
        filter
    }

    /// Lays the table down behind `out`, which is at `at` of the policy. Returns how many buckets it has, and how many bytes its
    /// records take.
    fn lay_down(mut self, at: usize, out: &mut Vec<u8>) -> (usize, usize) {
        self.index.sort_unstable();
        self.index.dedup();
        let count = self.index.len().div_ceil(ENTRIES);
        let mut buckets: Vec<Vec<(u32, usize)>> = vec![Vec::new(); count];
        for entry in self.index {
            buckets.get_mut(bucket_of(entry.0, count)).into_iter().for_each(|bucket| bucket.push(entry));
        }
        let entries: usize = buckets.iter().map(Vec::len).sum();
        let (mut records, mut places) = (Vec::new(), Vec::new());
        for record in &self.records {
            let place = count * BUCKET + entries * 8 + records.len();
            records.extend([&number(record.len())[..], &checksum(record, seed(at, place)).to_le_bytes(), record].concat());
            places.push(place);
        }
        let mut laid: Vec<u8> = Vec::new();
        for (bucket, entries) in buckets.iter().enumerate() {
            let bytes: Vec<u8> =
                entries.iter().flat_map(|(key, record)| [key.to_le_bytes(), number(places.get(*record).copied().unwrap_or(usize::MAX))].concat()).collect();
            out.extend(number(count * BUCKET + laid.len()));
            out.extend(number(entries.len()));
            out.extend(checksum(&bytes, seed(at, bucket)).to_le_bytes());
            laid.extend(bytes);
        }
        out.extend(laid);
        out.extend(&records);
        (count, records.len())
    }
}

/// The mark of keys that are looked up many at a time and are nearly always missing. A table tells by its filter that they
/// are, without being read.
const RARE: u32 = 1;

/// Where the two bits of a rare key are in a filter of so many bytes.
fn filter_places(bytes: usize, key: u32) -> [(usize, u8); 2] {
    let place = |key: u32| {
        let bit = usize::try_from((u64::from(key) * (wide(bytes) * 8)) >> 32).unwrap_or(0);
        (bit / 8, 1 << (bit % 8))
    };
    [place(key), place(key.rotate_left(16))]
}

fn passes(filter: &[u8], key: u32) -> bool {
    filter_places(filter.len(), key).into_iter().all(|(byte, bit)| filter.get(byte).is_some_and(|byte| byte & bit != 0))
}

/// The beginning of a text of which the key is made: FNV-1a, 32 bits.
#[derive(Clone, Copy, Debug)]
pub struct KeyStart(u32);

impl KeyStart {
    /// Of no text.
    pub const EMPTY: Self = Self(0x811c_9dc5);

    /// With more text behind it.
    #[must_use]
    pub fn and(self, text: &str) -> Self {
        Self(text.bytes().fold(self.0, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
    }

    /// The key of the text.
    pub const fn key(self) -> u32 {
        self.0 & !RARE
    }

    /// The key of the text as one of those that are nearly always missing. It is another one.
    pub const fn rare(self) -> u32 {
        self.0 | RARE
    }
}

/// The key of a text. Two texts may share a key, so what is found must be compared.
pub fn key(text: &str) -> u32 {
    key_of(&[text])
}

/// The key of a text that is in pieces.
pub fn key_of(pieces: &[&str]) -> u32 {
    pieces.iter().fold(KeyStart::EMPTY, |start, piece| start.and(piece)).key()
}
