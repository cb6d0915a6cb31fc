//! Owns compiling what a request sends after its head.

use std::path::Path;
use std::sync::Arc;

use super::build::json_body;
use super::compile::{Compiler, node_text};
use super::message::{Payload, Piece};
use crate::data;
use crate::diagnostic::{Place, Placed};
use crate::expr::{Encoding, Names, Template, Uses};
use crate::plan::{self, Body, Content, NodeValue};

/// A body and its content type.
pub(super) struct Sent {
    pub(super) payload: Payload,
    pub(super) kind: Option<String>,
    /// The request has no body at all, not even an empty one.
    pub(super) is_none: bool,
}

/// What stands between the parts of a form: nothing that is sent will hold it.
const BOUNDARY: &str = "throng-8f1d3c52a7e94b06b7c1e5d09a3f6284";
/// A larger file is not sent: each request holds it in memory while it is written.
const FILE: u64 = 64 * 1024 * 1024;

impl<'a> Compiler<'a> {
    pub(super) fn body(
        &mut self,
        request: &'a plan::Request,
        names: &Names,
        uses: &mut Uses,
    ) -> Sent {
        let sent = |template: Template, kind: Option<&str>| Sent {
            payload: match template.as_fixed() {
                Some(fixed) => Payload::Fixed(fixed.to_vec()),
                None => Payload::Text(template),
            },
            kind: kind.map(str::to_owned),
            is_none: false,
        };
        match &request.body {
            None => Sent { payload: Payload::Fixed(Vec::new()), kind: None, is_none: true },
            Some(Body::Text(text)) => sent(self.template(text, Encoding::Plain, names, uses), None),
            Some(Body::Json(node)) => {
                self.count_value(node);
                let mut template = Template::default();
                json_body(node, names, &mut template, &mut |node, part| match part {
                    Ok(part) => self.used(node.place, &node_text(node), part, uses),
                    Err(errors) => self.mistakes(node.place, &node_text(node), errors),
                });
                self.texts_within(node);
                sent(template, Some("application/json"))
            }
            Some(Body::Form(fields)) => {
                let all = self.pairs(fields, Encoding::Form, names, uses);
                sent(all, Some("application/x-www-form-urlencoded"))
            }
            Some(Body::Multipart(parts)) => Sent {
                payload: Payload::Pieces(self.parts(parts, names, uses)),
                kind: Some(format!("multipart/form-data; boundary={BOUNDARY}")),
                is_none: false,
            },
            Some(Body::File { file, templates }) => {
                let Some((path, bytes)) = self.file(file) else {
                    return Sent {
                        payload: Payload::Fixed(Vec::new()),
                        kind: None,
                        is_none: false,
                    };
                };
                let kind = Some(kind_of(&path));
                if !templates {
                    return Sent { payload: Payload::Fixed(bytes), kind, is_none: false };
                }
                match String::from_utf8(bytes).inspect(|text| self.count_text(text)) {
                    Ok(text) => match Template::parse(&text, Encoding::Plain, names) {
                        Ok(template) => {
                            self.used(file.place, "", &template, uses);
                            Sent { kind, ..sent(template, None) }
                        }
                        Err(errors) => {
                            for error in errors {
                                let line = 1 + text[..error.at.start.min(text.len())]
                                    .matches('\n')
                                    .count();
                                let title = format!("in line {line} of the file: {}", error.title);
                                self.error(file.place, title, error.hint);
                            }
                            sent(Template::default(), None)
                        }
                    },
                    Err(_) => {
                        let label = "take `templates` out, or save it as UTF-8";
                        self.error(file.place, "a file with templates must be UTF-8", label);
                        sent(Template::default(), None)
                    }
                }
            }
        }
    }

    /// Slips in the texts of a JSON body: braces that fill nothing in.
    fn texts_within(&mut self, node: &plan::Node) {
        match &node.value {
            NodeValue::Text(text) => {
                self.brace_warnings(&Placed { value: text.clone(), place: node.place });
            }
            NodeValue::List(items) => items.iter().for_each(|item| self.texts_within(item)),
            NodeValue::Map(entries) => {
                entries.iter().for_each(|entry| self.texts_within(&entry.value));
            }
            _ => {}
        }
    }

    /// RFC 7578.
    fn parts(&mut self, parts: &'a [plan::Part], names: &Names, uses: &mut Uses) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for part in parts {
            let mut head = Template::default();
            head.fixed(
                format!(
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"",
                    quoted(&part.name.value)
                )
                .as_bytes(),
            );
            match &part.content {
                Content::Value(node) => {
                    if let Some(filename) = &part.filename {
                        head.fixed(b"; filename=\"");
                        head.append(self.template(filename, Encoding::Header, names, uses));
                        head.fixed(b"\"");
                    }
                    head.fixed(b"\r\n");
                    if let Some(kind) = &part.kind {
                        head.fixed(format!("Content-Type: {}\r\n", kind.value).as_bytes());
                    }
                    head.fixed(b"\r\n");
                    head.append(self.encoded_node(node, Encoding::Plain, names, uses));
                    head.fixed(b"\r\n");
                    pieces.push(Piece::Text(head));
                }
                Content::Files(files) => {
                    let mut choices = Vec::with_capacity(files.len());
                    for file in files {
                        let Some((path, bytes)) = self.file(file) else { continue };
                        let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
                        let mut start = head.clone();
                        start.fixed(b"; filename=\"");
                        match &part.filename {
                            Some(name) => {
                                start.append(self.template(name, Encoding::Header, names, uses));
                            }
                            None => start.fixed(quoted(&own.unwrap_or_default()).as_bytes()),
                        }
                        let kind = part
                            .kind
                            .as_ref()
                            .map_or_else(|| kind_of(&path), |kind| kind.value.clone());
                        start.fixed(format!("\"\r\nContent-Type: {kind}\r\n\r\n").as_bytes());
                        let mut end = Template::default();
                        end.fixed(b"\r\n");
                        choices.push(vec![
                            Piece::Text(start),
                            Piece::Bytes(Arc::from(bytes)),
                            Piece::Text(end),
                        ]);
                    }
                    match choices.len() {
                        0 => {}
                        1 => pieces.extend(choices.pop().into_iter().flatten()),
                        _ => pieces.push(Piece::OneOf(choices)),
                    }
                }
            }
        }
        let mut end = Template::default();
        end.fixed(format!("--{BOUNDARY}--\r\n").as_bytes());
        pieces.push(Piece::Text(end));
        pieces
    }

    /// A file below the plan's folder, whole.
    pub(super) fn file(&mut self, file: &Placed<String>) -> Option<(std::path::PathBuf, Vec<u8>)> {
        let path = match data::under(&self.plan.folder, &file.value, self.plan.allow_outside) {
            Ok(path) => path,
            Err(error) => {
                self.error(file.place, error.title, error.hint);
                return None;
            }
        };
        match read(&path) {
            Ok(bytes) => {
                self.count_file(file.place, bytes.len());
                Some((path, bytes))
            }
            Err(problem) => {
                self.unreadable(file.place, &file.value, &problem);
                None
            }
        }
    }

    fn unreadable(&mut self, place: Place, file: &str, problem: &str) {
        self.error(place, format!("cannot read {file}: {problem}"), "name another file");
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is no file".to_owned());
    }
    if about.len() > FILE {
        return Err("it is larger than 64 MiB".to_owned());
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// RFC 7578 §2 and the practice of browsers: what would end the quotes is percent-encoded.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn kind_of(path: &Path) -> String {
    mime_guess::from_path(path).first_or_octet_stream().to_string()
}
