//! Exports of statistics: the GraphQL document that asks for them, and its answer as columns.

use crate::graphql::{Number, Shown, StatisticsDimension, StatisticsMeasure, camel_case};
use anyhow::Context;
use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use async_graphql::resolver_utils::{EnumItem, EnumType};
use chrono::NaiveDate;
use jobs::facts::days::day_number;
use schema::pseudonyms::Subject;
use serde_json::Value;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

/// The content of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The code of a unit or category.
    Code,
    /// The pseudonym of an officer or an enterprise.
    Person(Subject),
    Word,
    Day,
    Whole,
    Float,
    Money,
}

/// Digits of sums of money.
const DIGITS: u8 = 28;

impl Of {
    fn arrow(self) -> DataType {
        match self {
            Self::Code | Self::Word | Self::Person(_) => DataType::Utf8,
            Self::Day => DataType::Date32,
            Self::Whole => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Money => DataType::Decimal128(DIGITS, 0),
        }
    }
}

impl From<Shown> for Of {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Unit | Shown::Category => Self::Code,
            Shown::Officer => Self::Person(Subject::Officer),
            Shown::Enterprise => Self::Person(Subject::Enterprise),
            Shown::Word | Shown::Period => Self::Word,
            Shown::Day => Self::Day,
            Shown::Year => Self::Whole,
        }
    }
}

impl From<Number> for Of {
    fn from(number: Number) -> Self {
        match number {
            Number::Whole => Self::Whole,
            Number::Float => Self::Float,
            Number::Money => Self::Money,
        }
    }
}

/// A dimension or a measure.
#[derive(Debug, PartialEq, Eq)]
struct Column {
    /// Its name in the query of the URL: a value of `StatisticsDimension`, or a field.
    asked: String,
    /// The field of a row in GraphQL.
    field: String,
    name: &'static str,
    of: Of,
}

/// The columns of all dimensions, in the order of their names.
static DIMENSIONS: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let column = |item: &EnumItem<StatisticsDimension>| {
        let name = item.value.field();
        Column { asked: item.name.to_owned(), field: camel_case(name), name, of: item.value.shown().into() }
    };
    let mut all: Vec<Column> = StatisticsDimension::items().iter().map(column).collect();
    all.sort_by(|one, other| one.asked.cmp(&other.asked));
    all
});

/// The columns of all measures, in the order of an export that names none.
static MEASURES: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let column = |item: &EnumItem<StatisticsMeasure>| {
        let name = item.value.field();
        Column { asked: camel_case(name), field: camel_case(name), name, of: item.value.number().into() }
    };
    StatisticsMeasure::items().iter().map(column).collect()
});

/// The groups and measures to export.
#[derive(Debug)]
pub struct StatisticsQuestion {
    dimensions: Vec<&'static Column>,
    measures: Vec<&'static Column>,
}

impl StatisticsQuestion {
    /// Reads lists separated by commas: dimensions, of which there must be one, and measures, by default all.
    ///
    /// # Errors
    /// Names the unknown dimension or measure, and those that exist.
    pub fn parse(group_by: Option<&str>, measures: Option<&str>) -> Result<Self, String> {
        let listed = |list: &str, all: &'static [Column], what: &str| -> Result<Vec<&'static Column>, String> {
            let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
            let find = |name: &str| {
                all.iter().find(|one| one.asked == name).ok_or_else(|| {
                    let known: Vec<&str> = all.iter().map(|one| one.asked.as_str()).collect();
                    format!("{what}: {name:?} is not among those of exports: {}", known.join(", "))
                })
            };
            names.map(find).collect()
        };
        let dimensions = listed(group_by.unwrap_or_default(), &DIMENSIONS, "groupBy")?;
        if dimensions.is_empty() {
            return Err("groupBy: name the dimensions of the statistic, such as groupBy=DEPARTMENT,MONTH".into());
        }
        if (1..dimensions.len()).any(|at| dimensions[..at].contains(&dimensions[at])) {
            return Err("groupBy: a dimension is named twice".into());
        }
        let measures = match measures {
            Some(list) => listed(list, &MEASURES, "measures")?,
            None => MEASURES.iter().collect(),
        };
        if (1..measures.len()).any(|at| measures[..at].contains(&measures[at])) {
            return Err("measures: a measure is named twice".into());
        }
        Ok(Self { dimensions, measures })
    }

    /// The dimensions as values of `StatisticsDimension`.
    pub fn dimensions(&self) -> Vec<&'static str> {
        self.dimensions.iter().map(|one| one.asked.as_str()).collect()
    }

    fn columns(&self) -> impl Iterator<Item = &'static Column> {
        self.dimensions.iter().chain(&self.measures).copied()
    }

    /// The document that asks for some groups. Each of `arguments`, with its type, is a variable of the same name.
    pub fn document(&self, arguments: &[(&str, &str)]) -> String {
        let (mut variables, mut passed) = (String::new(), String::new());
        for (name, of) in arguments {
            // Writing to a String cannot fail.
            let _written = write!(variables, "${name}: {of} ");
            let _written = write!(passed, "{name}: ${name} ");
        }
        let field = |one: &Column| match one.of {
            Of::Code => format!("{} {{ code }}", one.field),
            Of::Person(_) => format!("{} {{ pseudonym }}", one.field),
            _ => one.field.clone(),
        };
        let fields: Vec<String> = self.columns().map(field).collect();
        format!(
            "query Export({variables}) {{ complaintStatistics({passed}) {{ asOf position endCursor rows {{ {} }} }} }}",
            fields.join(" ")
        )
    }

    /// The columns with pseudonyms, which differ between files and answers.
    pub fn people(&self) -> Vec<(usize, Subject)> {
        let person = |(at, one): (usize, &Column)| match one.of {
            Of::Person(subject) => Some((at, subject)),
            _ => None,
        };
        self.columns().enumerate().filter_map(person).collect()
    }

    /// The columns: dimensions first.
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self.columns().map(|one| Field::new(one.name, one.of.arrow(), true)).collect();
        Arc::new(Schema::new(fields))
    }

    /// The rows of an answer as columns.
    ///
    /// # Errors
    /// If a value is not what the schema of the API says.
    pub fn batch(&self, rows: &[Value]) -> anyhow::Result<RecordBatch> {
        let columns = self.columns().map(|one| one.array(rows)).collect::<anyhow::Result<Vec<ArrayRef>>>()?;
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }
}

impl Column {
    fn array(&self, rows: &[Value]) -> anyhow::Result<ArrayRef> {
        let cells = || rows.iter().map(|row| &row[self.field.as_str()]);
        let array: ArrayRef = match self.of {
            Of::Code => {
                let codes = cells().map(|cell| self.read(&cell["code"], Value::as_str));
                Arc::new(codes.collect::<anyhow::Result<StringArray>>()?)
            }
            Of::Person(_) => {
                let names = cells().map(|cell| self.read(&cell["pseudonym"], Value::as_str));
                Arc::new(names.collect::<anyhow::Result<StringArray>>()?)
            }
            Of::Word => {
                let words = cells().map(|cell| self.read(cell, Value::as_str));
                Arc::new(words.collect::<anyhow::Result<StringArray>>()?)
            }
            Of::Day => {
                let day = |cell: &Value| cell.as_str()?.parse::<NaiveDate>().ok().map(day_number);
                Arc::new(cells().map(|cell| self.read(cell, day)).collect::<anyhow::Result<Date32Array>>()?)
            }
            Of::Whole => {
                let numbers = cells().map(|cell| self.read(cell, Value::as_i64));
                Arc::new(numbers.collect::<anyhow::Result<Int64Array>>()?)
            }
            Of::Float => {
                let numbers = cells().map(|cell| self.read(cell, Value::as_f64));
                Arc::new(numbers.collect::<anyhow::Result<Float64Array>>()?)
            }
            Of::Money => {
                let money = |cell: &Value| cell.as_str()?.parse::<i128>().ok();
                let sums = cells().map(|cell| self.read(cell, money)).collect::<anyhow::Result<Decimal128Array>>()?;
                Arc::new(sums.with_precision_and_scale(DIGITS, 0)?)
            }
        };
        Ok(array)
    }

    /// A value; None for null.
    fn read<'v, T>(&self, cell: &'v Value, read: impl Fn(&'v Value) -> Option<T>) -> anyhow::Result<Option<T>> {
        if cell.is_null() {
            return Ok(None);
        }
        let value = read(cell).with_context(|| format!("{cell} is no value of the column {}", self.name))?;
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_question_becomes_a_document_and_its_answer_columns() {
        let question =
            StatisticsQuestion::parse(Some("DEPARTMENT, WEEK"), Some("complaints,costVnd")).expect("a question");
        let document = question.document(&[("first", "Int!")]);
        assert_eq!(
            document,
            "query Export($first: Int! ) { complaintStatistics(first: $first ) { asOf position endCursor rows { \
             department { code } week complaints costVnd } } }"
        );
        let rows = [
            json!({ "department": { "code": "02" }, "week": "1970-01-05", "complaints": 3, "costVnd": "12000000000000000001" }),
            json!({ "department": null, "week": null, "complaints": 0, "costVnd": null }),
        ];
        let batch = question.batch(&rows).expect("columns");
        assert_eq!(batch.num_rows(), 2);
        assert_eq!(batch.column(1).null_count(), 1);
        assert!(question.batch(&[json!({ "complaints": "3" })]).is_err());
    }

    #[test]
    fn what_is_unknown_is_named() {
        for (group_by, measures, hint) in [
            (None, None, "groupBy=DEPARTMENT,MONTH"),
            (Some("PROVINCE"), None, "DEPARTMENT"),
            (Some("UNIT,UNIT"), None, "twice"),
            (Some("UNIT"), Some("cost"), "costVnd"),
        ] {
            let refused = StatisticsQuestion::parse(group_by, measures).expect_err("a refusal");
            assert!(refused.contains(hint), "{refused}");
        }
    }
}
