//! Pages of exports against lists of the database.

use super::*;
use diesel::RunQueryDsl;
use schema::Db;
use schema::enums::Role;
use schema::keys::Keys;
use schema::pseudonyms::Audience;
use schema::world::{self, Bursts, Parameters, UNTIL};

/// A register whose complaints are received at few moments.
fn register(folder: &tempfile::TempDir, micros: i64) -> Db {
    let db = Db::open(&format!("sqlite:{}", folder.path().join("register.db").display())).unwrap();
    db.migrate().unwrap();
    let parameters = Parameters { complaints: 300, seed: 7, until: UNTIL, bursts: Bursts::default() };
    world::generate(&db, parameters, &mut |_| true).unwrap();
    db.write("test", |tx| {
        let coarse = format!("UPDATE complaints SET received_at = received_at - received_at % {micros}");
        schema::each!(&mut *tx.conn, c => diesel::sql_query(coarse).execute(c)?);
        Ok(())
    })
    .unwrap();
    db
}

#[test]
fn ids_of_a_page_are_ends_unless_one_is_of_another_time() {
    let folder = tempfile::tempdir().unwrap();
    let db = register(&folder, 1);
    let order = [(ComplaintSort::ReceivedAt, Direction::Asc)];
    let window = Window { limit: 50, ..Window::default() };
    let mut rows = db.read(|conn| ComplaintSort::list_exported(conn, None, &order, &window)).unwrap().rows;
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ends(&rows), Some([*ids.iter().min().unwrap(), *ids.iter().max().unwrap()]));
    // A complaint whose time of receipt was corrected by a year.
    rows[20].id = Id(Uuid::from_u128(rows[20].id.0.as_u128() + (u128::from(365_u64 * 86_400_000) << 80)));
    assert_eq!(ends(&rows), None);
    assert_eq!(ends(&[]), None);
}

#[test]
fn pages_have_the_order_of_the_database_however_many_complaints_one_moment_has() {
    let shuffle = Keys::ephemeral().pseudonyms(Audience::Export(Role::DataTeam)).shuffle();
    // Microseconds of a second, a day, 100 days and 60 years.
    for micros in [1_000_000, 86_400_000_000, 8_640_000_000_000, 1_893_456_000_000_000] {
        let folder = tempfile::tempdir().unwrap();
        let db = register(&folder, micros);
        let order = [(ComplaintSort::ReceivedAt, Direction::Asc), (ComplaintSort::Shuffled(shuffle), Direction::Asc)];
        let window = Window { limit: 1_000, ..Window::default() };
        let expected = db.read(|conn| ComplaintSort::list_exported(conn, None, &order, &window)).unwrap().rows;
        let officers = db
            .read(|conn| {
                let ids: Vec<Id> = expected.iter().map(|row| row.id).collect();
                queries::named_officers_of(conn, &ids)
            })
            .unwrap();
        for page in [7, 50, 1_000] {
            for filtered in [false, true] {
                let filter = || -> Result<_, StoreError> {
                    Ok(if filtered { received_between(Timestamp::from_micros(0), None) } else { None })
                };
                let day = chrono::NaiveDate::default();
                let selection = Selection { filter: &filter, visible: &|| None, references: false, day };
                let mut found = Vec::new();
                let mut named = 0;
                db.read_snapshot(|conn| {
                    read_pages(conn, shuffle, &selection, page, &|_| false, &mut |page| {
                        let Named::Here(of_page) = page.named else { panic!("no other connection reads") };
                        let of_page = SortedNamed::new(of_page);
                        named += page.rows.iter().filter(|row| !of_page.of(row.id).is_empty()).count();
                        found.extend(page.rows);
                        Ok(())
                    })
                })
                .unwrap();
                assert!(found == expected, "{micros} µs, pages of {page}: {} of {}", found.len(), expected.len());
                assert_eq!(named, officers.len());
            }
        }
    }
}
