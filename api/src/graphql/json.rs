//! Writes GraphQL values as JSON.

use async_graphql::Value;
use std::io::{Error, Write};

/// Writes a value. `Value::Binary` is an object that is JSON already (see `execute::object_cache`): no scalar of this
/// schema is binary.
///
/// # Errors
/// If the writer fails.
pub fn write_value(value: &Value, to: &mut impl Write) -> Result<(), Error> {
    match value {
        Value::Binary(json) => to.write_all(json),
        Value::List(all) => {
            to.write_all(b"[")?;
            for (nth, value) in all.iter().enumerate() {
                if nth > 0 {
                    to.write_all(b",")?;
                }
                write_value(value, to)?;
            }
            to.write_all(b"]")
        }
        Value::Object(fields) => {
            to.write_all(b"{")?;
            for (nth, (name, value)) in fields.iter().enumerate() {
                if nth > 0 {
                    to.write_all(b",")?;
                }
                // A key of a JSON scalar may be any text: the header of a column, say.
                serde_json::to_writer(&mut *to, name.as_str())?;
                to.write_all(b":")?;
                write_value(value, to)?;
            }
            to.write_all(b"}")
        }
        scalar => Ok(serde_json::to_writer(to, scalar)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::value;

    #[test]
    fn a_value_is_written_as_serde_writes_it() {
        let value = value!({
            "text": "Cửa khẩu \"A\"\\\n\u{1}\u{2028}", "number": 12.5, "large": 9007199254740993i64, "none": null, "yes": true,
            "list": [{ "a": [] }, { "b": {} }, ["x", null]], "empty": ""
        });
        let Value::Object(mut fields) = value else { panic!() };
        fields.insert(async_graphql::Name::new("x\":1,\"a\\b"), value!("key"));
        let value = Value::Object(fields);
        let mut written = Vec::new();
        write_value(&value, &mut written).expect("memory");
        assert_eq!(String::from_utf8_lossy(&written), serde_json::to_string(&value).expect("JSON"));
    }

    #[test]
    fn json_is_copied() {
        let value = Value::List(vec![Value::Binary(br#"{"a":1}"#.as_slice().into()), Value::Null]);
        let mut written = Vec::new();
        write_value(&value, &mut written).expect("memory");
        assert_eq!(written, br#"[{"a":1},null]"#);
    }
}
