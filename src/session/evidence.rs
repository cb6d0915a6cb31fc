//! Owns the evidence of a run: what workers hand over is kept, and told, without its secrets.

use std::sync::Arc;

use super::way::Security;
use crate::engine::Raw;
use crate::metrics::{Evidence, Exchange};
use crate::untrusted::Secrets;

/// The exchanges of a run that are to be shown.
#[derive(Debug)]
pub(super) struct Exhibits {
    kept: Evidence,
    secrets: Secrets,
    security: Arc<Security>,
    wanted: bool,
}

impl Exhibits {
    /// None yet; none ever, when they are not `wanted`.
    pub(super) fn new(wanted: bool, secrets: Secrets, security: Arc<Security>) -> Self {
        Self { kept: Evidence::default(), secrets, security, wanted }
    }

    /// Takes what a worker hands over.
    pub(super) fn take(&mut self, handed: &[Raw]) {
        for raw in handed {
            // A worker keeps more than all of them together: what is not kept need not be hidden.
            if !self.wanted || !self.kept.wants(&raw.mark()) {
                continue;
            }
            let exchange = raw.shown(&self.secrets, self.security.curl(raw.whereabouts()));
            self.kept.take(&exchange);
        }
    }

    /// What is kept at the end, also without the secrets that were met since; none when it is not wanted.
    pub(super) fn end(&mut self) -> Option<&Evidence> {
        let texts = self.kept.all_mut().flat_map(Exchange::texts_mut);
        for text in texts {
            if let std::borrow::Cow::Owned(hidden) = self.secrets.hidden(text) {
                *text = hidden;
            }
        }
        self.wanted.then_some(&self.kept)
    }
}
