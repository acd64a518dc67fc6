//! The tree of units.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A unit before its place in the tree is known.
#[derive(Debug, Clone)]
pub struct Listed {
    pub code: String,
    pub name: String,
    pub href: String,
    /// Its numbers, and whether it has ended.
    pub words: String,
    /// The code of the unit above it.
    pub above: Option<String>,
}

/// A unit with those below it.
#[derive(Debug, Serialize)]
pub struct Node {
    name: String,
    href: String,
    words: String,
    below: Vec<Node>,
}

/// The trees of the units, in their order. A unit whose unit above is not among them begins a tree of its own.
pub fn tree(units: Vec<Listed>) -> Vec<Node> {
    let known: BTreeSet<String> = units.iter().map(|unit| unit.code.clone()).collect();
    let mut below: BTreeMap<Option<String>, Vec<Listed>> = BTreeMap::new();
    for unit in units {
        let above = unit.above.clone().filter(|above| known.contains(above) && *above != unit.code);
        below.entry(above).or_default().push(unit);
    }
    nodes(None, &mut below)
}

/// The units below one. Each is taken out of the map, so that a circle would end.
fn nodes(above: Option<&str>, below: &mut BTreeMap<Option<String>, Vec<Listed>>) -> Vec<Node> {
    let units = below.remove(&above.map(str::to_owned)).unwrap_or_default();
    let with_those_below = units.into_iter().map(|unit| {
        let below = nodes(Some(&unit.code), below);
        Node { name: unit.name, href: unit.href, words: unit.words, below }
    });
    with_those_below.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_below_the_unit_above_them_and_none_is_lost() {
        let listed = |code: &str, above: Option<&str>| Listed {
            code: code.into(),
            name: code.into(),
            href: String::new(),
            words: String::new(),
            above: above.map(str::to_owned),
        };
        let all = vec![
            listed("TCHQ", None),
            listed("01", Some("TCHQ")),
            listed("01A", Some("01")),
            listed("02", Some("TCHQ")),
            listed("99", Some("elsewhere")),
        ];
        let trees = tree(all);
        let names = |nodes: &[Node]| nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&trees), ["TCHQ", "99"]);
        assert_eq!(names(&trees[0].below), ["01", "02"]);
        assert_eq!(names(&trees[0].below[0].below), ["01A"]);
    }
}
