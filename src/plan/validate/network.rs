//! Owns reading `dns`, `hosts` and `source_addresses`.

use super::{Checker, Fields};
use crate::diagnostic::{Diagnostic, Placed};
use crate::plan::document::{Entry, Node, NodeValue};
use crate::plan::keys::Context;
use crate::plan::network::{
    Host, Leads, Lookup, MOST_SOURCES, Network, NetworkError, address, host_name, server, socket,
    sources,
};

const LOOKUPS: [(&str, Lookup); 3] =
    [("once", Lookup::Once), ("each", Lookup::Each), ("ttl", Lookup::Ttl)];

impl Checker<'_> {
    /// How targets are found and reached.
    pub(super) fn network(&mut self, top: &Fields<'_>) -> Network {
        let mut network = Network::default();
        if let Some(entry) = top.entry("dns") {
            self.dns(entry, &mut network);
        }
        if let Some(node) = top.get("hosts") {
            network.hosts = self.hosts(node);
        }
        if let Some(node) = top.get("source_addresses") {
            network.sources = self.sources(node);
        }
        network
    }

    fn dns(&mut self, entry: &Entry, network: &mut Network) {
        if !matches!(entry.value.value, NodeValue::Map(_)) {
            network.lookup = self.word(&entry.value, "`dns`", &LOOKUPS).unwrap_or_default();
            return;
        }
        let place = entry.key.place;
        let Some(fields) = self.fields(&entry.value, Context::Dns, place, "`dns`") else { return };
        if fields.entries.is_empty() {
            self.wrong(&entry.value, "`dns` is empty", "write `once`, `each`, `ttl` or a `server`");
        }
        if let Some(node) = fields.get("lookup") {
            network.lookup = self.word(node, "`lookup`", &LOOKUPS).unwrap_or_default();
        }
        if let Some(node) = fields.get("server") {
            network.server = self.text(node, "`server`").and_then(|text| self.read(&text, server));
        }
    }

    fn hosts(&mut self, node: &Node) -> Vec<Host> {
        let NodeValue::Map(entries) = &node.value else {
            let title =
                format!("`hosts` must be a map from names to addresses, not {}", node.value.kind());
            self.wrong(node, title, "write it as `{ shop.test: 127.0.0.1 }`");
            return Vec::new();
        };
        let mut hosts: Vec<Host> = Vec::new();
        for entry in entries {
            let name = self.read(&entry.key, host_name);
            let leads = self.leads(entry);
            let (Some(name), Some(leads)) = (name, leads) else { continue };
            if let Some(first) = hosts.iter().find(|host| host.name.value == name) {
                let title = format!("the host `{name}` stands twice");
                let label = "write its addresses as one list";
                let twice = Diagnostic::error(entry.key.place, title, label);
                self.diagnostics.push(twice.also(first.name.place, "the first is here"));
                continue;
            }
            hosts.push(Host { name: Placed { value: name, place: entry.key.place }, leads });
        }
        hosts
    }

    fn leads(&mut self, entry: &Entry) -> Option<Leads> {
        let what = format!("the host `{}`", entry.key.value);
        if let NodeValue::List(items) = &entry.value.value
            && items.is_empty()
        {
            self.wrong(&entry.value, format!("{what} has no address"), "write one, or take it out");
            return None;
        }
        let before = self.errors();
        let texts = self.texts(&entry.value, &what);
        let mut addresses = Vec::with_capacity(texts.len());
        for text in &texts {
            match socket(&text.value) {
                Some(Ok(path)) if texts.len() == 1 => return Some(Leads::Socket(path)),
                Some(Ok(_)) => {
                    let title = "a socket stands alone";
                    self.error(text.place, title, "take the other addresses out, or this one");
                }
                Some(Err(error)) => self.told(text, &error),
                None => addresses.extend(self.read(text, address)),
            }
        }
        (self.errors() == before).then_some(Leads::At(addresses))
    }

    fn sources(&mut self, node: &Node) -> Vec<Placed<std::net::IpAddr>> {
        let mut all: Vec<Placed<std::net::IpAddr>> = Vec::new();
        for text in self.texts(node, "a source address") {
            for value in self.read(&text, sources).unwrap_or_default() {
                if all.iter().any(|known| known.value == value) {
                    let title = format!("`{value}` stands twice");
                    self.error(text.place, title, "take one of the two out");
                    return all;
                }
                all.push(Placed { value, place: text.place });
            }
        }
        if all.len() > MOST_SOURCES {
            let title = format!("more than {MOST_SOURCES} source addresses");
            self.wrong(node, title, "write fewer");
        }
        all
    }

    /// What `read` makes of a text; told, when it is wrong.
    fn read<T>(
        &mut self,
        text: &Placed<String>,
        read: impl FnOnce(&str) -> Result<T, NetworkError>,
    ) -> Option<T> {
        read(&text.value).map_err(|error| self.told(text, &error)).ok()
    }

    fn told(&mut self, text: &Placed<String>, error: &NetworkError) {
        self.error(text.place, &*error.problem, &*error.advice);
    }
}
