//! Conditions on values from a short list: the places in a column of the snapshot that operators or a list select.

/// The values of a column of places that a condition allows; None means no value.
pub(super) type Places = Vec<Option<u32>>;

/// Operators on a value from a short list.
pub(super) struct EqualOps<T> {
    pub eq: Option<T>,
    pub ne: Option<T>,
    pub among: Option<Vec<T>>,
    pub is_null: Option<bool>,
}

impl<T: Copy + PartialEq> EqualOps<T> {
    /// Whether the operators select a value. As in SQL, only `isNull` selects what has none.
    pub fn select(&self, value: Option<T>) -> bool {
        self.eq.is_none_or(|eq| value == Some(eq))
            && self.ne.is_none_or(|ne| value.is_some_and(|value| value != ne))
            && self.among.as_ref().is_none_or(|among| value.is_some_and(|value| among.contains(&value)))
            && self.is_null.is_none_or(|null| value.is_none() == null)
    }
}

/// The places of the words of an enum that operators select; None without operators.
macro_rules! words {
    ($ops:expr, $name:ident) => {
        $ops.as_ref().map(|ops| {
            let place = |word: $crate::graphql::enums::$name| schema::enums::$name::from(word).place();
            let ops = $crate::graphql::types::statistics::word_sets::EqualOps {
                eq: ops.eq.map(place),
                ne: ops.ne.map(place),
                among: ops.r#in.as_ref().map(|words| words.iter().copied().map(place).collect()),
                is_null: ops.is_null,
            };
            let all = (0..).take(schema::enums::$name::WORDS.len()).map(Some).chain([None]);
            all.filter(|place| ops.select(*place)).collect::<$crate::graphql::types::statistics::word_sets::Places>()
        })
    };
}
pub(super) use words;

/// The places of the words of an enum in a list.
macro_rules! listed_words {
    ($list:expr, $name:ident) => {
        $list.as_ref().map(|words| {
            let places = words.iter().map(|word| Some(schema::enums::$name::from(*word).place()));
            places.collect::<$crate::graphql::types::statistics::word_sets::Places>()
        })
    };
}
pub(super) use listed_words;
