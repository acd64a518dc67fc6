//! An import into an empty register leaves indexes out and makes them at its end: also where it is killed, where a
//! server reads at the same time, and where another import runs at the same time.

use crate::program;
use diesel::prelude::*;
use diesel::sql_types::Text;
use schema::tables::{complaint_events, complaint_officers, complaint_sources, complaints, deferred_indexes};
use schema::{Conn, Db, Id, Timestamp};
use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use tests::fixtures::{self, Files};
use tests::{Database, Json, in_parallel, wait_until};

/// More than a batch.
const COMPLAINTS: usize = 5_050;

const MAPPING: &str = r#"
source = "so-phan-anh"
[file]
rows = "adjacent"
[missing]
unit = "create"
officer = "create"
category = "create"
[fields]
reference = "ma"
received = "ngay"
tax_code = "mst"
unit = "don_vi"
officer = "can_bo"
category = "loai"
category_kind = { constant = "CONDUCT" }
text = "noi_dung"
"#;

fn csv() -> String {
    let mut csv = "ma,ngay,mst,don_vi,can_bo,loai,noi_dung\n".to_owned();
    for n in 0..COMPLAINTS {
        let (month, day) = (1 + n % 12, 1 + n % 28);
        csv += &format!(
            "PA-{n},2023-{month:02}-{day:02},0100233488,U{},C{},SN,Phản ánh số {n} về việc chậm trả lời\n",
            n % 9,
            n % 50
        );
    }
    csv
}

/// An import whose file goes on: it stores the first batch and waits for more rows.
struct Waiting {
    child: Child,
    /// The file, kept open.
    _input: ChildStdin,
}

impl Waiting {
    fn begin(database: &Database, files: &Files) -> Self {
        let mapping = files.put("waiting.toml", MAPPING);
        let args = ["import", "complaints", "-", "--mapping", mapping.to_str().unwrap()];
        let mut command = program().command(database);
        let mut child =
            command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(csv().as_bytes()).unwrap();
        input.flush().unwrap();
        Self { child, _input: input }
    }

    /// The same into an empty register, when it has left indexes out.
    fn begin_deferring(database: &Database, files: &Files) -> Self {
        let import = Self::begin(database, files);
        wait_until(60, "an import leaves indexes out", || deferred(database) > 0);
        import
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Opens a database as it is.
fn opened(database: &Database) -> Db {
    Db::open(&database.url).unwrap()
}

fn deferred(database: &Database) -> i64 {
    opened(database).read(|conn| Ok(deferred_indexes::table.count().get_result(conn)?)).unwrap()
}

#[derive(QueryableByName)]
struct Definition {
    #[diesel(sql_type = Text)]
    definition: String,
}

/// All tables, indexes, triggers and constraints.
fn definitions(database: &Database) -> Vec<String> {
    let of_sqlite =
        "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS definition FROM sqlite_schema ORDER BY 1";
    let of_postgres = "SELECT indexdef AS definition FROM pg_indexes WHERE schemaname = 'public' UNION ALL \
        SELECT format('%s %s %s %s', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)) \
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1";
    let found: Vec<Definition> = opened(database)
        .read(|conn| {
            Ok(match conn {
                Conn::Sqlite(c) => diesel::sql_query(of_sqlite).load(c)?,
                Conn::Pg(c) => diesel::sql_query(of_postgres).load(c)?,
            })
        })
        .unwrap();
    found.into_iter().map(|one| one.definition).collect()
}

type Complaint = (Id, Timestamp, Option<Id>, Option<Id>, Option<Id>, Option<String>, i32);

#[derive(Debug, PartialEq)]
struct Contents {
    complaints: Vec<Complaint>,
    officers: Vec<(Id, Id, i32, Option<Id>)>,
    sources: Vec<(String, Id, String)>,
    /// The complaint of each event.
    events: Vec<Id>,
}

fn contents(database: &Database) -> Contents {
    opened(database)
        .read(|conn| {
            Ok(Contents {
                complaints: complaints::table
                    .order(complaints::id)
                    .select((
                        complaints::id,
                        complaints::received_at,
                        complaints::unit_id,
                        complaints::enterprise_id,
                        complaints::category_id,
                        complaints::text,
                        complaints::version,
                    ))
                    .load(conn)?,
                officers: complaint_officers::table
                    .order((complaint_officers::complaint_id, complaint_officers::ordinal))
                    .select((
                        complaint_officers::complaint_id,
                        complaint_officers::officer_id,
                        complaint_officers::ordinal,
                        complaint_officers::category_id,
                    ))
                    .load(conn)?,
                sources: complaint_sources::table
                    .order(complaint_sources::reference)
                    .select((
                        complaint_sources::reference,
                        complaint_sources::complaint_id,
                        complaint_sources::content_hash,
                    ))
                    .load(conn)?,
                events: complaint_events::table
                    .order(complaint_events::complaint_id)
                    .select(complaint_events::complaint_id)
                    .load(conn)?,
            })
        })
        .unwrap()
}

/// What an undisturbed import stores.
static UNDISTURBED: LazyLock<Contents> = LazyLock::new(|| {
    let database = Database::sqlite();
    let summary = fixtures::import(&database, "complaints", csv(), MAPPING);
    assert_eq!(summary["imported"].integer(), COMPLAINTS as i64);
    contents(&database)
});

/// Checks that a register is as an undisturbed import leaves it.
fn assert_complete(database: &Database, fresh: &[String]) {
    assert_eq!(deferred(database), 0, "{}", database.name);
    assert_eq!(definitions(database), fresh, "{}", database.name);
    assert!(contents(database) == *UNDISTURBED, "other rows on {}", database.name);
    if let Some(folder) = database.folder() {
        let names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().all(|name| !name.to_string_lossy().ends_with("-import")), "{names:?}");
    }
}

/// An empty register, and its definitions.
fn empty(database: &Database) -> Vec<String> {
    program().run(database, ["migrate"]).ok();
    let fresh = definitions(database);
    assert!(fresh.iter().any(|one| one.contains("complaints_by_received_at_id")), "{fresh:?}");
    fresh
}

#[test]
fn a_server_beside_an_import_answers_and_the_next_one_makes_what_a_killed_import_left_out() {
    in_parallel(2, &Database::both(), |database| {
        let files = Files::new();
        let fresh = empty(database);
        let import = Waiting::begin_deferring(database, &files);
        let during = definitions(database);
        assert!(during.iter().all(|one| !one.contains("complaints_by_received_at_id")), "{during:?}");
        // What makes rows unique stays, and so does the order in which seals read events.
        assert!(during.iter().any(|one| one.contains("complaint_events_by_position")), "{during:?}");
        program().run(database, ["migrate"]).ok();
        assert_eq!(definitions(database), during, "another command beside it leaves them out, too");
        {
            let board = program().token(database, "BOARD", None);
            let server = program().serve(database, &[]);
            let found = server.data(
                &board,
                r#"{ all: complaints(first: 1) { totalCount }
                     ofOfficer: complaints(filter: {officers: {officer: {code: {eq: "C7"}}}}) { totalCount }
                     searched: complaints(filter: {text: {like: "%số 4711 %"}}) { totalCount } }"#,
            );
            assert_eq!(found["all"]["totalCount"], 5_000);
            assert_eq!(found["ofOfficer"]["totalCount"], 100);
            assert_eq!(found["searched"]["totalCount"], 1);
        }
        assert_eq!(definitions(database), during);
        import.kill();
        drop(program().serve(database, &[]));
        assert_eq!(definitions(database), fresh, "{}", database.name);
        let rest = fixtures::import(database, "complaints", csv(), MAPPING);
        assert_eq!([&rest["unchanged"], &rest["imported"]].map(Json::integer), [5_000, 50]);
        assert_complete(database, &fresh);
    });
}

#[test]
fn a_second_import_goes_on_and_the_last_one_makes_the_indexes() {
    in_parallel(2, &Database::both(), |database| {
        let files = Files::new();
        let fresh = empty(database);
        let first = Waiting::begin_deferring(database, &files);
        let args = files.import("complaints", csv(), MAPPING);
        let second = program().run(database, &args).ok().json();
        assert_eq!([&second["unchanged"], &second["imported"]].map(Json::integer), [5_000, 50]);
        assert!(deferred(database) > 0, "the first import still runs");
        first.kill();
        let third = program().run(database, &args).ok().json();
        assert_eq!(third["unchanged"].integer(), COMPLAINTS as i64);
        assert_complete(database, &fresh);
    });
}

#[test]
fn an_import_that_is_killed_again_and_again_ends_as_one_that_is_not() {
    in_parallel(2, &Database::both(), |database| {
        let files = Files::new();
        let fresh = empty(database);
        let args = files.import("complaints", csv(), MAPPING);
        // The last ones are killed where the first of them have stored all rows, or while indexes are made.
        for millis in [300, 700, 1_200, 1_800, 2_500] {
            let mut command = program().command(database);
            let mut child = command.args(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(millis));
            let _ended_already = child.kill();
            child.wait().unwrap();
        }
        program().run(database, &args).ok();
        assert_complete(database, &fresh);
    });
}

#[test]
fn an_import_into_a_register_with_complaints_keeps_all_indexes() {
    in_parallel(2, &Database::both(), |database| {
        let files = Files::new();
        let fresh = empty(database);
        let few: String = csv().split_inclusive('\n').take(50).collect();
        fixtures::import(database, "complaints", few, MAPPING);
        assert_eq!(definitions(database), fresh, "a short import");
        let import = Waiting::begin(database, &files);
        let stored = || opened(database).read(|conn| Ok(complaints::table.count().get_result::<i64>(conn)?)).unwrap();
        wait_until(60, "a batch is stored", || stored() >= 5_000);
        // An import leaves indexes out right after its first batch.
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(definitions(database), fresh);
        import.kill();
    });
}

#[test]
fn a_foreign_key_that_nobody_checked_is_checked_when_an_import_makes_it_anew() {
    let database = &Database::postgres();
    let fresh = empty(database);
    let unchecked = "ALTER TABLE complaints DROP CONSTRAINT complaints_category_id_fkey, \
        ADD CONSTRAINT complaints_category_id_fkey FOREIGN KEY (category_id) REFERENCES issue_categories NOT VALID";
    database.tamper(unchecked);
    assert_ne!(definitions(database), fresh);
    fixtures::import(database, "complaints", csv(), MAPPING);
    assert_complete(database, &fresh);
    // A process that is killed after the first step of a foreign key leaves this.
    database.tamper(unchecked);
    database.tamper(
        "INSERT INTO deferred_indexes (name, made_by) VALUES ('complaints.complaints_category_id_fkey', \
         'ALTER TABLE complaints VALIDATE CONSTRAINT complaints_category_id_fkey')",
    );
    program().run(database, ["migrate"]).ok();
    assert_complete(database, &fresh);
}
