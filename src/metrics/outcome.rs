//! Owns what a request can end in, and the one table that names every way of failing.

use serde::{Deserialize, Serialize};

/// What a request ended in. A request that was cut by the end of the run is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The answer came whole and was what the plan accepts.
    Succeeded,
    /// No whole answer, or one that the plan does not accept.
    Failed(Failure),
    /// Cut by the end of the run; counted, neither succeeded nor failed.
    Cancelled,
}

/// Why a request failed: small and closed, so that failures group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The wire did not deliver an answer.
    Fault(Fault),
    /// A whole answer with a status that the plan does not accept.
    Status(u16),
    /// A rule of the plan broke; the number is its sentence in [`Catalogue::texts`].
    ///
    /// [`Catalogue::texts`]: super::Catalogue::texts
    Rule(u32),
}

/// What a person groups failures by: the server's own errors, refused requests, connections, time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Status 500 to 599.
    ServerError,
    /// Any other status that the plan does not accept.
    Status,
    /// Names, connections, resets, broken answers.
    Connection,
    /// A limit in time.
    Timeout,
    /// A rule of the plan.
    Rule,
    /// The generator's own shortage; the target is not to blame.
    Generator,
}

impl FailureKind {
    /// Every kind, in its order.
    pub const ALL: &'static [Self] = &[
        Self::ServerError,
        Self::Status,
        Self::Connection,
        Self::Timeout,
        Self::Rule,
        Self::Generator,
    ];

    /// The stable name in JSON: `server_error`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::ServerError => "server_error",
            Self::Status => "status",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Rule => "rule",
            Self::Generator => "generator",
        }
    }

    /// The words for a heading: `server errors (5xx)`.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ServerError => "server errors (5xx)",
            Self::Status => "unexpected status",
            Self::Connection => "connection",
            Self::Timeout => "timeouts",
            Self::Rule => "rules of the plan",
            Self::Generator => "the generator itself",
        }
    }
}

/// What a plan can ask to try again after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// No connection was had: names, connecting, TLS.
    Connect,
    /// A limit in time, that of connecting included.
    Timeout,
    /// The server reset or closed the connection before its answer was whole.
    Reset,
    /// Anything else: the same would come of it again.
    Other,
}

macro_rules! faults {
    ($($variant:ident, $id:literal, $kind:ident, $sentence:literal, $advice:literal;)*) => {
        /// A way in which the wire can fail to deliver an answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Fault {
            $(#[doc = $sentence] #[serde(rename = $id)] $variant,)*
        }

        impl Fault {
            /// Every fault, in the order of a request's life.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name in records and JSON: `connect.refused`.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// The sentence for people: short, stable, without addresses, so that failures group.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),* }
            }

            /// Where to look when it happens.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice),* }
            }

            /// The group that people look for it under.
            #[must_use]
            pub fn kind(self) -> FailureKind {
                match self { $(Self::$variant => FailureKind::$kind),* }
            }
        }
    };
}

faults! {
    TargetInvalid, "target.invalid", Connection, "bad address: it is no http or https URL",
        "look at where the plan takes the address from";
    LimitTargets, "limit.targets", Connection, "too many hosts",
        "a worker knows at most 1,000 hosts: see why the addresses differ so much";
    PoolTimeout, "timeout.pool", Timeout, "timeout: no shared connection was free",
        "the answers come too slowly for so few connections: share more of them (`connections: { shared: N }`) or run fewer users";
    DnsTimeout, "timeout.dns", Timeout, "dns timeout",
        "the name server does not answer: look at this machine's network";
    DnsUnknown, "dns.nxdomain", Connection, "dns: the name does not exist",
        "check the host name, and that it is known from this machine or container";
    DnsServer, "dns.servfail", Connection, "dns: the name server failed",
        "it cannot say, or not to this machine: look at its log, and at `nameserver` in /etc/resolv.conf";
    DnsFailed, "dns.failed", Connection, "dns: the name does not resolve",
        "it has no address, or there is no name server to ask: look at /etc/resolv.conf";
    ConnectForbidden, "connect.forbidden", Connection, "connect: a link-local address, where clouds hand out credentials",
        "load is never sent there: see where the address comes from";
    ConnectRefused, "connect.refused", Connection, "connect refused",
        "nothing listens there: check host and port, or the path of the socket, and that the server is up; inside a container, `localhost` is the container";
    ConnectReset, "connect.reset", Connection, "connect reset",
        "something between here and the server closes new connections";
    ConnectUnreachable, "connect.unreachable", Connection, "connect: no route to the host",
        "check the address and the network between";
    ConnectFailed, "connect.failed", Connection, "connect failed",
        "the operating system refused to connect";
    ConnectTimeout, "timeout.connect", Timeout, "connect timeout",
        "the server's backlog is full, or a firewall drops packets";
    TlsUnknownCa, "tls.unknown_ca", Connection, "tls: the certificate is not signed by a known authority",
        "give its CA with `--cacert FILE` or `tls: { ca: FILE }` in the plan, or `--insecure` for a test system";
    TlsSelfSigned, "tls.self_signed", Connection, "tls: the certificate is signed by itself",
        "give it with `--cacert FILE` or `tls: { ca: FILE }` in the plan, or `--insecure` for a test system";
    TlsName, "tls.name", Connection, "tls: the certificate is for another name",
        "use a name that it holds in the target, with `--resolve NAME:ADDRESS` when that is elsewhere, or `tls: { name: NAME }` in the plan; or `--insecure` for a test system";
    TlsExpired, "tls.expired", Connection, "tls: the certificate is out of date",
        "it has expired or is not valid yet: renew it, look at this machine's clock, or `--insecure` for a test system";
    TlsVersion, "tls.version", Connection, "tls: no version in common",
        "the server speaks neither TLS 1.2 nor 1.3, or not what `versions` of the plan's `tls` leaves: turn one of them on";
    TlsClientCert, "tls.client_cert", Connection, "tls: the server demands a client certificate",
        "give one in the plan, as `tls: { cert: client.pem, key: client.key }`; when one is given, the server may not know what signed it";
    TlsClientRefused, "tls.client_refused", Connection, "tls: the server refuses the client certificate",
        "it does not know what signed it, or it is out of date, revoked or of a kind that it does not take: look at its log";
    TlsAlpn, "tls.alpn", Connection, "tls: the server does not speak HTTP/1.1",
        "HTTP/2 is not supported yet: let the server offer HTTP/1.1 as well";
    TlsNotTls, "tls.not_tls", Connection, "tls: the server does not speak TLS",
        "is this the right port? if it speaks plain HTTP, write `http://` in the target";
    TlsEof, "tls.eof", Connection, "tls: closed during the handshake",
        "the server closed instead of agreeing on TLS: is this the right port? look at its log";
    TlsReset, "tls.reset", Connection, "tls: reset during the handshake",
        "the server or a proxy dropped the connection: look at its log";
    TlsTimeout, "timeout.tls", Timeout, "tls timeout",
        "the server took the connection and did not agree on TLS in time: is this the right port?";
    TlsFailed, "tls.failed", Connection, "tls failed",
        "the two could not agree: `openssl s_client -connect HOST:PORT` says more";
    SendReset, "send.reset", Connection, "reset while sending",
        "the server closed the connection before it had read the request";
    HeadClosed, "head.closed_no_bytes", Connection, "closed early: no answer",
        "the server closed the connection instead of answering: look at its log; one that speaks TLS needs `https://`";
    HeadTruncated, "head.truncated", Connection, "closed early: in the head of the answer",
        "the server broke off while answering: look at its log";
    HeadReset, "head.reset", Connection, "reset before the answer",
        "the server or a proxy dropped the connection: look at its log";
    HeadInvalid, "head.invalid", Connection, "bad response: the head is not HTTP",
        "is this the right port? if it speaks TLS, write `https://` in the target";
    HeadVersion, "head.version", Connection, "bad response: unknown HTTP version",
        "the server answers in a version that was not asked for";
    HeadUpgrade, "head.unexpected_upgrade", Connection, "bad response: switched protocols unasked",
        "the server answered 101 to a request that asked for no upgrade";
    FramingLength, "framing.content_length", Connection, "bad response: Content-Length",
        "the length of the answer is not a number, or there are two";
    FramingChunk, "framing.chunk", Connection, "bad response: chunk",
        "the chunked answer is broken";
    FramingCoding, "framing.te_unsupported", Connection, "bad response: unknown Transfer-Encoding",
        "the answer comes in a coding other than chunked";
    BodyTruncated, "body.truncated", Connection, "closed early: in the body of the answer",
        "the server broke off while sending: look at its log";
    BodyReset, "body.reset", Connection, "reset in the body of the answer",
        "the server or a proxy dropped the connection while sending";
    TtfbTimeout, "timeout.ttfb", Timeout, "timeout: no answer",
        "the server took the request and did not answer in time";
    IdleTimeout, "timeout.idle", Timeout, "timeout: the answer stalled",
        "the server stopped sending in the middle of the answer";
    TotalTimeout, "timeout.total", Timeout, "timeout: the answer took too long",
        "the whole exchange passed its limit";
    LimitHead, "limit.head", Connection, "bad response: the head is too large",
        "the head of an answer may have 64 KiB and 128 fields";
    LimitInterim, "limit.interim", Connection, "bad response: too many interim responses",
        "an answer may be preceded by 16 interim responses";
    LimitBody, "limit.body", Connection, "bad response: the body is too large",
        "an answer may have 64 MiB";
    LimitDecoded, "limit.decoded", Connection, "bad response: the body decompresses to too much",
        "a compressed answer may have 64 MiB, and beyond 1 MiB no more than 1,000 times what came over the wire";
    DecodeCorrupt, "decode.corrupt", Connection, "bad response: the compressed body is broken",
        "what came does not fit the Content-Encoding of the answer: look at what compresses it";
    DecodeTruncated, "decode.truncated", Connection, "bad response: the compressed body ends too early",
        "the server or a proxy gave up while it compressed the answer: look at their logs";
    RedirectTooMany, "redirect.too_many", Connection, "redirect: more than the plan allows",
        "does it lead in a circle? if not, raise `redirects`";
    RedirectLocation, "redirect.bad_location", Connection, "redirect: the Location is no address",
        "the server redirects to something that is no http or https URL";
    RedirectHost, "redirect.host_refused", Connection, "redirect: it leads to a host that the plan does not name",
        "to follow it, write `redirects: { at_most: 10, hosts: any }`; or `redirects: off`, when the redirect is the answer";
    LocalFiles, "local.fd", Generator, "no file descriptors left",
        "raise the limit (`ulimit -n`) or run fewer users";
    LocalIdentity, "local.client_cert", Generator, "the client certificate of a user cannot be read",
        "look at the files that `cert` and `key` of the plan's `tls` come to: both must lie below the plan's folder, be PEM, and fit each other";
    LocalPorts, "local.ports", Generator, "no local ports left",
        "too many connections to one address: write `source_addresses`, run fewer users, or see why the server closes them";
}

impl Fault {
    /// What a plan would call it when it asks to try again.
    #[must_use]
    pub fn retry_class(self) -> RetryClass {
        match self {
            _ if self.kind() == FailureKind::Timeout => RetryClass::Timeout,
            // Never to be tried: it is forbidden whatever the network says.
            Self::ConnectForbidden => RetryClass::Other,
            Self::SendReset
            | Self::HeadClosed
            | Self::HeadTruncated
            | Self::HeadReset
            | Self::BodyTruncated
            | Self::BodyReset => RetryClass::Reset,
            _ if ["dns.", "connect.", "tls."].iter().any(|part| self.id().starts_with(part)) => {
                RetryClass::Connect
            }
            _ => RetryClass::Other,
        }
    }
}

impl Failure {
    /// The group that people look for it under.
    #[must_use]
    pub fn kind(self) -> FailureKind {
        match self {
            Self::Fault(fault) => fault.kind(),
            Self::Status(500..600) => FailureKind::ServerError,
            Self::Status(_) => FailureKind::Status,
            Self::Rule(_) => FailureKind::Rule,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_an_id_and_a_sentence_of_its_own() {
        let mut ids: Vec<_> = Fault::ALL.iter().map(|fault| fault.id()).collect();
        let mut sentences: Vec<_> = Fault::ALL.iter().map(|fault| fault.sentence()).collect();
        ids.sort_unstable();
        ids.dedup();
        sentences.sort_unstable();
        sentences.dedup();
        assert_eq!((ids.len(), sentences.len()), (Fault::ALL.len(), Fault::ALL.len()));
    }

    #[test]
    fn faults_are_tried_again_by_what_they_are() {
        for (fault, class) in [
            (Fault::DnsFailed, RetryClass::Connect),
            (Fault::DnsUnknown, RetryClass::Connect),
            (Fault::DnsTimeout, RetryClass::Timeout),
            (Fault::ConnectRefused, RetryClass::Connect),
            (Fault::TlsReset, RetryClass::Connect),
            (Fault::ConnectForbidden, RetryClass::Other),
            (Fault::ConnectTimeout, RetryClass::Timeout),
            (Fault::TtfbTimeout, RetryClass::Timeout),
            (Fault::PoolTimeout, RetryClass::Timeout),
            (Fault::SendReset, RetryClass::Reset),
            (Fault::HeadClosed, RetryClass::Reset),
            (Fault::BodyTruncated, RetryClass::Reset),
            (Fault::HeadInvalid, RetryClass::Other),
            (Fault::LimitBody, RetryClass::Other),
            (Fault::RedirectTooMany, RetryClass::Other),
            (Fault::LocalFiles, RetryClass::Other),
        ] {
            assert_eq!(fault.retry_class(), class, "{fault:?}");
        }
    }

    #[test]
    fn failures_group_as_people_look_for_them() {
        assert_eq!(Failure::Status(503).kind(), FailureKind::ServerError);
        assert_eq!(Failure::Status(404).kind(), FailureKind::Status);
        assert_eq!(Failure::Fault(Fault::TtfbTimeout).kind(), FailureKind::Timeout);
        assert_eq!(Failure::Fault(Fault::LocalFiles).kind(), FailureKind::Generator);
    }
}
