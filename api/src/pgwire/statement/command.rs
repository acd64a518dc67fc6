//! Commands about the session.

use super::cursor::{Fetch, closed};
use super::split::blank;
use super::words::word_length;

/// A command about the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `BEGIN` or `START TRANSACTION`: the tag that answers it.
    Begin(&'static str),
    Commit,
    Rollback,
    /// `ROLLBACK TO SAVEPOINT`.
    RollbackTo,
    /// `SAVEPOINT` or `RELEASE`.
    Savepoint(&'static str),
    Set(Setting),
    /// A setting, in lower case.
    Show(String),
    /// A setting; None for all.
    Reset(Option<String>),
    /// `DISCARD ALL` and the like: what is discarded.
    Discard(&'static str),
    /// The name of a prepared statement; None for all.
    Deallocate(Option<String>),
    Fetch(Fetch),
    /// `CLOSE`: a cursor; None for all.
    Close(Option<String>),
    /// `LISTEN` and `UNLISTEN`, for which there is nothing to do: the tag.
    Nothing(&'static str),
}

/// A setting and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Name in lower case.
    pub name: String,
    pub value: String,
}

impl Command {
    /// The command of a statement; None for a question.
    ///
    /// # Errors
    /// For a command that writes, or that needs state which the server does not keep. The message says why.
    pub fn of(text: &str) -> Result<Option<Self>, String> {
        let words = words(text);
        let word = |nth: usize| words.get(nth).map_or("", String::as_str);
        let keyword = |nth: usize| word(nth).to_ascii_uppercase();
        Ok(Some(match keyword(0).as_str() {
            "BEGIN" => Self::Begin("BEGIN"),
            "START" if keyword(1) == "TRANSACTION" => Self::Begin("START TRANSACTION"),
            "COMMIT" | "END" => Self::Commit,
            "ROLLBACK" | "ABORT" => {
                let of_work = matches!(keyword(1).as_str(), "WORK" | "TRANSACTION");
                if keyword(1 + usize::from(of_work)) == "TO" { Self::RollbackTo } else { Self::Rollback }
            }
            "SAVEPOINT" => Self::Savepoint("SAVEPOINT"),
            "RELEASE" => Self::Savepoint("RELEASE"),
            "SET" => Self::Set(setting(&words)?),
            "SHOW" => match shown(&words) {
                Some(name) => Self::Show(name),
                None => return Ok(None),
            },
            "RESET" => Self::Reset(name_or_all(&words[1..])),
            "DISCARD" => Self::Discard(match keyword(1).as_str() {
                "ALL" => "DISCARD ALL",
                "PLANS" => "DISCARD PLANS",
                "SEQUENCES" => "DISCARD SEQUENCES",
                "TEMP" | "TEMPORARY" => "DISCARD TEMP",
                other => return Err(format!("DISCARD {other}: write DISCARD ALL")),
            }),
            "DEALLOCATE" => {
                let names = if keyword(1) == "PREPARE" { &words[2..] } else { &words[1..] };
                Self::Deallocate(name_or_all(names))
            }
            "FETCH" | "MOVE" => Self::Fetch(Fetch::of(text)?),
            "CLOSE" => Self::Close(closed(text)?),
            "LISTEN" => Self::Nothing("LISTEN"),
            "UNLISTEN" => Self::Nothing("UNLISTEN"),
            "PREPARE" | "EXECUTE" => {
                return Err("there is no PREPARE in SQL: prepare the statement by the driver".into());
            }
            "COPY" => return Err("there is no COPY: use POST /sql with Accept: text/csv, or `phananh sql`".into()),
            _ => return Ok(None),
        }))
    }
}

/// The words and signs of a command, without quotes. A command is short: further ones do not matter.
fn words(text: &str) -> Vec<String> {
    const MOST: usize = 32;
    let mut words = Vec::new();
    let mut rest = text;
    while words.len() < MOST {
        rest = &rest[blank(rest)..];
        let Some(first) = rest.chars().next() else { break };
        let length = word_length(rest);
        let word = &rest[..length];
        let quoted = matches!(first, '\'' | '"').then(|| word.strip_prefix(first)?.strip_suffix(first)).flatten();
        words.push(quoted.unwrap_or(word).to_owned());
        rest = &rest[length..];
    }
    words
}

/// `SET [SESSION | LOCAL] name {= | TO} value`, and the forms of SQL's standard.
fn setting(words: &[String]) -> Result<Setting, String> {
    let mut rest = &words[1..];
    let is = |rest: &[String], nth: usize, keyword: &str| {
        rest.get(nth).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    };
    if is(rest, 0, "SESSION") && (is(rest, 1, "CHARACTERISTICS") || is(rest, 1, "AUTHORIZATION")) {
        let name = format!("session {}", rest[1].to_ascii_lowercase());
        return Ok(Setting { name, value: rest[2..].join(" ") });
    }
    if is(rest, 0, "SESSION") || is(rest, 0, "LOCAL") {
        rest = &rest[1..];
    }
    if is(rest, 0, "TRANSACTION") {
        return Ok(Setting { name: "transaction".to_owned(), value: rest[1..].join(" ") });
    }
    if is(rest, 0, "TIME") && is(rest, 1, "ZONE") {
        return Ok(Setting { name: "timezone".to_owned(), value: rest[2..].join("") });
    }
    if is(rest, 0, "NAMES") {
        return Ok(Setting { name: "client_encoding".to_owned(), value: rest[1..].join("") });
    }
    let (Some(name), true) = (rest.first(), is(rest, 1, "TO") || is(rest, 1, "=")) else {
        return Err("SET: write SET name = value".to_owned());
    };
    Ok(Setting { name: name.to_ascii_lowercase(), value: rest[2..].concat() })
}

/// The setting that `SHOW` names; None for the engine's own forms, such as `SHOW TABLES`.
fn shown(words: &[String]) -> Option<String> {
    let names: Vec<String> = words[1..].iter().map(|word| word.to_ascii_lowercase()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Some(match names.as_slice() {
        ["tables" | "columns" | "functions" | "create" | "all", ..] | [] => return None,
        ["transaction", "isolation", "level"] => "transaction_isolation".to_owned(),
        ["time", "zone"] => "timezone".to_owned(),
        ["session", "authorization"] => "session_authorization".to_owned(),
        [name, ..] => (*name).to_owned(),
    })
}

fn name_or_all(words: &[String]) -> Option<String> {
    words.first().filter(|word| !word.eq_ignore_ascii_case("ALL")).map(|word| word.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Option<Command> {
        Command::of(text).unwrap_or_else(|failure| panic!("{text}: {failure}"))
    }

    fn set(name: &str, value: &str) -> Option<Command> {
        Some(Command::Set(Setting { name: name.to_owned(), value: value.to_owned() }))
    }

    #[test]
    fn commands_that_clients_send_are_known() {
        let show = |name: &str| Some(Command::Show(name.to_owned()));
        for (text, expected) in [
            ("BEGIN", Some(Command::Begin("BEGIN"))),
            ("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", Some(Command::Begin("BEGIN"))),
            ("start transaction read only", Some(Command::Begin("START TRANSACTION"))),
            ("commit", Some(Command::Commit)),
            ("ROLLBACK TO SAVEPOINT a", Some(Command::RollbackTo)),
            ("ROLLBACK WORK", Some(Command::Rollback)),
            ("SET application_name = 'đ", set("application_name", "'đ")),
            ("SET extra_float_digits = 3", set("extra_float_digits", "3")),
            ("SET application_name = 'PostgreSQL JDBC Driver'", set("application_name", "PostgreSQL JDBC Driver")),
            ("SET DateStyle TO ISO, MDY", set("datestyle", "ISO,MDY")),
            (
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                set("session characteristics", "AS TRANSACTION READ ONLY"),
            ),
            ("/* x */ set time zone 'UTC'", set("timezone", "UTC")),
            ("SET NAMES 'utf8'", set("client_encoding", "utf8")),
            ("SHOW TRANSACTION ISOLATION LEVEL", show("transaction_isolation")),
            ("show standard_conforming_strings", show("standard_conforming_strings")),
            ("SHOW TABLES", None),
            ("RESET ALL", Some(Command::Reset(None))),
            ("DISCARD ALL", Some(Command::Discard("DISCARD ALL"))),
            ("DEALLOCATE ALL", Some(Command::Deallocate(None))),
            ("DEALLOCATE PREPARE \"_pg3_0\"", Some(Command::Deallocate(Some("_pg3_0".to_owned())))),
            ("UNLISTEN *", Some(Command::Nothing("UNLISTEN"))),
            ("CLOSE ALL", Some(Command::Close(None))),
            ("MOVE c", Some(Command::Fetch(Fetch { cursor: "c".to_owned(), rows: Some(1), moves: true }))),
            ("SELECT 1", None),
            ("WITH a AS (SELECT 1) SELECT * FROM a", None),
            ("", None),
        ] {
            assert_eq!(command(text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_server_does_not_keep_is_refused() {
        for text in ["FETCH PRIOR FROM c", "PREPARE p AS SELECT 1", "COPY complaints TO STDOUT", "SET", "DISCARD x"] {
            assert!(Command::of(text).is_err(), "{text}");
        }
    }
}
