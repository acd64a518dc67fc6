//! Routing rules at the command line.

use crate::program;
use crate::responsible::with_owner;
use serde_json::{Value, json};
use tests::{Database, Json, Role, TestApp};

#[test]
fn the_command_line_lists_stores_replaces_and_ends_rules() {
    let filled = |database: &Database| database.fill_once("small world with an owner", with_owner);
    for app in TestApp::both().filled(filled).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let routing = |args: &[&str]| program().json(&app.database, &[&["routing"][..], args].concat());
        let route = || {
            let query = "{ routeOf(category: \"KT1\", unit: \"02CV\", on: \"2024-06-01\") { reason unit { code } } }";
            let found = board.data(query)["routeOf"].clone();
            (found["reason"].text().to_owned(), found["unit"]["code"].text().to_owned())
        };
        let by = |reason: &str, unit: &str| (reason.to_owned(), unit.to_owned());
        let put = [
            "put",
            "--category",
            "KT",
            "--unit",
            "02",
            "--responsible-unit",
            "02DS",
            "--from",
            "2024-01-01",
            "--until",
            "2024-12-31",
        ];
        let planned = routing(&[&put[..], &["--dry-run"]].concat());
        assert_eq!((&planned["applied"], &planned["rule"]["responsibleUnit"]), (&json!(false), &json!("02DS")));
        assert_eq!((routing(&["list"]), route()), (json!([]), by("OWNER", "CNTT")), "nothing was written");

        let stored = routing(&put);
        let id = stored["rule"]["id"].text().to_owned();
        let rule = json!({
            "id": id, "category": "KT", "kind": null, "unit": "02", "responsibleUnit": "02DS",
            "validFrom": "2024-01-01", "validTo": "2024-12-31",
        });
        assert_eq!(stored, json!({ "applied": true, "rule": rule }));
        assert_eq!((routing(&["list"]), route()), (json!([rule]), by("RULE", "02DS")));
        assert_eq!(routing(&["list", "--on", "2023-12-31"]), json!([]));
        let listed = board.data("{ routingRules { id } }")["routingRules"].clone();
        assert_eq!(listed, json!([{ "id": id }]), "the same as by the API");
        let twice = program().run(&app.database, [&["routing"][..], &put].concat());
        assert!(twice.status == 1 && twice.err.contains("same conditions"), "{twice:?}");

        let ended = routing(&["end", &id, "--on", "2024-03-31"]);
        assert_eq!((&ended["rule"]["validTo"], route()), (&json!("2024-03-31"), by("OWNER", "CNTT")));
        // In its place a rule without days, to the branch, whoever owns the category.
        let replaced = routing(&["put", "--id", &id, "--kind", "TECHNICAL"]);
        let rule = json!({
            "id": id, "category": null, "kind": "TECHNICAL", "unit": null, "responsibleUnit": null,
            "validFrom": null, "validTo": null,
        });
        assert_eq!((&replaced["rule"], route()), (&rule, by("RULE", "02CV")));
        let text = app.run(&["routing", "list"]);
        assert!(text.contains("TECHNICAL") && text.contains("the branch"), "{text}");
        let unknown = program().run(&app.database, ["routing", "put", "--unit", "99"]);
        assert!(unknown.status == 1 && unknown.err.contains("\"99\" is not known"), "{unknown:?}");
        assert_eq!(routing(&["list"]), Value::from(vec![rule]), "what was refused changed nothing");
    }
}
