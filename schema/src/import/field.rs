//! The fields that a kind of import accepts, in one list from which mappings are checked.

/// Syntax by which the text of a cell is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Free text, kept as it is.
    Text,
    /// A short text that identifies an entity; invisible characters are removed from it.
    Code,
    /// A day, or a month without a day, which is stored as one of its days.
    Date,
    /// A point in time; a day without a time means its start.
    Time,
    Integer,
    Decimal,
    Bool,
    TaxCode,
    DeclarationNumber,
    /// A word of this list.
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

/// The specification of a kind against which a mapping is checked.
#[derive(Debug)]
pub struct KindSpec {
    pub name: &'static str,
    pub fields: &'static [FieldSpec],
    /// Whether several rows may describe one entity of this kind, and whether `keep` may name columns to store
    /// verbatim.
    pub has_several_rows: bool,
}

/// Defines `FIELDS` of a kind, and a constant with the index of each field.
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
