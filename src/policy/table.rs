//! Declares the tables of a rule once: the struct, how it is laid down, its keys as written, and how each is read.

/// A struct of a rule's table. Each field names the method of `validate::when::Reader` by which its key is read.
macro_rules! table {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty = $way:ident,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name<'a> { $($(#[$doc])* pub $field: $type),* }
        $crate::policy::wire::wire_struct!($name { $($field),* });

        #[cfg(feature = "cold")]
        impl<'a> $name<'a> {
            /// Its keys as written.
            pub const KEYS: &'static [$crate::policy::schema::Key] =
                &[$($crate::policy::schema::may(stringify!($field), $crate::policy::table::shape!($way))),*];

            pub(crate) fn read(reader: &mut $crate::policy::validate::when::Reader<'_, 'a, '_>, table: &$crate::policy::schema::Value<'a>) -> Self {
                Self { $($field: reader.$way(table, stringify!($field))),* }
            }
        }
    };
}

/// The shape of a key by how it is read.
#[cfg(feature = "cold")]
macro_rules! shape {
    (flag) => {
        $crate::policy::schema::Shape::Flag
    };
    (count) => {
        $crate::policy::schema::Shape::Number
    };
    (bytes) => {
        $crate::policy::schema::Shape::Number
    };
    (args) => {
        $crate::policy::schema::Shape::Map
    };
    ($texts:ident) => {
        $crate::policy::schema::Shape::Texts
    };
}

/// The kinds of *when*: the variant with its tables, its byte in the compiled form, its name, its keys as written.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($table:ident) = $byte:literal, $name:literal, $keys:expr;)*) => {
        /// Which actions: any of the tables of one kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum When<'a> { $($(#[$doc])* $variant(Vec<$table<'a>>)),* }

        impl<'a> $crate::policy::wire::Wire<'a> for When<'a> {
            fn put(&self, out: &mut Vec<u8>) {
                match self { $(Self::$variant(tables) => ($byte.put(out), tables.put(out))),* };
            }
            fn get(from: &mut $crate::policy::wire::Bytes<'a>) -> Option<Self> {
                Some(match u8::get(from)? { $($byte => Self::$variant(Wire::get(from)?),)* _ => return None })
            }
        }

        impl<'a> When<'a> {
            /// The name of the table.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),* }
            }

            /// The keys under which a rule or a waiver has one.
            #[cfg(feature = "cold")]
            pub const KINDS: &'static [$crate::policy::schema::Key] =
                &[$($crate::policy::schema::may($name, $crate::policy::schema::Shape::Tables($keys))),*];

            /// Tables of one kind. None if there is no such kind.
            #[cfg(feature = "cold")]
            pub(crate) fn read(
                reader: &mut $crate::policy::validate::when::Reader<'_, 'a, '_>, kind: &str, tables: &[$crate::policy::schema::Value<'a>],
            ) -> Option<Self> {
                match kind {
                    $($name => Some(Self::$variant(tables.iter().map(|table| $table::read(reader, table)).collect())),)*
                    _ => None,
                }
            }
        }
    };
}

#[cfg(feature = "cold")]
pub(crate) use shape;
pub(crate) use {kinds, table};
