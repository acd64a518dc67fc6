//! Registers that others wrote, from `import inspect` to flags: the mapping is the program's draft with the edits that
//! docs/import.md describes.

mod look_alikes;

use crate::program;
use look_alikes::{LookAlike, consumers, police, service_requests};
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::{Database, Finished, Json, project};

/// Rules that count each anonymous complaint as an enterprise of its own, as docs/import.md says for registers without
/// enterprises.
const OWN: &str = "version = \"anonymous-own\"\nanonymous = \"own_enterprise\"\n";

/// The same rules with a REVIEW that leaves `robust` out. `robust` asks whether a case stands without its anonymous
/// complaints, and this register has no others.
const NOT_ROBUST: &str = "version = \"anonymous-own-2\"\nanonymous = \"own_enterprise\"\n\
    [review]\nenterprises = 3\ndays = 365\nconfirmed = true\nq = 0.05\neb05 = 1.5\n";

/// A register that was drafted, edited and imported into a new database.
struct Imported<'d> {
    database: &'d Database,
    files: Files,
    draft: String,
}

impl<'d> Imported<'d> {
    /// Drafts a mapping, edits it, runs the import dry, imports, and imports again. `created` counts the units,
    /// officers and categories that the import creates.
    #[track_caller]
    fn new(database: &'d Database, register: &LookAlike, edits: &[(&str, &str)], created: [usize; 3]) -> Self {
        let files = Files::new();
        let csv = files.put("register.csv", &register.csv).display().to_string();
        let draft = program().run(database, ["import", "inspect", &csv]).ok().out;
        let map = files.put("register.toml", edited(&draft, edits)).display().to_string();
        let report = files.path().join("report.json").display().to_string();
        let args = ["import", "complaints", &csv, "--mapping", &map, "--report", &report];
        let made = json!({
            "rows": register.rows, "read": register.complaints, "imported": register.complaints,
            "updated": 0, "unchanged": 0, "rejected": 0,
        });
        let dry = program().json(database, &[&args[..], &["--dry-run"]].concat());
        assert_eq!(dry, made, "a dry run says what the import does: {draft}");
        assert_eq!(program().json(database, &args), made, "{draft}");
        let told: Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
        let number = |kind: &str| {
            let mut kinds = told["created"].list().iter();
            kinds.find(|one| one["kind"] == kind).map_or(0, |one| one["number"].integer() as usize)
        };
        assert_eq!(["units", "officers", "categories"].map(number), created, "{told:#}\n{draft}");
        let again = program().json(database, &args);
        assert_eq!((&again["imported"], &again["unchanged"]), (&json!(0), &json!(register.complaints)));
        Self { database, files, draft }
    }

    /// The draft has these lines; a line may end in a comment.
    #[track_caller]
    fn drafts(&self, lines: &[&str]) {
        for line in lines {
            assert!(
                self.draft.lines().any(|one| one.split("  #").next() == Some(line)),
                "{line} is not in\n{}",
                self.draft
            );
        }
    }

    /// Runs the recurrence job for a day and returns what it says.
    fn run(&self, as_of: &str, rules: Option<&str>) -> String {
        let rules = rules.map(|rules| self.files.put("rules.toml", rules).display().to_string());
        let mut args = vec!["jobs", "run", "recurrence", "--as-of", as_of];
        args.extend(rules.iter().flat_map(|rules| ["--rules", rules]));
        said(program().run(self.database, args))
    }

    /// Kind, code and tier of each open flag, in the order of kind and code.
    fn flags(&self) -> Vec<[String; 3]> {
        let flags = program().json(self.database, &["flags", "list"]);
        let text = |value: &Value| value.text().to_owned();
        let open = flags.list().iter().filter(|flag| flag["state"] == "OPEN");
        let subject = |flag: &Value| [&flag["subject"]["kind"], &flag["subject"]["code"], &flag["tier"]].map(text);
        let mut found: Vec<_> = open.map(subject).collect();
        found.sort();
        found
    }
}

/// All that a command says, which must succeed.
fn said(finished: Finished) -> String {
    let finished = finished.ok();
    format!("{}{}", finished.out, finished.err)
}

/// The draft after some edits. Each edit replaces a text that occurs in it exactly once.
#[track_caller]
fn edited(draft: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(draft.to_owned(), |draft, (from, to)| {
        assert_eq!(draft.matches(from).count(), 1, "{from} in\n{draft}");
        draft.replace(from, to)
    })
}

fn owned(flags: &[[&str; 3]]) -> Vec<[String; 3]> {
    flags.iter().map(|flag| flag.map(str::to_owned)).collect()
}

#[test]
fn a_police_register_with_officers_and_split_months_leads_to_its_officer() {
    for database in Database::both() {
        let edits = [("my-register", "police-complaints"), ("constant = \"ASSERTED\"", "constant = \"CONFIRMED\"")];
        let created = [police::UNITS, police::OFFICERS, police::CATEGORIES];
        let register = Imported::new(&database, &police::register(), &edits, created);
        register.drafts(&[
            "reference = \"complaint_id\"",
            "received = { join = [\"month_received\", \"year_received\"], separator = \"/\", format = \"%m/%Y\" }",
            "closed = { join = [\"month_closed\", \"year_closed\"], separator = \"/\", format = \"%m/%Y\" }",
            "decided = { join = [\"month_closed\", \"year_closed\"], separator = \"/\", format = \"%m/%Y\" }",
            "officer = \"unique_mos_id\"",
            "officer_name = { join = [\"first_name\", \"last_name\"], separator = \" \" }",
            "unit = \"command_at_incident\"",
            "category = { join = [\"fado_type\", \"allegation\"], separator = \"/\" }",
            "category_parent = \"fado_type\"",
            "\"Exonerated\" = \"EXONERATED\"",
        ]);
        let told = register.run("2019-12-31", None);
        assert!(told.contains("missing: enterprises") && told.contains("own_enterprise"), "{told}");
        assert_eq!(
            register.flags(),
            owned(&[]),
            "nobody without a rules file that says what anonymous complaints count"
        );
        register.run("2019-12-31", Some(OWN));
        let (officer, command) = police::PLANTED;
        assert_eq!(register.flags(), owned(&[["BRANCH", command, "REVIEW"], ["OFFICER", officer, "REVIEW"]]));
    }
}

#[test]
fn a_consumer_register_leads_to_its_company() {
    for database in Database::both() {
        let edits = [
            ("my-register", "consumer-complaints"),
            ("\"Credit reporting\" = \"CONDUCT\"", "\"Credit reporting\" = \"TECHNICAL\""),
        ];
        let created = [consumers::UNITS, 0, consumers::CATEGORIES];
        let register = Imported::new(&database, &consumers::register(), &edits, created);
        register.drafts(&[
            "reference = \"Complaint ID\"",
            "received = \"Date received\"",
            "unit = \"Company\"",
            "category = { join = [\"Product\", \"Issue\"], separator = \"/\" }",
            "category_name = \"Issue\"",
            "category_parent = \"Product\"",
            "text = \"Consumer complaint narrative\"",
            "\"Postal mail\" = \"LETTER\"",
            "# No officer: only units can be flagged.",
        ]);
        let told = register.run("2023-12-31", None);
        for lack in ["missing: enterprises", "missing: officers", "missing: exposure of branches"] {
            assert!(told.contains(lack), "{lack}: {told}");
        }
        assert_eq!(register.flags(), owned(&[]));
        register.run("2023-12-31", Some(OWN));
        assert_eq!(register.flags(), owned(&[["BRANCH", consumers::PLANTED, "REVIEW"]]));
    }
}

#[test]
fn a_311_register_leads_to_the_agency_that_its_work_does_not_explain() {
    for database in Database::both() {
        let edits = [
            ("my-register", "city-311"),
            ("\"Street Light Condition\" = \"CONDUCT\"", "\"Street Light Condition\" = \"TECHNICAL\""),
        ];
        let created = [service_requests::UNITS, 0, service_requests::CATEGORIES];
        let register = Imported::new(&database, &service_requests::register(), &edits, created);
        register.drafts(&[
            "reference = \"Unique Key\"",
            "received = { column = \"Created Date\", format = \"%m/%d/%Y %I:%M:%S %p\" }",
            "closed = { column = \"Closed Date\", format = \"%m/%d/%Y %I:%M:%S %p\" }",
            "unit = \"Agency\"",
            "unit_name = \"Agency Name\"",
            "category = { join = [\"Complaint Type\", \"Descriptor\"], separator = \"|\" }",
            "category_parent = \"Complaint Type\"",
            "\"In Progress\" = \"ASSIGNED\"",
            "\"ONLINE\" = \"PORTAL\"",
        ]);
        // Without the workload every busy agency is flagged, and the run says that it adjusts nothing.
        let told = register.run("2023-12-30", Some(OWN));
        assert!(told.contains("missing: exposure of branches"), "{told}");
        assert_eq!(register.flags().len(), service_requests::UNITS);
        let map = r#"
source = "city-workload"
[fields]
unit = "agency"
month = { column = "month", format = "%m/%Y" }
declarations = "requests"
"#;
        fixtures::import(&database, "workload", service_requests::workload(), map);
        let told = register.run("2023-12-31", Some(OWN));
        assert!(!told.contains("missing: exposure of branches"), "{told}");
        assert_eq!(register.flags(), owned(&[["BRANCH", service_requests::PLANTED, "WATCH"]]));
        // All complaints are anonymous: a tier above WATCH needs a rules file that leaves `robust` out.
        register.run("2023-12-31", Some(NOT_ROBUST));
        assert_eq!(register.flags(), owned(&[["BRANCH", service_requests::PLANTED, "REVIEW"]]));
    }
}

/// The walk through a register in docs/import.md: its file, its edits, its rules, and what the commands say.
#[test]
fn the_guide_walks_from_a_file_to_a_flag() {
    let guide = std::fs::read_to_string(project().join("docs/import.md")).unwrap();
    let walk = guide.split("\n### A register that you did not write\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let block = |language: &str, nth: usize| {
        walk.split(&format!("```{language}\n")).nth(nth + 1).unwrap().split("```").next().unwrap().to_owned()
    };
    let files = Files::new();
    let csv = files.put("city-police.csv", block("csv", 0)).display().to_string();
    let rules = files.put("own-rules.toml", block("toml", 0)).display().to_string();
    for database in Database::both() {
        let draft = program().run(&database, ["import", "inspect", &csv]).ok().out;
        for line in block("text", 0).lines() {
            assert!(draft.lines().any(|one| one.split("  #").next() == Some(line)), "{line} is not in\n{draft}");
        }
        let map = files.put("city-police.toml", walked(&draft, &block("diff", 0))).display().to_string();
        let told = block("console", 0) + &block("console", 1);
        let mut answer = String::new();
        for line in told.lines() {
            if let Some(command) = line.strip_prefix("$ phananh ") {
                let path = |word: &str| match word {
                    "city-police.csv" => csv.clone(),
                    "city-police.toml" => map.clone(),
                    "own-rules.toml" => rules.clone(),
                    word => word.to_owned(),
                };
                answer = said(program().run(&database, command.split(' ').map(path)));
                // The guide shows the whole list of flags, so that no other officer may be in it.
                if command == "flags list" {
                    let flags = told.rsplit_once(command).unwrap().1;
                    let listed = answer.lines().filter(|line| line.contains(" OPEN "));
                    assert_eq!(
                        listed.count(),
                        flags.lines().filter(|line| line.contains(" OPEN ")).count(),
                        "{answer}"
                    );
                    assert!(!answer.contains("4713"), "{answer}");
                }
                continue;
            }
            // The guide writes … for what is long or differs between runs.
            let (before, after) = line.split_once('…').unwrap_or((line, ""));
            let is_it = |one: &str| one.starts_with(before) && one.ends_with(after);
            assert!(answer.lines().any(is_it), "{line}\n{answer}");
        }
    }
}

/// The draft after the edits of a difference: each `+` line replaces the `-` line above it. A `-` line may leave out
/// the comment at its end.
#[track_caller]
fn walked(draft: &str, difference: &str) -> String {
    let mut lines: Vec<String> = draft.lines().map(str::to_owned).collect();
    let mut place = None;
    for line in difference.lines() {
        let (sign, text) = line.split_at(1);
        match sign {
            "-" => {
                let is_it = |one: &String| one == text || one.starts_with(&format!("{text}  #"));
                assert_eq!(lines.iter().filter(|one| is_it(one)).count(), 1, "{text} in\n{draft}");
                place = lines.iter().position(is_it);
            }
            "+" => lines[place.take().unwrap()] = text.to_owned(),
            _ => panic!("{line}"),
        }
    }
    lines.join("\n")
}
