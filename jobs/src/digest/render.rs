//! Renders a digest in one language: subject, HTML and plain text.

use super::document::DigestDocument;
use super::links::{Links, Of, encoded};
use super::messages::Messages;
use super::pictures::{Picture, drawn};
use super::template_words::add_words;
use crate::JobError;
use chrono::NaiveDate;
use css_inline::CSSInliner;
use fluent_bundle::FluentArgs;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, context};
use schema::Id;
use schema::domain::ids::human_reference;
use schema::enums::{DigestSection, Locale, Proposed, Tier, UnknownWord};
use std::sync::Arc;
use uuid::Uuid;

/// Groups of flags that have ended.
const ENDED: [&str; 3] = ["flags-gone", "flags-dismissed", "flags-retracted"];

/// The proposals of flags, in the order of their lists, and the limit of flags in a list. The highest tier has two
/// lists: it proposes a review of suspension for officers, and an inspection for branches.
const PROPOSED: [Proposed; 4] = [Proposed::SuspensionReview, Proposed::Inspection, Proposed::Review, Proposed::Watch];
const MOST: usize = 200;

/// A rendered digest. Its HTML shows pictures of other parts of the mail (`cid:`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub html: String,
    pub text: String,
}

/// Renders a digest in a language. `base_url` is the address of the page that it links to; without one it has no links.
///
/// # Errors
/// `Template` when a template, a message or a picture is invalid.
pub fn render(document: &DigestDocument, locale: Locale, base_url: Option<&str>) -> Result<Rendered, JobError> {
    let messages = Arc::new(Messages::new(locale)?);
    let subject = subject(document, &messages)?;
    let pictures: Vec<Picture> = drawn(document, locale)?.into_iter().map(|(picture, _)| picture).collect();
    let mut environment = environment(&messages, &document.sections);
    add_links(&mut environment, document);
    let broken = |e: Error| JobError::Template(format!("{e:#}"));
    environment.add_template("measure.jinja", include_str!("measure.jinja")).map_err(broken)?;
    environment.add_template("flags.jinja", include_str!("flags.jinja")).map_err(broken)?;
    environment.add_template("digest.html", include_str!("digest.html")).map_err(broken)?;
    environment.add_template("digest.txt", include_str!("digest.txt")).map_err(broken)?;
    let values = context! {
        doc => Value::from(Serde(document)),
        locale => locale.as_str(),
        subject => subject.clone(),
        demonstration => document.demonstration,
        ended => ENDED,
        proposed_words => PROPOSED.map(Proposed::as_str),
        most => MOST,
        pictures => Value::from(Serde(pictures)),
        base => base_url.map(|url| url.trim_end_matches('/')),
    };
    let html = environment.get_template("digest.html").and_then(|t| t.render(&values)).map_err(broken)?;
    let text = environment.get_template("digest.txt").and_then(|t| t.render(&values)).map_err(broken)?;
    Ok(Rendered { subject, html: inlined(&html)?, text: format!("{}\n", text.trim()) })
}

/// The rules of the style sheet at each element: many mail programs read no style sheet. The conditional rules, for dark
/// screens and for paper, stay in one.
fn inlined(html: &str) -> Result<String, JobError> {
    CSSInliner::options()
        .keep_at_rules(true)
        .load_remote_stylesheets(false)
        .build()
        .inline(html)
        .map_err(|error| JobError::Template(format!("the styles of the digest: {error}")))
}

fn subject(document: &DigestDocument, messages: &Messages) -> Result<String, JobError> {
    let new = document.flags.groups.iter().find(|group| group.key == "flags-new").map_or(0, |group| group.count);
    let mut args = FluentArgs::new();
    args.set("day", messages.date(document.as_of));
    args.set("flags", new);
    args.set("overdue", document.overdue.overdue);
    let key = match &document.unit {
        None if document.analyst => "subject-analysts",
        None => "subject",
        Some(unit) => {
            let english = unit.name_en.as_ref().filter(|_| messages.is_english());
            args.set("unit", english.unwrap_or(&unit.name_vi).clone());
            "subject-unit"
        }
    };
    let subject = messages.message(key, &args)?;
    if document.demonstration {
        return Ok(format!("{} {subject}", messages.message("mark-short", &FluentArgs::new())?));
    }
    Ok(subject)
}

/// Adds the function `to`: where the page shows a number.
fn add_links(environment: &mut Environment<'static>, document: &DigestDocument) {
    let links = Links::new(document);
    environment.add_function("to", move |number: String, of: Kwargs| -> Result<Option<String>, Error> {
        let of = Of {
            code: of.get("code")?,
            kind: of.get("kind")?,
            ago: of.get("ago")?,
            day: of.get("day")?,
            days: of.get("days")?,
        };
        links.path(&number, &of).map_err(|why| Error::new(ErrorKind::InvalidOperation, why))
    });
}

fn environment(messages: &Arc<Messages>, sections: &[DigestSection]) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(
        |name| {
            if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
        },
    );
    add_words(&mut environment, messages);
    let shared = Arc::clone(messages);
    environment.add_function("money", move |vnd: f64| shared.money(vnd));
    let shared = Arc::clone(messages);
    environment.add_function("amount", move |key: String, value: f64| match key.as_str() {
        "cost" => shared.money(value),
        _ => shared.number(value, 0),
    });
    let shared = Arc::clone(messages);
    // The usual range is an estimate: its amounts are rounded, because amounts to the đồng would seem exact.
    environment.add_function("usual", move |key: String, low: f64, high: f64| {
        let [low, high] = [low, high].map(|end| match key.as_str() {
            "cost" => shared.money(rounded(end)),
            _ => shared.number(end, 0),
        });
        format!("{low} – {high}")
    });
    let sections: Vec<&'static str> = sections.iter().map(|section| section.as_str()).collect();
    environment.add_function("has", move |section: String| sections.is_empty() || sections.contains(&section.as_str()));
    environment.add_filter("urlpart", |part: String| encoded(&part));
    let shared = Arc::clone(messages);
    environment.add_function("date", move |day: String| -> Result<String, Error> {
        let day: NaiveDate =
            day.parse().map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("{day:?} is not a date")))?;
        Ok(shared.date(day))
    });
    // A person cannot read an id out on the telephone.
    environment.add_function("reference", |id: String| match id.parse::<Uuid>() {
        Ok(parsed) => human_reference(Id(parsed)),
        Err(_) => id,
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

/// A number with three digits before its zeros.
fn rounded(number: f64) -> f64 {
    if number < 1000.0 {
        return number.round();
    }
    let unit = 10f64.powf(number.log10().floor() - 2.0);
    (number / unit).round() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_has_three_digits() {
        assert_eq!([123_151_949.0, 999_600.0, 37.4, 0.0].map(rounded), [123e6, 1e6, 37.0, 0.0]);
    }

    #[test]
    fn names_and_codes_are_texts_in_html_and_plain_in_text() {
        let messages = Arc::new(Messages::new(Locale::En).expect("messages"));
        let mut environment = environment(&messages, &[]);
        environment.add_template("flags.jinja", include_str!("flags.jinja")).expect("macros");
        let line = "{% from 'flags.jinja' import who %}{{ who(one) }}";
        environment.add_template("line.html", line).expect("a template");
        environment.add_template("line.txt", line).expect("a template");
        let one = context! { name => "<b>", code => "C&1", kind => "OFFICER", unit => None::<&str> };
        let shown = |name: &str| {
            let template = environment.get_template(name).expect("a template");
            template.render(context! { one => one.clone() }).expect("a line")
        };
        assert_eq!(shown("line.html"), "&lt;b&gt; [C&amp;1]");
        assert_eq!(shown("line.txt"), "<b> [C&1]");
    }

    #[test]
    fn styles_stand_at_elements_and_those_for_dark_screens_in_a_style_sheet() {
        let html = "<!DOCTYPE html><html><head><style>p { color: red } @media (prefers-color-scheme: dark) \
                    { p { color: pink !important } }</style></head><body><p>a</p></body></html>";
        let inlined = inlined(html).expect("HTML");
        assert!(inlined.contains("<p style=\"color: red"), "{inlined}");
        assert!(inlined.contains("prefers-color-scheme"), "{inlined}");
    }
}
