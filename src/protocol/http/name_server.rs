//! Owns a name server for tests, which answers as it is told: an address, an error, nothing.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server says.
#[derive(Debug, Clone)]
pub enum Say {
    /// These addresses, of the kind that was asked for, for so many seconds.
    At(Vec<IpAddr>, u32),
    /// This code (RFC 1035, 4.1.1).
    Code(u8),
    /// The same, but only over TCP.
    OverTcp(Vec<IpAddr>, u32),
    /// Not a word.
    Nothing,
}

impl Say {
    pub fn at(addresses: &[&str], seconds: u32) -> Self {
        Self::At(addresses.iter().map(|text| text.parse().unwrap()).collect(), seconds)
    }
}

/// A server that goes on to the end of the test program.
#[derive(Debug)]
pub struct NameServer {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    /// `say` is told the name, without the dot at its end, and whether an IPv6 address is wanted.
    pub fn start(say: impl FnMut(&str, bool) -> Say + Send + 'static) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            // The port of the one may be taken for the other.
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let say = Arc::new(Mutex::new(say));
        let (said, heard) = (say.clone(), asked.clone());
        thread::spawn(move || {
            for stream in tcp.incoming() {
                let _ = over_tcp(stream.unwrap(), |question| {
                    answer(question, true, &heard, &mut *said.lock().unwrap())
                });
            }
        });
        let heard = asked.clone();
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = udp.recv_from(&mut question) {
                let said = answer(&question[..length], false, &heard, &mut *say.lock().unwrap());
                if let Some(said) = said {
                    udp.send_to(&said, from).unwrap();
                }
            }
        });
        Self { address, asked }
    }

    /// What was asked: `A shop.test`, `AAAA shop.test`, `A shop.test over TCP`. Sent again over UDP
    /// counts again.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn over_tcp(
    mut stream: TcpStream,
    mut answer: impl FnMut(&[u8]) -> Option<Vec<u8>>,
) -> std::io::Result<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut question)?;
        if let Some(said) = answer(&question) {
            stream.write_all(&(said.len() as u16).to_be_bytes())?;
            stream.write_all(&said)?;
        }
    }
}

fn answer(
    question: &[u8],
    tcp: bool,
    asked: &Mutex<Vec<String>>,
    say: &mut dyn FnMut(&str, bool) -> Say,
) -> Option<Vec<u8>> {
    let (mut at, mut name) = (12, String::new());
    while question[at] > 0 {
        let label = &question[at + 1..=at + usize::from(question[at])];
        name += std::str::from_utf8(label).unwrap();
        name += ".";
        at += 1 + label.len();
    }
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let six = question[at + 2] == 28;
    let kind = if six { "AAAA" } else { "A" };
    let over = if tcp { " over TCP" } else { "" };
    asked.lock().unwrap().push(format!("{kind} {name}{over}"));
    let (mut flags, mut code, mut records) = (0x81, 0, Vec::new());
    match say(&name, six) {
        Say::Nothing => return None,
        Say::Code(number) => code = number,
        Say::OverTcp(..) if !tcp => flags |= 2,
        Say::At(addresses, seconds) | Say::OverTcp(addresses, seconds) => {
            records = of_kind(addresses, six, seconds);
        }
    }
    let count = records.len() as u8;
    let mut said = vec![question[0], question[1], flags, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
    said.extend(&question[12..at + 5]);
    for (address, seconds) in records {
        let bytes = match address {
            IpAddr::V4(four) => four.octets().to_vec(),
            IpAddr::V6(six) => six.octets().to_vec(),
        };
        // The name is that of the question.
        said.extend([0xc0, 12, 0, if six { 28 } else { 1 }, 0, 1]);
        said.extend(seconds.to_be_bytes());
        said.extend([0, bytes.len() as u8]);
        said.extend(bytes);
    }
    Some(said)
}

fn of_kind(addresses: Vec<IpAddr>, six: bool, seconds: u32) -> Vec<(IpAddr, u32)> {
    let kind = addresses.into_iter().filter(|address| address.is_ipv6() == six);
    kind.map(|address| (address, seconds)).collect()
}
