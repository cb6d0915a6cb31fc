//! How plans find and reach addresses, on real connections: `dns`, `hosts`, `source_addresses`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::name_server::{NameServer, Say};
use crate::support::files;
use crate::wire::{Ran, throng};

/// Servers at 127.0.0.1 and the addresses after it, all at one port. They say which of them it was,
/// and whom they saw.
struct Servers {
    port: u16,
    /// The address of the server, that of the client, and the `Host` header of each request.
    seen: Arc<Mutex<Vec<[String; 3]>>>,
}

impl Servers {
    fn start(count: u8) -> Self {
        let listeners = 'ports: loop {
            let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = first.local_addr().unwrap().port();
            let mut all = vec![first];
            for last in 2..=count {
                match TcpListener::bind((Ipv4Addr::new(127, 0, 0, last), port)) {
                    Ok(listener) => all.push(listener),
                    Err(_) => continue 'ports,
                }
            }
            break all;
        };
        let port = listeners[0].local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        for listener in listeners {
            let seen = seen.clone();
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let (stream, seen) = (stream.unwrap(), seen.clone());
                    let own = stream.local_addr().unwrap().ip().to_string();
                    let peer = stream.peer_addr().unwrap().ip().to_string();
                    thread::spawn(move || {
                        serve(stream, |host| {
                            seen.lock().unwrap().push([own.clone(), peer.clone(), host]);
                        });
                    });
                }
            });
        }
        Self { port, seen }
    }

    /// What came, `at` the servers (0), `from` the clients (1), or `for` the hosts (2).
    fn column(&self, nth: usize) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen[nth].clone()).collect()
    }
}

/// Answers requests without a body, and tells their `Host`.
fn serve(mut stream: impl Read + Write, mut tell: impl FnMut(String)) {
    let (mut read, mut chunk) = (String::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        read += std::str::from_utf8(&chunk[..count]).unwrap();
        while let Some((head, rest)) = read.split_once("\r\n\r\n") {
            let host = head.lines().find_map(|line| line.strip_prefix("host: "));
            let host = host.or(head.lines().find_map(|line| line.strip_prefix("Host: ")));
            tell(host.unwrap_or_default().to_owned());
            read = rest.to_owned();
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
                return;
            }
        }
    }
}

/// One user sends so many requests, each over a connection of its own.
fn run(top: &str, requests: u32) -> Ran {
    let plan = format!(
        "{top}\nconnections: new
users: {{ U: {{ tasks: {{ all: {{ get: / }} }} }} }}
profiles: {{ only: {{ users: 1, hold: 1h, iterations: {requests} }} }}\n"
    );
    throng(files(&[]).path(), &plan, "--workers 1")
}

fn four(server: &NameServer) -> usize {
    server.asked().iter().filter(|asked| asked.starts_with("A ")).count()
}

#[test]
fn names_are_looked_up_as_often_as_the_plan_says() {
    let servers = Servers::start(2);
    let port = servers.port;
    for (lookup, seconds, asked) in [
        ("lookup: once", 0, 1..=1),
        // One before the first user, and one for each connection.
        ("lookup: each", 60, 7..=7),
        ("lookup: ttl", 60, 2..=2),
        ("lookup: ttl", 0, 2..=2),
    ] {
        let server = NameServer::start(move |_, _| Say::at(&["127.0.0.1", "127.0.0.2"], seconds));
        servers.seen.lock().unwrap().clear();
        let top = format!(
            "target: http://shop.test:{port}\ndns: {{ server: {}, {lookup} }}",
            server.address
        );
        let ran = run(&top, 6);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(asked.contains(&four(&server)), "{lookup} {seconds}: {:?}", server.asked());
        let one = "127.0.0.1";
        let count = servers.column(0).iter().filter(|at| **at == *one).count();
        assert_eq!((count, servers.column(0).len()), (3, 6), "spread evenly");
    }
}

#[test]
fn what_a_name_server_says_is_told_before_the_first_user() {
    let server = NameServer::start(|name, _| match name {
        "unknown.test" => Say::Code(3),
        "broken.test" => Say::Code(2),
        _ => Say::Nothing,
    });
    for (name, said) in [
        ("unknown.test", "dns: the name does not exist"),
        ("broken.test", "dns: the name server failed"),
        ("silent.test", "dns timeout"),
    ] {
        let ran = run(&format!("target: http://{name}\ndns: {{ server: {} }}", server.address), 1);
        assert_eq!(ran.code, 4, "{}", ran.err);
        assert!(ran.err.contains(&format!("never reached: {said}")), "{}", ran.err);
    }
}

#[test]
fn what_a_name_server_says_later_is_a_failure() {
    let servers = Servers::start(1);
    let mut times = 0;
    let server = NameServer::start(move |_, six| {
        times += usize::from(!six);
        if times > 3 { Say::Code(3) } else { Say::at(&["127.0.0.1"], 60) }
    });
    let top = format!(
        "target: http://shop.test:{}\ndns: {{ server: {}, lookup: each }}",
        servers.port, server.address
    );
    let ran = run(&top, 4);
    let failures = ran.json["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!((&failures[0]["id"], &failures[0]["count"]), (&"dns.nxdomain".into(), &2.into()));
}

#[test]
fn hosts_lead_where_the_plan_says() {
    let servers = Servers::start(2);
    let port = servers.port;
    let top = format!(
        "target: http://shop.test\nhosts: {{ Shop.test: [127.0.0.1:{port}, 127.0.0.2:{port}] }}"
    );
    let ran = run(&top, 4);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(servers.column(2), ["shop.test"; 4], "the header stays as it is");
    let mut at = servers.column(0);
    at.sort();
    assert_eq!(at, ["127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2"]);

    // What the command line says wins, and metadata is met by nobody.
    let top = format!("target: http://shop.test:{port}\nhosts: {{ shop.test: 169.254.169.254 }}");
    let ran = run(&top, 1);
    assert!(ran.code == 2 && ran.err.contains("load is never sent there"), "{}", ran.err);
}

#[test]
fn a_socket_of_this_machine_is_reached_by_a_name() {
    let folder = files(&[]);
    let path = folder.path().join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = seen.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let log = log.clone();
            thread::spawn(move || serve(stream.unwrap(), |host| log.lock().unwrap().push(host)));
        }
    });
    let hosts = format!("target: http://app.test\nhosts: {{ app.test: unix:{} }}", path.display());
    let ran = run(&hosts, 3);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(*seen.lock().unwrap(), ["app.test"; 3]);
    std::fs::remove_file(path).unwrap();
    let ran = run(&hosts, 3);
    assert!(ran.code == 4 && ran.err.contains("connect refused"), "{}", ran.err);
}

#[test]
fn connections_come_from_source_addresses_in_turn() {
    let servers = Servers::start(1);
    let target = format!("target: http://127.0.0.1:{}", servers.port);
    let ran = run(&format!("source_addresses: [127.0.0.5, 127.0.0.6-127.0.0.7]\n{target}"), 6);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mut from = servers.column(1);
    from.sort();
    assert_eq!(
        from,
        ["127.0.0.5", "127.0.0.5", "127.0.0.6", "127.0.0.6", "127.0.0.7", "127.0.0.7"]
    );
    let ran = run(&format!("{target}\nsource_addresses: 192.0.2.1"), 1);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`192.0.2.1` is not an address of this machine"), "{}", ran.err);
}
