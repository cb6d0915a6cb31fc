//! Owns making evidence of what was kept on a worker: here secrets are hidden, once for all outputs.

use super::witness::{Came, Message, Raw, micros};
use crate::metrics::{Answer, Body, Exchange, Head, Mark, Sent, Shown};
use crate::protocol::Whereabouts;
use crate::untrusted::{
    Secrets, as_text, is_form, proofs_of, shown_line, shown_text, values_to_hide,
};

impl Raw {
    /// What it is kept as.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Where it went.
    #[must_use]
    pub fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// The exchange as it may be shown, without `secrets` and without what its user proves who it is
    /// with. `options` is what `curl` must be told to reach the target in the same way.
    #[must_use]
    pub fn shown(&self, secrets: &Secrets, options: Vec<String>) -> Exchange {
        let head = String::from_utf8_lossy(&self.sent.head);
        // A server may say again what it was told, and what it told before. That is hidden in this
        // exchange alone: each user has its own, and all of them would be more than can be looked for in
        // every text.
        let own = Secrets::default();
        let mut proofs = self.proofs.clone();
        proofs.extend_from_slice(&self.own);
        proofs.extend(proofs_of(&head));
        proofs.extend(values_to_hide(&head, &String::from_utf8_lossy(&self.sent.body)));
        if let Some(Came { message, .. }) = &self.answer {
            let lines = format!("\r\n{}", String::from_utf8_lossy(&message.head));
            proofs.extend(values_to_hide(&lines, &String::from_utf8_lossy(&message.body)));
        }
        proofs.iter().for_each(|proof| own.add(proof));
        let hide = Hide { all: secrets, own: &own };
        let (line, fields) = head.split_once("\r\n").unwrap_or((&head, ""));
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let url =
            hide.text(&format!("{}{path}", self.whereabouts.origin), false, self.sent.head_cut);
        let request = Sent {
            method: method.to_owned(),
            url,
            head: hide.head(fields, self.sent.head_cut),
            cookies_changed: self.cookies_changed,
            body: hide.body(&self.sent, &head),
            options,
        };
        let answer = self.answer.as_ref().map(|came| hide.answer(came));
        Exchange {
            mark: self.mark,
            seen: self.seen.as_ref().map(|seen| hide.text(seen, false, false)),
            service_us: self.service.map(micros),
            class: self.class.to_string(),
            iteration: self.iteration,
            attempts: self.attempts,
            redirects: self.redirects,
            request,
            answer,
        }
    }
}

/// What hides secrets.
struct Hide<'a> {
    all: &'a Secrets,
    own: &'a Secrets,
}

impl Hide<'_> {
    /// A text; of one that was cut short the beginning of a secret at its end is no secret any more
    /// that could be found.
    fn text(&self, text: &str, form: bool, cut: bool) -> String {
        let hidden = |secrets: &Secrets, text: &str| {
            if cut { secrets.hidden_cut(text) } else { secrets.hidden(text).into_owned() }
        };
        shown_text(&hidden(self.own, &hidden(self.all, text)), form).into_owned()
    }

    fn head(&self, fields: &str, cut: bool) -> Head {
        let lines = fields.split("\r\n").filter(|line| !line.is_empty());
        let mut lines: Vec<_> =
            lines.map(|line| self.text(&shown_line(line), false, false)).collect();
        if cut {
            // The last one is a part of one.
            lines.pop();
        }
        Head { lines, cut }
    }

    fn body(&self, message: &Message, head: &str) -> Body {
        let Message { body, body_bytes, .. } = message;
        let cut = *body_bytes > body.len() as u64;
        let shown = match as_text(body, cut) {
            None => Shown::NotText,
            Some(text) => {
                let text = self.text(text, is_form(head, text), cut);
                if cut { Shown::Beginning(text) } else { Shown::Whole(text) }
            }
        };
        Body { bytes: *body_bytes, shown }
    }

    fn answer(&self, came: &Came) -> Answer {
        let Came { status, message } = came;
        let head = String::from_utf8_lossy(&message.head);
        // A head without any line is one that was not kept: there is hardly another.
        let kept_head = (!head.is_empty()).then(|| self.head(&head, message.head_cut));
        let body = if message.body.is_empty() && message.body_bytes > 0 {
            Body { bytes: message.body_bytes, shown: Shown::NotKept }
        } else {
            self.body(message, &head)
        };
        Answer { status: *status, head: kept_head, body }
    }
}
