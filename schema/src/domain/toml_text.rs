//! Files of settings in TOML: what is wrong with one is said on a single line, as logs and terminals show it.

use serde::de::DeserializeOwned;

/// Reads a text.
///
/// # Errors
/// A message with the line and the column of what is wrong, and the text of this line.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| said(text, &error))
}

/// Reads a table whose place in the file is not known any more.
///
/// # Errors
/// A message with the name of the key that is wrong.
pub fn of_table<T: DeserializeOwned>(table: toml::Table) -> Result<T, String> {
    table.try_into().map_err(|error: toml::de::Error| on_one_line(&error.to_string()))
}

fn said(text: &str, error: &toml::de::Error) -> String {
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return on_one_line(&error.to_string());
    };
    let message = on_one_line(error.message());
    if before.is_empty() && message.starts_with("missing field") {
        // The file as a whole lacks it, and not its first line.
        return message;
    }
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let wrong = text.lines().nth(line).unwrap_or_default().trim();
    let shown = if wrong.is_empty() { String::new() } else { format!("; the line is: {wrong}") };
    format!("line {}, column {}: {message}{shown}", line + 1, column + 1)
}

fn on_one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(rename = "số")]
        number: i64,
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_on_one_line() {
        assert_eq!(parse::<File>("\"số\" = 3").map(|file| file.number), Ok(3));
        for (text, begin, part) in [
            ("# một\n\"số\" = \"ba\"", "line 2, column 8: ", "; the line is: \"số\" = \"ba\""),
            ("\"số\" = 3\nso = 4", "line 2, column 1: ", "unknown field `so`"),
            ("[số", "line 1, column ", "; the line is: [số"),
            ("# một", "missing field `số`", ""),
        ] {
            let message = parse::<File>(text).expect_err(text);
            assert!(message.starts_with(begin) && message.contains(part), "{text}: {message}");
            assert!(!message.contains('\n'), "{text}: {message}");
        }
        let table: toml::Table = parse("so = 4").expect("a table");
        let message = of_table::<File>(table).expect_err("an unknown field");
        assert!(message.starts_with("unknown field `so`") && !message.contains('\n'), "{message}");
    }
}
