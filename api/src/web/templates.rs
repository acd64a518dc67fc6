//! Renders pages: the templates in `assets/web/templates`, their functions, and the headers of every page.

use super::address::{address, encoded};
use super::assets::{Assets, asset_address};
use super::error::{PageError, Problem};
use super::navigation::{Entry, entries};
use super::page::Page;
use super::preferences::Preferences;
use super::refusals::localized_for;
use super::words::{messages, word};
use crate::http::{Service, Session, stands_for};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Asia::Ho_Chi_Minh;
use fluent_bundle::FluentArgs;
use jobs::digest::messages::Messages;
use jobs::digest::template_words::add_words;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use schema::Timestamp;
use schema::enums::{Locale, Role};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// The page loads and sends nothing elsewhere, and runs no script but those of its own files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

static VI: LazyLock<Result<Environment<'static>, String>> = LazyLock::new(|| environment(Locale::Vi));
static EN: LazyLock<Result<Environment<'static>, String>> = LazyLock::new(|| environment(Locale::En));

/// A document that a page asked.
#[derive(Debug, Clone)]
pub struct Shown {
    pub document: &'static str,
    pub variables: serde_json::Value,
}

/// A document as the layout shows it.
#[derive(Debug, Serialize)]
struct ShownQuery {
    document: &'static str,
    variables: String,
    /// The address that opens it in GraphiQL; None where the server has no GraphiQL.
    href: Option<String>,
}

#[derive(Debug, Serialize)]
struct ShownReader {
    name: String,
    role: &'static str,
}

/// Time that the session of the reader lasts, in seconds.
#[derive(Debug, Serialize)]
struct ShownSession {
    /// If no further request comes.
    idle: i64,
    /// Upper limit, whatever requests come.
    left: i64,
}

impl ShownSession {
    fn new(service: &Service, session: &Session) -> Self {
        let idle = stands_for(service).num_seconds();
        let left = session.viewer.expires_at.map(|end| (end.utc() - Timestamp::now().utc()).num_seconds());
        Self { idle, left: left.unwrap_or(i64::from(i32::MAX)) }
    }
}

/// A form of file in which the tables are offered.
#[derive(Debug, Serialize)]
struct ShownFile {
    form: &'static str,
    href: String,
}

/// The values of the layout around a page: `page` in templates.
#[derive(Debug, Serialize)]
pub struct Layout {
    locale: &'static str,
    theme: &'static str,
    /// The path of the page.
    path: String,
    /// Its address, for links that lead back to it.
    here: String,
    navigation: Vec<Entry>,
    reader: Option<ShownReader>,
    session: Option<ShownSession>,
    csrf: Option<String>,
    demonstration: bool,
    /// Whether the register has no complaint. False for readers whose numbers are not exact or of the whole register.
    register_is_empty: bool,
    /// Whether the server has GraphiQL.
    graphiql: bool,
    queries: Vec<ShownQuery>,
    files: Vec<ShownFile>,
    /// The most rows that a file has of each table.
    file_rows: u32,
    /// The key of the message about what was done.
    done: Option<String>,
    #[serde(skip)]
    language: Locale,
}

impl Layout {
    pub fn new(service: &Service, http: &HttpRequest, session: Option<&Session>, preferences: Preferences) -> Self {
        let (path, reader) = (http.path(), session.map(|session| &session.viewer));
        let snapshot = service.app.snapshots.current();
        let knows_all = |role: Role| matches!(role, Role::Board | Role::DataTeam | Role::Admin);
        Self {
            locale: preferences.locale.as_str(),
            theme: preferences.theme,
            path: path.to_owned(),
            here: http.uri().path_and_query().map_or_else(|| path.to_owned(), |here| here.as_str().to_owned()),
            navigation: reader.map(|viewer| entries(viewer.role, path)).unwrap_or_default(),
            reader: reader.map(|viewer| ShownReader { name: viewer.name.clone(), role: viewer.role.as_str() }),
            session: session.map(|session| ShownSession::new(service, session)),
            csrf: session.map(|session| session.csrf.clone()),
            demonstration: snapshot.demonstration,
            register_is_empty: reader.is_some_and(|viewer| knows_all(viewer.role)) && snapshot.facts.height() == 0,
            graphiql: service.dev || (service.settings.web.graphiql && session.is_some()),
            queries: Vec::new(),
            files: Vec::new(),
            file_rows: 0,
            done: None,
            language: preferences.locale,
        }
    }

    /// Adds the values of a page. `file` gives the address of the page as a file, which has at most `file_rows` rows.
    #[must_use]
    pub fn of_page(
        mut self,
        page: &Page,
        asked: Vec<Shown>,
        done: Option<&str>,
        file_rows: u32,
        file: impl Fn(&'static str) -> String,
    ) -> Self {
        let graphiql = self.graphiql;
        self.queries = asked.into_iter().map(|shown| shown_query(&shown, graphiql)).collect();
        self.file_rows = file_rows;
        if !page.tables.is_empty() {
            self.files = ["csv", "xlsx"].into_iter().map(|form| ShownFile { form, href: file(form) }).collect();
        }
        let is_key =
            |key: &&str| key.starts_with("done-") && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let known = messages(self.language).ok();
        let is_known = |key: &&str| known.as_ref().is_some_and(|known| known.message(key, &FluentArgs::new()).is_ok());
        self.done = done.filter(is_key).filter(is_known).map(str::to_owned);
        self
    }
}

fn shown_query(shown: &Shown, graphiql: bool) -> ShownQuery {
    let variables = serde_json::to_string_pretty(&shown.variables).unwrap_or_default();
    let arguments = [("query", shown.document), ("variables", variables.as_str())];
    let href = graphiql.then(|| address("/graphiql", arguments));
    ShownQuery { document: shown.document, variables, href }
}

/// Renders a page.
pub fn render(page: Page, layout: &Layout, status: StatusCode) -> HttpResponse {
    let Page { template, title, mut values, tables, problems } = page;
    let tables: BTreeMap<&str, Value> =
        tables.into_iter().map(|table| (table.name, Value::from(Serde(table)))).collect();
    values.insert("tables", Value::from(tables));
    values.insert("title", Value::from(title));
    values.insert("problems", Value::from(Serde(problems)));
    values.insert("page", Value::from(Serde(layout)));
    let environment = match layout.language {
        Locale::Vi => VI.as_ref(),
        Locale::En => EN.as_ref(),
    };
    let rendered = environment.map_err(Clone::clone).and_then(|environment| {
        let template = environment.get_template(template).map_err(|error| format!("{error:#}"))?;
        template.render(Value::from(values)).map_err(|error| format!("{error:#}"))
    });
    let (status, html) = match rendered {
        Ok(html) => (status, html),
        Err(error) => {
            tracing::error!(error, template, "a page cannot be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, BROKEN.to_owned())
        }
    };
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
        .body(html)
}

/// Shown when not even the page of an error can be rendered.
const BROKEN: &str = "<!doctype html><html lang=\"vi\"><title>Phản Ánh</title><h1>Trang này bị lỗi</h1>\
    <p>Nhật ký của máy chủ cho biết nguyên nhân. <span lang=\"en\">This page is broken; the server's log says why.\
    </span></p></html>";

/// The page of an error. `sent` are the fields of the form that the request sent: where the same form may succeed later,
/// the page keeps them, and sends them again.
pub fn render_error(
    service: &Service,
    http: &HttpRequest,
    session: Option<&Session>,
    preferences: Preferences,
    (error, sent): (&PageError, &[(String, String)]),
) -> HttpResponse {
    let layout = Layout::new(service, http, session, preferences);
    let may_pass = error.may_pass();
    let again = (may_pass && http.method() == Method::GET).then(|| layout.here.clone());
    let sent: &[(String, String)] = if may_pass { sent } else { &[] };
    let title = word(preferences.locale, error.key(), &[]);
    let told = |problem| localized_for(http, preferences.locale, problem);
    // The page of an error has no fields to lead to.
    let problems = error.problems().iter().map(|problem| Problem { field: None, ..told(problem) }).collect();
    let page = Page::new("error.html", title)
        .with("what_to_do", format!("{}-help", error.key()))
        .with("again", again)
        .with("sent", sent)
        .problems(problems);
    render(page, &layout, error.status())
}

/// A page that leads on to an address of this server at once.
pub fn lead_on(service: &Service, http: &HttpRequest, preferences: Preferences, to: &str) -> HttpResponse {
    let layout = Layout::new(service, http, None, preferences);
    let title = word(preferences.locale, "lead-on", &[]);
    render(Page::new("lead-on.html", title).with("to", to), &layout, StatusCode::OK)
}

fn environment(locale: Locale) -> Result<Environment<'static>, String> {
    let messages = messages(locale)?;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    for (path, text) in Assets::texts("templates/") {
        let name = path.trim_start_matches("templates/").to_owned();
        environment.add_template_owned(name, text).map_err(|error| format!("{path}: {error:#}"))?;
    }
    add_functions(&mut environment, &messages);
    Ok(environment)
}

fn add_functions(environment: &mut Environment<'static>, messages: &Arc<Messages>) {
    add_words(environment, messages);
    let shared = Arc::clone(messages);
    // Money is a text in answers, so that no digit is lost.
    environment.add_function("money", move |vnd: Value| {
        let number = vnd.as_str().map_or_else(|| f64::try_from(vnd.clone()).ok(), |text| text.parse().ok());
        number.map(|number| shared.money(number)).unwrap_or_default()
    });
    let shared = Arc::clone(messages);
    environment.add_function("date", move |value: Value| day(&shared, value.as_str().unwrap_or_default()));
    let shared = Arc::clone(messages);
    environment.add_function("time", move |value: Value| moment(&shared, value.as_str().unwrap_or_default()));
    environment.add_filter("address", |text: String| encoded(&text));
    let english = messages.is_english();
    environment.add_function("name", move |thing: Value| -> Result<Value, Error> {
        if thing.is_none() {
            return Ok(Value::from(""));
        }
        let translated = thing.get_attr("nameEn")?;
        let has_it = translated.as_str().is_some_and(|name| !name.is_empty());
        if english && has_it { Ok(translated) } else { thing.get_attr("nameVi") }
    });
    environment.add_function("asset", |file: String| -> Result<String, Error> {
        let missing = || Error::new(ErrorKind::InvalidOperation, format!("there is no file static/{file}"));
        asset_address(&file).ok_or_else(missing)
    });
}

/// The day of a text that is one, or a moment; days begin at midnight in Vietnam.
pub fn day_of(text: &str) -> Option<NaiveDate> {
    text.parse().ok().or_else(|| Some(in_vietnam(text)?.date()))
}

/// The local time in Vietnam of a moment.
pub fn in_vietnam(text: &str) -> Option<NaiveDateTime> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Ho_Chi_Minh).naive_local())
}

/// A day, or the day of a moment, as a reader writes it; empty for a text that is neither.
pub fn day(messages: &Messages, text: &str) -> String {
    day_of(text).map(|day| messages.date(day)).unwrap_or_default()
}

/// A moment in Vietnam as a reader writes it; empty for a text that is none.
pub fn moment(messages: &Messages, text: &str) -> String {
    let Some(moment) = in_vietnam(text) else { return String::new() };
    format!("{} {}", messages.date(moment.date()), moment.format("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_parsed() {
        for locale in [Locale::Vi, Locale::En] {
            let environment = environment(locale).unwrap();
            assert!(environment.templates().count() >= 5);
        }
    }
}
