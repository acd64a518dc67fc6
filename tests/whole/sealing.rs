//! Seals, the audit log, and pseudonyms, which only the key file leads back to people.

use crate::program;
use diesel::connection::SimpleConnection;
use schema::Conn;
use schema::pseudonyms::{Audience, Subject};
use serde_json::{Value, json};
use std::time::Duration;
use tests::fixtures::{self, Files};
use tests::verification::verify;
use tests::{Client, Database, Json, Role, TestApp};

/// A key file of the test.
fn key_file(files: &Files) -> String {
    let path = files.path().join("phananh.key").display().to_string();
    let made = program().run(&Database::sqlite(), ["key", "create", &path, "--format", "json"]).ok().json();
    assert_eq!(made["version"], 1);
    path
}

/// Changes the database around the program.
fn execute(database: &Database, sql: &str) {
    let db = database.open();
    db.read(|conn| {
        match conn {
            Conn::Pg(c) => c.batch_execute(sql)?,
            Conn::Sqlite(c) => c.batch_execute(sql)?,
        }
        Ok(())
    })
    .unwrap();
}

/// The problems of chains as `CHAIN kind position.ordinal`; the problems of rows are tested in `tampering`.
fn kinds(report: &Value) -> Vec<String> {
    let problems = report["problems"].list();
    let kind = |problem: &Value| {
        let place = problem["position"].as_i64().map(|position| format!(" {position}.{}", problem["ordinal"]));
        format!("{} {}{}", problem["chain"].text(), problem["kind"].text(), place.unwrap_or_default())
    };
    problems.iter().filter(|problem| problem["table"].is_null()).map(kind).collect()
}

#[test]
fn what_was_sealed_and_is_changed_removed_or_put_in_is_named() {
    let files = Files::new();
    let key = key_file(&files);
    for database in Database::both() {
        fixtures::fill(&database);
        let without = program().run(&database, ["audit", "verify"]);
        assert!(without.status == 1 && without.err.contains("--key-file"), "{without:?}");
        program().run(&database, ["audit", "seal", "--key-file", &key]).ok();
        let (status, report) = verify(&database, &key, &[]);
        assert_eq!((status, &report["verified"], &report["problems"]), (0, &json!(true), &json!([])), "{report}");
        let complaints = &report["chains"][0];
        assert_eq!((&complaints["chain"], &complaints["unsealed"]), (&json!("COMPLAINTS"), &json!(0)));
        assert!(complaints["rows"].integer() >= 6 && complaints["seals"] == 1, "{report}");

        // A second seal, which follows the first, covers later rows.
        fixtures::run_counting(&database, "2024-03-31");
        let row = "PN-1;05/01/2024;;;02CV;;TD2;;;;;x;";
        let csv = format!("{}\n{row}\n", fixtures::COMPLAINTS.lines().next().unwrap());
        let mut import = files.import("complaints", csv, fixtures::COMPLAINTS_MAP);
        import.extend(["--key-file".to_owned(), key.clone()]);
        program().run(&database, import).ok();
        let (_, report) = verify(&database, &key, &[]);
        assert_eq!(
            (&report["chains"][0]["seals"], &report["chains"][0]["unsealed"]),
            (&json!(2), &json!(0)),
            "an import seals: {report}"
        );
        let newest = &report["chains"][0]["newest"];
        let printed = format!("COMPLAINTS:{}:{}", newest["number"], newest["hash"].text());
        assert_eq!(verify(&database, &key, &["--seal", &printed]).0, 0);

        let rows: Vec<(i64, i32)> = {
            use diesel::prelude::*;
            use schema::tables::complaint_events::dsl::*;
            database
                .open()
                .read(|conn| Ok(complaint_events.select((position, ordinal)).order((position, ordinal)).load(conn)?))
                .unwrap()
        };
        // A personal value must be the one to which its event commits. It may also be erased.
        execute(&database, "UPDATE complaint_event_values SET value = 'khác' WHERE field = 'text'");
        let found = kinds(&verify(&database, &key, &[]).1);
        assert!(found.len() >= 6 && found.iter().all(|kind| kind.starts_with("COMPLAINTS changed")), "{found:?}");
        execute(&database, "DELETE FROM complaint_event_values WHERE field = 'text'");
        let (status, report) = verify(&database, &key, &[]);
        assert_eq!(kinds(&report), [""; 0], "a chain stays whole without the values beside it");
        let told = report["problems"].list();
        assert!(
            status == 1 && told.iter().all(|row| row["kind"] == "unverifiable" && row["column"] == "text"),
            "the rows still hold the texts: {report}"
        );
        execute(
            &database,
            "INSERT INTO complaint_events (complaint_id, position, ordinal, kind, recorded_at, effective_at, actor)
             SELECT complaint_id, 0, 7, kind, recorded_at, effective_at, actor FROM complaint_events
             WHERE position = (SELECT max(position) FROM complaint_events)",
        );
        assert_eq!(kinds(&verify(&database, &key, &[]).1), ["COMPLAINTS inserted 0.null"]);
        execute(&database, "DELETE FROM complaint_events WHERE position = 0");

        let (first, second, last) = (rows[0], rows[1], rows[rows.len() - 1]);
        let at = |(position, ordinal): (i64, i32)| format!("position = {position} AND ordinal = {ordinal}");
        execute(&database, &format!("UPDATE complaint_events SET actor = 'cli' WHERE {}", at(first)));
        let (status, report) = verify(&database, &key, &[]);
        assert_eq!((status, kinds(&report)), (1, vec![format!("COMPLAINTS changed {}.{}", first.0, first.1)]));
        execute(
            &database,
            &format!(
                "DELETE FROM complaint_event_values WHERE {0}; DELETE FROM complaint_events WHERE {0}",
                at(second)
            ),
        );
        execute(
            &database,
            &format!(
                "INSERT INTO complaint_events (complaint_id, position, ordinal, kind, recorded_at, effective_at, actor)
             SELECT complaint_id, position, 900, kind, recorded_at, effective_at, actor FROM complaint_events WHERE {}",
                at(first)
            ),
        );
        let (_, report) = verify(&database, &key, &[]);
        let mut found = kinds(&report);
        found.sort();
        assert_eq!(
            found,
            [
                format!("COMPLAINTS changed {}.{}", first.0, first.1),
                format!("COMPLAINTS inserted {}.900", first.0),
                format!("COMPLAINTS removed {}.{}", second.0, second.1),
            ]
        );

        // The end of the chain is removed with its seal. The register's position and the printed seal show it.
        execute(
            &database,
            &format!(
                "DELETE FROM complaint_event_values WHERE {0}; DELETE FROM complaint_events WHERE {0};
                 DELETE FROM seals WHERE chain = 'COMPLAINTS' AND number = 2",
                at(last)
            ),
        );
        let (_, report) = verify(&database, &key, &["--seal", &printed]);
        let found = kinds(&report);
        assert_eq!(found.iter().filter(|kind| kind.contains("cut-off")).count(), 2, "{found:?}");
        // A changed seal does not fit its signature.
        execute(&database, "UPDATE seals SET after = 1 WHERE chain = 'COMPLAINTS' AND number = 1");
        assert!(kinds(&verify(&database, &key, &[]).1).contains(&"COMPLAINTS seal-changed".to_owned()));
    }
}

#[test]
fn a_transaction_of_very_many_rows_is_sealed_and_verified_part_by_part() {
    let files = Files::new();
    let key = key_file(&files);
    for database in Database::both() {
        program().run(&database, ["generate", "--complaints", "22000", "--seed", "8"]).ok();
        program().run(&database, ["audit", "seal", "--key-file", &key]).ok();
        let (status, report) = verify(&database, &key, &[]);
        assert_eq!((status, &report["problems"]), (0, &json!([])));
        assert!(report["chains"][0]["rows"].integer() > 40_000, "{report}");
        assert!(report["chains"][1]["rows"].integer() > 40_000, "{report}");
        let some = "(SELECT max(ordinal) - 5 FROM reference_events)";
        execute(
            &database,
            &format!(
                "DELETE FROM reference_event_values WHERE ordinal = {some};
                 UPDATE reference_events SET actor = 'x' WHERE ordinal = {some}"
            ),
        );
        execute(&database, "UPDATE complaint_events SET kind = 'UPDATED' WHERE ordinal = 30000");
        let found = kinds(&verify(&database, &key, &[]).1);
        assert!(
            found.iter().any(|kind| kind.starts_with("COMPLAINTS changed") && kind.ends_with(".30000")),
            "{found:?}"
        );
        assert!(found.iter().any(|kind| kind.starts_with("REFERENCE changed")), "{found:?}");
        assert_eq!(found.len(), 2, "{found:?}");
    }
}

#[test]
fn a_rotated_key_verifies_what_was_sealed_before_and_a_lost_one_is_named() {
    let files = Files::new();
    let key = key_file(&files);
    let database = Database::sqlite();
    fixtures::fill(&database);
    program().run(&database, ["audit", "seal", "--key-file", &key]).ok();
    assert_eq!(program().run(&database, ["key", "rotate", &key, "--format", "json"]).ok().json()["version"], 2);
    assert_eq!(verify(&database, &key, &[]).0, 0);
    let other = files.path().join("other.key").display().to_string();
    program().run(&database, ["key", "create", &other]).ok();
    assert!(program().run(&database, ["key", "create", &other]).status == 1, "a key file is never overwritten");
    let (status, report) = verify(&database, &other, &[]);
    assert!(status == 1 && kinds(&report).iter().all(|kind| kind.ends_with("seal-changed")), "{report}");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = program().run(&database, ["audit", "verify", "--key-file", &key]);
    assert!(open.status == 1 && open.err.contains("chmod 600"), "{open:?}");
}

#[test]
fn reads_of_identities_are_audited_and_sealed() {
    let files = Files::new();
    let key = key_file(&files);
    for app in TestApp::both().world_with_flags("2024-03-31") {
        let database = &app.database;
        let token = program().token(database, "BOARD", None);
        let server = program().serve(database, &["--key-file", &key]);
        let board = Client { server: &server, token };
        board.data("query Numbers { complaints { totalCount } complaintStatistics { totals { complaints } } }");
        board.data("query Who { complaints { nodes { enterprise { name } officers { officer { name } } } } }");
        board.data("query File { flags { nodes { tier } } }");
        let entries = || -> Vec<schema::models::AuditEntry> {
            use diesel::prelude::*;
            let db = database.open();
            let rows = db.read(|conn| {
                Ok(schema::tables::audit_log::table
                    .order(schema::tables::audit_log::number)
                    .select(schema::models::AuditEntry::as_select())
                    .load(conn)?)
            });
            rows.unwrap()
        };
        let looks = || entries().into_iter().filter(|entry| entry.operation.is_some()).collect::<Vec<_>>();
        for _ in 0..50 {
            if looks().len() >= 2 {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let looks = looks();
        let names: Vec<&str> = looks.iter().map(|entry| entry.operation.as_deref().unwrap()).collect();
        assert_eq!(names, ["Who", "File"], "numbers are of nobody");
        let who = &looks[0].objects.0;
        assert_eq!((who["officers"].list().len(), who["enterprises"].list().len()), (3, 4), "{who}");
        assert_eq!(looks[1].objects.0["files"].list().len(), 1, "{:?}", looks[1]);
        assert_eq!(looks[0].actor, "token:BOARD-all");
        assert!(entries().iter().any(|entry| entry.action == schema::enums::AuditAction::TokenCreated));
        // The server writes the entries that are left when it ends, and it seals by itself.
        board.data("query Last { officers { nodes { code } } }");
        assert_eq!(server.end_by("TERM"), Some(0));
        assert_eq!(entries().last().unwrap().operation.as_deref(), Some("Last"));
        let (status, report) = verify(database, &key, &[]);
        assert!(
            status == 0 && report["chains"][0]["unsealed"] == 0 && report["chains"][0]["seals"].integer() > 0,
            "{report}"
        );
        execute(database, "DELETE FROM audit_log WHERE number = (SELECT max(number) FROM audit_log)");
        assert!(kinds(&verify(database, &key, &[]).1).iter().any(|kind| kind.starts_with("AUDIT ")));
    }
}

#[test]
fn the_data_team_sees_pseudonyms_and_cannot_ask_for_who_they_are() {
    let files = Files::new();
    let key = key_file(&files);
    for app in TestApp::both().world().arguments(&["--key-file", &key]) {
        let (data_team, board) = (app.as_role(Role::DataTeam), app.as_role(Role::Board));
        let query = "{ complaints(first: 3) { totalCount pageInfo { endCursor } nodes {
            pseudonym receivedAt state anonymous enterprise { pseudonym }
            officers { finding officer { pseudonym } } } } }";
        let rows = data_team.data(query)["complaints"].clone();
        assert_eq!(rows["totalCount"], 6);
        let text = rows.to_string();
        for secret in ["CC01", "0100233488", "Công ty", "Nguyễn"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        // A cursor holds the id of a complaint. Nobody can read or make one without the key.
        let cursor = rows["pageInfo"]["endCursor"].text();
        let bytes = data_encoding::BASE64URL_NOPAD.decode(cursor.as_bytes()).unwrap();
        assert!(serde_json::from_slice::<Value>(&bytes).is_err(), "{bytes:?}");
        let next = format!("{{ complaints(after: \"{cursor}\") {{ nodes {{ pseudonym }} }} }}");
        assert_eq!(data_team.data(&next)["complaints"]["nodes"].list().len(), 3);
        let forged =
            data_encoding::BASE64URL_NOPAD.encode(br#"[{"Time":1},{"Id":"00000000-0000-0000-0000-000000000000"}]"#);
        let forged = format!("{{ complaints(after: \"{forged}\") {{ totalCount }} }}");
        assert_eq!(data_team.codes(&forged), ["BAD_USER_INPUT"]);

        // Groups by officer are in the order of the pseudonyms and not of the codes.
        let groups = "{ complaintStatistics(groupBy: [OFFICER]) { rows { officer { pseudonym } complaints } } }";
        let by_pseudonym = data_team.data(groups)["complaintStatistics"]["rows"].clone();
        let keys = schema::keys::Keys::load(key.as_ref()).unwrap();
        let pseudonyms = keys.pseudonyms(Audience::Role(Role::DataTeam));
        let pseudonym = |code| {
            let id = schema::domain::ids::reference_id(schema::events::Entity::Officer, code);
            pseudonyms.of(Subject::Officer, id)
        };
        let mut expected = ["CC01", "CC02", "CC03"].map(pseudonym);
        expected.sort();
        let groups = by_pseudonym.list().iter();
        let groups: Vec<&str> = groups.filter_map(|row| row["officer"]["pseudonym"].as_str()).collect();
        assert_eq!(groups, expected, "{by_pseudonym}");
        // The Board sees other pseudonyms.
        let pseudonyms_of_board = board.data("{ officers { nodes { code pseudonym } } }").to_string();
        assert!(
            expected.iter().all(|pseudonym| !pseudonyms_of_board.contains(pseudonym.as_str())),
            "{pseudonyms_of_board}"
        );
        for (query, why) in [
            ("{ complaints { nodes { id } } }", "id"),
            ("{ complaints { nodes { reference } } }", "reference"),
            ("{ complaints { nodes { text } } }", "text"),
            ("{ complaints { nodes { responses { totalCount } } } }", "text of responses"),
            ("{ complaints { nodes { enterprise { taxCode } } } }", "tax code"),
            ("{ complaints { nodes { officers { officer { code } } } } }", "code"),
            ("{ complaints { nodes { officers { sourceCodes } } } }", "codes of the source"),
            (
                "{ complaints(filter: {enterprise: {taxCode: {eq: \"0100233488\"}}}) { totalCount } }",
                "count by tax code",
            ),
            (
                "{ complaints(filter: {officers: {officer: {code: {eq: \"CC01\"}}}}) { totalCount } }",
                "count by officer",
            ),
            ("{ complaints(filter: {not: {text: {like: \"%tiền%\"}}}) { totalCount } }", "search"),
            ("{ complaints(filter: {id: {isNull: false}}) { totalCount } }", "by id"),
            (
                "{ complaintStatistics(filter: {officerIn: [\"CC01\"]}) { totals { complaints } } }",
                "statistics by officer",
            ),
            (
                "{ complaintStatistics(filter: {enterpriseIn: [\"0100233488\"]}) { totals { complaints } } }",
                "by enterprise",
            ),
            ("{ officers { totalCount } }", "officers"),
            ("{ officer(code: \"CC01\") { pseudonym } }", "one officer"),
            ("{ enterprises { totalCount } }", "enterprises"),
            ("{ complaints { nodes { ... on Node { id } } } }", "id through an interface"),
            (
                "{ complaints { nodes { officers { officer { ...N } } } } } fragment N on Node { id }",
                "id through a fragment",
            ),
            (
                "{ complaintStatistics(groupBy: [OFFICER]) { rows { officer { ... on Node { id } } } } }",
                "id of a group",
            ),
            ("{ flags { totalCount } }", "flags"),
            ("{ unit(code: \"02CV\") { scorecard { complaints } } }", "scorecard"),
        ] {
            let answer = data_team.request(query);
            assert!(
                answer.codes().contains(&"FORBIDDEN".to_owned()) && answer.json().get("data").is_none(),
                "{why}: {answer:?}"
            );
        }
        // A server without the key gives no pseudonyms instead of weak ones.
        let keyless = program().serve(&app.database, &[]);
        let data_team = Client { server: &keyless, token: data_team.token };
        let answer = data_team.request("{ complaints(first: 1) { nodes { pseudonym } } }");
        assert!(answer.text.contains("key file"), "{answer:?}");
    }
}

#[test]
fn an_officer_does_not_see_complaints_that_name_them() {
    for app in TestApp::both().world_with_flags("2024-03-31") {
        let args = ["token", "create", "--name", "x", "--role", "BOARD", "--officer", "CC99"];
        let unknown = program().run(&app.database, args);
        assert!(unknown.status == 1 && unknown.err.contains("CC99"), "{unknown:?}");
        let (board, member) = (app.as_role(Role::Board), app.as_member("An", "CC01"));
        let query = "{ complaints { totalCount nodes { id } } complaintStatistics { totals { complaints } }
            flags { totalCount nodes { id officer { code } } } unitResponses { totalCount } }";
        let (all, own) = (board.data(query), member.data(query));
        assert_eq!((&all["complaints"]["totalCount"], &own["complaints"]["totalCount"]), (&json!(6), &json!(3)));
        assert_eq!(own["complaintStatistics"]["totals"]["complaints"], 3);
        assert_eq!((&all["unitResponses"]["totalCount"], &own["unitResponses"]["totalCount"]), (&json!(3), &json!(1)));
        let flags = |data: &Value| data["flags"]["nodes"].list().iter().any(|flag| flag["officer"]["code"] == "CC01");
        assert!(flags(&all) && !flags(&own), "{own}");
        for node in all["complaints"]["nodes"].list() {
            let seen = own["complaints"]["nodes"].list().contains(node);
            let one = format!("{{ complaint(id: {}) {{ id }} }}", node["id"]);
            assert_eq!(member.data(&one)["complaint"].is_object(), seen);
        }
        let flag = all["flags"]["nodes"].list().iter().find(|flag| flag["officer"]["code"] == "CC01").unwrap();
        assert!(member.data(&format!("{{ flag(id: {}) {{ tier }} }}", flag["id"]))["flag"].is_null());
    }
}
