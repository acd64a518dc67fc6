use super::*;
use crate::models::UNKNOWN_START;
use uuid::Uuid;

fn id(n: u128) -> Id {
    Id(Uuid::from_u128(n))
}

fn unit(n: u128, kind: UnitKind) -> Unit {
    Unit {
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
    }
}

fn parent(unit: u128, parent: u128, from: NaiveDate, to: Option<NaiveDate>) -> UnitParent {
    UnitParent { unit_id: id(unit), valid_from: from, valid_to: to, parent_id: id(parent) }
}

fn day(y: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(y, 3, 1).expect("a date")
}

/// General department 1; departments 2 and 3; branch 4, moved in 2025; branch 5 below it;
/// team 6 below that.
fn tree() -> UnitTree {
    let units = [
        unit(1, UnitKind::GeneralDepartment),
        unit(2, UnitKind::ProvincialDepartment),
        unit(3, UnitKind::ProvincialDepartment),
        unit(4, UnitKind::Branch),
        unit(5, UnitKind::Branch),
        unit(6, UnitKind::Team),
    ];
    let moved = day(2025);
    let parents = [
        parent(2, 1, UNKNOWN_START, None),
        parent(3, 1, UNKNOWN_START, None),
        parent(4, 2, UNKNOWN_START, moved.pred_opt()),
        parent(4, 3, moved, None),
        parent(5, 4, UNKNOWN_START, None),
        parent(6, 5, UNKNOWN_START, None),
    ];
    UnitTree::new(&units, &parents)
}

#[test]
fn ancestors_are_those_of_the_day() {
    let before = tree().ancestors_on(id(6), day(2024));
    assert_eq!(before, Ancestors { department: Some(id(2)), branch: Some(id(5)), team: Some(id(6)) });
    assert_eq!(tree().ancestors_on(id(6), day(2025)).department, Some(id(3)));
    assert_eq!(tree().ancestors_on(id(1), day(2025)), Ancestors::default());
}

#[test]
fn what_lies_below_is_found_beside_the_stored_ancestors() {
    let below = |n| HashSet::from_iter(tree().descendants_without_stored_ancestor(id(n)));
    assert_eq!(below(1), HashSet::from([id(2), id(3), id(4), id(5), id(6)]), "above the stored levels");
    assert_eq!(below(2), HashSet::new(), "a department is stored, with its time");
    assert_eq!(below(4), HashSet::from([id(5), id(6)]), "a branch below a branch");
    assert_eq!(tree().ever_below(id(2)), HashSet::from([id(2), id(4), id(5), id(6)]));
}

#[test]
fn what_moved_below_a_unit_is_what_was_elsewhere_on_another_day() {
    let (tree, then, now) = (tree(), day(2024), day(2025));
    assert_eq!(tree.moved_below_on(id(3), now), [id(4), id(5), id(6)], "the branch, and what lies below it");
    assert!(tree.moved_below_on(id(3), then).is_empty(), "not there yet");
    assert_eq!(tree.moved_below_on(id(2), then), [id(4), id(5), id(6)], "not there any more");
    assert!(tree.moved_below_on(id(1), now).is_empty(), "below it all the time");
    assert!(tree.moved_below_on(id(4), now).is_empty());
    let within = |unit, above, day| tree.is_within_on(id(unit), id(above), day);
    assert!(within(6, 3, now) && within(6, 6, now) && within(6, 2, then), "at any depth, and itself");
    assert!(!within(6, 3, then) && !within(3, 6, now) && !within(9, 1, now));
}

#[test]
fn a_unit_goes_on_as_its_successor_once_its_last_day_has_passed() {
    let ended = |n: u128, year: i32, successor: Option<u128>| Unit {
        valid_to: Some(day(year)),
        successor_id: successor.map(id),
        ..unit(n, UnitKind::Branch)
    };
    // 1 → 2 → 3; 4 has no successor; 5 and 6 succeed each other; 7 goes on, whichever is named.
    let units = [
        ended(1, 2020, Some(2)),
        ended(2, 2023, Some(3)),
        unit(3, UnitKind::Branch),
        ended(4, 2020, None),
        ended(5, 2020, Some(6)),
        ended(6, 2021, Some(5)),
        Unit { successor_id: Some(id(1)), ..unit(7, UnitKind::Branch) },
    ];
    let tree = UnitTree::new(&units, &[]);
    let next = |unit, on: NaiveDate| tree.going_on(id(unit), on).0.as_u128();
    let after = |year| day(year).succ_opt().expect("a day");
    assert_eq!([next(1, day(2020)), next(1, after(2020)), next(1, day(2023))], [1, 2, 2], "its last day is its own");
    assert_eq!([next(1, after(2023)), next(2, after(2023)), next(3, after(2023))], [3, 3, 3]);
    assert_eq!([next(4, day(2025)), next(7, day(2025))], [4, 7]);
    assert_eq!([next(5, day(2025)), next(6, day(2025))], [5, 6], "a circle leads nowhere");
    assert_eq!(next(5, day(2021)), 6, "before the circle closes");
    let succeeds = |unit, earlier| tree.succeeds(id(unit), id(earlier));
    assert!(succeeds(3, 1) && succeeds(1, 1) && succeeds(6, 5));
    assert!(!succeeds(1, 3) && !succeeds(1, 7) && !succeeds(9, 5));
}

#[test]
fn a_circle_is_found() {
    let units = [unit(1, UnitKind::Branch), unit(2, UnitKind::Branch)];
    let circle = UnitTree::new(&units, &[parent(1, 2, UNKNOWN_START, None), parent(2, 1, day(2025), None)]);
    assert!(circle.check_no_circle().is_err());
    assert!(tree().check_no_circle().is_ok());
}
