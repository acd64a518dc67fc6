//! Customs declaration numbers (số tờ khai).

/// The error of a rejected declaration number.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("declaration number {0:?} has not 12 digits")]
pub struct DeclarationError(String);

/// Trims a declaration number and checks that it has 12 digits.
///
/// # Errors
/// If the text is not a declaration number.
pub fn parse(text: &str) -> Result<String, DeclarationError> {
    let number = text.trim();
    if number.len() == 12 && number.bytes().all(|b| b.is_ascii_digit()) {
        Ok(number.to_owned())
    } else {
        Err(DeclarationError(text.to_owned()))
    }
}
