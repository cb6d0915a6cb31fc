//! Owns the tests of connecting: which address is met, from where, and over what.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};
use tokio::time::{Duration, Instant};

use super::name_server::{NameServer, Say};
use super::scripted::PLAIN;
use super::stream::Stream;
use super::tests::{GET, LONG, SHORT, User, at, deaf, locally};
use super::{Connections, Http, Lookup, Names, Place, Settings, Target};
use crate::metrics::Fault;
use crate::protocol::{Limits, Protocol as _};

/// Listeners at 127.0.0.1 and the addresses after it, all at one port.
async fn neighbours(count: u8) -> Vec<TcpListener> {
    'ports: loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let mut all = vec![first];
        for last in 2..=count {
            match TcpListener::bind((Ipv4Addr::new(127, 0, 0, last), port)).await {
                Ok(listener) => all.push(listener),
                Err(_) => continue 'ports,
            }
        }
        return all;
    }
}

fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    listeners.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

fn client(place: Place, settings: Settings) -> Http {
    Http::new(
        vec![Target { authority: "shop.test".to_owned(), place, tls: None, way: 0 }],
        settings,
    )
}

async fn connect(http: &Http, limits: &Limits) -> Result<Stream, Fault> {
    let now = Instant::now();
    http.connect(0, limits, now, now, Default::default()).await.map(|(stream, _)| stream)
}

/// The last part of the address that the next connection meets.
async fn met(http: &Http) -> u8 {
    match connect(http, &LONG).await.unwrap().tcp().peer_addr().unwrap().ip() {
        IpAddr::V4(met) => met.octets()[3],
        IpAddr::V6(met) => panic!("{met}"),
    }
}

#[tokio::test]
async fn connections_are_spread_evenly_over_the_addresses() {
    let listeners = neighbours(3).await;
    let place = at(&addresses(&listeners));
    let (one, other) = (
        client(place.clone(), Settings::default()),
        client(place, Settings { worker: 1, ..Settings::default() }),
    );
    for turn in [1, 2, 3, 1, 2] {
        assert_eq!(met(&one).await, turn);
    }
    assert_eq!(met(&other).await, 2, "another worker begins with another one");
    assert_eq!(met(&other).await, 3);
}

#[tokio::test]
async fn the_addresses_of_a_name_have_their_turns_too() {
    let listeners = neighbours(2).await;
    let port = listeners[0].local_addr().unwrap().port();
    let server = NameServer::start(|_, _| Say::at(&["127.0.0.1", "127.0.0.2"], 60));
    for lookup in [Lookup::Once, Lookup::Each, Lookup::Ttl] {
        let names = Names { lookup, server: Some(server.address) };
        let authority = format!("shop.test:{port}");
        let target = Target { authority, place: Place::Named, tls: None, way: 0 };
        let http = Http::new(vec![target], Settings { names, ..Settings::default() });
        for turn in [1, 2, 1] {
            assert_eq!(met(&http).await, turn, "{lookup:?}");
        }
    }
}

#[tokio::test]
async fn connections_come_from_the_given_addresses_in_turn() {
    let listeners = neighbours(1).await;
    let sources = ["127.0.0.5", "127.0.0.6", "::1"].map(|text| text.parse().unwrap());
    let settings = Settings { sources: sources.into(), ..Settings::default() };
    let http = client(at(&addresses(&listeners)), settings);
    for from in ["127.0.0.5", "127.0.0.6", "127.0.0.5"] {
        let stream = connect(&http, &LONG).await.unwrap();
        assert_eq!(stream.tcp().local_addr().unwrap().ip().to_string(), from);
    }
    // Of documents, and of nobody here.
    let sources: Arc<[IpAddr]> = Arc::new(["192.0.2.1".parse().unwrap()]);
    let settings = Settings { sources, ..Settings::default() };
    let http = client(at(&addresses(&listeners)), settings);
    assert_eq!(connect(&http, &LONG).await.map(|_| ()), Err(Fault::LocalPorts));
}

#[tokio::test]
async fn what_is_written_goes_at_once() {
    let listeners = neighbours(1).await;
    let http = client(at(&addresses(&listeners)), Settings::default());
    assert!(connect(&http, &LONG).await.unwrap().tcp().nodelay().unwrap());
}

/// Row 4 of the catalogue, when there is another address.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_does_not_take_the_connection_is_not_waited_for() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let full = listener.local_addr().unwrap();
    let _waiting =
        [TcpStream::connect(full).await.unwrap(), TcpStream::connect(full).await.unwrap()];
    let well = neighbours(1).await;
    let began = Instant::now();
    let http = client(at(&[full, addresses(&well)[0]]), Settings::default());
    let stream = connect(&http, &LONG).await.unwrap();
    assert_eq!(stream.tcp().peer_addr().unwrap(), addresses(&well)[0]);
    let took = began.elapsed();
    assert!((Duration::from_millis(250)..Duration::from_secs(2)).contains(&took), "{took:?}");

    let (_socket, refuses) = deaf();
    let http = client(at(&[full, refuses]), Settings::default());
    let limits = Limits { connect: SHORT, ..LONG };
    let fault = connect(&http, &limits).await.map(|_| ());
    assert!(matches!(fault, Err(Fault::ConnectTimeout | Fault::ConnectRefused)), "{fault:?}");
}

fn of_socket(path: &Path) -> Place {
    Place::Socket(path.into())
}

#[tokio::test]
async fn a_socket_of_this_machine_is_a_target() {
    locally(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let listener = UnixListener::bind(&path).unwrap();
        tokio::task::spawn_local(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                for _ in 0..2 {
                    let mut asked = vec![0; GET.len()];
                    stream.read_exact(&mut asked).await.unwrap();
                    assert_eq!(asked, GET);
                    stream.write_all(PLAIN).await.unwrap();
                }
            }
        });
        let mut user = User::at(None, of_socket(&path));
        let mut connects = Vec::new();
        for _ in 0..3 {
            let exchange = user.send(GET).await;
            assert_eq!((exchange.status, &*user.body), (Ok(200), &b"plain"[..]));
            connects.push(exchange.connect.is_some());
            // Its end has come when the second answer was its last.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(connects, [true, false, true], "it is kept while the server keeps it");
    })
    .await;
}

#[tokio::test]
async fn a_socket_that_nobody_serves_is_told_as_a_port_is() {
    let folder = tempfile::tempdir().unwrap();
    let absent = client(of_socket(&folder.path().join("absent")), Settings::default());
    assert_eq!(connect(&absent, &LONG).await.map(|_| ()), Err(Fault::ConnectRefused));
    let left = folder.path().join("left");
    drop(UnixListener::bind(&left).unwrap());
    let left = client(of_socket(&left), Settings::default());
    assert_eq!(connect(&left, &LONG).await.map(|_| ()), Err(Fault::ConnectRefused));
    assert_eq!(left.probe(&LONG).await, Err((0, Fault::ConnectRefused)));
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_no_connection() {
    let server = NameServer::start(|_, _| Say::Code(3));
    let names = Names { lookup: Lookup::Ttl, server: Some(server.address) };
    let target =
        Target { authority: "shop.test".to_owned(), place: Place::Named, tls: None, way: 0 };
    let http = Http::new(vec![target], Settings { names, ..Settings::default() });
    let mut user =
        User { http, connections: Connections::default(), body: Vec::new(), limits: LONG };
    let exchange = user.send(GET).await;
    assert_eq!((exchange.status, exchange.sent), (Err(Fault::DnsUnknown), None));
}

#[tokio::test]
async fn a_name_may_lead_where_load_never_goes() {
    let server = NameServer::start(|_, _| Say::at(&["169.254.169.254", "127.0.0.1"], 60));
    let names = Names { lookup: Lookup::Ttl, server: Some(server.address) };
    let target =
        Target { authority: "shop.test".to_owned(), place: Place::Named, tls: None, way: 0 };
    let http = Http::new(vec![target], Settings { names, ..Settings::default() });
    assert_eq!(connect(&http, &LONG).await.map(|_| ()), Err(Fault::ConnectForbidden));
}
