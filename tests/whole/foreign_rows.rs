//! Rows of other people's registers that are easily counted wrong: codes that look alike, allegations that name no
//! officer, amounts beyond all limits.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::foreign_files::{DAY, HEADER, complaints, import, mapping, plain, says};
use tests::verification::{found, verify};
use tests::{Database, Json, Role, TestApp, merged};

#[test]
fn one_officer_stays_one_and_look_alikes_are_named() {
    for hidden in ['\u{200b}', '\u{feff}', '\u{ad}', '\u{3164}', '\u{115f}', '\u{200e}'] {
        let csv = format!(
            "{HEADER}\nPA-1,05/03/2024,,02CV,CC-1,SN,a\nPA-2,06/03/2024,,02CV,CC-1{hidden},SN,b{hidden}\n\
             PA-3,07/03/2024,,{hidden}02CV,C{hidden}C-1,SN,c\n"
        );
        import(&csv, &plain(), |app, result| {
            let sign = format!("U+{:04X}", u32::from(hidden));
            says(result, 0, &["row 3, column \"cb\"", "row 4, column \"dv\"", "row 4, column \"cb\"", &sign]);
            let found = complaints(&app.database);
            let codes: Vec<_> = (0..3).map(|n| found["nodes"][n]["officers"][0]["officer"]["code"].clone()).collect();
            assert_eq!(codes, ["CC-1", "CC-1", "CC-1"]);
            assert_eq!(found["nodes"][2]["unit"]["code"], "02CV");
            assert_eq!(found["nodes"][1]["text"], format!("b{hidden}"), "a free text stays as it is");
        });
    }
    for (alike, sign) in [
        ("CC\u{2011}1", "U+2011"),
        ("CC\u{2013}1", "U+2013"),
        ("CC\u{2212}1", "U+2212"),
        ("\u{421}\u{421}-1", "U+0421"),
        ("\u{ff23}\u{ff23}-1", "U+FF23"),
        ("cc-1", "cc-1"),
        ("CC - 1", "CC - 1"),
    ] {
        // Both codes are in one file, or the second comes in a later file.
        let first = format!("{HEADER}\nPA-1,05/03/2024,,02CV,CC-1,SN,a\n");
        let second = format!("{HEADER}\nPA-2,06/03/2024,,02CV,{alike},SN,a\n");
        let both = format!("{first}PA-2,06/03/2024,,02CV,{alike},SN,a\n");
        import(&both, &plain(), |_, result| {
            says(result, 0, &["row 3, column \"cb\"", "officer", alike, "\"CC-1\"", sign]);
        });
        let database = Database::sqlite();
        let files = Files::new();
        let alone = program().run(&database, files.import("complaints", &first, &plain())).ok();
        assert!(!alone.err.contains("alike"), "{}", alone.err);
        let result = program().run(&database, files.import("complaints", &second, &plain()));
        says(&result, 0, &["row 2, column \"cb\"", alike, "\"CC-1\"", sign]);
    }
    let other = format!("{HEADER}\nPA-1,05/03/2024,,02CV,CC-1,SN,a\nPA-2,05/03/2024,,02CV,CC-2,SN,a\n");
    import(&other, &plain(), |_, result| assert!(!result.err.contains("alike"), "{}", result.err));
}

#[test]
fn codes_of_units_and_categories_are_looked_at_in_their_own_lists() {
    let database = Database::sqlite();
    let files = Files::new();
    let units = "ma,ten,cap\n02CV,Một,BRANCH\nO2CV,Hai,BRANCH\n";
    let map = "source = \"x\"\n[fields]\ncode = \"ma\"\nname_vi = \"ten\"\nkind = \"cap\"\n";
    let result = program().run(&database, files.import("units", units, map));
    says(&result, 0, &["unit codes", "\"02CV\"", "\"O2CV\"", "look alike"]);
}

#[test]
fn eth_is_found_by_d_and_named_beside_d_with_a_stroke() {
    let header = format!("{HEADER},kl");
    let csv = format!(
        "{header}\nPA-1,05/03/2024,,02CV,CC-1,SN,\u{110}ội trưởng,\u{110}\n\
         PA-2,06/03/2024,,02CV,CC-1,SN,\u{d0}ội trưởng,\u{110}\n\
         PA-3,07/03/2024,,02CV,CC-1,SN,a,\u{d0}\n"
    );
    let map =
        mapping(DAY, "", "finding = { column = \"kl\", values = { \"\u{110}\" = \"SUSTAINED\", S = \"UNFOUNDED\" } }");
    import(&csv, &map, |app, result| {
        says(result, 3, &["row 4, column \"kl\"", "U+00D0", "U+0110"]);
        let board = app.as_role(Role::Board);
        for search in ["doi", "\u{110}ội", "\u{d0}ội"] {
            let query = format!("{{ complaints(filter: {{search: \"{search}\"}}) {{ totalCount }} }}");
            assert_eq!(board.data(&query)["complaints"]["totalCount"], 2, "{search} on {}", app.database.name);
        }
    });
}

#[test]
fn allegations_without_officers_are_stored_and_the_complaint_counts_once() {
    let csv = format!(
        "{HEADER},kl\nPA-1,05/03/2024,,02CV,,SN,a,S\nPA-1,05/03/2024,,03TG,,HD,a,\nPA-2,06/03/2024,,02CV,,SN,b,\n\
         PA-3,07/03/2024,,02CV,CC-1,SN,c,S\nPA-3,07/03/2024,,02CV,,HD,c,\nPA-3,07/03/2024,,02CV,,QT,c,\n"
    );
    let map = mapping(DAY, "", "finding = { column = \"kl\", values = { S = \"UNFOUNDED\" } }");
    for database in Database::both() {
        let files = Files::new();
        let first = fixtures::import(&database, "complaints", &csv, &map);
        assert_eq!((&first["read"], &first["imported"]), (&json!(3), &json!(3)));
        let stored = complaints(&database);
        assert_eq!(stored["totalCount"], 3);
        let [one, two, three] = [0, 1, 2].map(|n| stored["nodes"][n].clone());
        let matters = json!([
            { "officer": null, "category": { "code": "HD" }, "unit": { "code": "03TG" }, "finding": "PENDING" },
            { "officer": null, "category": { "code": "SN" }, "unit": { "code": "02CV" }, "finding": "UNFOUNDED" },
        ]);
        assert_eq!((&one["matters"], &one["officers"]), (&matters, &json!([])));
        assert_eq!((&one["category"]["code"], &one["finding"]), (&json!("HD"), &json!(null)), "its lowest row");
        assert_eq!((&two["matters"], &two["category"]["code"]), (&json!([]), &json!("SN")));
        assert_eq!((three["matters"].list().len(), three["officers"].list().len()), (2, 1));
        // Each complaint counts once, in one category.
        let board = program().token(&database, "BOARD", None);
        let counted = program()
            .serve(&database, &[])
            .data(&board, "{ complaintStatistics(groupBy: [CATEGORY]) { rows { category { code } complaints } } }");
        let rows = counted["complaintStatistics"]["rows"].list();
        assert_eq!(rows.iter().map(|row| row["complaints"].integer()).sum::<i64>(), 3, "{counted}");
        // The same rows in another order change nothing. A changed row is imported, and its events cover the change.
        let mut lines: Vec<&str> = csv.lines().collect();
        lines[1..].reverse();
        let again = fixtures::import(&database, "complaints", lines.join("\n"), &map);
        assert_eq!(again["unchanged"], 3);
        let changed = csv.replace("03TG,,HD,a,\n", "03TG,,HD,a,S\n");
        assert_eq!(fixtures::import(&database, "complaints", &changed, &map)["updated"], 1);
        assert_eq!(complaints(&database)["nodes"][0]["finding"], "UNFOUNDED", "both are decided now");
        let key = files.path().join("phananh.key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        program().run(&database, ["audit", "seal", "--key-file", &key]).ok();
        assert_eq!(verify(&database, &key, &[]).0, 0, "{}", database.name);
        for (sql, problem) in [
            (
                "UPDATE complaint_matters SET finding = 'SUSTAINED' WHERE finding = 'UNFOUNDED'",
                "complaint_matters.finding",
            ),
            ("DELETE FROM complaint_matters", "complaint_matters -"),
        ] {
            let copy = database.copy();
            copy.tamper(sql);
            let (status, report) = verify(&copy, &key, &[]);
            assert_eq!((status, found(&report)), (1, vec![problem.to_owned()]), "{}", database.name);
        }
    }
}

#[test]
fn money_and_delay_have_a_limit_by_row_and_a_mapping_may_move_it() {
    let csv = format!(
        "{HEADER},cp,gio\nPA-1,05/03/2024,,02CV,CC-1,SN,a,9223372036854775807,\n\
         PA-2,06/03/2024,,02CV,CC-1,SN,b,1000000,\n\
         PA-3,07/03/2024,,02CV,CC-1,SN,c,1000000000001,\nPA-4,08/03/2024,,02CV,CC-1,SN,d,1000000000000,100000\n\
         PA-5,09/03/2024,,02CV,CC-1,SN,e,,1000000\n"
    );
    let map = mapping(DAY, "", "cost_vnd = \"cp\"\ndelay_hours = \"gio\"");
    import(&csv, &map, |app, result| {
        let words =
            ["row 2, column \"cp\"", "9223372036854775807", "row 4, column \"cp\"", "row 6, column \"gio\"", "`most`"];
        says(result, 3, &words);
        assert_eq!((&result.json()["imported"], &result.json()["rejected"]), (&json!(2), &json!(3)));
        let costs: Vec<_> = complaints(&app.database)["nodes"].list().iter().map(|c| c["costVnd"].clone()).collect();
        assert_eq!(costs, ["1000000", "1000000000000"]);
    });
    let moved = map.replace("\"cp\"", "{ column = \"cp\", most = 500000 }");
    import(&csv, &moved, |_, result| {
        says(result, 3, &["row 3, column \"cp\"", "500000"]);
        assert_eq!(result.json()["imported"], 0);
    });
    let database = Database::sqlite();
    let files = Files::new();
    for (rule, words) in [
        ("most = 9000000000000000000", ["fields.cost_vnd", "not a valid limit"]),
        ("most = -1", ["fields.cost_vnd", "not a valid limit"]),
        ("default = 2000000000000", ["fields.cost_vnd", "is more than 1000000000000"]),
    ] {
        let map = map.replace("\"cp\"", &format!("{{ column = \"cp\", {rule} }}"));
        says(&program().run(&database, files.import("complaints", &csv, &map)), 1, &words);
    }
}

#[test]
fn what_is_submitted_has_the_same_limits() {
    for app in TestApp::both() {
        let intake = app.as_role(Role::Intake);
        let submit = |key: &str, more: Value| {
            let query = "mutation($i: SubmitComplaintInput!) { submitComplaint(input: $i) { created } }";
            let input = json!({ "idempotencyKey": key, "text": "x", "receivedAt": "2024-05-01T00:00:00Z" });
            intake.request_with(query, &json!({ "i": merged(&input, &more) })).json()
        };
        for (key, more, field) in [
            ("1", json!({ "costVnd": "9223372036854775807" }), "costVnd"),
            ("2", json!({ "costVnd": "1000000000001" }), "costVnd"),
            ("3", json!({ "delayHours": 1e300 }), "delayHours"),
            ("4", json!({ "delayHours": 100001.0 }), "delayHours"),
        ] {
            let answer = submit(key, more.clone());
            let told = answer["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(told.contains(field) && told.contains("the most that is taken"), "{more}: {answer}");
        }
        let answer = submit("5", json!({ "costVnd": "1000000000000", "delayHours": 100000.0 }));
        assert!(answer["errors"].is_null(), "{answer}");
    }
}

/// A register may hold absurd costs that were imported before there was a limit.
#[test]
fn sums_that_cannot_be_counted_are_errors_and_never_another_number() {
    let csv = format!(
        "{HEADER},cp\nPA-1,05/03/2024,,02CV,CC-1,SN,a,1\nPA-2,06/03/2024,,02CV,CC-1,SN,b,2\n\
         PA-3,07/03/2024,,02CV,CC-2,SN,c,7\n"
    );
    let map = mapping(DAY, "", "cost_vnd = \"cp\"");
    import(&csv, &map, |app, result| {
        says(result, 0, &[]);
        app.database.tamper("UPDATE complaints SET cost_vnd = 9223372036854775807 WHERE cost_vnd < 3");
        let board = app.as_role(Role::Board);
        for query in [
            "{ complaintStatistics(groupBy: [UNIT]) { rows { costVnd } } }",
            "{ complaintStatistics(groupBy: [YEAR]) { totals { costVnd } } }",
            "{ officers(filter: {code: {eq: \"CC-1\"}}) { nodes { record { costVnd } } } }",
            "{ unit(code: \"02CV\") { scorecard(days: 3000) { costVnd } } }",
        ] {
            let answer = board.request(query).json();
            let told = answer["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(told.contains("more than can be counted"), "{query} on {}: {answer}", app.database.name);
        }
        let query = "{ officers(filter: {code: {eq: \"CC-2\"}}) { nodes { record { costVnd } } } }";
        let other = board.request(query).json();
        assert_eq!(other["data"]["officers"]["nodes"][0]["record"]["costVnd"], "7", "{other}");
    });
}

#[test]
fn a_value_is_preferred_to_a_blank_and_two_values_have_to_agree() {
    let rows = ["PA-1,05/03/2024,,02CV,CC-1,SN,,", "PA-1,05/03/2024,0100233488,02CV,CC-2,SN,a,500"];
    for order in [[0, 1], [1, 0]] {
        let csv = format!("{HEADER},cp\n{}\n{}\n", rows[order[0]], rows[order[1]]);
        let map = mapping(DAY, "", "cost_vnd = \"cp\"");
        import(&csv, &map, |app, result| {
            says(result, 0, &[]);
            let one = complaints(&app.database)["nodes"][0].clone();
            assert_eq!((&one["text"], &one["costVnd"]), (&json!("a"), &json!("500")), "{}", app.database.name);
            assert_eq!(one["officers"].list().len(), 2);
        });
        let differ = csv.replace("SN,,\n", "SN,b,\n");
        import(&differ, &map, |_, result| says(result, 3, &["column \"nd\"", "differs between the rows"]));
    }
}
