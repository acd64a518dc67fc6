//! Signing in with a token or a one-time code, and out.

use super::address::address;
use super::error::{PageError, Problem};
use super::page::Page;
use super::preferences::{Preferences, local};
use super::templates::{Layout, lead_on, render, render_error};
use super::visit::{Posted, Visit};
use super::words::word;
use crate::http::{
    Service, SignInError, is_from_elsewhere, is_plain_loopback, session, session_cookie, sign_in, sign_in_by_code,
    sign_out,
};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

/// The address to which a reader goes after signing in.
#[derive(Deserialize)]
pub struct Next {
    next: Option<String>,
}

/// The form with a token.
#[derive(Deserialize)]
pub struct TokenForm {
    token: Option<String>,
    next: Option<String>,
}

/// Address to which a reader wants to go, on this server.
pub fn next_of(given: Option<&str>) -> &str {
    given.and_then(local).unwrap_or("/")
}

/// The form for signing in; a reader who is signed in is redirected.
pub async fn form(service: Data<Service>, http: HttpRequest, asked: Option<Query<Next>>) -> HttpResponse {
    let next = asked.as_ref().and_then(|asked| asked.next.as_deref());
    if matches!(session(&service, &http).await, Ok(Some(_))) {
        return HttpResponse::SeeOther().insert_header((LOCATION, next_of(next))).finish();
    }
    form_response(&service, &http, next_of(next), None)
}

fn form_response(service: &Service, http: &HttpRequest, next: &str, failed: Option<SignInError>) -> HttpResponse {
    let preferences = Preferences::from_request(http);
    let t = |key: &str| word(preferences.locale, key, &[]);
    // Browsers keep no `Secure` cookie of an address without TLS.
    let insecure = !is_plain_loopback(service, http) && http.connection_info().scheme() == "http";
    let (status, problem) = match failed {
        None => (StatusCode::OK, None),
        Some(SignInError::Unknown) => {
            (StatusCode::UNAUTHORIZED, Some(Problem::at_field("token", t("sign-in-unknown"))))
        }
        Some(SignInError::NotByIssuer) => {
            (StatusCode::UNAUTHORIZED, Some(Problem::of_form(t("sign-in-not-by-issuer"))))
        }
        Some(SignInError::TooMany) => (StatusCode::TOO_MANY_REQUESTS, Some(Problem::of_form(t("sign-in-too-many")))),
        Some(SignInError::Away) => (StatusCode::SERVICE_UNAVAILABLE, Some(Problem::of_form(t("error-away-help")))),
    };
    let page = Page::new("sign-in.html", t("sign-in-title"))
        .with("next", next)
        .with("insecure", insecure)
        .with("oidc", service.settings.web.oidc.is_some())
        .problems(problem.into_iter().collect());
    render(page, &Layout::new(service, http, None, preferences), status)
}

/// The form with the reason why the reader is not signed in.
pub fn refuse(service: &Service, http: &HttpRequest, failed: SignInError) -> HttpResponse {
    form_response(service, http, "/", Some(failed))
}

/// Signs in with a token.
pub async fn by_token(service: Data<Service>, http: HttpRequest, form: Option<Form<TokenForm>>) -> HttpResponse {
    // A form of another site could sign a reader in as another user.
    if is_from_elsewhere(&http) {
        return render_error(&service, &http, None, Preferences::from_request(&http), (&PageError::Forged, &[]));
    }
    let form = form.map_or(TokenForm { token: None, next: None }, Form::into_inner);
    let next = next_of(form.next.as_deref()).to_owned();
    let token = form.token.unwrap_or_default().trim().to_owned();
    match sign_in(&service, &http, token).await {
        Ok(secret) => HttpResponse::SeeOther()
            .insert_header((LOCATION, next))
            .cookie(session_cookie(&service, &http, Some(secret)))
            .finish(),
        Err(error) => form_response(&service, &http, &next, Some(error)),
    }
}

/// Signs in with a one-time code, which `phananh demo` prints.
pub async fn by_code(service: Data<Service>, http: HttpRequest, code: Path<String>) -> HttpResponse {
    match sign_in_by_code(&service, &http, &code).await {
        Ok(secret) => signed_in(&service, &http, secret, "/"),
        Err(error) => form_response(&service, &http, "/", Some(error)),
    }
}

/// Sets the cookie and answers a page that leads on: a browser that came from another site sends the cookie only from
/// a page of this one.
pub fn signed_in(service: &Service, http: &HttpRequest, secret: String, next: &str) -> HttpResponse {
    let mut response = lead_on(service, http, Preferences::from_request(http), next);
    if let Err(error) = response.add_cookie(&session_cookie(service, http, Some(secret))) {
        tracing::error!(%error, "the cookie of a session cannot be written");
    }
    response
}

/// Extends the session of a reader who requests nothing else: each request counts as use.
pub async fn stay(_: Visit) -> HttpResponse {
    HttpResponse::NoContent().insert_header((CACHE_CONTROL, "private, no-store")).finish()
}

/// Ends the session.
pub async fn out(posted: Posted) -> HttpResponse {
    ended(&posted, false).await
}

/// Ends all sessions of the reader.
pub async fn out_everywhere(posted: Posted) -> HttpResponse {
    ended(&posted, true).await
}

async fn ended(posted: &Posted, everywhere: bool) -> HttpResponse {
    let visit = &posted.visit;
    if sign_out(&visit.service, &visit.session, everywhere).await.is_err() {
        return visit.refuse(&PageError::Away);
    }
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address("/sign-in", [("next", "/")])))
        .cookie(session_cookie(&visit.service, &visit.http, None))
        .finish()
}
