//! Owns compiling `tls`: its files are read, and each class knows how its connections are secured.

use super::compile::Compiler;
use crate::data::Per;
use crate::diagnostic::{Place, Placed};
use crate::expr::{Encoding, Names, Template, Uses};
use crate::plan::{self, Connections, Target};
use crate::protocol::http::{Identity, Roots, Versions, can_be_certified};

const PEM: &str =
    "it must hold one between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`";

/// How connections are secured, as the plan says.
#[derive(Debug, Clone, Default)]
pub struct Secured {
    /// The authorities that are trusted; the system's when absent.
    pub roots: Option<Roots>,
    /// Nothing is verified.
    pub insecure: bool,
    /// What a server is shown that asks for a client certificate.
    pub identity: Option<Identity>,
    /// Each user shows a client certificate of its own.
    pub live: bool,
    /// The host that is called otherwise, and what it is called.
    pub name: Option<(String, String)>,
    /// The versions that are offered.
    pub versions: Versions,
    /// Sessions are not resumed.
    pub afresh: bool,
    /// The files that some of it came from, as the plan names them.
    pub files: Files,
}

/// The files of what secures connections.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// Of the authorities.
    pub ca: Option<String>,
    /// Of the client certificate and its key.
    pub pair: Option<(String, String)>,
}

impl Secured {
    /// What a host must show that it is.
    #[must_use]
    pub fn name_of<'a>(&'a self, host: &'a str) -> &'a str {
        match &self.name {
            Some((called, name)) if called.eq_ignore_ascii_case(host) => name,
            _ => host,
        }
    }
}

/// The files of a client certificate, which each user has its own of.
#[derive(Debug, Clone)]
pub struct Live {
    /// The file of the certificate.
    pub cert: Template,
    /// The file of its key.
    pub key: Template,
}

/// What was asked for: who asks for the same shares it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    ca: Option<String>,
    insecure: bool,
    pair: Option<(String, String)>,
    live: bool,
    name: Option<(String, String)>,
    versions: Versions,
    afresh: bool,
}

/// What a class has of it.
pub(super) struct Secure {
    /// The number of the way.
    pub(super) way: usize,
    pub(super) live: Option<Live>,
}

impl<'a> Compiler<'a> {
    /// How a class whose requests go to `target` secures its connections: what it says itself wins over
    /// what the plan says, key by key.
    pub(super) fn secure(
        &mut self,
        own: Option<&'a plan::Tls>,
        target: &Target,
        connections: Connections,
        names: &Names,
        uses: &mut Uses,
    ) -> Secure {
        let all = &self.plan.tls;
        fn either<'a, T>(
            own: Option<&'a plan::Tls>,
            all: &'a plan::Tls,
            key: fn(&plan::Tls) -> Option<&T>,
        ) -> Option<&'a T> {
            own.and_then(key).or_else(|| key(all))
        }
        let ca = either(own, all, |tls| tls.ca.as_ref());
        let (cert, key) =
            (either(own, all, |tls| tls.cert.as_ref()), either(own, all, |tls| tls.key.as_ref()));
        let name = either(own, all, |tls| tls.name.as_ref());
        // Who names authorities wants them to be asked.
        let insecure = match own {
            Some(own) if own.insecure.is_none() && own.ca.is_some() => false,
            _ => *either(own, all, |tls| tls.insecure.as_ref()).unwrap_or(&false),
        };
        let versions = match either(own, all, |tls| tls.versions.as_ref()) {
            Some(plan::TlsVersions { old: true, new: false }) => Versions::Old,
            Some(plan::TlsVersions { old: false, new: true }) => Versions::New,
            _ => Versions::Both,
        };
        let afresh = !*either(own, all, |tls| tls.resume.as_ref()).unwrap_or(&true);
        let pair = self.pair(cert, key).map(|(cert, key)| {
            let mut read = Uses::default();
            let mut template = |text| self.template(text, Encoding::Plain, names, &mut read);
            let templates = (template(cert), template(key));
            self.of_a_user(&[cert, key], &read, names);
            uses.merge(&read);
            (cert, key, templates)
        });
        let name = name.and_then(|name| {
            if can_be_certified(&name.value) {
                return Some((target.host().to_owned(), name.value.clone()));
            }
            let title = format!("no certificate can be for `{}`", name.value);
            self.error(name.place, title, "write a name or an address, without scheme and port");
            None
        });
        let mut live = None;
        let fixed = pair.and_then(|(cert, key, templates)| {
            let text = |template: &Template| {
                template.as_fixed().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            };
            if let (Some(first), Some(second)) = (text(&templates.0), text(&templates.1)) {
                // One that cannot be read was told.
                if first.is_empty() || second.is_empty() {
                    return None;
                }
                let placed = |value, text: &Placed<String>| Placed { value, place: text.place };
                return Some((placed(first, cert), placed(second, key)));
            }
            if let Connections::Shared(_) = connections {
                let title = "a client certificate for each user, and connections that users share";
                self.error(
                    cert.place,
                    title,
                    "give the class `connections: own`, or one certificate",
                );
            }
            live = Some(Live { cert: templates.0, key: templates.1 });
            None
        });
        let asked = Asked {
            ca: ca.map(|ca| ca.value.clone()),
            insecure,
            pair: fixed.as_ref().map(|(cert, key)| (cert.value.clone(), key.value.clone())),
            live: live.is_some(),
            name,
            versions,
            afresh,
        };
        if let Some(way) = self.secured.iter().position(|(known, _)| *known == asked) {
            return Secure { way, live };
        }
        let secured = Secured {
            roots: ca.and_then(|ca| self.roots(ca)),
            insecure,
            identity: fixed.and_then(|(cert, key)| self.identity(&cert, &key)),
            live: live.is_some(),
            name: asked.name.clone(),
            versions,
            afresh,
            files: Files { ca: asked.ca.clone(), pair: asked.pair.clone() },
        };
        self.secured.push((asked, secured));
        Secure { way: self.secured.len() - 1, live }
    }

    /// Both, or neither.
    fn pair<'t>(
        &mut self,
        cert: Option<&'t Placed<String>>,
        key: Option<&'t Placed<String>>,
    ) -> Option<(&'t Placed<String>, &'t Placed<String>)> {
        match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (Some(cert), None) => {
                let label = "add `key`: the file of its private key; it may be the same file";
                self.error(cert.place, "`cert` stands without `key`", label);
                None
            }
            (None, Some(key)) => {
                let label = "add `cert`: the file of the certificate that the key is for";
                self.error(key.place, "`key` stands without `cert`", label);
                None
            }
            (None, None) => None,
        }
    }

    /// A certificate is a user's: it is shown with its first connection, and stays. So what says which
    /// must be the user's, too.
    fn of_a_user(&mut self, texts: &[&Placed<String>], read: &Uses, names: &Names) {
        let place: Place =
            texts.iter().find(|text| text.value.contains("{{")).unwrap_or(&texts[0]).place;
        if read.request || read.response_head || read.response_body {
            let title = "a client certificate is shown before anything is sent or answered";
            self.error(place, title, "take it from `user`, from data, or from a variable");
        }
        let plan = self.plan;
        for data in &plan.data {
            let slot = names.find(&data.name.value);
            if slot.is_some_and(|slot| read.slots.contains(&slot))
                && data.definition.per != Per::User
            {
                let name = &data.name.value;
                let title = format!("a user has one client certificate, and many rows of `{name}`");
                self.error(place, title, format!("write `per: user` at the data `{name}`"));
            }
        }
    }

    fn roots(&mut self, ca: &Placed<String>) -> Option<Roots> {
        let (_, text) = self.file(ca)?;
        match Roots::of_pem(&text) {
            Ok(roots) => Some(roots),
            Err(error) => {
                self.error(ca.place, format!("`{}`: {error}", ca.value), PEM);
                None
            }
        }
    }

    fn identity(&mut self, cert: &Placed<String>, key: &Placed<String>) -> Option<Identity> {
        use crate::protocol::http::IdentityError::{
            BadKey, BrokenCertificate, Encrypted, Mismatch, NoCertificate, NoKey,
        };
        let (certificates, pem) = (self.file(cert), self.file(key));
        let error = match Identity::of_pem(&certificates?.1, &pem?.1) {
            Ok(identity) => return Some(identity),
            Err(error) => error,
        };
        let file = if error.is_of_key() { key } else { cert };
        let label = match error {
            NoCertificate | BrokenCertificate(_) => PEM.to_owned(),
            NoKey => {
                "it must hold one between `-----BEGIN PRIVATE KEY-----` and `-----END PRIVATE \
                      KEY-----`"
                    .to_owned()
            }
            Encrypted => format!(
                "keys are read without a password: decrypt it, as `openssl pkey -in {} -out plain.key`",
                key.value
            ),
            BadKey => {
                "make one of RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519".to_owned()
            }
            Mismatch => {
                format!(
                    "the first certificate in `{}` must be the one that it was made for",
                    cert.value
                )
            }
        };
        self.error(file.place, format!("`{}`: {error}", file.value), label);
        None
    }
}
