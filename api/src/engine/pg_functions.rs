//! Functions of PostgreSQL that tools call when they connect or look at tables, and that the catalog's crate lacks.
//! Each answers the same for all its arguments: there is one schema that everybody sees, and there are no sequences,
//! indexes, views, locks or standbys.

use api::sql::POSTGRES_VERSION;
use datafusion::arrow::array::{Array, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::prelude::SessionContext;
use std::sync::Arc;

/// Functions that make something of their arguments in PostgreSQL, and answer null here. Outside of questions to the
/// catalog, where there are no rows for them, null would be a wrong answer.
pub const STAND_INS: [&str; 2] = ["json_build_object", "generate_subscripts"];

/// Registers the functions in a context. Those of the same name are replaced.
///
/// # Errors
/// When the context refuses them.
pub fn register(context: &SessionContext) -> Result<()> {
    for constant in constants() {
        context.register_udf(ScalarUDF::new_from_impl(constant));
    }
    context.register_udf(ScalarUDF::new_from_impl(CurrentSetting::new()));
    Ok(())
}

fn constants() -> Vec<Constant> {
    let yes = ScalarValue::Boolean(Some(true));
    let no = ScalarValue::Boolean(Some(false));
    let no_text = ScalarValue::Utf8(None);
    let no_number = ScalarValue::Int32(None);
    let text = |value: String| ScalarValue::Utf8(Some(value));
    let version = text(format!("PostgreSQL {POSTGRES_VERSION} (phananh {})", env!("CARGO_PKG_VERSION")));
    let answers = [
        ("version", version),
        ("pg_type_is_visible", yes.clone()),
        ("pg_function_is_visible", yes.clone()),
        ("pg_operator_is_visible", yes.clone()),
        ("pg_opclass_is_visible", yes.clone()),
        ("pg_collation_is_visible", yes.clone()),
        ("pg_conversion_is_visible", yes.clone()),
        ("pg_ts_config_is_visible", yes.clone()),
        ("has_column_privilege", yes.clone()),
        ("has_function_privilege", yes.clone()),
        ("has_type_privilege", yes.clone()),
        ("has_sequence_privilege", yes.clone()),
        ("pg_has_role", yes),
        ("pg_is_in_recovery", no.clone()),
        ("row_security_active", no.clone()),
        ("pg_is_other_temp_schema", no),
        ("obj_description", no_text.clone()),
        ("col_description", no_text.clone()),
        ("shobj_description", no_text.clone()),
        ("pg_get_serial_sequence", no_text.clone()),
        ("pg_get_indexdef", no_text.clone()),
        ("pg_get_viewdef", no_text.clone()),
        ("pg_get_ruledef", no_text.clone()),
        ("pg_get_triggerdef", no_text.clone()),
        ("pg_get_functiondef", no_text.clone()),
        ("pg_get_function_arguments", no_text.clone()),
        ("pg_get_function_result", no_text.clone()),
        ("pg_tablespace_location", no_text.clone()),
        ("pg_advisory_unlock_all", no_text.clone()),
        ("inet_server_addr", no_text.clone()),
        ("pg_get_partition_constraintdef", no_text.clone()),
        ("set_config", no_text.clone()),
        // Of sequences and constraints, of which there are none: SQLAlchemy asks for both.
        ("json_build_object", no_text),
        ("generate_subscripts", no_number.clone()),
        ("inet_server_port", no_number.clone()),
        ("to_regtype", no_number.clone()),
        ("to_regclass", no_number),
    ];
    let size = ["pg_indexes_size", "pg_table_size"].map(|name| (name, ScalarValue::Int64(Some(0))));
    answers.into_iter().chain(size).map(|(name, answer)| Constant::new(name, answer)).collect()
}

/// Any arguments, or none.
fn any_arguments() -> Signature {
    Signature::one_of(vec![TypeSignature::Nullary, TypeSignature::VariadicAny], Volatility::Stable)
}

/// A function that always answers the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Constant {
    name: &'static str,
    answer: ScalarValue,
    signature: Signature,
}

impl Constant {
    fn new(name: &'static str, answer: ScalarValue) -> Self {
        Self { name, answer, signature: any_arguments() }
    }
}

impl ScalarUDFImpl for Constant {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.answer.data_type())
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.answer.clone()))
    }
}

/// `current_setting(name [, missing_ok])`, of the few settings that tools ask for in SQL.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CurrentSetting {
    signature: Signature,
}

impl CurrentSetting {
    fn new() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Stable) }
    }
}

impl ScalarUDFImpl for CurrentSetting {
    fn name(&self) -> &str {
        "current_setting"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let of = |name: &ScalarValue| match name.cast_to(&DataType::Utf8)? {
            ScalarValue::Utf8(name) => Ok::<_, DataFusionError>(name.and_then(|name| setting(&name))),
            _ => Ok(None),
        };
        match arguments.args.first() {
            Some(ColumnarValue::Scalar(name)) => Ok(ColumnarValue::Scalar(ScalarValue::Utf8(of(name)?))),
            Some(ColumnarValue::Array(names)) => {
                let names = (0..names.len()).map(|row| ScalarValue::try_from_array(names.as_ref(), row));
                let values: StringArray = names.map(|name| of(&name?)).collect::<Result<_>>()?;
                Ok(ColumnarValue::Array(Arc::new(values)))
            }
            None => Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None))),
        }
    }
}

fn setting(name: &str) -> Option<String> {
    Some(match name.to_ascii_lowercase().as_str() {
        "server_version" => POSTGRES_VERSION.to_owned(),
        "server_version_num" => {
            let (major, minor) = POSTGRES_VERSION.split_once('.').unwrap_or((POSTGRES_VERSION, "0"));
            format!("{major}{minor:0>4}")
        }
        "search_path" => "public".to_owned(),
        "server_encoding" | "client_encoding" => "UTF8".to_owned(),
        "timezone" => "UTC".to_owned(),
        "max_index_keys" => "32".to_owned(),
        "standard_conforming_strings" => "on".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tools_get_answers() {
        let context = SessionContext::new();
        register(&context).unwrap();
        let text = "SELECT version() LIKE 'PostgreSQL 16%' AND pg_type_is_visible(1) AND obj_description(1, 'x') IS NULL \
                    AND current_setting('server_version_num') = '160006' AND current_setting('x', true) IS NULL";
        let rows = context.sql(text).await.unwrap().collect().await.unwrap();
        let answers = datafusion::common::cast::as_boolean_array(rows[0].column(0)).unwrap();
        assert!(answers.value(0));
    }
}
