//! What a kind of import can take: its fields, so that mappings are checked and documented from
//! one list.

/// How the text of a cell is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Free text, kept as it is.
    Text,
    /// A short text that names something: signs that nobody sees do not belong to it.
    Code,
    /// A day, or a month that stands for one of its days.
    Date,
    /// A moment; a day alone is its beginning.
    Time,
    Integer,
    Decimal,
    Bool,
    TaxCode,
    DeclarationNumber,
    /// One of the words given.
    Word(&'static [&'static str]),
}

/// A field that a mapping may fill.
#[derive(Debug)]
pub struct FieldSpec {
    pub name: &'static str,
    pub of: FieldType,
    pub required: bool,
    pub about: &'static str,
}

/// Lists the fields of a kind and names the place of each.
macro_rules! fields {
    ($( $konst:ident = $name:literal, $of:expr, $required:literal, $about:literal; )+) => {
        pub const FIELDS: &[crate::import::field::FieldSpec] = &[
            $( crate::import::field::FieldSpec { name: $name, of: $of, required: $required, about: $about } ),+
        ];
        fields!(@place 0usize; $($konst)+);
    };
    (@place $n:expr; $konst:ident $($rest:ident)*) => {
        pub const $konst: usize = $n;
        fields!(@place $n + 1; $($rest)*);
    };
    (@place $n:expr;) => {};
}
pub(crate) use fields;
