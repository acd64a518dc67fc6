//! Rules that docs/architecture.md and docs/internals.md state: which modules depend on which, and which source may do
//! what.

mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};
use tests::project;

/// What runs a statement, or begins one that changes rows.
const STATEMENTS: [&str; 14] = [
    ".load(",
    ".load::<",
    ".load_iter",
    ".first(",
    ".first::<",
    ".get_result(",
    ".get_result::<",
    ".get_results",
    ".execute(",
    "insert_into",
    "update(",
    "delete(",
    "sql_query",
    "batch_execute",
];

/// The Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Whether a file of `api/src` builds conditions: a filter, or row scope.
fn builds_conditions(file: &str) -> bool {
    let is_filter_of_type = file.starts_with("graphql/types/") && file.ends_with("/filter.rs");
    file.starts_with("graphql/filter/") || file.starts_with("access/row_scope/") || is_filter_of_type
}

/// The lines of a file of `api/src` that build or run SQL which the file must not. Comments do not count.
fn wrong_lines(file: &str, text: &str) -> Vec<String> {
    // Diesel's methods belong to traits, which a file must import to call them.
    let refused: &[&str] = if builds_conditions(file) { &STATEMENTS } else { &["diesel"] };
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let wrong = (1..).zip(code).filter(|(_, line)| refused.iter().any(|refused| line.contains(refused)));
    wrong.map(|(number, line)| format!("api/src/{file}:{number}: {}", line.trim())).collect()
}

#[test]
fn the_api_builds_sql_only_for_filters_and_row_scope() {
    let folder = project().join("api/src");
    let (mut with_conditions, mut others, mut wrong) = (0, 0, Vec::new());
    for path in sources(&folder) {
        let file = path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
        // A test may write the rows that it needs.
        if file.ends_with("/tests.rs") || file.contains("/tests/") {
            continue;
        }
        match builds_conditions(&file) {
            true => with_conditions += 1,
            false => others += 1,
        }
        wrong.extend(wrong_lines(&file, &read_to_string(&path).unwrap()));
    }
    assert!(with_conditions >= 10 && others >= 100, "{with_conditions} and {others} files in {}", folder.display());
    assert!(wrong.is_empty(), "move this to schema::queries:\n{}", wrong.join("\n"));
}

#[test]
fn a_statement_or_diesel_in_the_wrong_file_is_found() {
    let list = "use diesel::prelude::*;\nlet rows = units::table.load(conn)?;";
    assert_eq!(
        wrong_lines("graphql/types/unit/list.rs", list),
        ["api/src/graphql/types/unit/list.rs:1: use diesel::prelude::*;"]
    );
    let found = ["api/src/graphql/types/unit/filter.rs:2: let rows = units::table.load(conn)?;"];
    assert_eq!(wrong_lines("graphql/types/unit/filter.rs", list), found);
    let allowed = "flag.load(Ordering::SeqCst); // diesel\nlet first = all.first();";
    assert_eq!(wrong_lines("http/close.rs", allowed), Vec::<String>::new());
    let condition = "use diesel::prelude::*;\nOk(Some(Box::new(units::id.eq(id).nullable())))";
    assert_eq!(wrong_lines("access/row_scope/mod.rs", condition), Vec::<String>::new());
}

/// The crates, each with the modules whose files may form a circle: the subjects of the GraphQL types, because the types
/// refer to one another, and a field of one gives a list or statistics of another.
const CRATES: [(&str, Option<&str>); 3] = [("schema", None), ("jobs", None), ("api", Some("graphql::types::"))];

#[test]
fn no_modules_depend_on_one_another_but_the_graphql_types() {
    for (name, excepted) in CRATES {
        let folder = project().join(name).join("src");
        let mut modules: BTreeMap<Vec<String>, String> = BTreeMap::new();
        for path in sources(&folder) {
            let Some(module) = circles::module_of(path.strip_prefix(&folder).unwrap()) else { continue };
            // The root of a crate is a library and a program.
            modules.entry(module).or_default().push_str(&read_to_string(&path).unwrap());
        }
        assert!(modules.len() >= 80, "{name}: {} modules", modules.len());
        let found = circles::circles(&modules);
        let is_excepted =
            |circle: &BTreeSet<String>| excepted.is_some_and(|within| circle.iter().all(|one| one.starts_with(within)));
        let wrong: Vec<&BTreeSet<String>> = found.iter().filter(|circle| !is_excepted(circle)).collect();
        assert!(wrong.is_empty(), "{name}: these modules depend on one another: {wrong:#?}");
        assert_eq!(found.len(), usize::from(excepted.is_some()), "{name}: docs/architecture.md names what is excepted");
    }
}

#[test]
fn every_file_is_short_and_says_what_it_is_for() {
    let files = CRATES.iter().flat_map(|(name, _)| sources(&project().join(name).join("src")));
    let wrong = files.filter_map(|path| {
        let text = read_to_string(&path).unwrap();
        let is_test = path.ends_with("tests.rs") || path.to_str().unwrap().ends_with("_tests.rs");
        let (lines, says) = (text.lines().count(), is_test || text.starts_with("//!"));
        (lines > 400 || !says).then(|| format!("{}: {lines} lines; begins with //!: {says}", path.display()))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files whose rules a form of the page can break.
const RULES_OF_FORMS: [&str; 20] = [
    "schema/src/register/casework.rs",
    "schema/src/register/clock/steps.rs",
    "schema/src/register/corrections/allegations.rs",
    "schema/src/register/corrections/mod.rs",
    "schema/src/register/duplicates.rs",
    "schema/src/register/guidance.rs",
    "schema/src/register/measures/mod.rs",
    "schema/src/register/measures/suspension.rs",
    "schema/src/register/proposals.rs",
    "schema/src/register/reference.rs",
    "schema/src/register/responses.rs",
    "schema/src/register/succession.rs",
    "schema/src/register/values.rs",
    "jobs/src/digest/reader/subscription.rs",
    "jobs/src/digest/reader/test_digest.rs",
    "jobs/src/flags/review.rs",
    "jobs/src/notify/endpoints.rs",
    "jobs/src/notify/outbox.rs",
    "jobs/src/runner/ledger/pause.rs",
    "jobs/src/runner/on_demand.rs",
];

#[test]
fn what_a_form_may_break_is_refused_with_a_reason() {
    let sentences = ["StoreError::Rule", "StoreError::Conflict", "JobError::Question"];
    for file in RULES_OF_FORMS {
        let text = read_to_string(project().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        for (number, line) in (1..).zip(code) {
            let is_sentence = sentences.iter().any(|sentence| line.contains(sentence));
            assert!(!is_sentence, "{file}:{number}: take or add a refusal of schema::refusal: {line}");
        }
    }
}
