//! `to_char`, `to_date` and `to_timestamp` with PostgreSQL's templates, such as `YYYY-MM-DD HH24:MI:SS`. The engine's
//! own know strftime's patterns alone, and take a template for a text that stands for itself; a text with `%` is a
//! pattern. Names such as `Month` are padded with blanks, which `FM` leaves out.

use super::local_times::ZONE_OF_INSTANTS;
use super::replacement::called_as_wrapped;
use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_cast::cast;
use arrow_schema::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::datetime::{to_char, to_date, to_timestamp};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};
use std::sync::Arc;

/// Parts of templates with their patterns. Of parts with the same beginning the longer one comes first.
const PARTS: [(&str, &str); 26] = [
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("HH", "%I"),
    ("YYYY", "%Y"),
    ("YY", "%y"),
    ("IYYY", "%G"),
    ("IW", "%V"),
    ("IDDD", ""),
    ("ID", "%u"),
    ("MONTH", "%B"),
    ("MON", "%b"),
    ("MI", "%M"),
    ("MM", "%m"),
    ("MS", "%3f"),
    ("DAY", "%A"),
    ("DDD", "%j"),
    ("DD", "%d"),
    ("DY", "%a"),
    ("SSSS", ""),
    ("SS", "%S"),
    ("US", "%6f"),
    ("FF3", "%3f"),
    ("FF6", "%6f"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("Q", "%q"),
];

/// Marks the beginning and the end of a padded name.
const PADDED: char = '\u{e000}';
/// The length of the longest padded name.
const LETTERS: usize = 9;

/// The functions, in the place of the engine's.
pub fn with_templates() -> [Arc<ScalarUDF>; 3] {
    // Without a zone it would make local times of no place, whose AT TIME ZONE goes the other way.
    let mut config = ConfigOptions::default();
    config.execution.time_zone = Some(ZONE_OF_INSTANTS.to_owned());
    [to_char(), to_date(), to_timestamp(&config)].map(|own| Arc::new(ScalarUDF::new_from_impl(WithTemplates(own))))
}

/// The engine's own function, which is given patterns.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WithTemplates(Arc<ScalarUDF>);

impl ScalarUDFImpl for WithTemplates {
    called_as_wrapped!();

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.0.inner().return_type(arguments)
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let writes = self.0.name() == "to_char";
        if let (true, Some(DataType::Duration(_))) = (writes, arguments.args.first().map(ColumnarValue::data_type)) {
            let message = "to_char of the difference of two times is not supported: write EXTRACT(DAY FROM …) and the \
                           like";
            return Err(DataFusionError::Execution(message.into()));
        }
        for template in arguments.args.iter_mut().skip(1) {
            *template = patterns(template, writes)?;
        }
        let made = self.0.invoke_with_args(arguments)?;
        Ok(if writes { with_padded_names(made) } else { made })
    }
}

fn patterns(templates: &ColumnarValue, pads: bool) -> Result<ColumnarValue> {
    let pattern = |template: &str| match template.contains('%') {
        true => Ok(template.to_owned()),
        false => of_template(template, pads).map_err(DataFusionError::Execution),
    };
    Ok(match templates {
        ColumnarValue::Scalar(template) => match template.try_as_str() {
            Some(Some(template)) => ColumnarValue::Scalar(ScalarValue::Utf8(Some(pattern(template)?))),
            _ => templates.clone(),
        },
        ColumnarValue::Array(templates) => {
            let texts = cast(templates, &DataType::Utf8)?;
            let patterns = texts.as_string::<i32>().iter().map(|template| template.map(pattern).transpose());
            ColumnarValue::Array(Arc::new(patterns.collect::<Result<StringArray>>()?))
        }
    })
}

/// Texts with blanks behind the names that are padded.
fn with_padded_names(texts: ColumnarValue) -> ColumnarValue {
    match texts {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(text))) => {
            ColumnarValue::Scalar(ScalarValue::Utf8(Some(with_padded_name(&text))))
        }
        ColumnarValue::Array(texts) if *texts.data_type() == DataType::Utf8 => {
            let padded = texts.as_string::<i32>().iter().map(|text| text.map(with_padded_name));
            ColumnarValue::Array(Arc::new(padded.collect::<StringArray>()))
        }
        other => other,
    }
}

fn with_padded_name(text: &str) -> String {
    let parts = text.split(PADDED).zip([false, true].into_iter().cycle());
    parts.map(|(part, is_name)| if is_name { format!("{part:LETTERS$}") } else { part.to_owned() }).collect()
}

/// The pattern of a template, with marks around names that are padded if `pads`.
fn of_template(template: &str, pads: bool) -> std::result::Result<String, String> {
    let (mut pattern, mut rest, mut is_padded) = (String::new(), template, true);
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) = quoted.split_once('"').unwrap_or((quoted, ""));
            pattern.push_str(text);
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix("FM").or_else(|| rest.strip_prefix("fm")) {
            (is_padded, rest) = (false, after);
            continue;
        }
        let begins = |part: &str| rest.get(..part.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(part));
        if let Some((part, of_part)) = PARTS.iter().find(|(part, _)| begins(part)) {
            let (written, after) = rest.split_at(part.len());
            let of_written = of_written(written, of_part, is_padded)?;
            match pads && is_padded && matches!(*of_part, "%A" | "%B") {
                true => pattern.extend([PADDED.to_string(), of_written, PADDED.to_string()]),
                false => pattern.push_str(&of_written),
            }
            (is_padded, rest) = (true, after);
            continue;
        }
        if first.is_ascii_alphabetic() && first != 'T' {
            return Err(unknown(rest, template));
        }
        pattern.push(first);
        rest = &rest[first.len_utf8()..];
    }
    Ok(pattern)
}

/// The pattern of a part as it is written: names have capital letters as in `Month`, and no others.
fn of_written(written: &str, pattern: &str, is_padded: bool) -> std::result::Result<String, String> {
    let is_name = matches!(pattern, "%B" | "%b" | "%A" | "%a");
    let has_other_capitals = written.chars().skip(1).any(char::is_uppercase) || written.starts_with(char::is_lowercase);
    match pattern {
        "" => Err(unknown(written, written)),
        _ if is_name && has_other_capitals => {
            let (first, others) = written.split_at(1);
            Err(format!("write {}{} in a template, not {written}", first.to_uppercase(), others.to_lowercase()))
        }
        "%p" if written.chars().all(char::is_lowercase) => Ok("%P".to_owned()),
        "%H" | "%I" | "%M" | "%S" | "%d" | "%m" | "%j" | "%V" | "%y" if !is_padded => Ok(pattern.replace('%', "%-")),
        _ => Ok(pattern.to_owned()),
    }
}

fn unknown(part: &str, template: &str) -> String {
    format!("the template {template:?} has the unknown part {part:?}: write texts in double quotes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::common::cast::as_string_array;
    use datafusion::prelude::SessionContext;

    #[test]
    fn templates_become_patterns() {
        for (template, expected) in [
            ("YYYY-MM-DD HH24:MI:SS.US", "%Y-%m-%d %H:%M:%S.%6f"),
            ("yyyy-mm", "%Y-%m"),
            ("YYYY-MM-DDTHH24:MI:SS", "%Y-%m-%dT%H:%M:%S"),
            ("\"Quý \"Q/YYYY", "Quý %q/%Y"),
            ("FMDD/FMMM Mon", "%-d/%-m %b"),
            ("HH12:MI am", "%I:%M %P"),
            ("IYYY-\"W\"IW", "%G-W%V"),
            ("FMYY FMMonth Day", "%-y %B %A"),
        ] {
            assert_eq!(of_template(template, false).as_deref(), Ok(expected), "{template}");
        }
        for template in ["MONTH", "day", "J", "YYYY WW", "SSSS", "IYYY-IDDD"] {
            assert!(of_template(template, false).is_err(), "{template}");
        }
    }

    #[tokio::test]
    async fn functions_take_templates_and_patterns() {
        let context = SessionContext::new();
        with_templates().iter().for_each(|function| context.register_udf(function.as_ref().clone()));
        let text = "SELECT to_char(to_timestamp('2026-01-31 23:59:58.000000', 'YYYY-MM-DD HH24:MI:SS.US'), \
                    'DD.MM.YY HH24:MI') || ' ' || to_char(to_date('2026-02-01', 'YYYY-MM-DD'), '%Y/%m') || ' ' \
                    || (SELECT to_char(DATE '2026-05-02', format) FROM (VALUES ('Q')) AS t (format))";
        let rows = context.sql(text).await.unwrap().collect().await.unwrap();
        assert_eq!(as_string_array(rows[0].column(0)).unwrap().value(0), "31.01.26 23:59 2026/02 2");
    }

    #[tokio::test]
    async fn names_are_padded_where_they_are_written() {
        let context = SessionContext::new();
        with_templates().iter().for_each(|function| context.register_udf(function.as_ref().clone()));
        let text = "SELECT to_char(DATE '2025-05-02', 'DD Month YYYY') || '|' || to_char(day, 'FMMonth') || '|' \
                    || to_char(day, 'Day') || '|' || to_char(day, 'Dy Mon') || '|' \
                    || CAST(to_date('02 May 2025', 'DD Month YYYY') AS TEXT) \
                    FROM (VALUES (DATE '2025-05-02')) AS t (day)";
        let rows = context.sql(text).await.unwrap().collect().await.unwrap();
        let column = cast(rows[0].column(0), &DataType::Utf8).unwrap();
        assert_eq!(as_string_array(&column).unwrap().value(0), "02 May       2025|May|Friday   |Fri May|2025-05-02");
        let span = "SELECT to_char(TIMESTAMP '2025-05-02 12:00:00' - TIMESTAMP '2025-05-01 00:00:00', 'HH24:MI')";
        let refused = context.sql(span).await.unwrap().collect().await.unwrap_err().to_string();
        assert!(refused.contains("EXTRACT"), "{refused}");
    }
}
