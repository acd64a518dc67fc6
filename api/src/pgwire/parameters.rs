//! Values of parameters, in text or binary format.

use super::encode::{DAYS_TO_2000, MICROSECONDS_TO_2000, decimal_of_binary};
use super::errors::error;
use super::types::format_of;
use crate::sql::Parameter;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use pgwire::api::Type;
use pgwire::api::portal::Portal;
use pgwire::api::results::FieldFormat;
use pgwire::error::PgWireResult;
use uuid::Uuid;

/// The values that a client bound. `types` are those that the client gave, else those of the context.
///
/// # Errors
/// When a value does not have the form of its type, or has a type that parameters cannot have.
pub fn values<S: Clone>(portal: &Portal<S>, types: &[Type]) -> PgWireResult<Vec<Parameter>> {
    let value = |(index, bytes): (usize, &Option<bytes::Bytes>)| {
        let Some(bytes) = bytes else { return Ok(Parameter::Null) };
        let of = types.get(index).cloned().unwrap_or(Type::UNKNOWN);
        let read = match format_of(&portal.parameter_format, index) {
            FieldFormat::Text => std::str::from_utf8(bytes).ok().and_then(|text| of_text(text, &of)),
            FieldFormat::Binary if !has_binary_format(&of) => {
                let message = format!("parameter ${}: the type {of} cannot be passed in binary format", index + 1);
                return Err(error("0A000", message));
            }
            FieldFormat::Binary => of_binary(bytes, &of),
        };
        read.ok_or_else(|| error("22P02", format!("parameter ${} is no valid {of}", index + 1)))
    };
    portal.parameters.iter().enumerate().map(value).collect()
}

fn of_text(text: &str, of: &Type) -> Option<Parameter> {
    let trimmed = text.trim();
    Some(match *of {
        Type::BOOL => Parameter::Flag(match trimmed.to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => true,
            "f" | "false" | "n" | "no" | "off" | "0" => false,
            _ => return None,
        }),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => Parameter::Whole(trimmed.parse().ok()?),
        Type::FLOAT4 | Type::FLOAT8 => Parameter::Float(trimmed.parse().ok()?),
        Type::NUMERIC => {
            let is_number = trimmed.parse::<f64>().is_ok_and(f64::is_finite);
            is_number.then(|| Parameter::Decimal(trimmed.to_owned()))?
        }
        // The JDBC driver adds an offset to a date.
        Type::DATE => Parameter::Day(trimmed.get(..10)?.parse().ok()?),
        Type::TIMESTAMPTZ => instant(trimmed).map_or_else(|| Parameter::Text(text.to_owned()), Parameter::Instant),
        _ => Parameter::Text(text.to_owned()),
    })
}

/// An instant with its offset; None without an offset: the engine then parses the text.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let read = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"]
        .iter()
        .find_map(|format| DateTime::parse_from_str(text, format).ok())
        .or_else(|| DateTime::parse_from_rfc3339(text).ok())?;
    Some(read.with_timezone(&Utc))
}

fn has_binary_format(of: &Type) -> bool {
    matches!(
        *of,
        Type::BOOL
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::OID
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::NUMERIC
            | Type::TEXT
            | Type::VARCHAR
            | Type::BPCHAR
            | Type::NAME
            | Type::UNKNOWN
            | Type::DATE
            | Type::TIMESTAMP
            | Type::TIMESTAMPTZ
            | Type::UUID
    )
}

fn of_binary(bytes: &[u8], of: &Type) -> Option<Parameter> {
    Some(match *of {
        Type::BOOL => Parameter::Flag(u8::from_be_bytes(bytes.try_into().ok()?) != 0),
        Type::INT2 => Parameter::Whole(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::INT4 => Parameter::Whole(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::INT8 => Parameter::Whole(i64::from_be_bytes(bytes.try_into().ok()?)),
        Type::OID => Parameter::Whole(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::FLOAT4 => Parameter::Float(f32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::FLOAT8 => Parameter::Float(f64::from_be_bytes(bytes.try_into().ok()?)),
        Type::NUMERIC => Parameter::Decimal(decimal_of_binary(bytes)?),
        Type::DATE => {
            let days = i64::from(i32::from_be_bytes(bytes.try_into().ok()?)) + i64::from(DAYS_TO_2000);
            Parameter::Day(NaiveDate::default().checked_add_signed(Duration::try_days(days)?)?)
        }
        Type::TIMESTAMP => {
            let shown = since_2000(bytes)?.format("%Y-%m-%d %H:%M:%S%.f");
            Parameter::Text(shown.to_string())
        }
        Type::TIMESTAMPTZ => Parameter::Instant(since_2000(bytes)?),
        Type::UUID => Parameter::Text(Uuid::from_slice(bytes).ok()?.to_string()),
        _ => Parameter::Text(String::from_utf8(bytes.to_vec()).ok()?),
    })
}

fn since_2000(bytes: &[u8]) -> Option<DateTime<Utc>> {
    let microseconds = i64::from_be_bytes(bytes.try_into().ok()?);
    DateTime::from_timestamp_micros(microseconds.checked_add(MICROSECONDS_TO_2000)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_values_of_their_types() {
        let day = |text: &str| Parameter::Day(text.parse().unwrap());
        let at = DateTime::from_timestamp_micros(1_704_139_200_000_000).unwrap();
        for (text, of, expected) in [
            ("t", Type::BOOL, Some(Parameter::Flag(true))),
            ("12", Type::INT8, Some(Parameter::Whole(12))),
            ("x", Type::INT8, None),
            ("1.50", Type::NUMERIC, Some(Parameter::Decimal("1.50".to_owned()))),
            ("NaN", Type::NUMERIC, None),
            ("2024-01-02 +07:00", Type::DATE, Some(day("2024-01-02"))),
            ("2024-01-02 03:00:00+07", Type::TIMESTAMPTZ, Some(Parameter::Instant(at))),
            ("a", Type::UNKNOWN, Some(Parameter::Text("a".to_owned()))),
        ] {
            assert_eq!(of_text(text, &of), expected, "{text}");
        }
    }

    #[test]
    fn binary_values_are_read() {
        assert_eq!(of_binary(&7_i32.to_be_bytes(), &Type::INT4), Some(Parameter::Whole(7)));
        assert_eq!(of_binary(&1_i32.to_be_bytes(), &Type::DATE), Some(Parameter::Day("2000-01-02".parse().unwrap())));
        assert_eq!(of_binary(&[1], &Type::INT4), None);
        assert_eq!(of_binary(&[0xff], &Type::TEXT), None);
    }
}
