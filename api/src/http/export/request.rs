//! The export that a URL asks for: a table, a format, and the selection of rows.

use crate::export::{Form, Format, StatisticsQuestion, Subject};
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The end of the path of a manifest.
const MANIFEST: &str = ".manifest.json";

/// The query of a URL.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UrlQuery {
    /// A `ComplaintFilter` as JSON; for statistics a `ComplaintStatisticsFilter`.
    filter: Option<String>,
    /// Whether to include the reference numbers of other registers.
    #[serde(default)]
    references: bool,
    /// Whether a CSV file begins with a byte order mark.
    #[serde(default)]
    bom: bool,
    /// The format of the file that a manifest is about.
    format: Option<String>,
    group_by: Option<String>,
    measures: Option<String>,
    /// A `StatisticsHaving` as JSON.
    having: Option<String>,
    as_of: Option<String>,
    timezone: Option<String>,
    fill: Option<bool>,
}

/// A request for an export.
#[derive(Debug)]
pub struct ExportRequest {
    pub subject: Subject,
    pub form: Form,
    /// Whether only the manifest of the file is wanted.
    pub manifest: bool,
    pub references: bool,
    /// The filter as JSON; null for none.
    pub filter: Value,
    /// The selection of rows, which the description of the file shows.
    pub query: Value,
    pub statistics: Option<StatisticsRequest>,
}

/// The arguments of a statistic but its filter, as a URL or a command line has them.
#[derive(Debug, Default)]
pub struct StatisticsArguments {
    /// Dimensions, separated by commas.
    pub group_by: Option<String>,
    /// Fields, separated by commas; None for all.
    pub measures: Option<String>,
    /// A `StatisticsHaving` as JSON.
    pub having: Option<String>,
    pub as_of: Option<String>,
    pub timezone: Option<String>,
    pub fill: Option<bool>,
}

/// The question of a statistic.
#[derive(Debug)]
pub struct StatisticsRequest {
    pub question: StatisticsQuestion,
    /// Names and types of the arguments that are given.
    pub given: Vec<(&'static str, &'static str)>,
    pub variables: Map<String, Value>,
    /// The arguments, as the description of the file shows them.
    pub query: Value,
}

/// The error of a URL.
pub type Wrong = (StatusCode, Code, String);

fn wrong(message: impl Into<String>) -> Wrong {
    (StatusCode::BAD_REQUEST, Code::BadUserInput, message.into())
}

/// Reads an argument that is JSON; null for none.
///
/// # Errors
/// Names the argument, and says where it stops being JSON.
pub fn parsed_json(name: &str, text: Option<&str>) -> Result<Value, Wrong> {
    let Some(text) = text else { return Ok(Value::Null) };
    serde_json::from_str(text).map_err(|e| wrong(format!("{name} is not JSON: {e}")))
}

impl ExportRequest {
    /// Reads the last part of a path, such as `complaints.csv`, and the query of a URL.
    ///
    /// # Errors
    /// Says what is wrong and what to write instead.
    pub fn parse(file: &str, query: &str) -> Result<Self, Wrong> {
        let absent = |message: String| (StatusCode::NOT_FOUND, Code::NotFound, message);
        let (name, manifest) = file.strip_suffix(MANIFEST).map_or((file, false), |name| (name, true));
        let (name, extension) = match name.split_once('.') {
            Some((name, extension)) => (name, Some(extension)),
            None => (name, None),
        };
        let subject: Subject = name.parse().map_err(absent)?;
        let format: Option<Format> = extension.map(str::parse::<Format>).transpose().map_err(absent)?;
        let url = Query::<UrlQuery>::from_query(query);
        let url = url.map_err(|e| wrong(format!("the query of the URL: {e}")))?.into_inner();
        let format = match (format, &url.format) {
            (Some(_), Some(_)) => return Err(wrong("format: the path names the format: leave format out")),
            (Some(format), None) => format,
            (None, Some(name)) if manifest => name.parse::<Format>().map_err(wrong)?,
            (None, None) if manifest => Format::Parquet,
            (None, _) => return Err(absent(format!("name a format: {name}.csv, .parquet, .arrow or .xlsx"))),
        };
        if url.bom && format != Format::Csv {
            return Err(wrong("bom: only a CSV file begins with a byte order mark"));
        }
        if url.references && subject != Subject::Complaints {
            return Err(wrong("references: only complaints have references of other registers"));
        }
        let filter = parsed_json("filter", url.filter.as_deref())?;
        if !filter.is_null() && !subject.is_of_complaints() && subject != Subject::Statistics {
            return Err(wrong(format!("filter selects complaints, and {name} has all rows: leave filter out")));
        }
        let arguments = StatisticsArguments {
            group_by: url.group_by,
            measures: url.measures,
            having: url.having,
            as_of: url.as_of,
            timezone: url.timezone,
            fill: url.fill,
        };
        if !arguments.is_empty() && subject != Subject::Statistics {
            return Err(wrong("groupBy, measures, having, asOf, timezone and fill are for statistics"));
        }
        let form = Form { format, bom: url.bom };
        if subject != Subject::Statistics {
            let query = match filter.is_null() {
                true => Value::Null,
                false => Value::Object(Map::from_iter([("filter".to_owned(), filter.clone())])),
            };
            return Ok(Self { subject, form, manifest, references: url.references, filter, query, statistics: None });
        }
        let statistics = StatisticsRequest::parse(arguments, filter.clone())?;
        let query = statistics.query.clone();
        Ok(Self { subject, form, manifest, references: false, filter, query, statistics: Some(statistics) })
    }
}

impl StatisticsArguments {
    pub fn is_empty(&self) -> bool {
        let Self { group_by, measures, having, as_of, timezone, fill } = self;
        let texts = [group_by, measures, having, as_of, timezone];
        texts.iter().all(|text| text.is_none()) && fill.is_none()
    }
}

impl StatisticsRequest {
    /// Reads the arguments of a statistic; `filter` is null for none.
    ///
    /// # Errors
    /// Says which argument is wrong, and which values it can have.
    pub fn parse(arguments: StatisticsArguments, filter: Value) -> Result<Self, Wrong> {
        let StatisticsArguments { group_by, measures, having, as_of, timezone, fill } = arguments;
        let question = StatisticsQuestion::parse(group_by.as_deref(), measures.as_deref()).map_err(wrong)?;
        let mut given = vec![("groupBy", "[StatisticsDimension!]!")];
        let dimensions: Vec<Value> = question.dimensions().into_iter().map(Value::from).collect();
        let mut variables = Map::from_iter([("groupBy".to_owned(), Value::Array(dimensions))]);
        let optional = [
            ("filter", "ComplaintStatisticsFilter", filter),
            ("having", "StatisticsHaving", parsed_json("having", having.as_deref())?),
            ("asOf", "NaiveDate", as_of.map_or(Value::Null, Value::from)),
            ("timezone", "String!", timezone.map_or(Value::Null, Value::from)),
            ("fill", "Boolean!", fill.map_or(Value::Null, Value::from)),
        ];
        for (name, of, value) in optional {
            if !value.is_null() {
                given.push((name, of));
                variables.insert(name.to_owned(), value);
            }
        }
        let mut query = variables.clone();
        if let Some(measures) = measures {
            query.insert("measures".into(), measures.into());
        }
        Ok(Self { question, given, variables, query: Value::Object(query) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_table_and_format() {
        let asked = |file: &str, query: &str| {
            let asked = ExportRequest::parse(file, query).map_err(|(status, _, message)| (status.as_u16(), message));
            asked.map(|asked| (asked.subject, asked.form.format, asked.manifest))
        };
        assert_eq!(asked("complaints.csv", "bom=true"), Ok((Subject::Complaints, Format::Csv, false)));
        assert_eq!(asked("flags.xlsx", ""), Ok((Subject::Flags, Format::Xlsx, false)));
        assert_eq!(asked("workload.manifest.json", ""), Ok((Subject::Workload, Format::Parquet, true)));
        assert_eq!(asked("workload.manifest.json", "format=csv"), Ok((Subject::Workload, Format::Csv, true)));
        assert_eq!(asked("responses.arrow.manifest.json", ""), Ok((Subject::Responses, Format::Arrow, true)));
        assert_eq!(asked("statistics.csv", "groupBy=UNIT"), Ok((Subject::Statistics, Format::Csv, false)));
        for (file, query, status) in [
            ("complaints", "", 404),
            ("complaints.doc", "", 404),
            ("officers.csv", "", 404),
            ("complaints.parquet", "bom=true", 400),
            ("complaints.csv", "format=csv", 400),
            ("complaints.csv", "groupBy=UNIT", 400),
            ("complaints.csv", "fliter=%7B%7D", 400),
            ("complaints.csv", "filter=%7B", 400),
            ("flags.csv", "filter=%7B%7D", 400),
            ("flags.csv", "references=true", 400),
            ("statistics.csv", "", 400),
        ] {
            assert_eq!(asked(file, query).map_err(|(status, _)| status), Err(status), "{file}?{query}");
        }
    }
}
