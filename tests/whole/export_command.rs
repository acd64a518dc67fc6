//! The command `export` with a filter, and with statistics: the files that the server gives for the same question.

use crate::exports::{encoded, get};
use crate::program;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::{Client, Json, Role, TestApp};

/// Runs the command `export`, and reads the file that it wrote.
#[track_caller]
fn written(app: &TestApp, files: &Files, options: &[&str]) -> String {
    let to = files.path().join("written.csv").display().to_string();
    let key = files.path().join("key").display().to_string();
    app.run(&[&["export", to.as_str(), "--key-file", &key], options].concat());
    std::fs::read_to_string(&to).unwrap()
}

fn manifest(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(format!("{path}.manifest.json")).unwrap()).unwrap()
}

#[test]
fn a_command_exports_by_a_filter_what_the_server_does() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = builder.generated(1_500, 11).start_with(&files, "");
        let (team, board) = (app.as_role(Role::DataTeam), app.as_role(Role::Board));
        let by_server = |client: &Client<'_>, table: &str, filter: &Value| {
            let answer = get(client, &format!("{table}.csv?filter={}", encoded(&filter.to_string())));
            assert_eq!(answer.status, 200, "{table} {filter}: {}", answer.text);
            answer.text
        };
        let filter = json!({ "or": [{ "costVnd": { "gte": "5000000" } }, { "blamesSystem": { "eq": true } }] });
        let text = filter.to_string();
        for table in ["complaints", "allegations", "responses"] {
            let filtered = by_server(&team, table, &filter);
            let all = get(&team, &format!("{table}.csv")).text;
            let (rows, of_all) = (filtered.lines().count(), all.lines().count());
            assert!(rows > 1 && rows < of_all, "{table}: {rows} of {of_all}");
            assert_eq!(written(&app, &files, &["--table", table, "--filter", &text]), filtered, "{table}");
        }
        let file = format!("@{}", files.put("filter.json", &text).display());
        let filtered = by_server(&team, "complaints", &filter);
        assert_eq!(written(&app, &files, &["--filter", &file]), filtered);
        // The other options join the filter.
        let days = json!({ "gte": "2025-01-01T00:00:00+07:00", "lt": "2026-01-01T00:00:00+07:00" });
        let joined = json!({ "and": [filter, { "unit": { "within": "02" } }, { "receivedAt": days }] });
        let of_all = by_server(&team, "complaints", &joined);
        assert!(of_all.lines().count() > 1 && of_all.lines().count() < filtered.lines().count(), "{of_all}");
        let options = ["--unit", "02", "--from", "2025-01-01", "--until", "2025-12-31", "--filter", &text];
        assert_eq!(written(&app, &files, &options), of_all);
        let expected = json!({ "unit": "02", "from": "2025-01-01", "until": "2025-12-31", "filter": filter });
        assert_eq!(manifest(&files.path().join("written.csv").display().to_string())["query"], expected);
        // What the Board may ask for, and the data team may not.
        let by_text = json!({ "text": { "like": "%a%" } });
        let of_board = by_server(&board, "complaints", &by_text);
        assert!(of_board.lines().count() > 1, "{of_board}");
        let text = by_text.to_string();
        assert_eq!(written(&app, &files, &["--for", "BOARD", "--filter", &text]), of_board);
        // Each refusal has the words of the server's.
        let key = files.path().join("key").display().to_string();
        let to = files.path().join("refused.csv");
        let path = to.display().to_string();
        for wrong in [
            by_text,
            json!({ "unti": { "within": "02" } }),
            json!({ "unit": { "wihtin": "02" } }),
            json!({ "unit": { "within": "nowhere" } }),
            json!({ "state": { "eq": null } }),
            json!("CLOSED"),
        ] {
            let text = wrong.to_string();
            let answer = get(&team, &format!("complaints.csv?filter={}", encoded(&text)));
            let message = answer.json()["errors"][0]["message"].text().to_owned();
            let refused = program().run(&app.database, ["export", &path, "--filter", &text, "--key-file", &key]);
            assert!(refused.status == 1 && refused.out.is_empty() && !to.exists(), "{wrong}: {refused:?}");
            assert!(refused.err.contains(&message), "{wrong}: {message:?} is missing in {refused:?}");
        }
    }
}

#[test]
fn a_command_exports_the_statistics_that_the_server_does() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = builder.generated(1_500, 11).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let (costly, three) = (json!({ "costVnd": { "gte": "1000000" } }), json!({ "complaints": { "gte": 3 } }));
        let (costly_text, having) = (costly.to_string(), three.to_string());
        let (year, next) = ("2025-01-01T00:00:00+07:00", "2026-01-01T00:00:00+07:00");
        let period = json!({ "receivedFrom": year, "receivedBefore": next });
        let of_2025 = ["--from", "2025-01-01", "--until", "2025-12-31"];
        let of_options = json!({ "and": [period, costly, { "unitWithin": "02" }] });
        // A condition of the filter does not replace that of an option.
        let march = json!({ "receivedFrom": "2025-03-01T00:00:00+07:00" });
        let of_both = json!({ "and": [period, march] });
        let march = march.to_string();
        let measures = "complaints,distinctEnterprises,costVnd";
        let cases: [(String, Vec<&str>); 6] = [
            (
                format!("groupBy=DEPARTMENT,MONTH&measures={measures}"),
                vec!["--group-by", "DEPARTMENT,MONTH", "--measures", measures],
            ),
            (
                "groupBy=OFFICER&measures=complaints".to_owned(),
                vec!["--table", "statistics", "--group-by", "OFFICER", "--measures", "complaints"],
            ),
            (
                format!(
                    "groupBy=BRANCH&measures=complaints,open&filter={}&having={}&asOf=2025-06-30&timezone=UTC",
                    encoded(&costly_text),
                    encoded(&having)
                ),
                [
                    &["--group-by", "BRANCH", "--measures", "complaints,open", "--filter", &costly_text][..],
                    &["--having", &having, "--as-of", "2025-06-30", "--timezone", "UTC"],
                ]
                .concat(),
            ),
            (
                format!("groupBy=MONTH&measures=complaints&fill=true&filter={}", encoded(&period.to_string())),
                [&["--group-by", "MONTH", "--measures", "complaints", "--fill"][..], &of_2025].concat(),
            ),
            (
                format!("groupBy=MONTH&measures=complaints&filter={}", encoded(&of_options.to_string())),
                [
                    &["--group-by", "MONTH", "--measures", "complaints"][..],
                    &of_2025,
                    &["--unit", "02", "--filter", &costly_text],
                ]
                .concat(),
            ),
            (
                format!("groupBy=MONTH&measures=complaints&filter={}", encoded(&of_both.to_string())),
                [&["--group-by", "MONTH", "--measures", "complaints"][..], &of_2025, &["--filter", &march]].concat(),
            ),
        ];
        for (query, options) in &cases {
            let answer = get(&team, &format!("statistics.csv?{query}"));
            assert_eq!(answer.status, 200, "{query}: {}", answer.text);
            assert!(answer.text.lines().count() > 1, "{query}: {}", answer.text);
            assert_eq!(written(&app, &files, options), answer.text, "{query}");
        }
        // The same rows in each form, and the same question in the description of the file.
        let (query, options) = &cases[0];
        let rows = get(&team, &format!("statistics.csv?{query}")).text.lines().count() - 1;
        let key = files.path().join("key").display().to_string();
        for form in ["csv", "parquet", "arrow", "xlsx"] {
            let path = files.path().join(format!("statistics.{form}")).display().to_string();
            app.run(&[&["export", path.as_str(), "--key-file", &key], options.as_slice()].concat());
            let (here, there) = (manifest(&path), get(&team, &format!("statistics.{form}.manifest.json?{query}")));
            assert_eq!(here["rows"].integer() as usize, rows, "{here}");
            for same in ["table", "format", "rows", "query", "keyVersion"] {
                assert_eq!(here[same], there.json()[same], "{form}: {same}");
            }
        }
        for (query, options) in [
            ("groupBy=UNIT&measures=cost", ["--group-by", "UNIT", "--measures", "cost"]),
            ("groupBy=PROVINCE&measures=complaints", ["--group-by", "PROVINCE", "--measures", "complaints"]),
            ("groupBy=UNIT&filter=%7B%22unti%22%3A1%7D", ["--group-by", "UNIT", "--filter", "{\"unti\":1}"]),
            ("groupBy=UNIT&timezone=Mars", ["--group-by", "UNIT", "--timezone", "Mars"]),
        ] {
            let answer = get(&team, &format!("statistics.csv?{query}"));
            let message = answer.json()["errors"][0]["message"].text().to_owned();
            let arguments = [&["export", "-", "--as", "csv", "--key-file", &key][..], &options].concat();
            let refused = program().run(&app.database, arguments);
            assert!(refused.status == 1 && refused.out.is_empty(), "{query}: {refused:?}");
            assert!(refused.err.contains(&message), "{query}: {message:?} is missing in {refused:?}");
        }
    }
}
