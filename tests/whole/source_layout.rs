//! Rules that docs/architecture.md states about which source may do what.

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
        if file.ends_with("/tests.rs") {
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
