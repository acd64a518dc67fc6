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

/// All questions.
pub fn questions() -> Vec<Question> {
    let (_about, questions) = include_str!("questions.sql").split_once("\n--- ").unwrap();
    let mut found: Vec<Question> = Vec::new();
    for one in questions.split("\n--- ") {
        let (name, text) = one.split_once('\n').unwrap();
        let text = text.trim().to_owned();
        match (name, found.last_mut()) {
            ("in DuckDB", Some(before)) => before.for_duckdb = text,
            _ => found.push(Question { name, for_duckdb: text.clone(), text }),
        }
    }
    found
}
