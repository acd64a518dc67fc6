use super::*;
use crate::enums::UnitKind;
use crate::models::{UNKNOWN_START, UnitParent};
use uuid::Uuid;

fn id(n: u128) -> Id {
    Id(Uuid::from_u128(n))
}

fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 6, 1).expect("a date")
}

/// Department 2 with branch 3 and team 4; headquarters unit 9.
fn tree() -> UnitTree {
    let unit = |n, kind| Unit {
        id: id(n),
        code: n.to_string(),
        name_vi: n.to_string(),
        name_en: None,
        kind,
        peer_group: None,
        field: None,
        valid_from: UNKNOWN_START,
        valid_to: None,
        unknown: false,
        successor_id: None,
    };
    let units = [
        unit(2, UnitKind::ProvincialDepartment),
        unit(3, UnitKind::Branch),
        unit(4, UnitKind::Team),
        unit(9, UnitKind::HeadquartersUnit),
    ];
    let parent = |unit, parent| UnitParent {
        unit_id: id(unit),
        valid_from: UNKNOWN_START,
        valid_to: None,
        parent_id: id(parent),
    };
    UnitTree::new(&units, &[parent(3, 2), parent(4, 3)])
}

fn rule(
    n: u128,
    category: Option<u128>,
    kind: Option<CategoryKind>,
    unit: Option<u128>,
    to: Option<u128>,
) -> RoutingRule {
    RoutingRule {
        id: id(n),
        category_id: category.map(id),
        kind,
        unit_id: unit.map(id),
        responsible_unit_id: to.map(id),
        valid_from: day(2020),
        valid_to: Some(day(2030)),
    }
}

/// Category 20 of unit 9 with 21 below it, both technical; 30 about conduct, without an owner.
fn routing(rules: Vec<RoutingRule>) -> Routing {
    let of = |above: Option<u128>, kind, owner: Option<u128>| CategoryRoute {
        above: above.map(id),
        kind,
        owner: owner.map(id),
    };
    let categories = HashMap::from([
        (id(20), of(None, CategoryKind::Technical, Some(9))),
        (id(21), of(Some(20), CategoryKind::Technical, None)),
        (id(30), of(None, CategoryKind::Conduct, None)),
    ]);
    Routing { rules, categories }
}

fn routed(routing: &Routing, category: Option<u128>, unit: Option<u128>, year: i32) -> Option<u128> {
    routing.route(&tree(), matter(category, unit, year)).unit.map(|unit| unit.0.as_u128())
}

fn matter(category: Option<u128>, unit: Option<u128>, year: i32) -> Matter {
    let day = day(year);
    Matter { category: category.map(id), unit: unit.map(id), day, received_on: day, asked_on: day }
}

#[test]
fn a_category_with_an_owner_goes_there_and_everything_else_to_the_branch() {
    let plain = routing(Vec::new());
    assert_eq!(routed(&plain, Some(20), Some(4), 2025), Some(9));
    assert_eq!(routed(&plain, Some(21), Some(4), 2025), Some(9), "the owner of the category above");
    assert_eq!(routed(&plain, Some(30), Some(4), 2025), Some(3), "the branch above the team");
    assert_eq!(routed(&plain, None, Some(2), 2025), Some(2), "a department has no branch above it");
    assert_eq!(routed(&plain, None, Some(9), 2025), Some(9));
    assert_eq!(routed(&plain, None, None, 2025), None);
}

#[test]
fn the_successor_answers_for_a_unit_that_has_ended() {
    let unit = |n, last: Option<i32>, successor: Option<u128>| Unit {
        id: id(n),
        code: n.to_string(),
        name_vi: n.to_string(),
        name_en: None,
        kind: if n < 9 { UnitKind::Branch } else { UnitKind::HeadquartersUnit },
        peer_group: None,
        field: None,
        valid_from: UNKNOWN_START,
        valid_to: last.map(day),
        unknown: false,
        successor_id: successor.map(id),
    };
    // Branch 3 became 5, headquarters unit 9 became 10.
    let units =
        [unit(3, Some(2024), Some(5)), unit(5, None, None), unit(9, Some(2022), Some(10)), unit(10, None, None)];
    let tree = UnitTree::new(&units, &[]);
    let all = routing(vec![rule(100, None, None, Some(3), Some(9))]);
    let plain = routing(Vec::new());
    let asked = |routing: &Routing, category: Option<u128>, asked: i32| {
        let route = routing.route(&tree, Matter { asked_on: day(asked), ..matter(category, Some(3), 2023) });
        (route.unit, route.in_place_of)
    };
    assert_eq!(asked(&plain, None, 2024), (Some(id(3)), None), "its last day");
    assert_eq!(asked(&plain, None, 2025), (Some(id(5)), Some(id(3))));
    assert_eq!(asked(&plain, Some(20), 2022), (Some(id(9)), None));
    assert_eq!(asked(&plain, Some(20), 2025), (Some(id(10)), Some(id(9))), "of the owner");
    assert_eq!(asked(&all, None, 2025), (Some(id(10)), Some(id(9))), "of the unit that a rule names");
}

#[test]
fn the_most_specific_rule_in_force_decides() {
    let conduct = Some(CategoryKind::Conduct);
    let all = routing(vec![
        rule(100, None, None, Some(2), Some(2)),
        rule(101, None, None, Some(3), Some(4)),
        rule(102, None, conduct, None, Some(9)),
        rule(103, Some(20), None, None, None),
        rule(104, Some(21), None, Some(3), Some(2)),
    ]);
    assert_eq!(routed(&all, None, Some(2), 2025), Some(2));
    assert_eq!(routed(&all, None, Some(4), 2025), Some(4), "the nearer unit");
    assert_eq!(routed(&all, Some(30), Some(4), 2025), Some(9), "a kind before a unit");
    assert_eq!(routed(&all, Some(20), Some(4), 2025), Some(3), "the branch, whichever unit owns the category");
    assert_eq!(routed(&all, Some(21), Some(4), 2025), Some(2), "a category before the one above it");
    assert_eq!(routed(&all, Some(21), None, 2025), None, "the rule of the category above, and no unit");
    assert_eq!(routed(&all, Some(20), Some(4), 2019), Some(9), "before the rules");
    assert_eq!(routed(&all, Some(20), Some(4), 2031), Some(9), "after them");
}
