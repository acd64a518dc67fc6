//! Counts what a document selects once its fragments are expanded, in all of its operations.
//!
//! The executor validates the whole document, whichever operation runs, and expands fragments while it does.
//! Fragments that spread others twice double with each level, so a short document can keep a core busy for
//! hours. This count visits each fragment once, and the document is refused before it reaches the executor.

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql_value::Name;
use std::collections::HashMap;

/// Deepest nesting of fields and fragments: the executor recurses for each level.
const DEEPEST_NESTING: usize = 60;

/// The size of the expanded selections of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expansion {
    /// Fields and fragments of all operations; those of a fragment count at each use.
    pub fields: u64,
}

/// The error of a document that cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpansionError {
    #[error("the fragment {0} spreads itself: remove the cycle")]
    Cycle(String),
    #[error("fields and fragments are nested more than {DEEPEST_NESTING} levels deep: nest fewer")]
    TooDeep,
}

impl Expansion {
    /// Counts what a document selects, in time linear in its text.
    ///
    /// # Errors
    /// If a fragment spreads itself, also through others, or selections are nested too deep. This includes
    /// unused fragments: the executor validates them, too.
    pub fn of(document: &ExecutableDocument) -> Result<Self, ExpansionError> {
        let mut count = Count { document, fragments: HashMap::new() };
        for name in document.fragments.keys() {
            count.fragment(name, 0)?;
        }
        let mut fields = 0u64;
        for (_, operation) in document.operations.iter() {
            fields = fields.saturating_add(count.selections(&operation.node.selection_set.node, 0)?.fields);
        }
        Ok(Self { fields })
    }
}

/// The size of a set of selections.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    fields: u64,
    /// Levels below.
    nesting: usize,
}

struct Count<'d> {
    document: &'d ExecutableDocument,
    /// The sizes of fragments; None while a fragment is being counted.
    fragments: HashMap<&'d Name, Option<Size>>,
}

impl<'d> Count<'d> {
    fn fragment(&mut self, name: &'d Name, level: usize) -> Result<Size, ExpansionError> {
        match self.fragments.get(name) {
            Some(Some(size)) if level + size.nesting > DEEPEST_NESTING => return Err(ExpansionError::TooDeep),
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(ExpansionError::Cycle(name.to_string())),
            None => {}
        }
        // Validation refuses an undefined fragment.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Size::default()) };
        self.fragments.insert(name, None);
        let size = self.selections(&fragment.node.selection_set.node, level)?;
        self.fragments.insert(name, Some(size));
        Ok(size)
    }

    fn selections(&mut self, set: &'d SelectionSet, level: usize) -> Result<Size, ExpansionError> {
        if level > DEEPEST_NESTING {
            return Err(ExpansionError::TooDeep);
        }
        let mut all = Size::default();
        for selection in &set.items {
            let below = match &selection.node {
                Selection::Field(field) => self.selections(&field.node.selection_set.node, level + 1)?,
                Selection::InlineFragment(inline) => self.selections(&inline.node.selection_set.node, level + 1)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, level + 1)?,
            };
            all.fields = all.fields.saturating_add(1).saturating_add(below.fields);
            all.nesting = all.nesting.max(below.nesting + 1);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    fn expansion(text: &str) -> Result<Expansion, ExpansionError> {
        Expansion::of(&parse_query(text).expect("a document"))
    }

    /// Fragments that each spread the next one twice.
    fn doubling(levels: usize) -> String {
        let fragments = (0..levels).map(|n| format!("fragment A{n} on Query {{ ...A{} ...A{} }} ", n + 1, n + 1));
        fragments.collect::<String>() + &format!("fragment A{levels} on Query {{ __typename }}")
    }

    #[test]
    fn every_operation_counts_whichever_runs() {
        let one = expansion("query A { __typename } query B { a { b c } }").expect("counted");
        assert_eq!(one.fields, 4);
        let doubled = format!("query A {{ __typename }} query B {{ ...A0 }} {}", doubling(40));
        assert!(expansion(&doubled).expect("counted").fields > 1 << 40, "without visiting each");
        let more = format!("query B {{ ...A0 }} {}", doubling(70));
        assert_eq!(expansion(&more), Err(ExpansionError::TooDeep));
    }

    #[test]
    fn a_fragment_that_spreads_itself_is_refused_also_where_nothing_uses_it() {
        for text in [
            "{ __typename } fragment A on Query { ...A }",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { x { ... on X { ...A } } }",
        ] {
            assert!(matches!(expansion(text), Err(ExpansionError::Cycle(_))), "{text}");
        }
    }

    #[test]
    fn nesting_counts_through_fragments_that_were_counted_before() {
        let deep = |name: &str, levels: usize, inner: &str| {
            format!("fragment {name} on Q {{ {}{inner}{} }} ", "a { ".repeat(levels), " }".repeat(levels))
        };
        let text = format!("{{ ...B }} {}{}", deep("A", 40, "x"), deep("B", 40, "...A"));
        assert_eq!(expansion(&text), Err(ExpansionError::TooDeep));
        let text = format!("{{ ...B }} {}{}", deep("A", 20, "x"), deep("B", 20, "...A"));
        assert!(expansion(&text).is_ok());
    }
}
