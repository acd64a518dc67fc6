//! The command `queries`: lists saved questions, saves them from files, and deletes them.
//!
//! A file begins with comments: what the question answers, then `-- roles BOARD, DATA_TEAM` and a line such as
//! `-- parameter since DATE = 2024-01-01` for each parameter. What follows is the text.

use super::output::{Output, table};
use anyhow::Context;
use schema::domain::query_parameter::{ParameterType, QueryParameter};
use schema::enums::Role;
use schema::models::SavedQuery;
use schema::register::{
    NewSavedQuery, SeenQuery, delete_saved_query, save_query, saved_query_named, saved_query_version, standing_queries,
};
use schema::{Conn, Db, StoreError};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List saved questions by name
    List,
    /// Show a saved question with its text and parameters
    Show {
        name: String,
        /// Version [default: the newest]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
        version: Option<i32>,
    },
    /// Save a question, or a new version of one, from a file
    ///
    /// The file may begin with comments: what the question answers, then lines such as `-- roles BOARD, DATA_TEAM` and
    /// `-- parameter since DATE = 2024-01-01`. In the text $since stands for the value. Without a line of roles both
    /// may run it.
    Save(SaveArgs),
    /// Delete a saved question; its versions stay in the database
    Delete { name: String },
}

#[derive(Debug, clap::Args)]
pub struct SaveArgs {
    /// Name of the question
    #[arg(required_unless_present = "all", requires = "file")]
    name: Option<String>,
    /// File with the question, or - for standard input
    file: Option<PathBuf>,
    /// Save each file FOLDER/NUMBER-NAME.sql under its name
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["name", "file"])]
    all: Option<PathBuf>,
    /// Version that was seen, 0 for none; another version is an error [default: any]
    #[arg(long, value_name = "N", conflicts_with = "all")]
    expected_version: Option<i32>,
}

/// A command whose files are read, before a database is opened.
pub enum Plan {
    List,
    Show { name: String, version: Option<i32> },
    Save { all: Vec<NewSavedQuery>, expected_version: Option<i32> },
    Delete { name: String },
}

impl Command {
    /// Reads the files.
    ///
    /// # Errors
    /// If a file cannot be read or its comments are wrong.
    pub fn plan(&self) -> anyhow::Result<Plan> {
        Ok(match self {
            Self::List => Plan::List,
            Self::Show { name, version } => Plan::Show { name: name.clone(), version: *version },
            Self::Save(args) => Plan::Save { all: args.read()?, expected_version: args.expected_version },
            Self::Delete { name } => Plan::Delete { name: name.clone() },
        })
    }
}

impl SaveArgs {
    fn read(&self) -> anyhow::Result<Vec<NewSavedQuery>> {
        if let Some(folder) = &self.all {
            return questions_in(folder);
        }
        let (Some(name), Some(file)) = (&self.name, &self.file) else { return Ok(Vec::new()) };
        let text = if file.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("standard input")?;
            text
        } else {
            std::fs::read_to_string(file).with_context(|| file.display().to_string())?
        };
        let question = question(name, &text).with_context(|| file.display().to_string())?;
        Ok(vec![question])
    }
}

/// The questions of a folder in the order of their files' names.
fn questions_in(folder: &Path) -> anyhow::Result<Vec<NewSavedQuery>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<PathBuf> = paths.collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    anyhow::ensure!(!files.is_empty(), "{} has no file NUMBER-NAME.sql", folder.display());
    let read = |file: &PathBuf| {
        let place = || file.display().to_string();
        let stem = file.file_stem().and_then(|stem| stem.to_str()).with_context(place)?;
        let name = stem.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('-');
        question(name, &std::fs::read_to_string(file).with_context(place)?).with_context(place)
    };
    files.iter().map(read).collect()
}

/// Reads a file: the comments at its beginning, and the text.
fn question(name: &str, file: &str) -> anyhow::Result<NewSavedQuery> {
    let (mut description, mut parameters, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    let mut text = file.trim_start_matches('\u{feff}').trim_start();
    while let Some(rest) = text.strip_prefix("--") {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = line.trim();
        match line.split_once(' ') {
            Some(("parameter", declared)) => parameters.push(parameter(declared)?),
            Some(("roles", named)) => {
                for role in named.split(',') {
                    roles.push(role.trim().parse::<Role>()?);
                }
            }
            _ => description.push(line),
        }
        text = after.trim_start();
    }
    if roles.is_empty() {
        roles = vec![Role::Board, Role::DataTeam];
    }
    let description = description.join(" ").trim().to_owned();
    Ok(NewSavedQuery {
        name: name.trim().to_owned(),
        description: Some(description).filter(|text| !text.is_empty()),
        text: text.trim().trim_end_matches(';').trim_end().to_owned(),
        parameters,
        roles,
    })
}

/// Reads `NAME TYPE` or `NAME TYPE = DEFAULT`. The default `null` is null.
fn parameter(declared: &str) -> anyhow::Result<QueryParameter> {
    let (head, default) = match declared.split_once('=') {
        Some((head, default)) => (head, Some(default.trim())),
        None => (declared, None),
    };
    let words: Vec<&str> = head.split_whitespace().collect();
    let [name, of] = words[..] else {
        anyhow::bail!("-- parameter {declared}: write `-- parameter NAME TYPE` or `-- parameter NAME TYPE = DEFAULT`");
    };
    let of: ParameterType = serde_json::from_value(Value::from(of)).map_err(|_| {
        anyhow::anyhow!("{of:?} is no type: write TEXT, INTEGER, NUMBER, DECIMAL, BOOLEAN, DATE or TIMESTAMP")
    })?;
    let value = |text: &str| if text == "null" { Value::Null } else { Value::from(text) };
    let default = default.map(|text| of.read(&value(text))).transpose().map_err(anyhow::Error::msg)?;
    Ok(QueryParameter { name: name.to_owned(), of, default })
}

/// Runs `phananh queries`.
///
/// # Errors
/// If there is no such question, the register refuses a change, or the database or the output fails.
pub fn run(db: &Db, plan: Plan, out: &Output) -> anyhow::Result<ExitCode> {
    let as_operator = |version| SeenQuery { role: None, version };
    match plan {
        Plan::List => {
            let all = db.read(standing_queries)?;
            let rows: Vec<Value> = all.iter().map(listed).collect();
            out.print_rows(&rows, |_| list_text(&all))?;
        }
        Plan::Show { name, version } => {
            let found = db.read(|conn: &mut Conn| -> Result<Option<SavedQuery>, StoreError> {
                let Some(newest) = saved_query_named(conn, &name)? else { return Ok(None) };
                match version {
                    Some(version) => Ok(saved_query_version(conn, &newest, version)?.map(|of| of.of(newest))),
                    None => Ok(Some(newest)),
                }
            })?;
            let query = found.ok_or_else(|| missing(&name))?;
            let mut document = listed(&query);
            document["text"] = query.text.as_str().into();
            out.print(&document, |_| file_text(&query))?;
        }
        Plan::Save { all, expected_version } => {
            let done = db.write("cli", |tx| {
                all.iter().map(|new| save_query(tx, as_operator(expected_version), new)).collect::<Result<Vec<_>, _>>()
            })?;
            let rows: Vec<Value> = done.value.iter().map(listed).collect();
            out.print_rows(&rows, |_| list_text(&done.value))?;
        }
        Plan::Delete { name } => {
            let done = db.write("cli", |tx| delete_saved_query(tx, as_operator(None), &name));
            let deleted = done.map_err(|error| match error {
                StoreError::NotFound(_) => missing(&name),
                other => other.into(),
            })?;
            out.print(&listed(&deleted.value), |_| format!("deleted {}", deleted.value.name))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn missing(name: &str) -> anyhow::Error {
    anyhow::anyhow!("there is no saved question {name:?}: `phananh queries list` lists them")
}

fn listed(query: &SavedQuery) -> Value {
    json!({
        "name": query.name,
        "version": query.version,
        "owner": query.owner,
        "roles": query.roles(),
        "parameters": query.parameters.0,
        "description": query.description,
        "changedAt": query.changed_at,
    })
}

fn list_text(all: &[SavedQuery]) -> String {
    let row = |query: &SavedQuery| {
        let roles: Vec<&str> = query.roles().into_iter().map(Role::as_str).collect();
        vec![
            query.name.clone(),
            query.version.to_string(),
            roles.join(", "),
            query.description.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    };
    table(&["NAME", "VERSION", "ROLES", "DESCRIPTION"], all.iter().map(row))
}

/// A question in the form of a file.
fn file_text(query: &SavedQuery) -> String {
    let mut lines: Vec<String> = query.description.iter().map(|text| format!("-- {text}")).collect();
    let roles: Vec<&str> = query.roles().into_iter().map(Role::as_str).collect();
    if !roles.is_empty() {
        lines.push(format!("-- roles {}", roles.join(", ")));
    }
    for one in query.query_parameters().unwrap_or_default() {
        let of = serde_json::to_value(one.of).unwrap_or_default();
        let default = one.default.map(|value| match value {
            Value::String(text) => format!(" = {text}"),
            other => format!(" = {other}"),
        });
        lines.push(format!("-- parameter {} {}{}", one.name, of.as_str().unwrap_or("?"), default.unwrap_or_default()));
    }
    lines.push(query.text.clone());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "-- Complaints of a kind\n-- since a day.\n-- roles BOARD\n-- parameter since DATE = 2024-01-01\n\
                        -- parameter kind TEXT\n-- parameter unit TEXT = null\nSELECT 1 -- $kind\n;\n";

    #[test]
    fn a_file_says_what_it_answers_who_asks_and_what_it_takes() {
        let read = question("a", FILE).unwrap();
        assert_eq!(read.description.as_deref(), Some("Complaints of a kind since a day."));
        assert_eq!((read.roles, read.text.as_str()), (vec![Role::Board], "SELECT 1 -- $kind"));
        let parameters: Vec<_> =
            read.parameters.iter().map(|one| (one.name.as_str(), one.of, one.default.clone())).collect();
        assert_eq!(
            parameters,
            [
                ("since", ParameterType::Date, Some(Value::from("2024-01-01"))),
                ("kind", ParameterType::Text, None),
                ("unit", ParameterType::Text, Some(Value::Null)),
            ]
        );
    }

    #[test]
    fn wrong_comments_are_named() {
        for (line, wrong) in [
            ("-- parameter since", "-- parameter NAME TYPE"),
            ("-- parameter since DAY", "\"DAY\" is no type"),
            ("-- parameter since DATE = x", "a day such as"),
            ("-- roles ANALYST", "ANALYST"),
        ] {
            let failed = format!("{:#}", question("a", &format!("{line}\nSELECT 1")).unwrap_err());
            assert!(failed.contains(wrong), "{line}: {failed}");
        }
    }
}
