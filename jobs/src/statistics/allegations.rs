//! Selects the allegations that a question counts.

use crate::snapshot::{any_named, attribution, meaning};
use polars::prelude::Expr;

/// Limits that an allegation must meet. Each list has places; None is no limit. The finding of a complaint that names
/// no officer counts like one of an allegation, but it is against no officer and has no attribution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allegations {
    pub officers: Option<Vec<u32>>,
    pub findings: Option<Vec<u32>>,
    pub attributions: Option<Vec<u32>>,
}

impl Allegations {
    pub fn are_limited(&self) -> bool {
        *self != Self::default()
    }

    /// Whether an allegation, as a word of the column `named`, meets all limits.
    pub fn allow(&self, word: u32) -> bool {
        let allows = |only: &Option<Vec<u32>>, index: Option<u32>| {
            only.as_ref().is_none_or(|only| index.is_some_and(|index| only.contains(&index)))
        };
        let (officer, finding) = meaning(word);
        allows(&self.officers, officer)
            && allows(&self.findings, Some(finding))
            && allows(&self.attributions, attribution(word))
    }

    /// The condition that one allegation of a complaint meets all limits; None if there are none.
    pub fn condition(self) -> Option<Expr> {
        self.are_limited().then(|| any_named(move |word| self.allow(word)))
    }
}
