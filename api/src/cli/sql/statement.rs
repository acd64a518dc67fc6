//! Statements in what a user types: where one ends, and the commands of the prompt.

/// The input of a user.
#[derive(Debug, PartialEq, Eq)]
pub enum Input<'i> {
    Nothing,
    Quit,
    Help,
    Tables,
    Table(&'i str),
    Timing,
    Pager,
    Statements(Vec<&'i str>),
    /// A backslash command that does not exist.
    Unknown(&'i str),
}

/// The commands with what they do, as the help shows them.
pub const COMMANDS: [(&str, &str); 7] = [
    ("@NAME VALUE=…;", "run a saved question"),
    ("\\d", "list the tables"),
    ("\\d TABLE", "describe the columns of a table"),
    ("\\timing", "show how long each question took, or no longer"),
    ("\\pager", "show tall tables in a pager, or no longer"),
    ("\\?", "show this help"),
    ("\\q", "quit, as Ctrl-D does"),
];

/// Reads what a user typed.
pub fn input(text: &str) -> Input<'_> {
    let text = text.trim();
    if matches!(text.trim_end_matches(';'), "exit" | "quit") {
        return Input::Quit;
    }
    if !text.starts_with('\\') {
        let scanned = scan(text);
        let rest = if scanned.is_blank { None } else { Some(scanned.rest.trim()) };
        let all: Vec<&str> = scanned.statements.into_iter().chain(rest).collect();
        return if all.is_empty() { Input::Nothing } else { Input::Statements(all) };
    }
    let mut words = text.trim_end_matches(';').split_whitespace();
    match (words.next().unwrap_or_default(), words.next()) {
        ("\\q", None) => Input::Quit,
        ("\\?" | "\\h" | "\\help", None) => Input::Help,
        ("\\d" | "\\dt" | "\\d+" | "\\dt+", None) => Input::Tables,
        ("\\d" | "\\d+", Some(table)) => Input::Table(table.trim_matches('"')),
        ("\\timing", None) => Input::Timing,
        ("\\pager", None) => Input::Pager,
        (command, _) => Input::Unknown(command),
    }
}

/// Whether what a user typed can be answered, or more lines follow.
pub fn is_complete(text: &str) -> bool {
    let begins = text.trim_start();
    if begins.starts_with('\\') || matches!(begins.trim_end(), "exit" | "quit") {
        return true;
    }
    let scanned = scan(text);
    scanned.is_blank && !scanned.is_open
}

struct Scanned<'t> {
    /// The statements that end with a semicolon, without it.
    statements: Vec<&'t str>,
    /// The text after the last semicolon.
    rest: &'t str,
    /// Whether the rest consists of spaces and comments.
    is_blank: bool,
    /// Whether a text, a name or a comment is not closed.
    is_open: bool,
}

/// Divides a text at the semicolons outside of strings, quoted names and comments.
fn scan(text: &str) -> Scanned<'_> {
    let bytes = text.as_bytes();
    let (mut at, mut begins) = (0, 0);
    let (mut statements, mut is_blank, mut is_open) = (Vec::new(), true, false);
    while at < bytes.len() {
        let left = &text.as_bytes()[at..];
        let length = match left {
            // A doubled quote closes a text and opens another one, which comes to the same here.
            [quote @ (b'\'' | b'"'), rest @ ..] => {
                is_blank = false;
                rest.iter().position(|byte| byte == quote).map(|end| end + 2)
            }
            [b'-', b'-', ..] => Some(left.iter().position(|byte| *byte == b'\n').map_or(left.len(), |end| end + 1)),
            [b'/', b'*', ..] => comment(left),
            [b';', ..] => {
                if !is_blank {
                    statements.push(text[begins..at].trim());
                }
                (begins, is_blank) = (at + 1, true);
                Some(1)
            }
            [byte, ..] => {
                is_blank &= byte.is_ascii_whitespace();
                Some(1)
            }
            [] => None,
        };
        match length {
            Some(length) => at += length,
            None => {
                is_open = true;
                at = bytes.len();
            }
        }
    }
    Scanned { statements, rest: &text[begins..], is_blank, is_open }
}

/// The length of a comment, in which others may be nested; None if it is not closed.
fn comment(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0u32, 0);
    loop {
        match bytes.get(at..at + 2)? {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Whether the answer to a question may hold pseudonyms: it names a column of them, or asks for all columns.
pub fn may_show_pseudonyms(sql: &str) -> bool {
    const COLUMNS: [&str; 5] = ["complaint", "officer", "enterprise", "enterprise_group", "flag"];
    let compact: String = sql.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    compact.replace("count(*)", "").contains('*')
        || sql
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| COLUMNS.iter().any(|column| word.eq_ignore_ascii_case(column)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_with_a_semicolon_outside_of_texts_and_comments() {
        for (text, complete) in [
            ("", true),
            ("  ", true),
            ("SELECT 1", false),
            ("SELECT 1;", true),
            ("SELECT 1; -- done", true),
            ("SELECT ';'", false),
            ("SELECT ';", false),
            ("SELECT 'a''b;';", true),
            ("SELECT \"a;b\" FROM t", false),
            ("SELECT 1 -- ;", false),
            ("SELECT 1 -- ;\n;", true),
            ("SELECT 1 /* ; /* ; */ ; */", false),
            ("SELECT 1 /* ; */;", true),
            ("SELECT 1; /*", false),
            ("-- only this", true),
            ("SELECT 1; SELECT 2", false),
            ("\\d units", true),
            ("quit", true),
            ("SELECT 'ệ;ệ';", true),
        ] {
            assert_eq!(is_complete(text), complete, "{text:?}");
        }
    }

    #[test]
    fn what_is_typed_is_a_command_or_statements() {
        for (text, read) in [
            ("", Input::Nothing),
            (";;", Input::Nothing),
            (" -- nothing ", Input::Nothing),
            ("SELECT 1;", Input::Statements(vec!["SELECT 1"])),
            ("SELECT ';'; SELECT 2 ; ", Input::Statements(vec!["SELECT ';'", "SELECT 2"])),
            ("SELECT 1", Input::Statements(vec!["SELECT 1"])),
            ("\\d", Input::Tables),
            ("\\d units;", Input::Table("units")),
            ("\\timing", Input::Timing),
            ("\\pager", Input::Pager),
            ("\\?", Input::Help),
            ("\\q", Input::Quit),
            ("exit;", Input::Quit),
            ("\\copy t", Input::Unknown("\\copy")),
        ] {
            assert_eq!(input(text), read, "{text:?}");
        }
    }

    #[test]
    fn a_question_that_shows_nobody_needs_no_warning() {
        for (sql, shows) in [
            ("SELECT COUNT(*) FROM complaints", false),
            ("SELECT count( * ), kind FROM complaints GROUP BY kind", false),
            ("SELECT * FROM complaints", true),
            ("SELECT c.* FROM complaints c", true),
            ("SELECT Officer FROM allegations", true),
            ("SELECT enterprise_group FROM enterprises", true),
        ] {
            assert_eq!(may_show_pseudonyms(sql), shows, "{sql}");
        }
    }
}
