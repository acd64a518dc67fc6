//! Cursors: `DECLARE`, `FETCH`, `MOVE` and `CLOSE`. They only go forward, and end with their transaction.

use super::Question;
use super::split::blank;
use super::words::{is_of_word, word_length};
use std::sync::Arc;
use tokio::sync::OnceCell;

const DECLARE: &str = "DECLARE: write DECLARE name CURSOR FOR SELECT …";
const FETCH: &str = "a cursor only goes forward: write FETCH number FROM name, or FETCH ALL FROM name";

/// `DECLARE name CURSOR FOR question`.
#[derive(Debug, Clone)]
pub struct Declaration {
    pub name: String,
    pub question: Arc<Question>,
    /// Characters of the statement before the question.
    pub characters_before: usize,
}

/// `FETCH` or `MOVE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    pub cursor: String,
    /// None for all that are left.
    pub rows: Option<usize>,
    /// Whether the rows are skipped.
    pub moves: bool,
}

impl Declaration {
    /// The declaration that a statement is; None for another statement.
    ///
    /// # Errors
    /// For a cursor that the server does not have, and for a statement that is none.
    pub fn of(text: &str) -> Result<Option<Self>, String> {
        let mut words = Words { text, at: 0 };
        if words.keyword() != "DECLARE" {
            return Ok(None);
        }
        let name = words.name().ok_or(DECLARE)?;
        loop {
            match words.keyword().as_str() {
                "CURSOR" => break,
                "NO" if words.keyword() == "SCROLL" => {}
                "ASENSITIVE" | "INSENSITIVE" => {}
                "SCROLL" => return Err("a cursor only goes forward: declare it without SCROLL".into()),
                "BINARY" => return Err("declare a cursor without BINARY: the driver asks for the format".into()),
                _ => return Err(DECLARE.into()),
            }
        }
        match words.keyword().as_str() {
            "FOR" => {}
            "WITHOUT" if words.keyword() == "HOLD" && words.keyword() == "FOR" => {}
            "WITH" => return Err("a cursor ends with its transaction: declare it without WITH HOLD".into()),
            _ => return Err(DECLARE.into()),
        }
        let (before, question) = text.split_at(words.at + blank(&text[words.at..]));
        let question = Question { text: question.to_owned(), description: OnceCell::new() };
        Ok(Some(Self { name, question: Arc::new(question), characters_before: before.chars().count() }))
    }
}

impl Fetch {
    /// Reads the direction and number of `FETCH` and `MOVE`.
    ///
    /// # Errors
    /// If the server does not support the direction.
    pub fn of(text: &str) -> Result<Self, String> {
        let mut words = Words { text, at: 0 };
        let moves = words.keyword() == "MOVE";
        let mut names: Vec<String> = Vec::new();
        while let Some(name) = words.name() {
            names.push(name);
        }
        let cursor = names.pop().ok_or(FETCH)?;
        let direction: Vec<String> = names.iter().map(|word| word.to_ascii_uppercase()).collect();
        let mut direction: Vec<&str> = direction.iter().map(String::as_str).collect();
        if let Some("FROM" | "IN") = direction.last().copied() {
            direction.pop();
        }
        let rows = match direction.as_slice() {
            [] | ["NEXT" | "FORWARD"] => Some(1),
            ["ALL"] | ["FORWARD", "ALL"] => None,
            [number] | ["FORWARD", number] => {
                Some(number.parse().ok().filter(|number: &usize| *number > 0).ok_or(FETCH)?)
            }
            _ => return Err(FETCH.into()),
        };
        Ok(Self { cursor, rows, moves })
    }
}

/// The cursor that `CLOSE` names; None for all.
///
/// # Errors
/// If it names none.
pub fn closed(text: &str) -> Result<Option<String>, String> {
    let mut words = Words { text, at: 0 };
    words.keyword();
    let begins = words.at;
    let name = words.name().ok_or("CLOSE: write CLOSE name, or CLOSE ALL")?;
    let is_all = text[begins..].trim().eq_ignore_ascii_case("ALL");
    Ok((!is_all).then_some(name))
}

/// The words of a statement, one after the other.
struct Words<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Words<'t> {
    fn word(&mut self) -> &'t str {
        let begins = self.at + blank(&self.text[self.at..]);
        self.at = begins + word_length(&self.text[begins..]);
        &self.text[begins..self.at]
    }

    /// The next word in capital letters; empty at the end.
    fn keyword(&mut self) -> String {
        self.word().to_ascii_uppercase()
    }

    /// The next word as a name: in small letters, unless it is quoted. None for another sign and at the end.
    fn name(&mut self) -> Option<String> {
        let word = self.word();
        if let Some(quoted) = word.strip_prefix('"') {
            return quoted.strip_suffix('"').filter(|name| !name.is_empty()).map(str::to_owned);
        }
        (!word.is_empty() && word.chars().all(is_of_word)).then(|| word.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read() {
        for (text, name, question) in [
            ("DECLARE c CURSOR FOR SELECT 1", "c", "SELECT 1"),
            ("declare \"My Cursor\" no scroll cursor without hold for\n SELECT 'for'", "My Cursor", "SELECT 'for'"),
            ("/* x */ DECLARE C ASENSITIVE CURSOR FOR /* y */ SELECT $1", "c", "SELECT $1"),
        ] {
            let declared = Declaration::of(text).unwrap().unwrap();
            assert_eq!((declared.name.as_str(), declared.question.text.as_str()), (name, question), "{text}");
            let before: String = text.chars().take(declared.characters_before).collect();
            assert_eq!(format!("{before}{question}"), text);
        }
        assert!(Declaration::of("SELECT 1").unwrap().is_none());
        for text in [
            "DECLARE c SCROLL CURSOR FOR SELECT 1",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "DECLARE c BINARY CURSOR FOR SELECT 1",
            "DECLARE c CURSOR SELECT 1",
            "DECLARE CURSOR FOR SELECT 1",
            "DECLARE c",
        ] {
            assert!(Declaration::of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rows_are_fetched_forward_alone() {
        let fetch = |rows, moves| Fetch { cursor: "c".to_owned(), rows, moves };
        for (text, expected) in [
            ("FETCH c", fetch(Some(1), false)),
            ("FETCH NEXT FROM c", fetch(Some(1), false)),
            ("fetch forward 100 from \"c\"", fetch(Some(100), false)),
            ("FETCH ALL IN C", fetch(None, false)),
            ("FETCH FORWARD ALL FROM c", fetch(None, false)),
            ("MOVE 5 FROM c", fetch(Some(5), true)),
        ] {
            assert_eq!(Fetch::of(text).as_ref(), Ok(&expected), "{text}");
        }
        for text in
            ["FETCH", "FETCH PRIOR FROM c", "FETCH -1 FROM c", "MOVE ABSOLUTE 3 FROM c", "FETCH BACKWARD 2 IN c"]
        {
            assert!(Fetch::of(text).is_err(), "{text}");
        }
        assert_eq!(closed("CLOSE \"C\"").unwrap().as_deref(), Some("C"));
        assert_eq!(closed("close all").unwrap(), None);
        assert_eq!(closed("CLOSE \"ALL\"").unwrap().as_deref(), Some("ALL"));
        assert!(closed("CLOSE").is_err());
    }
}
