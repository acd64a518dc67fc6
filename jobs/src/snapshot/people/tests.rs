use super::*;

fn enterprise(id: u128, tax_code: &str) -> Enterprise {
    Enterprise { id: Id(uuid::Uuid::from_u128(id)), tax_code: tax_code.into(), name: None, group_code: None }
}

#[test]
fn who_stands_for_enterprises_that_count_as_one_does_not_depend_on_who_came_first() {
    let whole = enterprise(2, "0314409058");
    let branch = enterprise(1, "0314409058-002");
    for order in [[&whole, &branch], [&branch, &whole]] {
        let mut enterprises = Enterprises::default();
        order.into_iter().for_each(|one| enterprises.add(one));
        assert_eq!((enterprises.places(), enterprises.at(0)), (1, Some(branch.id)));
        assert_eq!(enterprises.place(whole.id), enterprises.place(branch.id));
    }
}

#[test]
fn enterprises_are_found_by_all_their_keys() {
    let grouped = |id: u128, tax_code: &str, group: &str| Enterprise {
        group_code: Some(group.into()),
        ..enterprise(id, tax_code)
    };
    let all = [grouped(3, "0314409058", "A"), grouped(4, "0100109106", "A"), enterprise(5, "0101248141-001")];
    let mut enterprises = Enterprises::default();
    all.iter().for_each(|one| enterprises.add(one));
    all.iter().for_each(|one| enterprises.add(one));
    assert_eq!((enterprises.places(), enterprises.in_order().count()), (2, 3));
    assert_eq!(
        ["group:A", "0101248141", "0314409058", "A"].map(|key| enterprises.index_of(key)),
        [Some(0), Some(1), None, None]
    );
    let places = ["0100109106", "0101248141-001"].map(|code| enterprises.index_of_tax_code(code));
    assert_eq!((places, enterprises.get(all[1].id)), ([Some(0), None], Some(all[1].clone())));
    assert_eq!(enterprises.place(Id(uuid::Uuid::from_u128(9))), None);
}

#[test]
fn rows_take_the_places_of_a_list_in_whatever_order_they_come() {
    let codes = ["0314409058", "0100109106", "0101248141", "0302712571"];
    let all: Vec<Enterprise> = (1..).zip(codes).map(|(id, code)| enterprise(id, code)).collect();
    let of = |order: [usize; 4], list: &[(Id, u32)]| {
        let mut rows = EnterpriseRows::default();
        order.into_iter().for_each(|at| rows.add(&all[at]));
        let found = rows.in_order(list)?;
        assert!(all.iter().all(|one| found.get(one.id).as_ref() == Some(one)));
        Some(found.in_order().map(|(id, place)| (id.0.as_u128(), place)).collect::<Vec<_>>())
    };
    let list = [(all[2].id, 0), (all[0].id, 1)];
    for order in [[0, 1, 2, 3], [3, 1, 0, 2]] {
        assert_eq!(of(order, &list).expect("all"), [(3, 0), (1, 1), (2, 2), (4, 3)]);
        assert_eq!(of(order, &[]).expect("all"), [(1, 0), (2, 1), (3, 2), (4, 3)]);
    }
    assert!(of([0, 1, 2, 3], &[(Id(uuid::Uuid::from_u128(9)), 0)]).is_none());
}

#[test]
fn officers_are_in_the_order_of_codes_and_keep_their_places() {
    let officer = |id: u128, code: &str, rank: Option<&str>| Officer {
        id: Id(uuid::Uuid::from_u128(id)),
        code: code.into(),
        name: Some(format!("{code} (minh họa)")),
        rank: rank.map(str::to_owned),
        appointed_on: None,
        unknown: false,
    };
    let all = [officer(1, "C", Some("a")), officer(2, "A", None), officer(3, "B", Some("a"))];
    let read = |list: &[(Id, u32)]| {
        let mut rows = OfficerRows::default();
        all.iter().for_each(|one| rows.add(one));
        rows.in_order(list).expect("all")
    };
    let ids = |officers: &Officers| officers.in_order().map(|id| id.0.as_u128()).collect::<Vec<_>>();
    assert_eq!((ids(&read(&[])), ids(&read(&[(all[2].id, 0)]))), (vec![2, 3, 1], vec![3, 2, 1]));
    let mut officers = read(&[]);
    officers.put(&officer(1, "C", Some("b")));
    officers.put(&officer(4, "0", Some("a")));
    assert_eq!((ids(&officers), officers.places()), (vec![2, 3, 1, 4], 4));
    assert_eq!(officers.get(all[0].id).and_then(|one| one.rank).as_deref(), Some("b"));
    assert_eq!(officers.get(all[2].id), Some(all[2].clone()));
    assert_eq!((officers.index_of("C"), officers.index_of("D"), officers.place(all[1].id)), (Some(2), None, Some(0)));
}
