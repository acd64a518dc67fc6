//! The language and the colours that a reader chose, in cookies.

use crate::http::accepted_locale;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::LOCATION;
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use schema::enums::Locale;
use serde::Deserialize;
use std::str::FromStr;

const LANGUAGE: &str = "phananh-language";
const THEME: &str = "phananh-theme";
const THEMES: [&str; 3] = ["auto", "light", "dark"];
/// A browser keeps them this many days.
const KEPT_DAYS: i64 = 365;

/// The choices of a reader, or the preferences of its browser.
#[derive(Debug, Clone, Copy)]
pub struct Preferences {
    pub locale: Locale,
    /// `auto` follows the browser; `light` or `dark`.
    pub theme: &'static str,
}

impl Preferences {
    pub fn from_request(http: &HttpRequest) -> Self {
        let language = http.cookie(LANGUAGE).and_then(|cookie| Locale::from_str(cookie.value()).ok());
        let theme = http.cookie(THEME).and_then(|cookie| theme(cookie.value()));
        Self { locale: language.unwrap_or_else(|| accepted_locale(http)), theme: theme.unwrap_or("auto") }
    }
}

fn theme(word: &str) -> Option<&'static str> {
    THEMES.into_iter().find(|theme| *theme == word)
}

/// The arguments of `/prefer`.
#[derive(Deserialize)]
pub struct Asked {
    language: Option<String>,
    theme: Option<String>,
    next: Option<String>,
}

/// The handler of `/prefer`: stores what a reader chooses and leads back.
pub async fn prefer(asked: Option<Query<Asked>>) -> HttpResponse {
    let asked = asked.map_or(Asked { language: None, theme: None, next: None }, Query::into_inner);
    let mut builder = HttpResponse::SeeOther();
    let kept = |name: &'static str, value: &'static str| {
        let cookie = Cookie::build(name, value).path("/").http_only(true).same_site(SameSite::Lax);
        cookie.max_age(Duration::days(KEPT_DAYS)).finish()
    };
    if let Some(locale) = asked.language.and_then(|word| Locale::from_str(&word).ok()) {
        builder.cookie(kept(LANGUAGE, locale.as_str()));
    }
    if let Some(theme) = asked.theme.and_then(|word| theme(&word)) {
        builder.cookie(kept(THEME, theme));
    }
    let next = asked.next.as_deref().and_then(local).unwrap_or("/");
    builder.insert_header((LOCATION, next)).finish()
}

/// An address of this server, without its origin; None for any other.
pub fn local(address: &str) -> Option<&str> {
    let is_local = address.starts_with('/') && !address.starts_with("//");
    let is_plain = address.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\');
    (is_local && is_plain).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn only_addresses_of_this_server_are_local() {
        assert_eq!(local("/flags?tier=REVIEW"), Some("/flags?tier=REVIEW"));
        for other in
            ["", "//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "/a\r\nb", "flags"]
        {
            assert_eq!(local(other), None, "{other}");
        }
    }
}
