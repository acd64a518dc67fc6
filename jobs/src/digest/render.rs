//! Renders a digest in one language: subject, HTML and plain text.

use super::document::DigestDocument;
use super::messages::Messages;
use crate::JobError;
use chrono::NaiveDate;
use fluent_bundle::FluentArgs;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, context};
use schema::enums::{Locale, Tier, UnknownWord};
use std::sync::Arc;

/// Groups of flags that have ended.
const ENDED: [&str; 3] = ["flags-gone", "flags-dismissed", "flags-retracted"];

/// A rendered digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub html: String,
    pub text: String,
}

/// Renders a digest in a language.
///
/// # Errors
/// `Template` when a template or a message is invalid.
pub fn render(document: &DigestDocument, locale: Locale) -> Result<Rendered, JobError> {
    let messages = Arc::new(Messages::new(locale)?);
    let subject = subject(document, &messages)?;
    let mut environment = environment(&messages);
    let broken = |e: Error| JobError::Template(format!("{e:#}"));
    environment.add_template("measure.jinja", include_str!("measure.jinja")).map_err(broken)?;
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

fn subject(document: &DigestDocument, messages: &Messages) -> Result<String, JobError> {
    let new = document.flags.groups.iter().find(|group| group.key == "flags-new").map_or(0, |group| group.count);
    let mut args = FluentArgs::new();
    args.set("day", messages.date(document.as_of));
    args.set("flags", new);
    args.set("overdue", document.overdue.overdue);
    let subject = messages.message("subject", &args)?;
    if document.demonstration {
        return Ok(format!("{} {subject}", messages.message("mark-short", &FluentArgs::new())?));
    }
    Ok(subject)
}

fn environment(messages: &Arc<Messages>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(
        |name| {
            if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
        },
    );
    let shared = Arc::clone(messages);
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
        shared.message(&key, &args).map_err(|e| Error::new(ErrorKind::InvalidOperation, e.to_string()))
    });
    let shared = Arc::clone(messages);
    environment
        .add_function("number", move |value: f64, digits: Option<usize>| shared.number(value, digits.unwrap_or(0)));
    let shared = Arc::clone(messages);
    environment.add_function("percent", move |share: f64| shared.percent(share));
    let shared = Arc::clone(messages);
    environment.add_function("money", move |vnd: f64| shared.money(vnd));
    let shared = Arc::clone(messages);
    environment.add_function("date", move |day: String| -> Result<String, Error> {
        let day: NaiveDate =
            day.parse().map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("{day:?} is not a date")))?;
        Ok(shared.date(day))
    });
    environment.add_function("proposed", |kind: String, tier: String| -> Result<&'static str, Error> {
        let word = |e: UnknownWord| Error::new(ErrorKind::InvalidOperation, e.to_string());
        Ok(tier.parse::<Tier>().map_err(word)?.proposed(kind.parse().map_err(word)?).as_str())
    });
    let english = messages.is_english();
    environment.add_function("name", move |thing: Value| -> Result<String, Error> {
        let (vi, en, code) = (thing.get_attr("nameVi")?, thing.get_attr("nameEn")?, thing.get_attr("code")?);
        let name = if english && !en.is_none() { en } else { vi };
        Ok(format!("{name} [{code}]"))
    });
    environment.add_function("rule", |text: String| "-".repeat(text.chars().count()));
    environment
}
