//! The digests of readers as somebody reviewed them: HTML, text and document, in both languages.

use crate::digest::assert_golden;
use crate::digest_world::{
    DEPARTMENT, assert_each_section_has_a_row, blaming_complaints, decide, dismiss, noon, officer,
};
use crate::program;
use crate::reader_digests::{DAY, config, run_all, subscribe, token};
use serde_json::{Value, json};
use std::path::Path;
use tests::fixtures;
use tests::{Database, Json, MailServer, TestApp};

/// A branch and an officer of the department are flagged. The head of the department is that officer.
const FLAGGED: &str = "28AD";
const OFFICER: &str = "MH-000305";
/// The day of the digests before.
const BEFORE: &str = "2025-12-17";
const NAMES: [&str; 3] = ["board", "head", "data"];
const LOCALES: [&str; 2] = ["vi", "en"];

/// The register of the first digests.
fn world_before(database: &Database) {
    database.fill_once("digests of readers, the first ones", |database| {
        fixtures::generate(database, 3_000, 7);
        run_all(database, BEFORE);
    });
}

/// A digest as its reader gets it, without what chance gives: the ids of runs, measures and proposals, and positions of
/// the register.
struct Digest {
    subject: String,
    html: String,
    text: String,
    document: Value,
}

fn address(name: &str, locale: &str) -> String {
    format!("{name}-{locale}@example.org")
}

fn digest(database: &Database, folder: &Path, config: &str, address: &str) -> Digest {
    let out = folder.join(format!("{}-{address}", database.name));
    let out = out.to_str().expect("a path");
    let args = ["digest", "preview", "--for", address, "--as-of", DAY, "--out", out, "--config", config];
    let told = program().json(database, &args);
    let read = |part: &str| std::fs::read_to_string(format!("{out}/digest.{part}")).expect("a part of the digest");
    let mut document: Value = serde_json::from_str(&read("json")).expect("JSON");
    let mut names: Vec<(String, String)> = Vec::new();
    for (job, run) in document["runs"].object() {
        names.push((run.text().to_owned(), format!("RUN-OF-{job}")));
    }
    for (list, id) in [
        (&document["measures"]["listed"], "measure"),
        (&document["measures"]["outcomes"], "measure"),
        (&document["proposals"], "proposal"),
    ] {
        for (place, one) in list.list().iter().enumerate() {
            names.push((one[id].text().to_owned(), format!("{}-{place}", id.to_uppercase())));
        }
    }
    let named = |text: &str| names.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id, name));
    document = serde_json::from_str(&named(&document.to_string())).expect("JSON");
    for place in ["position", "eventsBetween"] {
        document[place] = Value::Null;
    }
    document["news"]["position"] = Value::Null;
    let told_at = ["change number ", "thay đổi số ", "changes?after=", "&until=", "&amp;until="];
    let without_positions =
        |text: &str| told_at.iter().fold(named(text), |text, before| without_number_after(&text, before));
    round(&mut document);
    Digest {
        subject: told["subject"].text().to_owned(),
        html: without_positions(&read("html")),
        text: without_positions(&read("txt")),
        document,
    }
}

/// A text in which `N` stands for the number behind some words. A day is none.
pub fn without_number_after(text: &str, words: &str) -> String {
    let mut parts = text.split(words);
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.').unwrap_or(part.len());
        let number = part[..end].trim_end_matches(['.', ',']);
        let is_day = part[number.len()..].starts_with('-');
        written.push_str(words);
        match number.is_empty() || is_day {
            true => written.push_str(part),
            false => written.extend(["N", &part[number.len()..]]),
        }
    }
    written
}

/// Numbers with six digits, which do not depend on the order of a sum.
pub fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let text = format!("{:.5e}", number.as_f64().expect("a number"));
            *value = json!(text.parse::<f64>().expect("a number"));
        }
        Value::Array(all) => all.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        _ => {}
    }
}

/// Each current flag is listed once.
#[track_caller]
fn assert_told_once(digest: &Digest) {
    for flag in digest.document["flags"]["standing"].list() {
        let link = format!("/flags/{}", flag["flag"].text());
        let lines = digest.text.lines().filter(|line| line.ends_with(&link)).count();
        assert_eq!(lines, 1, "{link}: {}", digest.text);
    }
}

#[test]
fn digests_of_readers_are_the_reviewed_ones_in_both_languages_and_on_both_databases() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut written: Vec<Vec<(String, Digest)>> = Vec::new();
    for app in TestApp::both().filled(world_before).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        token(database, "board", &["--role", "BOARD"]);
        token(database, "head", &["--role", "UNIT_HEAD", "--unit", DEPARTMENT, "--officer", OFFICER]);
        token(database, "data", &["--role", "DATA_TEAM"]);
        let all: Vec<(&str, &str)> = NAMES.iter().flat_map(|name| LOCALES.map(|locale| (*name, locale))).collect();
        for (name, locale) in all.iter().copied() {
            subscribe(database, &address(name, locale), locale, &["--reader", name]);
        }
        for job in ["reader-digests", "deliver-digests"] {
            app.run(&["jobs", "run", job, "--as-of", BEFORE, "--config", &config]);
        }
        assert_eq!(server.mails().len(), all.len(), "{}", database.name);
        blaming_complaints(database);
        let (officer, team) = officer(database);
        decide(&app, &officer, &team, noon());
        run_all(database, DAY);
        dismiss(&app, FLAGGED, "Cùng một vụ việc.");
        let made = |(name, locale): &(&str, &str)| {
            let digest = digest(database, folder.path(), &config, &address(name, locale));
            (format!("reader-{name}.{locale}"), digest)
        };
        written.push(all.iter().map(made).collect());
    }
    let parts = |digests: &[(String, Digest)]| -> Vec<(String, String, String, Value)> {
        let all = digests.iter();
        all.map(|(name, one)| (name.clone(), one.html.clone(), one.text.clone(), one.document.clone())).collect()
    };
    assert_eq!(parts(&written[0]), parts(&written[1]), "the same on both databases");
    for (_, one) in &written[0] {
        assert_told_once(one);
    }
    let of = |name: &str| {
        let found = written[0].iter().find(|(own, _)| own == name);
        &found.unwrap_or_else(|| panic!("no digest {name}")).1
    };
    for locale in ["vi", "en"] {
        let (board, head) = (of(&format!("reader-board.{locale}")), of(&format!("reader-head.{locale}")));
        // The head is an officer who is flagged: the Board reads it, and the head reads nothing of it.
        for (digest, is_of_head) in [(board, false), (head, true)] {
            assert_eq!(digest.document["previousAsOf"], BEFORE);
            assert_each_section_has_a_row(&digest.document, is_of_head);
            assert!(digest.text.contains("Cùng một vụ việc.") != is_of_head, "heads read no reasons of the Board");
        }
        // Complaints that are older than the scorecard are overdue, and the digest says so.
        let card = &head.document["head"]["scorecard"];
        assert!(head.document["head"]["older"].integer() > 0, "{}", head.document["head"]);
        let told = if locale == "vi" { "nhận từ hơn 365 ngày trước" } else { "came more than 365 days ago" };
        assert!(card["days"] == 365 && head.text.contains(told), "{}", head.text);
        // The link to the list has words before it.
        for digest in [board, head] {
            let lines: Vec<&str> = digest.text.lines().collect();
            let at = lines.iter().position(|line| line.trim() == "https://phananh.example.org/overdue");
            assert!(at.is_some_and(|at| !lines[at - 1].contains("https://")), "{}", digest.text);
        }
        // Both count the escalations by the day of the run that made them.
        let named = |digest: &Digest| -> Option<i64> {
            let units = digest.document["overdue"]["escalatedTo"].list();
            units.iter().find(|unit| unit["code"] == DEPARTMENT).map(|unit| unit["escalated"].integer())
        };
        assert!(named(board).is_some_and(|count| count > 0) && named(board) == named(head), "{}", head.text);
        let is_flagged =
            |digest: &Digest| digest.document["flags"]["standing"].list().iter().any(|f| f["code"] == OFFICER);
        assert!(is_flagged(board) && board.text.contains(OFFICER));
        let everything = format!("{} {} {} {}", head.subject, head.html, head.text, head.document);
        assert!(!everything.contains(OFFICER), "{}", head.text);
        // The head reads of its own units alone, and of those of the headquarters that answer complaints about them.
        assert_eq!(head.document["unit"]["code"], DEPARTMENT);
        for unit in board.document["overdue"]["branches"].list() {
            let code = unit["code"].text();
            let is_of_headquarters = !code.starts_with(|first: char| first.is_ascii_digit());
            assert!(
                code.starts_with(DEPARTMENT) || is_of_headquarters || !head.text.contains(&format!("[{code}]")),
                "{code}: {}",
                head.text
            );
        }
        let [all, own] = [board, head].map(|digest| digest.document["numbers"]["lines"][0]["now"].number());
        assert!(own > 0.0 && own < all, "{own} of {all}");
        assert!(head.document["answers"]["best"].list().is_empty() && head.document["seals"].list().is_empty());
        // Each has the pictures of what it may see, and their words.
        let data = of(&format!("reader-data.{locale}"));
        for (digest, pictures, others) in [
            (board, &["trend", "funnel", "gravest", "categories"][..], &["waiting", "peers"][..]),
            (head, &["trend", "waiting", "peers"][..], &["funnel", "gravest"][..]),
            (data, &["trend", "categories"][..], &["funnel", "gravest", "waiting", "peers"][..]),
        ] {
            let has = |name: &&str| digest.html.contains(&format!("src=\"digest-{name}.png\""));
            assert!(pictures.iter().all(has) && !others.iter().any(has), "{locale}: {}", digest.html);
        }
        let gravest = board.document["unusual"]["gravest"]["flag"].text();
        let flag = board.document["flags"]["standing"].list().iter().find(|flag| flag["flag"] == gravest);
        let code = flag.expect("the flag stands")["code"].text();
        let times = if locale == "vi" { "trong 365 ngày gấp" } else { "times as many episodes as expected" };
        let line = board.text.lines().find(|line| line.contains(times)).unwrap_or_else(|| panic!("{}", board.text));
        assert!(line.contains(&format!("[{code}]: ")), "{line}");
        let count = |digest: &Digest| digest.document["unusual"]["funnel"]["branches"].as_array().map_or(0, Vec::len);
        assert!(count(board) > 10 && count(head) == 0, "{} branches", count(board));
        assert!(!head.document["head"]["waiting"]["steps"].list().is_empty(), "{}", head.document["head"]);
    }
    // Analysts read no officer, no enterprise, no flag and no decision.
    for locale in ["vi", "en"] {
        let data = of(&format!("reader-data.{locale}"));
        let everything = format!("{} {} {} {}", data.subject, data.html, data.text, data.document);
        for hidden in ["MH-", "/flags", "/measures", "/blame", "/categories", "/overdue/escalations"] {
            assert!(!everything.contains(hidden), "{hidden}: {}", data.text);
        }
        let board = of(&format!("reader-board.{locale}"));
        assert_eq!(data.document["numbers"], board.document["numbers"]);
        assert_eq!(data.document["flags"]["standing"], json!([]));
        assert_eq!(data.document["answers"], board.document["answers"]);
    }
    // No line of one language strays into the other.
    for name in ["reader-board", "reader-head", "reader-data"] {
        let [vi, en] = ["vi", "en"].map(|locale| {
            let text = &of(&format!("{name}.{locale}")).text;
            let words = text.lines().filter(|line| !line.trim_start().starts_with("https://"));
            words.collect::<Vec<_>>().join("\n")
        });
        assert!(!vi.contains("complaint") && !en.contains("phản ánh"), "{vi}\n\n{en}");
    }
    for (name, one) in &written[0] {
        assert_golden(&format!("{name}.txt"), &format!("{}\n\n{}", one.subject, one.text));
        assert_golden(&format!("{name}.html"), &one.html);
        assert_golden(&format!("{name}.json"), &serde_json::to_string_pretty(&one.document).expect("JSON"));
    }
}
