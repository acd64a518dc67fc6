//! What helps to write a mapping: codes of several columns, categories of two levels, rows that leave something blank,
//! and the report of an import.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::foreign_files::{DAY, HEADER, complaints, import, import_into, mapping, plain, says};
use tests::{Database, Json, Role, TestApp};

/// A mapping of these fields, which creates missing reference data.
fn map(fields: &str) -> String {
    format!(
        r#"
source = "so"
[missing]
unit = "create"
officer = "create"
category = "create"
[fields]
{fields}
"#
    )
}

#[test]
fn several_columns_make_one_code_a_text_or_a_time() {
    let csv = "nam,so,ngay,gio,cap1,cap2\n2024,1,05/03/2024,14:30,Thái độ,Hách dịch\n2024,2,05/03/2024,,Thái độ,\n\
               2025,1,06/03/2024,08:00,,Khác\n2024,1,05/03/2024,14:30,Thái độ,Sách nhiễu\n";
    let fields = r#"
reference = { join = ["so", "nam"], separator = "/" }
received = { join = ["ngay", "gio"], separator = " ", formats = ["%d/%m/%Y %H:%M", "%d/%m/%Y"] }
category = { join = ["cap1", "cap2"], pattern = '^(.*)$' }
category_kind = { constant = "CONDUCT" }
text = { join = ["cap2", "cap1"], separator = ", " }
"#;
    import(csv, &map(fields), |app, result| {
        // A blank part keeps its place, so that no other parts make the code of "Thái độ" alone.
        says(result, 3, &["row 5, column \"cap2 + cap1\": text: differs between the rows of one complaint"]);
        let all = complaints(&app.database);
        let codes: Vec<&Value> = (0..2).map(|n| &all["nodes"][n]["category"]["code"]).collect();
        assert_eq!(codes, ["Thái độ-", "-Khác"]);
        assert_eq!(all["nodes"][0]["receivedAt"], "2024-03-05T00:00:00+07:00");
        assert_eq!(all["nodes"][1]["receivedAt"], "2024-03-06T08:00:00+07:00");
    });
    let one_text = fields.replace("text = { join = [\"cap2\", \"cap1\"], separator = \", \" }", "text = \"cap1\"");
    import_into(TestApp::both().arguments(&["--no-jobs"]), csv, &map(&one_text), |app, result| {
        assert_eq!(result.json()["imported"], 3, "{result:?}");
        let query =
            "{ complaints(filter: {sourceReference: {eq: \"1/2024\"}}) { nodes { matters { category { code } } } } }";
        let matters = app.as_role(Role::Board).data(query)["complaints"]["nodes"][0]["matters"].clone();
        assert_eq!(matters.list().len(), 2, "{matters}");
    });
}

#[test]
fn a_join_that_makes_one_code_of_two_is_refused() {
    let fields = |join: &str| map(&format!("reference = {join}\nreceived = \"ngay\""));
    let csv = "a,b,ngay\n1-2,3,2024-03-05\n1,2-3,2024-03-05\n1,2,2024-03-05\n";
    import(csv, &fields("{ join = [\"a\", \"b\"] }"), |_, result| {
        says(result, 3, &["row 2, column \"a + b\"", "row 3, column \"a + b\"", "\"2-3\" has the separator \"-\""]);
        assert_eq!(result.json()["imported"], 1);
    });
    import(csv, &fields("{ join = [\"a\", \"b\"], separator = \"|\" }"), |_, result| {
        assert_eq!(result.json()["imported"], 3, "{result:?}");
    });
    for (join, words) in [
        ("{ join = [\"a\"] }", "`join` needs at least two columns"),
        ("{ join = [\"a\", \"b\"], column = \"a\" }", "either a column or a constant, or columns to `join`"),
        ("{ join = [\"a\", \"b\"], separator = \"\" }", "would be the same code"),
        ("{ column = \"a\", separator = \"-\" }", "`separator` needs a `join`"),
        ("{ join = [\"a\", \" \"] }", "the name of the column is blank"),
        ("{ join = [\"a\", \"c\"] }", "the file has no column \"c\""),
    ] {
        let database = Database::sqlite();
        let files = Files::new();
        says(&program().run(&database, files.import("complaints", csv, &fields(join))), 1, &[words]);
    }
}

#[test]
fn a_category_names_the_one_above_it() {
    let header = "ref,ngay,nhom,loai";
    let fields = r#"
reference = "ref"
received = "ngay"
category = "loai"
category_parent = "nhom"
category_kind = { constant = "CONDUCT" }
category_name = { column = "loai", pattern = '^(.*)$' }
"#;
    let csv = format!(
        "{header}\n1,2024-03-05,TD,TD1\n2,2024-03-05,TD,TD2\n3,2024-03-05,TD,TD\n\
         4,2024-03-05,,HT\n5,2024-03-05,QT,QT1\n"
    );
    let tree = |database: &Database| {
        let board = program().token(database, "BOARD", None);
        let server = program().serve(database, &["--no-jobs"]);
        let query = "{ issueCategories(first: 20) { nodes { code parent { code } } } }";
        let nodes = server.data(&board, query)["issueCategories"]["nodes"].clone();
        let nodes = nodes.list().iter();
        nodes.map(|one| json!([one["code"], one["parent"]["code"]])).collect::<Vec<Value>>()
    };
    import(&csv, &map(fields), |app, result| {
        assert_eq!(result.json()["imported"], 5, "{result:?}");
        let mut found = tree(&app.database);
        found.sort_by_key(ToString::to_string);
        let expected = [["HT", ""], ["QT", ""], ["QT1", "QT"], ["TD", ""], ["TD1", "TD"], ["TD2", "TD"]];
        let expected = expected.map(|[code, parent]| json!([code, (!parent.is_empty()).then_some(parent)]));
        assert_eq!(found, expected);
        // There is no third level, neither below a category of the register nor below one of the file itself.
        let files = Files::new();
        let deeper = format!("{header}\n6,2024-03-05,TD1,TD11\n7,2024-03-05,A,B\n8,2024-03-05,B,C\n");
        let result = program().run(&app.database, files.import("complaints", deeper, &map(fields)));
        let words = ["row 2, column \"nhom\": category_parent: \"TD1\" is itself below a category", "row 4"];
        says(&result, 3, &words);
        assert_eq!(result.json()["imported"], 1);
    });
}

#[test]
fn a_value_is_preferred_to_a_blank_whichever_row_has_it() {
    let header = "ref,nhan,mst,ten,dv,cb,loai,nd";
    let map = mapping(DAY, "", "enterprise_name = \"ten\"\nofficer_name = \"ten\"");
    let rows = [
        "1,,0100233488,,02CV,CC-1,SN,",
        "1,05/03/2024,,Công ty A,02CV,CC-1,HD,Đòi tiền",
        "1,,0100233488,Công ty A,02CV,CC-2,SN,",
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let csv = format!("{header}\n{}\n", order.map(|n| rows[n]).join("\n"));
        import_into(TestApp::both().arguments(&["--no-jobs"]), &csv, &map, |app, result| {
            assert_eq!((&result.json()["imported"], &result.json()["rejected"]), (&json!(1), &json!(0)), "{result:?}");
            let query =
                "{ complaints { nodes { receivedAt text enterprise { name } officers { officer { code name } } } } }";
            let one = app.as_role(Role::Board).data(query)["complaints"]["nodes"][0].clone();
            assert_eq!((&one["receivedAt"], &one["text"]), (&json!("2024-03-05T00:00:00+07:00"), &json!("Đòi tiền")));
            assert_eq!(one["enterprise"]["name"], "Công ty A");
            assert!(one["officers"].list().iter().all(|one| one["officer"]["name"] == "Công ty A"), "{one}");
        });
    }
    let never = format!("{HEADER}\n1,,,02CV,CC-1,SN,a\n1,,,02CV,CC-2,SN,a\n");
    import(&never, &plain(), |_, result| says(result, 3, &["column \"nhan\": received: is blank"]));
    let differs = format!("{HEADER}\n1,05/03/2024,,02CV,CC-1,SN,a\n1,06/03/2024,,02CV,CC-2,SN,a\n");
    import(&differs, &plain(), |_, result| says(result, 3, &["received: differs between the rows"]));
}

#[test]
fn an_import_reports_what_it_met() {
    let header = format!("{HEADER},kl,kenh");
    let csv = format!(
        "{header}\n1,05/03/2024,,02CV,CC-1,SN - a,a,Đ,x\n2,05/03/2024,,02CV,CC-2,SN - b,,đúng,\n\
         3,05/03/2024,,03TG,,HD - c,,S,?\n4,05/03/2024,,03TG,CC-1,HD,,,?\n\
         5,05/03/2024,,03TG,CC-1,SN - a,,Q,?\n6,,,03TG,CC-1,SN - a,,S,?\n"
    );
    let more = r#"
finding = { column = "kl", values = { "Đ" = "SUSTAINED", "đúng" = "SUSTAINED", S = "UNFOUNDED" } }
channel = { column = "kenh", values = { x = "PORTAL" }, otherwise = "OTHER" }
"#;
    let map = mapping(DAY, "", more)
        .replace("category = \"loai\"", "category = { column = \"loai\", pattern = '^([A-Z]+) - ' }");
    for dry in [true, false] {
        for database in Database::both() {
            let files = Files::new();
            let mut args = files.import("complaints", &csv, &map);
            args.extend(dry.then(|| "--dry-run".to_owned()));
            let to = files.path().join("report.json").display().to_string();
            let written = program().run(
                &database,
                [&args[..], &["--dry-run".into(), "--report".into(), to.clone()][usize::from(dry)..]].concat(),
            );
            assert!(written.status == 3 && !written.err.contains("created"), "{written:?}");
            let report: Value = serde_json::from_str(&std::fs::read_to_string(&to).unwrap()).unwrap();
            let result = program().run(&database, &args);
            assert_eq!(result.status, 3, "{result:?}");
            let document = result.json();
            assert_eq!((&document["imported"], &document["rejected"]), (&json!(3), &json!(3)), "{document}");
            assert_eq!(
                report["created"],
                json!([
                    { "kind": "units", "number": 2, "codes": ["02CV", "03TG"] },
                    { "kind": "officers", "number": 2, "codes": ["CC-1", "CC-2"] },
                    { "kind": "categories", "number": 2, "codes": ["HD", "SN"] },
                ]),
                "dry run: {dry}"
            );
            let column = |field: &str| {
                let all = report["columns"].list();
                all.iter()
                    .find(|column| column["field"] == field)
                    .unwrap_or_else(|| panic!("{field}: {report}"))
                    .clone()
            };
            assert_eq!(
                column("finding"),
                json!({
                    "column": "kl", "field": "finding", "filled": 5, "blank": 1,
                    "unknown": 1, "unknownValues": [["Q", 1]], "rejected": 1,
                    "merged": [{ "readAs": "SUSTAINED", "different": 2, "cells": [["Đ", 1], ["đúng", 1]] }],
                })
            );
            let category = column("category");
            assert_eq!((&category["unknown"], &category["unknownValues"]), (&json!(1), &json!([["HD", 1]])));
            assert_eq!(category["merged"][0]["cells"], json!([["SN - a", 3], ["SN - b", 1]]));
            assert_eq!(column("channel")["unknownValues"], json!([["?", 4]]), "what falls to `otherwise` is told");
            assert_eq!((&column("channel")["rejected"], &column("channel")["blank"]), (&json!(0), &json!(1)));
            assert_eq!((&column("received")["blank"], &column("received")["rejected"]), (&json!(1), &json!(1)));
            assert_eq!(column("text")["blank"], 5);
            for line in [
                "created from their codes alone: units: 2 (02CV, 03TG); officers: 2 (CC-1, CC-2); \
                 categories: 2 (HD, SN)",
                "column \"kl\" (finding): 1 of 6 cells blank; 1 not in the mapping: \"Q\" (1); rejected rows: 1; \
                 read as \"SUSTAINED\": \"Đ\" (1), \"đúng\" (1)",
            ] {
                assert!(result.err.contains(line), "{line} is not in\n{}", result.err);
            }
        }
    }
    // The same file again changes nothing, and the program writes nothing to its errors.
    let database = Database::sqlite();
    let files = Files::new();
    let good = format!("{HEADER}\n1,05/03/2024,,02CV,CC-1,SN,\n");
    fixtures::import(&database, "complaints", &good, &plain());
    let again = program().run(&database, files.import("complaints", &good, &plain())).ok();
    assert_eq!(again.err, "");
    // A report does not overwrite a file that the import needs.
    let args = files.import("complaints", &good, &plain());
    for name in [&args[2], &args[4]] {
        let refused = program().run(&database, [&args[..], &["--report".into(), name.clone()]].concat());
        says(&refused, 1, &["--report would overwrite"]);
    }
    let both = ["--report", "x", "--rejects", "x"].map(str::to_owned);
    says(&program().run(&database, [&args[..], &both].concat()), 1, &["would overwrite"]);
}
