//! The address of a cluster: `sc://host:port/;token=…;use_ssl=true;user_id=…`, in the form of Spark's clients.

use std::fmt;
use std::str::FromStr;

/// The port of Spark Connect.
const PORT: u16 = 15_002;
/// The user name that this program sends to the cluster.
const USER: &str = "phananh";

/// The address of a cluster. Its `Display` form has no token.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    pub user: String,
    /// Sent as a bearer token.
    pub token: Option<String>,
}

impl Address {
    /// The address as a URL.
    pub fn uri(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{what}: write sc://HOST:{PORT} or sc://HOST:{PORT}/;use_ssl=true");
        let rest = text.strip_prefix("sc://").ok_or_else(|| wrong("the address does not begin with sc://"))?;
        let (place, options) = rest.split_once('/').unwrap_or((rest, ""));
        let is_port = |port: &str| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if is_port(port) => {
                (host, port.parse().map_err(|_| wrong("the port is not from 0 to 65535"))?)
            }
            _ => (place, PORT),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if host.is_empty() || !host.chars().all(is_name) {
            return Err(wrong("the address has no host"));
        }
        let mut address = Self { host: host.to_owned(), port, tls: false, user: USER.to_owned(), token: None };
        for option in options.split(';').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("use_ssl", "true")) => address.tls = true,
                Some(("use_ssl", "false")) => address.tls = false,
                Some(("user_id", user)) if !user.is_empty() => address.user = user.to_owned(),
                // Spark's clients send a token over TLS only.
                Some(("token", token)) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    address.tls = true;
                    address.token = Some(token.to_owned());
                }
                _ => {
                    let name = option.split('=').next().unwrap_or_default();
                    return Err(wrong(&format!("the option {name:?} is unknown or has a wrong value")));
                }
            }
        }
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sc://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_sparks_clients() {
        let address: Address = "sc://spark.example.org".parse().unwrap();
        assert_eq!((address.uri().as_str(), address.user.as_str()), ("http://spark.example.org:15002", USER));
        let address: Address = "sc://[::1]:7/;user_id=a;token=secret".parse().unwrap();
        assert_eq!(address.uri(), "https://[::1]:7");
        assert_eq!((address.user.as_str(), address.token.as_deref()), ("a", Some("secret")));
        assert_eq!((address.to_string(), format!("{address:?}")), ("sc://[::1]:7".into(), "sc://[::1]:7".into()));
        for wrong in [
            "",
            "df://host:1",
            "sc://",
            "sc://:1",
            "sc://host:99999",
            "sc://a b",
            "sc://h/;colour=red",
            "sc://h/;token",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
