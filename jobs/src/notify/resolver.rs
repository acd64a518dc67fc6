//! Resolves the hosts of webhooks, and refuses private addresses: otherwise a person who adds a webhook could make the
//! server send requests to services that only the server reaches (server-side request forgery).
//!
//! The connection is made to the addresses that were checked here, so that a name cannot resolve to another address
//! between the check and the connection.

use ipnet::IpNet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

#[derive(Debug)]
pub struct CheckedResolver<R = DefaultResolver> {
    /// Networks that may be sent to although they are not public.
    allowed: Vec<IpNet>,
    /// Finds the addresses of a host.
    inner: R,
}

impl CheckedResolver {
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed, inner: DefaultResolver::default() }
    }
}

impl<R> CheckedResolver<R> {
    /// Why an address is refused; None if it is not.
    fn refusal(&self, address: IpAddr, is_plain: bool) -> Option<String> {
        let is_exposed = is_plain && !is_in_any(&self.allowed, address);
        let exposed = || is_exposed.then(|| "http is not protected in transit: use https".to_owned());
        private_refusal(address, &self.allowed).or_else(exposed)
    }
}

impl<R: Resolver> Resolver for CheckedResolver<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.inner.resolve(uri, config, timeout)?;
        let is_plain = uri.scheme_str() != Some("https");
        // One private address among public ones may be an attack, too.
        match addresses.iter().find_map(|address| self.refusal(address.ip(), is_plain)) {
            Some(why) => Err(ureq::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, why))),
            None => Ok(addresses),
        }
    }
}

/// Why no message is sent to an address; None if it is public or in an allowed network.
pub(super) fn private_refusal(address: IpAddr, allowed: &[IpNet]) -> Option<String> {
    let address = address.to_canonical();
    (!is_public(address) && !is_in_any(allowed, address)).then(|| {
        format!("its host has the private address {address}: webhooks.allow_networks in the configuration permits it")
    })
}

fn is_in_any(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// The address that the host of a URL spells; None for a name. As resolvers do, it reads `127.1` and `0x7f000001`, too
/// (`inet_aton`).
pub(super) fn spelled_address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok().or_else(|| numeric_address(bare).map(IpAddr::V4))
}

/// An address of one to four numbers, of which the last one fills the bytes that are left.
fn numeric_address(host: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u32> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, bytes) = numbers.split_last()?;
    if bytes.len() > 3 || *last > u32::MAX >> (8 * bytes.len()) {
        return None;
    }
    let mut address = *last;
    for (byte, shift) in bytes.iter().zip([24, 16, 8]) {
        address |= u32::from(u8::try_from(*byte).ok()?) << shift;
    }
    Some(address.into())
}

/// A number that is decimal, octal with a leading 0, or hexadecimal with a leading 0x.
fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    // The standard library takes a sign, too.
    let is_bare = digits.starts_with(|first: char| first.is_ascii_hexdigit());
    if is_bare { u32::from_str_radix(digits, radix).ok() } else { None }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Whether an address is globally reachable by the registry of IANA for special purposes.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !is_special
}

/// The same. Only global unicast is public, without the parts that embed IPv4 addresses or are for documents.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_global_unicast = a & 0xe000 == 0x2000;
    let is_special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || a & 0xfff0 == 0x3ff0;
    is_global_unicast && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Mutex;
    use std::thread;
    use std::time::Duration;
    use ureq::Agent;
    use ureq::unversioned::transport::DefaultConnector;

    /// A name that resolves to another address at each look-up.
    #[derive(Debug)]
    struct Rebound(Mutex<Vec<Vec<SocketAddr>>>);

    impl Resolver for Rebound {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut found = self.empty();
            for address in self.0.lock().expect("the answers").remove(0) {
                found.push(address);
            }
            Ok(found)
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_after_the_check_gains_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (allowed, private) = (listener.local_addr().expect("its address"), "10.0.0.1:80");
        let private: SocketAddr = private.parse().expect("an address");
        let answers = vec![vec![allowed, private], vec![allowed], vec![private]];
        let network = "127.0.0.1/32".parse().expect("a network");
        let resolver = CheckedResolver { allowed: vec![network], inner: Rebound(Mutex::new(answers)) };
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(20)))
            .max_idle_connections(0)
            .proxy(None)
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        let send = || match agent.post("http://rebound.example/").send("{}") {
            Ok(answer) => answer.status().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(send().contains("private address 10.0.0.1"), "one of two addresses is private");
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let (mut request, mut part) = (Vec::new(), [0; 4096]);
            while !request.ends_with(b"{}") {
                let read = stream.read(&mut part).expect("a request");
                assert!(read > 0, "the client went away");
                request.extend_from_slice(&part[..read]);
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").expect("an answer");
        });
        // The name resolves to another address at once, but the client connects to the one that it checked.
        assert_eq!(send(), "204 No Content");
        served.join().expect("the receiver");
        assert!(send().contains("private address 10.0.0.1"), "the next attempt is checked, too");
    }

    #[test]
    fn a_host_spells_an_address_as_resolvers_read_it() {
        for (host, address) in [
            ("10.0.0.1", Some("10.0.0.1")),
            ("[::1]", Some("::1")),
            ("0", Some("0.0.0.0")),
            ("127.1", Some("127.0.0.1")),
            ("10.1.258", Some("10.1.1.2")),
            ("2130706433", Some("127.0.0.1")),
            ("4294967295", Some("255.255.255.255")),
            ("0x7f.1", Some("127.0.0.1")),
            ("0X7F000001", Some("127.0.0.1")),
            ("0177.0.0.1", Some("127.0.0.1")),
            ("017700000001", Some("127.0.0.1")),
            ("4294967296", None),
            ("127.16777216", None),
            ("256.1", None),
            ("1.2.3.4.5", None),
            ("08", None),
            ("0x", None),
            ("+1", None),
            ("127.0.0.1.", None),
            ("localhost", None),
            ("face", None),
            ("example.org", None),
        ] {
            let expected: Option<IpAddr> = address.map(|address| address.parse().expect("an address"));
            assert_eq!(spelled_address(host), expected, "{host}");
        }
    }

    #[test]
    fn only_public_addresses_and_those_allowed_are_sent_to() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "ff02::1",
        ] {
            let address: IpAddr = private.parse().expect("an address");
            let none = CheckedResolver::new(Vec::new());
            assert!(none.refusal(address, false).is_some(), "{private}");
        }
        let inside = CheckedResolver::new(vec!["10.0.0.0/8".parse().expect("a network")]);
        for (address, is_plain, refused) in [
            ("10.1.2.3", true, false),
            ("::ffff:10.1.2.3", false, false),
            ("192.168.1.1", false, true),
            ("1.1.1.1", false, false),
            ("1.1.1.1", true, true),
            ("2606:4700:4700::1111", false, false),
        ] {
            let refusal = inside.refusal(address.parse().expect("an address"), is_plain);
            assert_eq!(refusal.is_some(), refused, "{address} {refusal:?}");
        }
    }
}
