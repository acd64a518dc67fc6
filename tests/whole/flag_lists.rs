//! What the command line and the API say of flags: the current flags and those that a run of a past day found, what
//! their numbers were adjusted for, what they propose, and why there is no flag.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::{Database, Finished, Json, Role, TestApp};

fn show(database: &Database, id: &str) -> String {
    program().run(database, ["flags", "show", id]).ok().out
}

fn text_of(finished: Finished) -> String {
    let finished = finished.ok();
    format!("{}{}", finished.out, finished.err)
}

/// Two enterprises complained about CC02 in 2022, and one about a colleague; nobody since.
const OF_2022: &str = "\
PN-1;10/03/2022;0100233488;A;02DS;CC02;TD1;;;;;x;
PN-2;11/04/2022;0314409058;B;02DS;CC02;TD1;;;;;x;
PN-3;12/04/2022;0100233488;A;03TG;CC03;TD1;;;;;x;
";

#[test]
fn a_run_of_a_past_day_changes_nothing_that_stands_and_shows_what_it_found() {
    for database in Database::both() {
        fixtures::fill(&database);
        let header = fixtures::COMPLAINTS.lines().next().unwrap();
        let csv = format!("{header}\n{OF_2022}");
        fixtures::import(&database, "complaints", csv, fixtures::COMPLAINTS_MAP);
        fixtures::run_counting(&database, "2024-03-31");
        let stands = program().json(&database, &["flags", "list"]);
        let found = |day: &str| {
            let list = program().json(&database, &["flags", "list", "--as-of", day]);
            let code = |flag: &Value| flag["subject"]["code"].text().to_owned();
            list.list().iter().map(|flag| (code(flag), flag["state"].clone())).collect::<Vec<_>>()
        };
        let standing: Vec<_> = ["CC01", "02CV"].map(|code| (code.to_owned(), json!("OPEN"))).to_vec();
        assert_eq!(found("2024-03-31"), standing);

        let back = fixtures::run_counting(&database, "2022-06-30");
        assert_eq!((&back["summary"]["flagged"], &back["summary"]["looksBack"]), (&json!(2), &json!(true)));
        assert_eq!(program().json(&database, &["flags", "list"]), stands, "not a flag more, and none of another state");
        let then: Vec<_> = ["CC02", "02DS"].map(|code| (code.to_owned(), Value::Null)).to_vec();
        assert_eq!(found("2022-06-30"), then);
        assert_eq!(found("2024-03-31"), standing, "the run for the day that stands is what it was");

        let missing = program().run(&database, ["flags", "list", "--as-of", "2021-01-01"]);
        assert_eq!(missing.status, 1);
        assert!(missing.err.contains("jobs run recurrence --as-of 2021-01-01"), "{missing:?}");
        let shown = program().run(&database, ["flags", "show", "CC02", "--as-of", "2022-06-30"]).ok();
        assert!(
            shown.out.contains("in the 365 days to 30 June 2022")
                || shown.out.contains("in the 180 days to 30 June 2022"),
            "{shown:?}"
        );
        let today = program().run(&database, ["flags", "show", "CC02"]);
        assert_eq!(today.status, 1, "there is no flag: {today:?}");

        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--no-jobs"]);
        let query = "{ flags { totalCount } nobody: flagsFound(asOf: \"2021-01-01\") { runId }
            then: flagsFound(asOf: \"2022-06-30\") { asOf runId found {
                code tier proposed flagId reasonVi evidenceIds numbers { windows { days } } } }
            now: flagsFound(asOf: \"2024-03-31\") { found { code flagId } } }";
        let data = server.data(&board, query);
        assert_eq!((&data["flags"]["totalCount"], &data["nobody"]), (&json!(2), &Value::Null));
        assert_eq!((&data["then"]["runId"], &data["then"]["found"][0]["code"]), (&back["run"], &json!("CC02")));
        assert_eq!(data["then"]["found"][0]["flagId"], Value::Null);
        assert_eq!(data["then"]["found"][0]["evidenceIds"].list().len(), 2);
        assert!(data["now"]["found"][0]["flagId"].is_string(), "{data}");
        for (role, unit) in [("UNIT_HEAD", Some("TC")), ("DASHBOARD", None), ("ADMIN", None)] {
            let token = program().token(&database, role, unit);
            let denied = server.graphql(&token, "{ flagsFound(asOf: \"2022-06-30\") { found { code } } }", &json!({}));
            assert!(denied.codes().contains(&"FORBIDDEN".to_owned()), "{role}: {denied:?}");
        }
        drop(server);

        // `flags reproduce` derives a run of a past day again like any other run, also after a correction.
        let reproduced = |run: &Value| {
            let args = ["flags", "reproduce", run["run"].text(), "--format", "json"];
            program().run(&database, args).json()["reproduced"].clone()
        };
        assert_eq!(reproduced(&back), true);
        let corrected = format!("{header}\n{}", OF_2022.replace("0314409058;B", "001099012345;C"));
        fixtures::import(&database, "complaints", corrected, fixtures::COMPLAINTS_MAP);
        assert_eq!(reproduced(&back), true);
        // A later run that does not look back makes no flag of what only the run of the past found.
        fixtures::run_counting(&database, "2024-04-01");
        assert_eq!(program().json(&database, &["flags", "list"]).list().len(), 2);
    }
}

#[test]
fn what_is_shown_says_of_the_adjustment_and_of_branches_what_the_numbers_say() {
    let app = TestApp::sqlite().generated(6_000, 7).arguments(&["--no-jobs"]).start();
    let run = program().json(&app.database, &["jobs", "run", "recurrence", "--as-of", "2025-12-31"]);
    let list = program().json(&app.database, &["flags", "list"]);
    let flags = list.list();
    let branch = |flag: &&Value| flag["subject"]["kind"] == "BRANCH" && flag["tier"] == "SUSPENSION_REVIEW";
    let gravest: Vec<&Value> = flags.iter().filter(branch).collect();
    assert!(!gravest.is_empty(), "the world has a branch of the gravest tier");
    assert_eq!(run["summary"]["inspection"], gravest.len());
    for flag in flags {
        let id = flag["id"].text();
        let text = show(&app.database, id);
        let unadjusted = flag["numbers"]["unadjusted"].truth();
        assert!(!unadjusted, "this world has workload");
        assert!(
            text.contains("adjusted for the number of declarations handled") && !text.contains("not adjusted"),
            "{text}"
        );
        assert!(!text.contains("unadjusted"), "{text}");
        // The text shows the observed and expected numbers of the flag.
        let year = &flag["numbers"]["windows"][3]["adjusted"];
        for column in ["O", "E", "Q", "EB05"] {
            assert!(text.split_whitespace().any(|word| word == column), "{column}: {text}");
        }
        for number in ["expected", "eb05"] {
            let shown = format!("{:.2}", year[number].number());
            assert!(text.split_whitespace().any(|word| word == shown), "{number} {shown}: {text}");
        }
        assert!(!text.contains('{'), "JSON is for programs: {text}");
        assert!(text.contains("suspension_review: 5 enterprises in 365 days"), "the rules are told: {text}");
        let reasons = format!("{}{}", flag["reasonVi"].text(), flag["reasonEn"].text());
        let suspends = reasons.contains("suspension") || reasons.contains("đình chỉ");
        let officer = flag["subject"]["kind"] == "OFFICER";
        assert_eq!(suspends, officer && flag["tier"] == "SUSPENSION_REVIEW", "{reasons}");
        let proposed = if branch(&flag) { "INSPECTION" } else { flag["tier"].text() };
        assert_eq!(flag["proposed"], proposed);
        assert!(text.lines().next().unwrap().contains(&format!(": {proposed} (")), "{text}");
        if branch(&flag) {
            assert!(reasons.contains("inspection of the branch") && reasons.contains("kiểm tra chi cục"), "{reasons}");
        }
    }
    let board = app.as_role(Role::Board);
    let data = board.data("{ flags(first: 200) { nodes { subjectKind tier proposed unit { code } } } }");
    let nodes = data["flags"]["nodes"].list();
    assert_eq!(nodes.len(), flags.len());
    for node in nodes {
        let inspected = node["subjectKind"] == "BRANCH" && node["tier"] == "SUSPENSION_REVIEW";
        let proposed = if inspected { json!("INSPECTION") } else { node["tier"].clone() };
        assert_eq!(node["proposed"], proposed);
    }
    filters(&app.database, flags);
    runs_in_words(&app.database);
}

/// Checks the list of flags by tier, state, kind and unit, as JSON, CSV and text.
fn filters(database: &Database, flags: &[Value]) {
    let listed = |args: &[&str]| -> Vec<Value> {
        let list = program().json(database, &[&["flags", "list"], args].concat());
        list.list().to_vec()
    };
    let of = |wanted: &dyn Fn(&Value) -> bool| flags.iter().filter(|flag| wanted(flag)).cloned().collect::<Vec<_>>();
    assert_eq!(listed(&["--tier", "WATCH"]), of(&|flag| flag["tier"] == "WATCH"));
    assert_eq!(listed(&["--tier", "watch,review"]), of(&|flag| flag["tier"] != "SUSPENSION_REVIEW"));
    assert_eq!(listed(&["--tier", "SUSPENSION_REVIEW"]), of(&|flag| flag["tier"] == "SUSPENSION_REVIEW"));
    assert_eq!(listed(&["--tier", "inspection"]), of(&|flag| flag["proposed"] == "INSPECTION"));
    assert_eq!(listed(&["--kind", "branch"]), of(&|flag| flag["subject"]["kind"] == "BRANCH"));
    assert_eq!(listed(&["--state", "open"]).len(), flags.len());
    assert_eq!(listed(&["--state", "DISMISSED,EXPIRED"]), Vec::<Value>::new());
    let branch = of(&|flag| flag["subject"]["kind"] == "BRANCH")[0]["subject"]["code"].text().to_owned();
    let there = listed(&["--unit", &branch]);
    assert!(there.iter().any(|flag| flag["subject"]["code"] == branch.as_str()), "{there:?}");
    assert!(there.len() < flags.len());
    for (args, words) in [
        (["--tier", "GRAVE"], "INSPECTION"),
        (["--state", "closed"], "DISMISSED"),
        (["--unit", "nowhere"], "SELECT code FROM units"),
        (["--kind", "team"], "branch"),
    ] {
        let refused = program().run(database, [&["flags", "list"], &args[..]].concat());
        assert!(refused.status != 0 && refused.err.contains(words), "{args:?}: {refused:?}");
    }
    let csv = program().run(database, ["flags", "list", "--kind", "officer", "--format", "csv"]).ok().out;
    let header = csv.lines().next().unwrap();
    assert!(
        header.starts_with("subject,code,tier,state,") && header.contains("expected") && header.contains("eb05"),
        "{header}"
    );
    assert_eq!(csv.lines().count() - 1, of(&|flag| flag["subject"]["kind"] == "OFFICER").len());
    let none = program().run(database, ["flags", "list", "--state", "UPHELD"]).ok();
    assert!(none.out.contains(&format!("none of {} flags", flags.len())), "{none:?}");
}

/// Checks that jobs tell their counts in words and not in JSON.
fn runs_in_words(database: &Database) {
    for (job, words) in [("timeliness", "complaints "), ("trends", "rising "), ("escalate-overdue", "newly escalated ")]
    {
        let told = program().run(database, ["jobs", "run", job, "--as-of", "2025-12-31"]).ok().out;
        assert!(!told.contains(['{', '"', '[']) && told.contains(words), "{job}: {told}");
    }
    let history = program().run(database, ["jobs", "history"]).ok().out;
    assert!(!history.contains(['{', '"', '[']) && history.contains("newly escalated "), "{history}");
}

/// Rules that count each anonymous complaint as an enterprise of its own.
const OWN: &str = "version = \"own\"\nanonymous = \"own_enterprise\"\n";

#[test]
fn an_anonymous_register_of_the_past_says_what_was_missing_and_shows_its_counts() {
    for database in Database::both() {
        let files = Files::new();
        fixtures::import(&database, "complaints", fixtures::ANONYMOUS, fixtures::ANONYMOUS_MAP);
        let missing = |text: &str, words: &[&str]| {
            for word in words {
                assert!(text.contains(word), "{word}: {text}");
            }
        };
        // Without a day the job runs as of yesterday, and by then nothing has been received for years.
        let today = text_of(program().run(&database, ["jobs", "run", "recurrence"]));
        missing(&today, &["0 flagged", "nothing was received", "2010-06-01", "--as-of 2010-06-01"]);
        missing(&text_of(program().run(&database, ["flags", "list"])), &["there is no flag", "--as-of 2010-06-01"]);

        let then = ["jobs", "run", "recurrence", "--as-of", "2010-06-30"];
        let told = text_of(program().run(&database, then));
        let lacks = [
            "missing: enterprises",
            "own_enterprise",
            "missing: confirmed attributions",
            "missing: exposure of officers",
        ];
        missing(&told, &lacks);
        missing(&told, &["6 complaints", "6 anonymous", "7 (5), 8 (1)", "12 (6)"]);
        let list = program().run(&database, ["flags", "list", "--as-of", "2010-06-30"]).ok();
        missing(&format!("{}{}", list.out, list.err), &lacks);
        let summary = program().json(&database, &then)["summary"].clone();
        assert_eq!(summary["lacks"][0], "ENTERPRISES", "{summary}");
        assert_eq!((&summary["available"]["anonymous"], &summary["available"]["most"]), (&json!(6), &json!([])));

        let numbers = program().run(&database, ["flags", "numbers", "--as-of", "2010-06-30"]).ok();
        missing(&numbers.err, &["missing: enterprises", "missing: exposure of officers"]);
        assert!(!numbers.err.contains("exposure of branches"), "of branches nothing is asked: {numbers:?}");
        let row = numbers.out.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(row, ["7", "5", "5", "0", "0", "5", "5"], "{numbers:?}");
        let counts = program().json(&database, &["flags", "numbers", "--as-of", "2010-06-30", "--subject", "branch"]);
        assert_eq!((&counts["counts"][0]["code"], &counts["counts"][0]["complaints"]), (&json!("12"), &json!(6)));

        let reached = program().json(&database, &["rules", "try", "--min", "3", "--days", "365", "--list"]);
        assert_eq!(reached["reached"], json!([{ "on": "2010-03-01", "code": "7" }]));
        let text = program().run(&database, ["rules", "try", "--min", "1", "--days", "365", "--list"]).ok().out;
        missing(&text, &["2 reached", "REACHED ON", "2010-01-01", "2010-03-01"]);

        // Rules set what was missing: each anonymous complaint counts, and no reason claims different enterprises.
        let rules = files.put("rules.toml", OWN);
        let run = [&then[..], &["--rules", rules.to_str().unwrap()]].concat();
        let told = text_of(program().run(&database, &run));
        assert!(!told.contains("missing: enterprises"), "{told}");
        let list = program().json(&database, &["flags", "list", "--as-of", "2010-06-30"]);
        let flags = list.list();
        assert_eq!(flags.len(), 2, "{list}");
        for flag in flags {
            let (vi, en) = (flag["reasonVi"].text(), flag["reasonEn"].text());
            assert!(!vi.contains("doanh nghiệp khác nhau") && vi.contains("phản ánh ẩn danh"), "{vi}");
            assert!(!en.contains("different enterprises") && en.contains("anonymous complaints were received"), "{en}");
        }
    }
}

#[test]
fn months_without_days_are_told_and_short_windows_are_left_out() {
    for database in Database::both() {
        let files = Files::new();
        let imported =
            program().run(&database, files.import("complaints", fixtures::ANONYMOUS, fixtures::ANONYMOUS_MAP)).ok();
        assert!(
            imported.err.contains("column \"month\": 6 rows give the month of receipt without its day"),
            "{imported:?}"
        );
        let again =
            program().run(&database, files.import("complaints", fixtures::ANONYMOUS, fixtures::ANONYMOUS_MAP)).ok();
        assert_eq!(again.json()["unchanged"], 6);

        let short = format!("{OWN}watch = {{ enterprises = 1, days = 30 }}\n");
        let rules = files.put("rules.toml", &short);
        let run = ["jobs", "run", "recurrence", "--as-of", "2010-06-15", "--rules", rules.to_str().unwrap()];
        let told = program().run(&database, run).ok().out;
        assert!(told.contains("\"old-register\" gives months without days (6 complaints"), "{told}");
        let list = program().json(&database, &["flags", "list"]);
        assert_eq!(list.list().iter().filter(|flag| flag["tier"] == "WATCH").count(), 0, "{list}");
        let months = program().json(&database, &run);
        let board = program().token(&database, "BOARD", None);
        let days = |list: &Value| -> Vec<i64> {
            let windows = list[0]["numbers"]["windows"].list().to_vec();
            windows.iter().map(|window| window["days"].integer()).collect()
        };
        assert_eq!(days(&list), [90, 180, 365]);
        let server = program().serve(&database, &["--no-jobs"]);
        let data = server.data(&board, "{ flags { nodes { numbers { windows { days } } } } }");
        assert_eq!(
            data["flags"]["nodes"][0]["numbers"]["windows"],
            json!([{ "days": 90 }, { "days": 180 }, { "days": 365 }])
        );
        drop(server);
        let shown = show(&database, list[0]["id"].text());
        let of_30_days = shown.lines().any(|line| line.split_whitespace().next() == Some("30"));
        assert!(!of_30_days && shown.contains(" 90 "), "{shown}");

        for job in ["timeliness", "trends", "escalate-overdue"] {
            program().run(&database, ["jobs", "run", job, "--as-of", "2010-06-15"]).ok();
        }
        let folder = files.path().join("digest");
        for (locale, words) in
            [("en", "“old-register” gives months without days: 6 complaints"), ("vi", "“old-register” chỉ ghi tháng")]
        {
            let out = folder.to_str().unwrap();
            program()
                .run(&database, ["digest", "preview", "--locale", locale, "--as-of", "2010-06-15", "--out", out])
                .ok();
            for name in ["digest.txt", "digest.html"] {
                let digest = std::fs::read_to_string(folder.join(name)).unwrap();
                assert!(digest.contains(words), "{name}: {digest}");
            }
        }

        // The next import gives the days: the short window is back, and the earlier run is still derived as it was.
        let csv = fixtures::ANONYMOUS
            .replace(",2010-06,", ",2010-06-09,")
            .replace(",2010-05,", ",2010-05-20,")
            .replace(",2010-03,", ",2010-03-05,");
        let csv = csv.replace(",2010-02,", ",2010-02-07,").replace(",2010-01,", ",2010-01-03,");
        let mapping = fixtures::ANONYMOUS_MAP.replace("\"%Y-%m\"", "\"%Y-%m-%d\"");
        let imported = program().run(&database, files.import("complaints", csv, &mapping)).ok();
        assert_eq!(imported.json()["updated"], 6);
        assert!(!imported.err.contains("without its day"), "{imported:?}");
        let told = program().run(&database, run).ok().out;
        assert!(!told.contains("months without days"), "{told}");
        assert_eq!(days(&program().json(&database, &["flags", "list"])), [30, 90, 180, 365]);
        let args = ["flags", "reproduce", months["run"].text(), "--format", "json"];
        let reproduced = program().run(&database, args);
        assert_eq!((reproduced.status, &reproduced.json()["reproduced"]), (0, &json!(true)), "{reproduced:?}");

        // `precision` in a mapping says that the days stand for their months.
        let mapping =
            fixtures::ANONYMOUS_MAP.replace("format = \"%Y-%m\"", "format = \"%Y-%m-%d\", precision = \"month\"");
        let csv = fixtures::ANONYMOUS.replace(",7,12", "-01,7,12").replace(",8,12", "-01,8,12");
        let imported = program().run(&database, files.import("complaints", csv, &mapping)).ok();
        assert_eq!(imported.json()["updated"], 6, "{imported:?}");
        assert!(imported.err.contains("6 rows give the month"), "{imported:?}");
    }
}
