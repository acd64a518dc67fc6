//! Functions of PostgreSQL that tools call when they connect or look at tables, and that the catalog's crate lacks.
//! Most answer the same for all their arguments: there is one schema that everybody sees, and there are no sequences,
//! indexes, views, locks or standbys. Of tables they know names, numbers and comments.

use super::relations;
use super::settings::settings;
use api::sql::POSTGRES_VERSION;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_cast::cast;
use datafusion::arrow::array::{Array, ArrayRef, Int32Array, StringArray, StructArray, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion::prelude::SessionContext;
use std::sync::Arc;

/// Functions that compute a value from their arguments in PostgreSQL, and answer null here. Questions to the catalog
/// have no rows for them; in any other question null would be a wrong answer.
pub const STAND_INS: [&str; 2] = ["json_build_object", "generate_subscripts"];

/// Registers the functions in a context. Those of the same name are replaced.
///
/// # Errors
/// When the context refuses them.
pub fn register(context: &SessionContext, board: bool) -> Result<()> {
    for constant in constants() {
        context.register_udf(ScalarUDF::new_from_impl(constant));
    }
    for finds in [Finds::Number { board }, Finds::TableComment, Finds::ColumnComment] {
        context.register_udf(ScalarUDF::new_from_impl(OfTable { finds, signature: any_arguments() }));
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
        ("shobj_description", no_text.clone()),
        ("pg_get_serial_sequence", no_text.clone()),
        ("pg_get_indexdef", no_text.clone()),
        ("pg_get_constraintdef", no_text.clone()),
        ("pg_size_pretty", no_text.clone()),
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
        // SQLAlchemy asks for sequences and constraints, which the database does not have.
        ("json_build_object", no_text),
        ("generate_subscripts", no_number.clone()),
        ("inet_server_port", no_number.clone()),
        ("to_regtype", no_number),
        // Pairs of the elements of a vector and their places.
        ("_pg_expandarray", no_pair()),
    ];
    let sizes = ["pg_indexes_size", "pg_table_size", "pg_relation_size", "pg_total_relation_size", "pg_database_size"];
    let sizes = sizes.map(|name| (name, ScalarValue::Int64(None)));
    answers.into_iter().chain(sizes).map(|(name, answer)| Constant::new(name, answer)).collect()
}

fn no_pair() -> ScalarValue {
    let fields = Fields::from(vec![Field::new("x", DataType::Int16, true), Field::new("n", DataType::Int32, true)]);
    ScalarValue::Struct(Arc::new(StructArray::new_null(fields, 1)))
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

/// The properties of a table that a function looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Finds {
    /// `to_regclass(name)`, for a reader of the Board or another one.
    Number { board: bool },
    /// `obj_description(number [, catalog])`.
    TableComment,
    /// `col_description(number, column)`.
    ColumnComment,
}

/// A function about the tables of the register.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OfTable {
    finds: Finds,
    signature: Signature,
}

impl ScalarUDFImpl for OfTable {
    fn name(&self) -> &str {
        match self.finds {
            Finds::Number { .. } => "to_regclass",
            Finds::TableComment => "obj_description",
            Finds::ColumnComment => "col_description",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.finds {
            Finds::Number { .. } => DataType::Int32,
            Finds::TableComment | Finds::ColumnComment => DataType::Utf8,
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let argument = |index: usize, of: &DataType| -> Result<ArrayRef> {
            match arguments.args.get(index) {
                Some(given) => Ok(cast(&given.to_array_of_size(arguments.number_rows)?, of)?),
                None => Ok(new_null_array(of, arguments.number_rows)),
            }
        };
        let found: ArrayRef = match self.finds {
            Finds::Number { board } => {
                let names = argument(0, &DataType::Utf8)?;
                let numbers = names.as_string::<i32>().iter().map(|name| relations::oid(name?, board));
                Arc::new(numbers.collect::<Int32Array>())
            }
            Finds::TableComment => {
                let (numbers, catalogs) = (argument(0, &DataType::Int64)?, argument(1, &DataType::Utf8)?);
                let both = numbers.as_primitive::<Int64Type>().iter().zip(catalogs.as_string::<i32>());
                let comment = |(number, catalog): (Option<i64>, Option<&str>)| {
                    let of_table = catalog.is_none_or(|catalog| catalog == "pg_class");
                    relations::comment(number.filter(|_| of_table)?, None)
                };
                Arc::new(both.map(comment).collect::<StringArray>())
            }
            Finds::ColumnComment => {
                let (numbers, columns) = (argument(0, &DataType::Int64)?, argument(1, &DataType::Int64)?);
                let both = numbers.as_primitive::<Int64Type>().iter().zip(columns.as_primitive::<Int64Type>());
                let comments = both.map(|(number, column)| relations::comment(number?, Some(column?)));
                Arc::new(comments.collect::<StringArray>())
            }
        };
        Ok(ColumnarValue::Array(found))
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
    settings().into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tools_get_answers() {
        let context = SessionContext::new();
        register(&context, true).unwrap();
        let text = "SELECT version() LIKE 'PostgreSQL 16%' AND pg_type_is_visible(1) AND obj_description(1, 'x') IS NULL \
                    AND obj_description(to_regclass('units'), 'pg_class') LIKE 'Units.%' \
                    AND obj_description(to_regclass('units'), 'pg_proc') IS NULL \
                    AND col_description(to_regclass('public.units'), 1) = 'Code of the unit.' \
                    AND to_regclass('nothing') IS NULL AND _pg_expandarray(1) IS NULL \
                    AND current_setting('server_version_num') = '160006' AND current_setting('x', true) IS NULL";
        let rows = context.sql(text).await.unwrap().collect().await.unwrap();
        let answers = datafusion::common::cast::as_boolean_array(rows[0].column(0)).unwrap();
        assert!(answers.value(0));
    }
}
