//! Signing in with OpenID Connect: the code flow with PKCE. The issuer, its keys and the meaning of its claims are
//! those of `[api.jwt]`; the identity token signs in like any external JWT.

use super::address::{address, encoded};
use super::error::PageError;
use super::preferences::{Preferences, local};
use super::sign_in::{next_of, refuse, signed_in};
use super::templates::render_error;
use crate::config::{JwtSettings, OidcSettings};
use crate::http::{Service, SignInError, begin_session_of, count_attempt, forget_attempt, random_secret};
use actix_web::cookie::time::Duration as CookieTime;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use anyhow::Context;
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// Minutes that signing in at the issuer may take.
const TAKES_MINUTES: i64 = 10;
/// The issuer may take this long to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The metadata of the issuer are kept this long.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// The metadata of the issuer, and when it gave them.
static KEPT: Mutex<Option<(Metadata, Instant)>> = Mutex::new(None);

/// The endpoints of an issuer.
#[derive(Clone, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
}

/// The state that the browser keeps between the two requests, so that nodes keep none.
struct Begun {
    /// Ties the answer to this browser.
    state: String,
    /// Ties the identity token to this sign-in.
    nonce: String,
    /// Proves at the token endpoint that the code is ours (PKCE).
    verifier: String,
    next: String,
}

impl Begun {
    fn written(&self) -> String {
        [&self.state, &self.nonce, &self.verifier, &BASE64URL_NOPAD.encode(self.next.as_bytes())]
            .map(String::as_str)
            .join(".")
    }

    fn read(cookie: &str) -> Option<Self> {
        let mut parts = cookie.split('.').map(str::to_owned);
        let (state, nonce, verifier) = (parts.next()?, parts.next()?, parts.next()?);
        let next = String::from_utf8(BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?).ok()?;
        Some(Self { state, nonce, verifier, next })
    }
}

/// The settings that signing in needs, with the address of the page.
struct Client {
    oidc: OidcSettings,
    jwt: JwtSettings,
    back: String,
}

impl Client {
    fn from_service(service: &Service) -> Option<Self> {
        let (settings, jwt) = (&service.settings.web, service.settings.jwt.clone()?);
        let back = format!("{}/sign-in/oidc/back", settings.address.as_ref()?);
        Some(Self { oidc: settings.oidc.clone()?, jwt, back })
    }

    /// The metadata that the issuer gave lately; None if it has to be asked.
    fn kept_metadata(&self) -> Option<Metadata> {
        let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = kept.as_ref().filter(|(known, at)| known.issuer == self.jwt.issuer && at.elapsed() < KEPT_FOR);
        lately.map(|(known, _)| known.clone())
    }

    fn metadata(&self) -> anyhow::Result<Metadata> {
        if let Some(known) = self.kept_metadata() {
            return Ok(known);
        }
        let at = format!("{}/.well-known/openid-configuration", self.jwt.issuer.trim_end_matches('/'));
        anyhow::ensure!(is_protected(&at), "api.jwt.issuer: {at} is not protected in transit: it must be https");
        let mut answer = agent().get(&at).call().with_context(|| at.clone())?;
        let metadata: Metadata = answer.body_mut().read_json().with_context(|| at.clone())?;
        anyhow::ensure!(metadata.issuer == self.jwt.issuer, "{at}: it is the metadata of another issuer");
        for endpoint in [&metadata.authorization_endpoint, &metadata.token_endpoint] {
            anyhow::ensure!(is_protected(endpoint), "{at}: {endpoint} is not protected in transit: it must be https");
        }
        *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some((metadata.clone(), Instant::now()));
        Ok(metadata)
    }

    fn is_https(&self) -> bool {
        self.back.starts_with("https://")
    }

    /// The name of the cookie between the two requests. Browsers accept the prefix only over TLS, and then from no
    /// other host of the domain, which could otherwise sign a reader in as another user.
    fn cookie_name(&self) -> &'static str {
        if self.is_https() { "__Host-phananh-oidc" } else { "phananh-oidc" }
    }

    /// The cookie between the two requests. Lax: the issuer leads back from another site.
    fn cookie(&self, value: String) -> Cookie<'static> {
        let cookie = Cookie::build(self.cookie_name(), value).path("/").http_only(true).same_site(SameSite::Lax);
        cookie.secure(self.is_https()).max_age(CookieTime::minutes(TAKES_MINUTES)).finish()
    }

    /// The identity token for a code.
    fn token(&self, code: &str, verifier: &str) -> anyhow::Result<String> {
        let metadata = self.metadata()?;
        let secret = self.oidc.client_secret_file.as_ref().map(|file| {
            std::fs::read_to_string(file).with_context(|| format!("web.oidc.client_secret_file: {}", file.display()))
        });
        let secret = secret.transpose()?.map(|secret| secret.trim().to_owned());
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.back.as_str()),
            ("client_id", self.oidc.client_id.as_str()),
            ("code_verifier", verifier),
        ];
        fields.extend(secret.as_deref().map(|secret| ("client_secret", secret)));
        let mut answer = agent().post(&metadata.token_endpoint).send_form(fields).context("the token endpoint")?;
        let answer: Value = answer.body_mut().read_json().context("the answer of the token endpoint")?;
        Ok(answer["id_token"].as_str().context("the token endpoint gives no id_token")?.to_owned())
    }
}

/// An https address, or one of this machine.
fn is_protected(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://127.0.0.1:")
}

fn agent() -> Agent {
    // Use the system's trust store: a closed network has its own certificate authority.
    let trust = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder().timeout_global(Some(ANSWERS_WITHIN)).max_redirects(0).tls_config(trust);
    config.build().into()
}

/// Whether an identity token is for this sign-in. Its signature is verified when it signs in.
fn has_nonce(token: &str, nonce: &str) -> bool {
    let payload = token.split('.').nth(1).and_then(|part| BASE64URL_NOPAD.decode(part.as_bytes()).ok());
    let claims: Option<Value> = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    claims.is_some_and(|claims| claims["nonce"].as_str() == Some(nonce))
}

#[derive(Deserialize)]
pub struct Next {
    next: Option<String>,
}

/// Leads to the issuer.
pub async fn begin(service: Data<Service>, http: HttpRequest, asked: Option<Query<Next>>) -> HttpResponse {
    let refused =
        |error: &PageError| render_error(&service, &http, None, Preferences::from_request(&http), (error, &[]));
    let Some(client) = Client::from_service(&service) else { return refused(&PageError::NotFound) };
    // Without its metadata the issuer is asked: attempts count until it has answered.
    let asks = client.kept_metadata().is_none();
    if asks && let Err(error) = count_attempt(&service, &http) {
        return refuse(&service, &http, error);
    }
    let next = next_of(asked.as_ref().and_then(|asked| asked.next.as_deref())).to_owned();
    let begun = Begun { state: random_secret(), nonce: random_secret(), verifier: random_secret(), next };
    let (found, client) = match actix_web::web::block(move || (client.metadata(), client)).await {
        Ok((Ok(metadata), client)) => (metadata, client),
        Ok((Err(error), _)) => {
            tracing::error!(error = format!("{error:#}"), "the issuer of [api.jwt] cannot be asked");
            return refused(&PageError::Away);
        }
        Err(_) => return refused(&PageError::Internal),
    };
    if asks {
        forget_attempt(&service, &http);
    }
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(begun.verifier.as_bytes()));
    let arguments = [
        ("response_type", "code"),
        ("client_id", client.oidc.client_id.as_str()),
        ("redirect_uri", client.back.as_str()),
        ("scope", client.oidc.scopes.as_str()),
        ("state", begun.state.as_str()),
        ("nonce", begun.nonce.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let to = match found.authorization_endpoint.contains('?') {
        true => {
            let more: Vec<String> =
                arguments.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
            format!("{}&{}", found.authorization_endpoint, more.join("&"))
        }
        false => address(&found.authorization_endpoint, arguments),
    };
    HttpResponse::SeeOther().insert_header((LOCATION, to)).cookie(client.cookie(begun.written())).finish()
}

/// The answer of the issuer.
#[derive(Deserialize)]
pub struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
}

/// Signs in by the answer of the issuer.
pub async fn back(service: Data<Service>, http: HttpRequest, answer: Option<Query<Answer>>) -> HttpResponse {
    let Some(client) = Client::from_service(&service) else { return refuse(&service, &http, SignInError::NotByIssuer) };
    let begun = http.cookie(client.cookie_name()).and_then(|cookie| Begun::read(cookie.value()));
    let (Some(begun), Some(answer)) = (begun, answer) else {
        return refuse(&service, &http, SignInError::NotByIssuer);
    };
    let is_ours = answer.state.as_deref() == Some(begun.state.as_str())
        && answer.iss.as_ref().is_none_or(|issuer| *issuer == client.jwt.issuer);
    let Some(code) = answer.into_inner().code.filter(|_| is_ours) else {
        return refuse(&service, &http, SignInError::NotByIssuer);
    };
    // Anyone can make up a cookie and a state, and each attempt asks the issuer.
    if let Err(error) = count_attempt(&service, &http) {
        return refuse(&service, &http, error);
    }
    let (verifier, mut used) = (begun.verifier.clone(), client.cookie(String::new()));
    used.make_removal();
    let token = match actix_web::web::block(move || client.token(&code, &verifier)).await {
        Ok(Ok(token)) if has_nonce(&token, &begun.nonce) => token,
        Ok(Ok(_)) => return refuse(&service, &http, SignInError::NotByIssuer),
        Ok(Err(error)) => {
            tracing::warn!(error = format!("{error:#}"), "the issuer of [api.jwt] gave no token");
            return refuse(&service, &http, SignInError::NotByIssuer);
        }
        Err(_) => return refuse(&service, &http, SignInError::Away),
    };
    match begin_session_of(&service, &http, token).await {
        Ok(secret) => {
            let mut response = signed_in(&service, &http, secret, local(&begun.next).unwrap_or("/"));
            if let Err(error) = response.add_cookie(&used) {
                tracing::error!(%error, "a cookie cannot be removed");
            }
            response
        }
        // The reader has entered no token.
        Err(SignInError::Unknown) => refuse(&service, &http, SignInError::NotByIssuer),
        Err(error) => refuse(&service, &http, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_browser_keeps_is_read_again_and_a_nonce_ties_the_token_to_it() {
        let begun =
            Begun { state: "s".into(), nonce: "n".into(), verifier: "v".into(), next: "/flags?tier=REVIEW".into() };
        let read = Begun::read(&begun.written()).unwrap();
        assert_eq!((read.state.as_str(), read.next.as_str()), ("s", "/flags?tier=REVIEW"));
        assert!(Begun::read("s.n").is_none());
        let token = format!("h.{}.s", BASE64URL_NOPAD.encode(br#"{"nonce":"n"}"#));
        assert!(has_nonce(&token, "n") && !has_nonce(&token, "m") && !has_nonce("h.x.s", "n"));
    }
}
