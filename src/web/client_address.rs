//! Whose address a request comes from, when proxies stand before us.

use std::net::IpAddr;
use std::str::FromStr;

use actix_web::HttpRequest;
use ipnet::IpNet;

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
            net.map_err(|_| format!("{part:?} is neither an address nor a network like 10.0.0.0/8"))
        };
        parts.map(net).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The client's address: the peer's, or, behind trusted proxies, the last one that they name and are not
    /// themselves. What stands before that in the header, the client may have written.
    pub(crate) fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        if !self.trust(peer) {
            return Some(peer);
        }
        let headers: Vec<&str> =
            request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
        Some(self.forwarded(peer, &headers))
    }

    fn forwarded(&self, peer: IpAddr, headers: &[&str]) -> IpAddr {
        let mut client = peer;
        for part in headers.iter().flat_map(|header| header.split(',')).rev() {
            let Ok(address) = part.trim().parse::<IpAddr>() else { return client };
            client = address.to_canonical();
            if !self.trust(client) {
                return client;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[&str], client: &str) {
        let proxies: TrustedProxies = "127.0.0.1, 10.0.0.0/8, ::1".parse().unwrap();
        assert_eq!(proxies.forwarded("127.0.0.1".parse().unwrap(), headers).to_string(), client);
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
        assert!("10.0.0.0/33".parse::<TrustedProxies>().is_err());
        assert_eq!("".parse(), Ok(TrustedProxies::default()));
    }
}
