//! Whose address a request comes from, when proxies stand before us.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use ipnet::{IpNet, Ipv4Net};

/// The proxies whose `X-Forwarded-For` is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = String;

    /// Addresses and networks, divided by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let net = |part: &str| {
            let net = part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
            let net = net.map_err(|_| format!("{part:?} is neither an address nor a network like 10.0.0.0/8"))?;
            Ok(canonical(net))
        };
        parts.map(net).collect::<Result<_, String>>().map(Self)
    }
}

/// An IPv4 network that is written as an IPv6 one is the IPv4 one, as each of its addresses is.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let mapped = v6.network().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(MAPPED_BITS));
    mapped.and_then(|(address, bits)| Ipv4Net::new(address, bits).ok()).map_or(net, IpNet::V4)
}

/// Bits of an IPv6 address before the IPv4 address that it maps (RFC 4291, section 2.5.5.2).
const MAPPED_BITS: u8 = 96;

impl TrustedProxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The client's address: the peer's, or, behind trusted proxies, the last one that they name and are not
    /// themselves. What stands before that in the header, the client may have written.
    pub(crate) fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        Some(self.client_of(request.peer_addr()?.ip(), request.headers()))
    }

    /// As [`TrustedProxies::client`], of a request that is not yet routed.
    pub(crate) fn client_of(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trust(peer) {
            return peer;
        }
        // A line that is no text is read all the same: a proxy has appended to what its client sent.
        let lines: Vec<_> = headers.get_all(FORWARDED).map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        self.forwarded(peer, &lines)
    }

    /// From the end, as each proxy appends. What a proxy says that it does not know (`unknown`) ends this: before it stands what
    /// the client may have written.
    fn forwarded<L: AsRef<str>>(&self, peer: IpAddr, lines: &[L]) -> IpAddr {
        let mut client = peer;
        let items = lines.iter().flat_map(|line| line.as_ref().split(',')).map(unquoted);
        for item in items.rev().filter(|item| !item.is_empty()) {
            let Some(address) = address(item) else { return client };
            client = address.to_canonical();
            if !self.trust(client) {
                return client;
            }
        }
        client
    }
}

const FORWARDED: &str = "x-forwarded-for";

fn unquoted(item: &str) -> &str {
    item.trim().trim_matches('"').trim()
}

/// The address of an item, which may have a port, brackets, or the zone of a link.
fn address(item: &str) -> Option<IpAddr> {
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let v6 = |text: &str| text.split('%').next()?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    if let Some(bracketed) = item.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        return v6(address).filter(|_| port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let v4 = match item.split_once(':') {
        Some((address, port)) if is_port(port) => address,
        _ => item,
    };
    v4.parse::<Ipv4Addr>().ok().map(IpAddr::V4).or_else(|| v6(item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[&str], client: &str) {
        let proxies: TrustedProxies = "127.0.0.1, 10.0.0.0/8, ::1, ::ffff:172.16.0.0/108".parse().unwrap();
        assert_eq!(proxies.forwarded("127.0.0.1".parse().unwrap(), headers).to_string(), client, "{headers:?}");
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_client() {
        check(&[], "127.0.0.1");
        check(&["203.0.113.7"], "203.0.113.7");
        check(&["1.2.3.4, 203.0.113.7, 10.1.2.3"], "203.0.113.7");
        check(&["1.2.3.4", "203.0.113.7"], "203.0.113.7");
        check(&["203.0.113.7, nonsense"], "127.0.0.1");
        check(&["10.0.0.1"], "10.0.0.1");
        check(&["::ffff:203.0.113.7"], "203.0.113.7");
        check(&["1.2.3.4, 203.0.113.7, ::ffff:10.1.2.3, 172.20.1.1, ::1"], "203.0.113.7");
        assert!("10.0.0.0/33".parse::<TrustedProxies>().is_err());
        assert_eq!("".parse(), Ok(TrustedProxies::default()));
    }

    #[test]
    fn an_item_is_read_as_proxies_write_it() {
        for (item, client) in [
            ("203.0.113.7:5678", "203.0.113.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("[::ffff:203.0.113.7]:1", "203.0.113.7"),
            ("fe80::1%eth0", "fe80::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            (" \t203.0.113.7 ", "203.0.113.7"),
            ("203.0.113.7,", "203.0.113.7"),
            ("203.0.113.7, , ,10.0.0.1:80,", "203.0.113.7"),
        ] {
            check(&[item], client);
            check(&["1.2.3.4", &format!("5.6.7.8, {item}")], client);
            check(&["1.2.3.4, 5.6.7.8", item, ""], client);
        }
    }

    #[test]
    fn what_stands_before_something_unreadable_is_not_believed() {
        for item in [
            "unknown",
            "_hidden",
            "\u{fffd}",
            "203.0.113.7:",
            "203.0.113.7:x",
            "203.0.113.7:99999",
            "[2001:db8::1",
            "[::1]x",
            "[203.0.113.7]",
            "203.0.113",
            "0x7f.1",
            "for=203.0.113.7",
        ] {
            check(&[&format!("203.0.113.7, {item}")], "127.0.0.1");
            check(&[&format!("203.0.113.7, {item}, 10.0.0.9")], "10.0.0.9");
        }
    }

    #[test]
    fn only_a_trusted_peer_is_believed() {
        let proxies: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        let request = |forwarded: &[u8]| {
            let value = actix_web::http::header::HeaderValue::from_bytes(forwarded).unwrap();
            actix_web::test::TestRequest::default().insert_header((FORWARDED, value)).to_http_request()
        };
        let client = |peer: &str, forwarded: &[u8]| {
            proxies.client_of(peer.parse().unwrap(), request(forwarded).headers()).to_string()
        };
        assert_eq!(client("192.0.2.1", b"203.0.113.7"), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", b"203.0.113.7"), "192.0.2.1");
        assert_eq!(client("::ffff:10.0.0.1", b"203.0.113.7"), "203.0.113.7");
        assert_eq!(client("10.0.0.1", b"\xff, 203.0.113.7"), "203.0.113.7", "what the client sent hides it not");
        assert_eq!(client("10.0.0.1", b"203.0.113.7, \xff"), "10.0.0.1");
    }
}
