//! The questions of `questions.sql`.

/// A question in the words of the server, and of DuckDB.
#[derive(Debug)]
pub struct Question {
    pub name: &'static str,
    pub text: String,
    pub for_duckdb: String,
}

impl Question {
    /// Whether the order of the rows belongs to the answer.
    pub fn is_ordered(&self) -> bool {
        self.text.lines().last().is_some_and(|line| line.starts_with("ORDER BY"))
    }
}

/// The names and texts of a file of questions.
pub fn split(file: &'static str) -> Vec<(&'static str, &'static str)> {
    let (_about, questions) = file.split_once("\n--- ").unwrap();
    let named = questions.split("\n--- ").map(|one| one.split_once('\n').unwrap());
    named.map(|(name, text)| (name, text.trim())).collect()
}

/// All questions.
pub fn questions() -> Vec<Question> {
    let mut found: Vec<Question> = Vec::new();
    for (name, text) in split(include_str!("questions.sql")) {
        let text = text.to_owned();
        match (name, found.last_mut()) {
            ("in DuckDB", Some(before)) => before.for_duckdb = text,
            _ => found.push(Question { name, for_duckdb: text.clone(), text }),
        }
    }
    found
}
