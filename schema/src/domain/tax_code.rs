//! Parses tax codes (mã số thuế): 10 digits with a check digit, 13 for an enterprise's branch, and the 12-digit
//! personal number of a household business, which has no check digit.

/// The error of a rejected tax code.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TaxCodeError {
    #[error("tax code {0:?} has not 10, 12 or 13 digits (a branch is written 0101234567-001)")]
    Form(String),
    #[error("tax code {0:?} is wrong: its check digit should be {1}")]
    CheckDigit(String, u32),
    #[error("tax code {0:?} is wrong: no valid number begins with these nine digits")]
    NoCheckDigit(String),
}

const WEIGHTS: [u32; 9] = [31, 29, 23, 19, 17, 13, 7, 5, 3];

/// Checks a tax code and returns its canonical form: `0100233488`, `0314409058-002`, or twelve digits.
///
/// # Errors
/// If the number of digits or the check digit is wrong.
pub fn parse(text: &str) -> Result<String, TaxCodeError> {
    let form = || TaxCodeError::Form(text.to_owned());
    let trimmed = text.trim();
    let digits: String = trimmed.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(form());
    }
    match digits.len() {
        12 if trimmed.len() == 12 => Ok(digits),
        10 => check(text, &digits).map(|()| digits),
        13 => {
            check(text, &digits)?;
            let (head, branch) = digits.split_at(10);
            Ok(format!("{head}-{branch}"))
        }
        _ => Err(form()),
    }
}

/// The enterprise of a tax code: its first ten digits, so that branches count as their enterprise; a household's number
/// unchanged.
pub fn enterprise_of(tax_code: &str) -> &str {
    tax_code.split('-').next().unwrap_or(tax_code)
}

/// The check digit of nine digits; None where no valid number begins with them.
pub fn check_digit(nine: &str) -> Option<u32> {
    let values = nine.bytes().map(|b| u32::from(b.wrapping_sub(b'0')));
    let sum: u32 = values.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    Some(10 - sum % 11).filter(|digit| *digit < 10)
}

fn check(text: &str, digits: &str) -> Result<(), TaxCodeError> {
    let Some(expected) = check_digit(digits) else { return Err(TaxCodeError::NoCheckDigit(text.to_owned())) };
    if digits.as_bytes().get(9).map(|b| u32::from(b - b'0')) == Some(expected) {
        Ok(())
    } else {
        Err(TaxCodeError::CheckDigit(text.to_owned(), expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_design_are_told_apart() {
        assert_eq!(parse("0100233488").as_deref(), Ok("0100233488"));
        assert_eq!(parse(" 0314409058-002 ").as_deref(), Ok("0314409058-002"));
        assert_eq!(parse("0314409058002").as_deref(), Ok("0314409058-002"));
        assert_eq!(parse("001099012345").as_deref(), Ok("001099012345"));
        assert_eq!(parse("0100233480"), Err(TaxCodeError::CheckDigit("0100233480".into(), 8)));
        assert!(matches!(parse("01002334"), Err(TaxCodeError::Form(_))));
        assert!(matches!(parse("０100233488"), Err(TaxCodeError::Form(_))));
        assert_eq!(enterprise_of("0314409058-002"), "0314409058");
    }

    #[test]
    fn nine_digits_without_a_check_digit_are_never_valid() {
        // 31·0 + … with a sum divisible by 11 leaves 10, which is not a digit.
        let nine = (0..1_000_000_000u64)
            .step_by(7)
            .map(|n| format!("{n:09}"))
            .find(|d| d.bytes().zip(WEIGHTS).map(|(b, w)| u32::from(b - b'0') * w).sum::<u32>() % 11 == 0)
            .expect("one in eleven");
        for last in 0..10 {
            assert!(parse(&format!("{nine}{last}")).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn one_wrong_digit_is_found_or_the_code_was_never_valid(code in "[0-9]{10}", index in 0usize..10, by in 1u8..10) {
            if parse(&code).is_ok() {
                let mut bytes = code.into_bytes();
                bytes[index] = b'0' + (bytes[index] - b'0' + by) % 10;
                let wrong = String::from_utf8(bytes).expect("digits");
                proptest::prop_assert!(parse(&wrong).is_err());
            }
        }

        #[test]
        fn no_input_panics(text in ".*") {
            let _ = parse(&text);
        }
    }
}
