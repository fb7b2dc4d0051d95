//! A POST over HTTP/1.1 to a receiver on this machine or in this network, one connection each. No TLS: a collector beside it
//! speaks that, with the certificates that it is given.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How long is waited for a connection, and for each piece of an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const MAX_ANSWER: u64 = 1 << 20;

/// Where to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAddress {
    /// `HOST:PORT`
    pub authority: String,
    pub path: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    pub status: u16,
    /// Seconds after which the receiver wants to be asked again.
    pub retry_after: Option<u64>,
    pub body: Vec<u8>,
}

impl HttpAddress {
    /// Reads `http://HOST[:PORT][/PATH]`.
    ///
    /// # Errors
    ///
    /// Why it cannot be used.
    pub fn read(text: &str, usual_path: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("http://") else {
            let tls = text.starts_with("https://");
            return Err(if tls { format!("`{text}` needs TLS, which is not spoken here") } else { format!("`{text}` does not begin with `http://`") });
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if authority.is_empty() || authority.contains('@') || !plain(rest) || rest.contains('#') {
            return Err(format!("`{text}` is no address of a receiver"));
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        Ok(Self { authority, path: if path.len() < 2 { usual_path.to_owned() } else { path.to_owned() } })
    }
}

/// Sends a body and reads the answer.
///
/// # Errors
///
/// There was no connection, or no answer of HTTP.
pub fn post(address: &HttpAddress, kind: &str, body: &[u8]) -> io::Result<HttpAnswer> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("`{}` is not known", address.authority));
    for place in address.authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&place, PATIENCE) {
            Ok(stream) => return exchange(stream, address, kind, body),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn exchange(mut stream: TcpStream, address: &HttpAddress, kind: &str, body: &[u8]) -> io::Result<HttpAnswer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let HttpAddress { authority, path } = address;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: portcullis\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut bytes)?;
    answer(&bytes).ok_or_else(|| io::Error::other("the answer is not HTTP"))
}

/// Reads a whole answer. `None`: it is something else.
#[must_use]
pub fn answer(bytes: &[u8]) -> Option<HttpAnswer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = (std::str::from_utf8(bytes.get(..end)?).ok()?, bytes.get(end + 4..)?);
    let mut lines = head.split("\r\n");
    let (version, rest) = lines.next()?.split_once(' ')?;
    let status = rest.get(..3)?.parse().ok().filter(|_| version.starts_with("HTTP/1."))?;
    let fields: Vec<(String, &str)> = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).collect();
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    if status == 100 {
        return answer(body);
    }
    let chunked = field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let body = if chunked { unchunked(body)? } else { body.to_vec() };
    // An answer that was cut proves nothing.
    let whole = field("content-length").and_then(|length| length.parse::<usize>().ok()).is_none_or(|length| body.len() >= length);
    whole.then(|| HttpAnswer { status, retry_after: field("retry-after").and_then(|seconds| seconds.parse().ok()), body })
}

/// The pieces of a body (RFC 9112, 7.1), joined.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..end)?).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        rest = rest.get(end + 2..)?;
        body.extend(rest.get(..size)?);
        rest = rest.get(size.checked_add(2)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let read = |text: &str| HttpAddress::read(text, "/v1/logs").map(|address| format!("{} {}", address.authority, address.path));
        assert_eq!(read("http://127.0.0.1:4318").unwrap(), "127.0.0.1:4318 /v1/logs");
        assert_eq!(read("http://collector:4318/").unwrap(), "collector:4318 /v1/logs");
        assert_eq!(read("http://[::1]:4318/otlp/v1/logs").unwrap(), "[::1]:4318 /otlp/v1/logs");
        assert_eq!(read("http://collector/x").unwrap(), "collector:80 /x");
        for wrong in ["https://a:1", "a:1", "http://", "http:///x", "http://me:pw@a:1", "http://a:1/\r\nX: y", "http://a b/"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn answers_are_read_whole_or_not_at_all() {
        let plain = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
        assert_eq!((plain.status, plain.body.as_slice()), (200, b"ok".as_slice()));
        let busy = answer(b"HTTP/1.0 503 Busy\r\nRetry-After: 7\r\n\r\n").unwrap();
        assert_eq!((busy.status, busy.retry_after), (503, Some(7)));
        let pieces = answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n").unwrap();
        assert_eq!(pieces.body, b"ok");
        let cut: [&[u8]; 5] = [
            b"",
            b"HTTP/1.1 200",
            b"SSH-2.0-x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ];
        for bytes in cut {
            assert_eq!(answer(bytes), None, "{bytes:?}");
        }
    }
}
