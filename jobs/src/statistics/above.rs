//! What groups lie in: another question tells the total of that.

use std::collections::{BTreeMap, HashMap};

/// What the groups of a dimension lie in: the year of a month, the kind of a category.
pub struct Above {
    /// The n-th of the dimensions.
    pub dimension: usize,
    /// Of each group.
    pub places: Vec<Places>,
}

/// Where a group lies.
#[derive(Debug, Clone)]
pub enum Places {
    One(i64),
    /// In several, with its entries in each: what was filed at no branch lies in many departments, and a unit that moved
    /// lies in two.
    Several(Vec<(i64, Vec<u32>)>),
}

/// Where each of so many groups lies: `groups` says to which of them each entry belongs, and `codes` where it lies.
pub fn lying_in(groups: &[u32], number: usize, codes: &[u32]) -> Vec<Places> {
    let mut first: Vec<Option<u32>> = vec![None; number];
    let mut of_several: HashMap<u32, BTreeMap<u32, Vec<u32>>> = HashMap::new();
    for (group, code) in groups.iter().zip(codes) {
        let known = first[*group as usize].get_or_insert(*code);
        if known != code {
            of_several.entry(*group).or_default();
        }
    }
    for ((entry, group), code) in (0u32..).zip(groups).zip(codes) {
        if let Some(parts) = of_several.get_mut(group) {
            parts.entry(*code).or_default().push(entry);
        }
    }
    let place = |(group, first): (u32, Option<u32>)| match of_several.remove(&group) {
        None => Places::One(i64::from(first.unwrap_or(0))),
        Some(parts) => Places::Several(parts.into_iter().map(|(code, all)| (i64::from(code), all)).collect()),
    };
    (0u32..).zip(first).map(place).collect()
}
