//! Truth values as people write them.

/// Reads yes or no, in English or Vietnamese.
///
/// # Errors
/// If the text is none of these words.
pub(super) fn parse_bool(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "y" | "x" | "có" | "co" => Ok(true),
        "false" | "f" | "0" | "no" | "n" | "không" | "khong" => Ok(false),
        _ => Err(format!("{text:?} is neither yes nor no: translate it with `values`")),
    }
}
