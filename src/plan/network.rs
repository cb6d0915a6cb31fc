//! Owns how targets are found and reached: `dns`, `hosts` and `source_addresses`, read from text.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::target::is_host;
use crate::diagnostic::Placed;

/// How many addresses connections can come from.
pub const MOST_SOURCES: usize = 256;
/// The port of name servers.
const DNS: u16 = 53;
/// The longest path of a socket that Linux takes.
const LONGEST_PATH: usize = 107;

/// How targets are found and reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Network {
    /// How often names are looked up.
    pub lookup: Lookup,
    /// The name server; the system's own when absent.
    pub server: Option<SocketAddr>,
    /// Where names lead, whatever the name servers say.
    pub hosts: Vec<Host>,
    /// The addresses of this machine that connections come from, in turn; where the system likes,
    /// when there are none.
    pub sources: Vec<Placed<IpAddr>>,
}

/// How often a name is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lookup {
    /// Once, before the first user.
    Once,
    /// For each connection.
    Each,
    /// When the answer is no longer good, as it says itself.
    #[default]
    Ttl,
}

/// A name, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// In lower case, without the dot of the root.
    pub name: Placed<String>,
    /// Where it leads.
    pub leads: Leads,
}

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// To these addresses, in turn; the port is that of the target where none is said.
    At(Vec<(IpAddr, Option<u16>)>),
    /// To a socket of this machine.
    Socket(PathBuf),
}

/// Why a text is none of these, and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {advice}")]
pub struct NetworkError {
    /// What is wrong, without a full stop.
    pub problem: String,
    /// What to write instead.
    pub advice: String,
}

fn wrong<T>(problem: impl Into<String>, advice: impl Into<String>) -> Result<T, NetworkError> {
    Err(NetworkError { problem: problem.into(), advice: advice.into() })
}

/// A name that `hosts` can hold.
///
/// # Errors
/// It is an address, or more or less than a name.
pub fn host_name(text: &str) -> Result<String, NetworkError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<IpAddr>().is_ok() {
        return wrong(
            format!("`{text}` is an address, and `hosts` is for names"),
            "write the address into the target; or `--resolve`, which takes addresses too",
        );
    }
    if is_host(text) {
        return Ok(text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase());
    }
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or(host);
    let advice = if is_host(host) {
        format!("write the name alone, as `{host}`: it holds for each port")
    } else {
        "write a name, as `shop.test`".to_owned()
    };
    wrong(format!("`{text}` is not the name of a host"), advice)
}

/// An address, with a port or without: `127.0.0.1`, `127.0.0.1:8080`, `::1`, `[::1]:8080`.
///
/// # Errors
/// It is something else.
pub fn address(text: &str) -> Result<(IpAddr, Option<u16>), NetworkError> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse() {
        return Ok((address, None));
    }
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() > 0 => Ok((address.ip(), Some(address.port()))),
        Ok(_) => wrong("`0` is not a port", "ports lie between 1 and 65535"),
        Err(_) => {
            let known = if text.contains("://") {
                "write the address alone, as `127.0.0.1:8080`: the scheme is that of the target"
            } else {
                "write one as `127.0.0.1`, `127.0.0.1:8080` or `[::1]:8080`: names are not looked up here"
            };
            wrong(format!("`{text}` is not an address"), known)
        }
    }
}

/// The socket that a text names: `unix:/run/app.sock`. None, when it names none.
///
/// # Errors
/// Its path is none that a socket can have.
pub fn socket(text: &str) -> Option<Result<PathBuf, NetworkError>> {
    let path = text.trim().strip_prefix("unix:")?;
    Some(if !path.starts_with('/') {
        wrong(
            format!("`{}` does not begin at the root", text.trim()),
            "write its whole path, as `unix:/run/app.sock`",
        )
    } else if path.len() > LONGEST_PATH {
        wrong(
            format!("the path of the socket has {} bytes", path.len()),
            format!("the system takes {LONGEST_PATH}: put it, or a link to it, somewhere shorter"),
        )
    } else {
        Ok(path.into())
    })
}

/// A name server: an address, with a port where it is not 53.
///
/// # Errors
/// It is none.
pub fn server(text: &str) -> Result<SocketAddr, NetworkError> {
    let (address, port) = address(text)?;
    Ok((address, port.unwrap_or(DNS)).into())
}

/// Addresses that connections can come from: one, or a range as `127.0.0.2-127.0.0.9`.
///
/// # Errors
/// It is neither, or none that a connection can come from, or more than [`MOST_SOURCES`].
pub fn sources(text: &str) -> Result<Vec<IpAddr>, NetworkError> {
    let text = text.trim();
    let (first, last) = text.split_once('-').map_or((text, text), |(a, b)| (a.trim(), b.trim()));
    let own = |text: &str| {
        let known = address(text).map_err(|error| NetworkError {
            advice: "write one of this machine, as `10.0.0.7`, or a range, as `10.0.0.7-10.0.0.9`"
                .to_owned(),
            ..error
        })?;
        match known {
            (_, Some(_)) => wrong(
                format!("`{text}` holds a port"),
                "write the address alone: the system chooses the ports",
            ),
            (address, None) if address.is_unspecified() || address.is_multicast() => wrong(
                format!("no connection comes from `{text}`"),
                "write an address of this machine",
            ),
            (address, None) => Ok(address),
        }
    };
    let range = match (own(first)?, own(last)?) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let numbers = u128::from(u32::from(a))..=u128::from(u32::from(b));
            (numbers, (|number| IpAddr::V4((number as u32).into())) as fn(u128) -> IpAddr)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            (u128::from(a)..=u128::from(b), (|number: u128| IpAddr::V6(number.into())) as _)
        }
        _ => {
            return wrong(
                format!("`{text}` begins and ends with addresses of two kinds"),
                "write two ranges",
            );
        }
    };
    let (numbers, address) = range;
    if numbers.is_empty() {
        return wrong(format!("`{text}` ends before it begins"), format!("write `{last}-{first}`"));
    }
    if numbers.end() - numbers.start() >= MOST_SOURCES as u128 {
        return wrong(
            format!("`{text}` holds more than {MOST_SOURCES} addresses"),
            "write a smaller range",
        );
    }
    Ok(numbers.map(address).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<T>(read: Result<T, NetworkError>, show: impl Fn(T) -> String) -> String {
        read.map_or_else(|error| error.to_string(), show)
    }

    #[test]
    fn hosts_are_names() {
        for (text, want) in [
            ("Shop.Test.", "shop.test"),
            ("todo_app", "todo_app"),
            (
                "127.0.0.1",
                "`127.0.0.1` is an address, and `hosts` is for names; write the address into the target; or `--resolve`, which takes addresses too",
            ),
            (
                "https://shop.test/",
                "`https://shop.test/` is not the name of a host; write the name alone, as `shop.test`: it holds for each port",
            ),
            (
                "shop.test:443",
                "`shop.test:443` is not the name of a host; write the name alone, as `shop.test`: it holds for each port",
            ),
            ("a b", "`a b` is not the name of a host; write a name, as `shop.test`"),
        ] {
            assert_eq!(shown(host_name(text), |name| name), want);
        }
    }

    #[test]
    fn addresses_are_read_with_a_port_and_without() {
        for (text, want) in [
            ("127.0.0.1", "127.0.0.1 None"),
            ("127.0.0.1:8080", "127.0.0.1 Some(8080)"),
            ("::1", "::1 None"),
            ("[::1]", "::1 None"),
            (" [::1]:80 ", "::1 Some(80)"),
            ("127.0.0.1:0", "`0` is not a port; ports lie between 1 and 65535"),
            (
                "other.test",
                "`other.test` is not an address; write one as `127.0.0.1`, `127.0.0.1:8080` or `[::1]:8080`: names are not looked up here",
            ),
            (
                "http://10.0.0.1",
                "`http://10.0.0.1` is not an address; write the address alone, as `127.0.0.1:8080`: the scheme is that of the target",
            ),
        ] {
            assert_eq!(shown(address(text), |(ip, port)| format!("{ip} {port:?}")), want);
        }
        assert_eq!(server("10.0.0.2"), Ok("10.0.0.2:53".parse().unwrap()));
        assert_eq!(server("[::1]:5353"), Ok("[::1]:5353".parse().unwrap()));
    }

    #[test]
    fn sockets_are_whole_paths() {
        assert_eq!(socket("127.0.0.1"), None);
        assert_eq!(socket("unix:/run/app.sock"), Some(Ok("/run/app.sock".into())));
        assert_eq!(socket("unix:///run/app.sock"), Some(Ok("/run/app.sock".into())));
        for (text, want) in [
            (
                "unix:app.sock".to_owned(),
                "`unix:app.sock` does not begin at the root; write its whole path, as `unix:/run/app.sock`",
            ),
            (
                format!("unix:/{}", "x".repeat(107)),
                "the path of the socket has 108 bytes; the system takes 107: put it, or a link to it, somewhere shorter",
            ),
        ] {
            let read = socket(&text).unwrap();
            assert_eq!(shown(read, |path| path.display().to_string()), want);
        }
    }

    #[test]
    fn sources_are_addresses_and_ranges() {
        let show =
            |all: Vec<IpAddr>| format!("{} from {} to {}", all.len(), all[0], all[all.len() - 1]);
        for (text, want) in [
            ("127.0.0.2", "1 from 127.0.0.2 to 127.0.0.2"),
            ("127.0.0.250 - 127.0.1.4", "11 from 127.0.0.250 to 127.0.1.4"),
            ("fd00::1-fd00::100", "256 from fd00::1 to fd00::100"),
            (
                "fd00::1-fd00::101",
                "`fd00::1-fd00::101` holds more than 256 addresses; write a smaller range",
            ),
            (
                "127.0.0.9-127.0.0.2",
                "`127.0.0.9-127.0.0.2` ends before it begins; write `127.0.0.2-127.0.0.9`",
            ),
            (
                "127.0.0.9-::1",
                "`127.0.0.9-::1` begins and ends with addresses of two kinds; write two ranges",
            ),
            ("0.0.0.0", "no connection comes from `0.0.0.0`; write an address of this machine"),
            (
                "10.0.0.1:80",
                "`10.0.0.1:80` holds a port; write the address alone: the system chooses the ports",
            ),
            (
                "eth0",
                "`eth0` is not an address; write one of this machine, as `10.0.0.7`, or a range, as `10.0.0.7-10.0.0.9`",
            ),
        ] {
            assert_eq!(shown(sources(text), show), want);
        }
    }
}
