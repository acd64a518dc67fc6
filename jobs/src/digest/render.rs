//! A digest in one language: subject, HTML and plain text.

use super::document::DigestDocument;
use super::words::Words;
use crate::JobError;
use chrono::NaiveDate;
use fluent_bundle::FluentArgs;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, context};
use schema::enums::{Locale, Tier, UnknownWord};
use std::sync::Arc;

/// Groups of flags that stand no more.
const ENDED: [&str; 3] = ["flags-gone", "flags-dismissed", "flags-retracted"];

/// A digest as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub html: String,
    pub text: String,
}

/// Writes a digest in a language.
pub fn render(document: &DigestDocument, locale: Locale) -> Result<Rendered, JobError> {
    let words = Arc::new(Words::new(locale)?);
    let subject = subject(document, &words)?;
    let mut environment = environment(&words);
    let broken = |e: Error| JobError::Template(format!("{e:#}"));
    environment.add_template("digest.html", include_str!("digest.html")).map_err(broken)?;
    environment.add_template("digest.txt", include_str!("digest.txt")).map_err(broken)?;
    let values = context! {
        doc => Value::from(Serde(document)),
        locale => locale.as_str(),
        subject => subject.clone(),
        demonstration => document.demonstration,
        ended => ENDED,
        colours => context! { WATCH => "#c9a227", REVIEW => "#d9730d", SUSPENSION_REVIEW => "#b42318" },
    };
    let html = environment.get_template("digest.html").and_then(|t| t.render(&values)).map_err(broken)?;
    let text = environment.get_template("digest.txt").and_then(|t| t.render(&values)).map_err(broken)?;
    Ok(Rendered { subject, html, text: format!("{}\n", text.trim()) })
}

fn subject(document: &DigestDocument, words: &Words) -> Result<String, JobError> {
    let new = document.flags.groups.iter().find(|group| group.key == "flags-new").map_or(0, |group| group.count);
    let mut args = FluentArgs::new();
    args.set("day", words.date(document.as_of));
    args.set("flags", new);
    args.set("overdue", document.overdue.overdue);
    let subject = words.message("subject", &args)?;
    if document.demonstration {
        return Ok(format!("{} {subject}", words.message("mark-short", &FluentArgs::new())?));
    }
    Ok(subject)
}

fn environment(words: &Arc<Words>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(
        |name| {
            if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
        },
    );
    let of = Arc::clone(words);
    environment.add_function("t", move |key: String, values: Kwargs| -> Result<String, Error> {
        let mut args = FluentArgs::new();
        let names: Vec<String> = values.args().map(str::to_owned).collect();
        for name in names {
            let value: Value = values.get(&name)?;
            match f64::try_from(value.clone()) {
                Ok(number) => args.set(name, number),
                Err(_) => args.set(name, value.to_string()),
            }
        }
        of.message(&key, &args).map_err(|e| Error::new(ErrorKind::InvalidOperation, e.to_string()))
    });
    let of = Arc::clone(words);
    environment.add_function("number", move |value: f64, digits: Option<usize>| of.number(value, digits.unwrap_or(0)));
    let of = Arc::clone(words);
    environment.add_function("percent", move |share: f64| of.percent(share));
    let of = Arc::clone(words);
    environment.add_function("money", move |vnd: f64| of.money(vnd));
    let of = Arc::clone(words);
    environment.add_function("date", move |day: String| -> Result<String, Error> {
        let day: NaiveDate =
            day.parse().map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("{day:?} is no date")))?;
        Ok(of.date(day))
    });
    environment.add_function("proposed", |kind: String, tier: String| -> Result<&'static str, Error> {
        let word = |e: UnknownWord| Error::new(ErrorKind::InvalidOperation, e.to_string());
        Ok(tier.parse::<Tier>().map_err(word)?.proposed(kind.parse().map_err(word)?).as_str())
    });
    let english = words.is_english();
    environment.add_function("name", move |thing: Value| -> Result<String, Error> {
        let (vi, en, code) = (thing.get_attr("nameVi")?, thing.get_attr("nameEn")?, thing.get_attr("code")?);
        let name = if english && !en.is_none() { en } else { vi };
        Ok(format!("{name} [{code}]"))
    });
    environment.add_function("rule", |text: String| "-".repeat(text.chars().count()));
    environment
}
