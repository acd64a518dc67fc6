//! A visit: one request of a reader who is signed in.

use super::address::{address, arguments};
use super::data::{self, text};
use super::error::{PageError, Problem};
use super::file::{Form, download};
use super::page::Page;
use super::preferences::{Preferences, local};
use super::refusals::localized_for;
use super::table::Cell;
use super::templates::{Layout, Shown, day, day_of, in_vietnam, lead_on, moment, render, render_error};
use super::{whole, words};
use crate::access::allowed;
use crate::http::{Service, Session, is_forged, is_from_elsewhere, nothing_at, session};
use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::header::{ACCEPT, HeaderValue, LOCATION, REFERER};
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use fluent_bundle::FluentValue;
use futures_util::future::LocalBoxFuture;
use schema::enums::{Locale, Role};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};

/// Rows of one question for a file.
const ROWS_AT_ONCE: u32 = 200;

/// The arguments with the place of a page in a list, which the server made and which may be long.
const CURSORS: [&str; 3] = ["after", "before", "history"];

/// A request of a reader who is signed in.
pub struct Visit {
    pub service: Data<Service>,
    pub http: HttpRequest,
    pub session: Session,
    pub preferences: Preferences,
    /// The arguments of the address, without empty ones.
    arguments: Vec<(String, String)>,
    /// The documents that the page asked, for *show the query*.
    asked: Mutex<Vec<Shown>>,
    /// The fields of the form that was sent, without the secret of its session.
    sent: Vec<(String, String)>,
}

impl Visit {
    async fn open(http: HttpRequest) -> Result<Self, HttpResponse> {
        let preferences = Preferences::from_request(&http);
        let Some(service) = http.app_data::<Data<Service>>().cloned() else {
            return Err(HttpResponse::InternalServerError().finish());
        };
        let session = match session(&service, &http).await {
            Ok(Some(session)) => session,
            Ok(None) => return Err(sign_in_first(&service, &http, preferences)),
            Err(_) => return Err(render_error(&service, &http, None, preferences, (&PageError::Away, &[]))),
        };
        let arguments = arguments(&http);
        Ok(Self { service, http, session, preferences, arguments, asked: Mutex::default(), sent: Vec::new() })
    }

    pub fn role(&self) -> Role {
        self.session.viewer.role
    }

    pub fn locale(&self) -> Locale {
        self.preferences.locale
    }

    /// Whether the role of the reader may use a field, by the access table.
    pub fn may(&self, type_name: &str, field: &str) -> bool {
        allowed(self.role(), type_name, field)
    }

    /// Asks a document as the reader, and notes it for *show the query*. For a file its list is the whole one.
    ///
    /// # Errors
    /// The errors of the question.
    pub async fn query(&self, document: &'static str, variables: Value) -> Result<Value, PageError> {
        self.check_arguments()?;
        let shown = Shown { document, variables: variables.clone() };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(shown);
        let (viewer, locale) = (&self.session.viewer, self.locale());
        let ask = async |variables| data::query(&self.service, viewer, locale, document, variables).await;
        match self.form() {
            None => ask(variables).await,
            Some(_) => {
                let data = ask(variables.clone()).await?;
                whole::with_the_rest(document, variables, data, ask).await
            }
        }
    }

    /// Refuses an address with a text that no question takes.
    ///
    /// # Errors
    /// `Refused` for each argument that holds NUL, which databases do not store, or is too long for a condition.
    fn check_arguments(&self) -> Result<(), PageError> {
        let limits = self.service.settings.limits(Some(self.role()));
        // A search is looked for in two columns at once.
        let most = limits.condition_characters.min(limits.pattern_characters / 2);
        let is_long = |name: &str, value: &str| {
            !CURSORS.contains(&name) && value.len() > most as usize && value.chars().count() > most as usize
        };
        let problem = |(name, value): &(String, String)| {
            let key = match value.contains('\0') {
                true => "filters-has-nul",
                false if is_long(name, value) => "filters-too-long",
                false => return None,
            };
            let values: [(&str, FluentValue<'_>); 2] =
                [("name", name.as_str().into()), ("most", self.number(f64::from(most), 0).into())];
            Some(Problem::at_field(name, self.t_with(key, &values)))
        };
        let problems: Vec<Problem> = self.arguments.iter().filter_map(problem).collect();
        if problems.is_empty() { Ok(()) } else { Err(PageError::Refused(problems)) }
    }

    /// Runs a mutation as the reader.
    ///
    /// # Errors
    /// The errors of the answer: `Refused` and `Conflict` hold the message for the reader.
    pub async fn change(&self, document: &'static str, variables: Value) -> Result<Value, PageError> {
        data::query(&self.service, &self.session.viewer, self.locale(), document, variables).await
    }

    /// An argument of the address; None if it is missing or empty.
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of an argument.
    pub fn arguments<'v>(&'v self, name: &'v str) -> impl Iterator<Item = &'v str> {
        self.arguments.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A part of the path, such as `{id}` of the route.
    pub fn part(&self, name: &str) -> &str {
        self.http.match_info().get(name).unwrap_or_default()
    }

    /// Number of rows to ask for at once: `page` of them, or more for a file.
    pub fn rows(&self, page: u32) -> u32 {
        match self.form() {
            None => page,
            Some(_) => ROWS_AT_ONCE.min(self.service.settings.limits(Some(self.role())).page_size),
        }
    }

    /// The form of file that is asked for; None for the page itself.
    fn form(&self) -> Option<Form> {
        self.argument("as").and_then(|word| word.parse().ok())
    }

    /// The address of this page with some arguments changed; None leaves one out.
    pub fn link(&self, changed: &[(&str, Option<&str>)]) -> String {
        let kept =
            self.arguments.iter().filter(|(key, _)| key != "done" && changed.iter().all(|(name, _)| name != key));
        let kept = kept.map(|(key, value)| (key.as_str(), value.as_str()));
        let new = changed.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        address(self.http.path(), kept.chain(new))
    }

    /// A word in the language of the reader.
    pub fn t(&self, key: &str) -> String {
        words::word(self.locale(), key, &[])
    }

    /// The word of a key that is made of a name; None if the name has no words.
    pub fn t_if_known(&self, key: &str) -> Option<String> {
        words::has(self.locale(), key).then(|| self.t(key))
    }

    pub fn t_with(&self, key: &str, values: &[(&str, FluentValue<'_>)]) -> String {
        words::word(self.locale(), key, values)
    }

    /// A day, or the day of a moment, as the reader writes it; empty for null.
    pub fn date(&self, value: &Value) -> String {
        words::messages(self.locale()).map(|messages| day(&messages, text(value))).unwrap_or_default()
    }

    /// A moment as the reader writes it; empty for null.
    pub fn time(&self, value: &Value) -> String {
        words::messages(self.locale()).map(|messages| moment(&messages, text(value))).unwrap_or_default()
    }

    /// The cell of a day, or of the day of a moment; empty for null.
    pub fn day_cell(&self, value: &Value) -> Cell {
        Cell::day(day_of(text(value)), self.date(value))
    }

    /// The cell of a moment; empty for null.
    pub fn time_cell(&self, value: &Value) -> Cell {
        Cell::time(in_vietnam(text(value)), self.time(value))
    }

    /// A number as the reader writes it.
    pub fn number(&self, number: f64, digits: usize) -> String {
        let messages = words::messages(self.locale());
        messages.map_or_else(|_| number.to_string(), |messages| messages.number(number, digits))
    }

    /// A number with at most so many decimals, without zeros at its end.
    pub fn number_at_most(&self, number: f64, digits: usize) -> String {
        let messages = words::messages(self.locale());
        messages.map_or_else(|_| number.to_string(), |messages| messages.number_at_most(number, digits))
    }

    /// The page, a file of its tables, or why neither can be shown.
    pub fn respond(&self, page: Result<Page, PageError>) -> HttpResponse {
        let mut page = match page {
            Ok(page) => page,
            Err(error) => return self.refuse(&error),
        };
        page.problems = page.problems.iter().map(|problem| localized_for(&self.http, self.locale(), problem)).collect();
        // A file would hide why it is empty.
        if let Some(form) = self.form().filter(|_| page.problems.is_empty()) {
            return match download(form, &page, self.argument("table")) {
                Ok(response) => response,
                Err(error) => self.refuse(&error),
            };
        }
        let status = if page.problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        let queries = self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let layout = Layout::new(&self.service, &self.http, Some(&self.session), self.preferences);
        let file = |word| self.link(&[("as", Some(word))]);
        let layout = layout.of_page(&page, queries, self.argument("done"), whole::ROWS, file);
        render(page, &layout, status)
    }

    /// The page of an error.
    pub fn refuse(&self, error: &PageError) -> HttpResponse {
        render_error(&self.service, &self.http, Some(&self.session), self.preferences, (error, self.sent.as_slice()))
    }

    /// Redirects to another page after a change; `done` is the key of a word that begins with `done-`.
    pub fn go_to(&self, path: &str, done: Option<&str>) -> HttpResponse {
        let separator = if path.contains('?') { '&' } else { '?' };
        let to = done.map_or_else(|| path.to_owned(), |done| format!("{path}{separator}done={done}"));
        HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
    }
}

impl FromRequest for Visit {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, actix_web::Error>>;

    fn from_request(http: &HttpRequest, _: &mut Payload) -> Self::Future {
        let http = http.clone();
        Box::pin(async move { Self::open(http).await.map_err(refused) })
    }
}

/// A form that a reader sent, with the secret of its session.
pub struct Posted {
    pub visit: Visit,
    fields: Vec<(String, String)>,
}

impl Posted {
    /// A field without white space at its ends; empty if it is missing.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim()).unwrap_or_default()
    }

    /// A field, or None if it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.field(name)).filter(|value| !value.is_empty())
    }

    /// The response to the form, or a page that says why there is none.
    pub fn respond(&self, attempted: Result<HttpResponse, PageError>) -> HttpResponse {
        attempted.unwrap_or_else(|error| self.visit.refuse(&error))
    }

    /// All values of a field.
    pub fn fields<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }
}

impl FromRequest for Posted {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, actix_web::Error>>;

    fn from_request(http: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let http = http.clone();
        let form = web::Form::<Vec<(String, String)>>::from_request(&http, payload);
        Box::pin(async move {
            let mut visit = Visit::open(http).await.map_err(refused)?;
            let fields = form.await.map(web::Form::into_inner).unwrap_or_default();
            let secret = fields.iter().find(|(key, _)| key == "csrf").map(|(_, value)| value.as_str());
            if is_from_elsewhere(&visit.http) || is_forged(&visit.http, &visit.session, secret) {
                let response = visit.refuse(&PageError::Forged);
                return Err(refused(response));
            }
            visit.sent = fields.iter().filter(|(name, _)| name != "csrf").cloned().collect();
            Ok(Self { visit, fields })
        })
    }
}

/// Redirects a reader without a session to the form for signing in, which leads back to the page, or to the page with
/// the form that was sent. A browser that follows a link of another site, for example in a mail, does not send the
/// cookie of the session (`SameSite`). It then gets a page that requests the same address again, with the cookie.
fn sign_in_first(service: &Service, http: &HttpRequest, preferences: Preferences) -> HttpResponse {
    let here = http.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let is_a_page = http.method() == Method::GET;
    let site = http.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    if is_a_page && matches!(site, Some(b"cross-site" | b"same-site")) {
        return lead_on(service, http, preferences, here);
    }
    let next = if is_a_page { here.to_owned() } else { page_of_the_form(http) };
    HttpResponse::SeeOther().insert_header((LOCATION, address("/sign-in", [("next", next.as_str())]))).finish()
}

/// The address of the page with the form that was sent; `/` where the browser does not say.
fn page_of_the_form(http: &HttpRequest) -> String {
    let said = http.headers().get(REFERER).filter(|_| !is_from_elsewhere(http));
    let page: Option<Uri> = said.and_then(|value| value.to_str().ok()?.parse().ok());
    let page = page.as_ref().and_then(Uri::path_and_query).map(PathAndQuery::as_str);
    page.and_then(local).unwrap_or("/").to_owned()
}

/// The error with which an extractor refuses a request.
fn refused(response: HttpResponse) -> actix_web::Error {
    InternalError::from_response("the page is not shown", response).into()
}

/// Answers unknown addresses: browsers get a page.
pub async fn not_found(service: Data<Service>, http: HttpRequest) -> HttpResponse {
    let accepts = http.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accepts.contains("text/html") {
        return nothing_at(http).await;
    }
    let session = session(&service, &http).await.ok().flatten();
    render_error(&service, &http, session.as_ref(), Preferences::from_request(&http), (&PageError::NotFound, &[]))
}

/// The name of an object in a language, of its `nameVi` and `nameEn`.
pub fn name(object: &Value, locale: Locale) -> &str {
    let english = text(&object["nameEn"]);
    if locale == Locale::En && !english.is_empty() { english } else { text(&object["nameVi"]) }
}
