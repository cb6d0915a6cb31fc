//! Owns the CSV file of single requests, which a thread of its own writes while the run goes on.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use csv::{Terminator, WriterBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Sink, figures};
use crate::event::{Event, Started};
use crate::metrics::{Batch, Catalogue, Counted, Failure, Inlet, Next, Outcome, Outlet, listing};
use crate::untrusted::csv_cell;

const HEADER: &str = "Timestamp,Type,Name,Class,Tags,Second,Phase,Due ms,Sent ms,Ended ms,\
Lateness ms,Response ms,Service ms,Connect ms,TLS ms,First Byte ms,Body Bytes,Decoded Bytes,\
Status,Outcome,Failure,Error,Retries";

/// What is written at once.
const CHUNK: usize = 256 * 1024;

/// What was handed over stands in the file after so long at the latest.
const LATEST: Duration = Duration::from_secs(1);

/// The file of single requests: a row for each that is in a table or was cut, in about the order in
/// which they ended.
///
/// - `Timestamp` is when it ended, in seconds since 1970; `Due ms`, `Sent ms` and `Ended ms` are from the
///   start of the run.
/// - `Second` is the second of the run in which it is counted everywhere.
/// - `Phase` is `warm-up`, `load` or, when it ended after load was asked for, `grace`.
/// - `Lateness ms` is from due to sent, `Response ms` from due to its end, `Service ms` from sent to its
///   end, `First Byte ms` from sent to the first byte. `Connect ms` stands where a connection was opened,
///   with its TLS.
/// - `Outcome` is `ok`, `failed` or `cancelled`. Of what failed `Failure` is the id and `Error` the
///   sentence of the other results. What was cancelled has no response time.
/// - `Tags` stand with a space between them.
///
/// What there is not is empty. Names and sentences are made safe for spreadsheets as in the other files.
pub struct RequestsCsv {
    path: PathBuf,
    outlet: Outlet,
    state: State,
}

enum State {
    /// The file, and what is to be written.
    Opened(File, Inlet),
    Writes(JoinHandle<io::Result<()>>),
    Done,
}

impl RequestsCsv {
    /// Opens the file at `path`; it is packed when its name ends in `.gz`. Requests are given to the
    /// outlet.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: PathBuf) -> io::Result<(Self, Outlet)> {
        let file = File::create(&path)?;
        let (outlet, inlet) = listing();
        let state = State::Opened(file, inlet);
        Ok((Self { path, outlet: outlet.clone(), state }, outlet))
    }

    fn start(&mut self, started: &Started) -> io::Result<()> {
        let State::Opened(file, inlet) = std::mem::replace(&mut self.state, State::Done) else {
            return Ok(());
        };
        let rows = Rows::new(&started.catalogue, started.warmup);
        let packed = self.path.extension().is_some_and(|ending| ending == "gz");
        let thread = std::thread::Builder::new().name("csv-requests".to_owned());
        let thread = thread.spawn(move || {
            if packed {
                let file = write(GzEncoder::new(file, Compression::fast()), &inlet, rows)?;
                file.finish().map(drop)
            } else {
                write(file, &inlet, rows).map(drop)
            }
        })?;
        self.state = State::Writes(thread);
        Ok(())
    }

    /// What became of it, once the thread has ended; it is waited for.
    fn end(&mut self) -> io::Result<()> {
        let State::Writes(thread) = std::mem::replace(&mut self.state, State::Done) else {
            return Ok(());
        };
        thread.join().unwrap_or_else(|_| {
            Err(io::Error::other("its thread stopped in the middle; this is a bug in throng"))
        })
    }
}

impl Drop for RequestsCsv {
    fn drop(&mut self) {
        // Of a run that did not begin.
        self.outlet.end();
    }
}

impl Sink for RequestsCsv {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn take(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started(started) => self.start(started),
            // It ends before it is told to only when it cannot write.
            Event::Second(_) if matches!(&self.state, State::Writes(thread) if thread.is_finished()) => {
                self.end()
            }
            Event::Ended(_) => {
                self.outlet.end();
                self.end()?;
                match self.outlet.lost() {
                    0 => Ok(()),
                    lost => Err(io::Error::other(too_slow(lost))),
                }
            }
            Event::Second(_)
            | Event::Aside(_)
            | Event::Log(_)
            | Event::Steered(_)
            | Event::Probed(_)
            | Event::Stopping(..) => Ok(()),
        }
    }
}

fn too_slow(lost: u64) -> String {
    let (rows, are) = if lost == 1 { ("row", "is") } else { ("rows", "are") };
    format!(
        "{} {rows} of it {are} missing, because it could not be written as fast as requests ended: \
         write to a faster disk, or without `.gz`",
        figures::count(lost)
    )
}

/// Writes all that comes, until the end.
fn write<W: Write>(mut file: W, inlet: &Inlet, mut rows: Rows) -> io::Result<W> {
    let mut text = format!("{HEADER}\r\n").into_bytes();
    let mut told = Instant::now();
    loop {
        let next = inlet.next(LATEST);
        let over = matches!(next, Next::End);
        let idle = !matches!(next, Next::Batch(_));
        if let Next::Batch(batch) = next {
            rows.batch(&batch, &mut text);
        }
        if idle || text.len() >= CHUNK || told.elapsed() >= LATEST {
            file.write_all(&text)?;
            text.clear();
        }
        if idle || told.elapsed() >= LATEST {
            file.flush()?;
            told = Instant::now();
        }
        if over {
            return Ok(file);
        }
    }
}

/// Makes rows. What stands in many of them is made once.
struct Rows {
    /// By the number of the series: `GET,/todos/,Reader,smoke fast,`.
    series: Vec<Vec<u8>>,
    catalogue: Catalogue,
    /// `failed,status.500,status 500,`
    failures: HashMap<Failure, Vec<u8>>,
    /// The first second after the warm-up.
    warm: u64,
    /// The calendar at the start of the run, in microseconds since 1970.
    began_us: Option<u64>,
}

impl Rows {
    fn new(catalogue: &Catalogue, warmup: Duration) -> Self {
        let series = catalogue.names.iter().enumerate().map(|(number, name)| {
            let facet = catalogue.facets.get(number);
            let class = facet.map_or("", |facet| &facet.class);
            let tags = facet.map_or_else(String::new, |facet| facet.tags.join(" "));
            cells(&[&name.method, &name.name, class, &tags])
        });
        Self {
            series: series.collect(),
            catalogue: catalogue.clone(),
            failures: HashMap::new(),
            warm: warmup.as_secs() + u64::from(warmup.subsec_nanos() > 0),
            began_us: None,
        }
    }

    fn batch(&mut self, batch: &Batch, text: &mut Vec<u8>) {
        let began_us = *self.began_us.get_or_insert_with(|| {
            let ago = batch.start.elapsed();
            let now = jiff::Timestamp::now().as_microsecond();
            u64::try_from(now).unwrap_or(0).saturating_sub(us(ago))
        });
        for counted in &batch.requests {
            self.row(counted, batch.start, began_us, text);
        }
    }

    fn row(
        &mut self,
        counted: &Counted,
        start: tokio::time::Instant,
        began_us: u64,
        text: &mut Vec<u8>,
    ) {
        let Counted { sample, second, after_load } = counted;
        let cut = sample.outcome == Outcome::Cancelled;
        let from = |from: tokio::time::Instant, to: tokio::time::Instant| {
            us(to.saturating_duration_since(from))
        };
        let ended = from(start, sample.ended);
        let at = began_us + ended;
        whole(at / 1_000_000, text);
        decimals::<6>(at % 1_000_000, text);
        text.push(b',');
        text.extend_from_slice(&self.series[usize::from(sample.name)]);
        whole(u64::from(*second), text);
        text.extend_from_slice(match (u64::from(*second) < self.warm, after_load) {
            (true, _) => b",warm-up,",
            (false, false) => b",load,",
            (false, true) => b",grace,",
        });
        ms(Some(from(start, sample.due)), text);
        ms(sample.sent.map(|sent| from(start, sent)), text);
        ms(Some(ended), text);
        ms(sample.sent.map(|sent| from(sample.due, sent)), text);
        ms((!cut).then(|| from(sample.due, sample.ended)), text);
        ms(sample.sent.map(|sent| from(sent, sample.ended)), text);
        ms(sample.connect.map(|connect| us(connect.whole())), text);
        ms(sample.connect.and_then(|connect| connect.tls()).map(us), text);
        let first_byte = sample.sent.zip(sample.first_byte);
        ms(first_byte.map(|(sent, first_byte)| from(sent, first_byte)), text);
        for bytes in [sample.body_bytes, sample.decoded_bytes] {
            if !cut {
                whole(bytes, text);
            }
            text.push(b',');
        }
        if let Some(status) = sample.status {
            whole(u64::from(status), text);
        }
        text.push(b',');
        match sample.outcome {
            Outcome::Succeeded => text.extend_from_slice(b"ok,,,"),
            Outcome::Cancelled => text.extend_from_slice(b"cancelled,,,"),
            Outcome::Failed(failure) => {
                let catalogue = &self.catalogue;
                let made = self.failures.entry(failure).or_insert_with(|| {
                    cells(&["failed", &catalogue.id(failure), &catalogue.sentence(failure)])
                });
                text.extend_from_slice(made);
            }
        }
        whole(u64::from(sample.retries), text);
        text.extend_from_slice(b"\r\n");
    }
}

/// Cells, each with the comma behind it.
fn cells(texts: &[&str]) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::Any(b',')).from_writer(Vec::new());
    writer
        .write_record(texts.iter().map(|text| csv_cell(text).into_owned()))
        .expect("memory takes what is written to it");
    writer.into_inner().expect("memory takes what is written to it")
}

/// In microseconds, rounded as in histograms.
fn us(time: Duration) -> u64 {
    time.as_secs() * 1_000_000 + (u64::from(time.subsec_nanos()) + 500) / 1000
}

/// Microseconds as milliseconds, and the comma behind.
fn ms(us: Option<u64>, text: &mut Vec<u8>) {
    if let Some(us) = us {
        whole(us / 1000, text);
        decimals::<3>(us % 1000, text);
    }
    text.push(b',');
}

/// A whole number. There are a dozen in a row: what `write!` does for each of them is too much.
fn whole(mut number: u64, text: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}

/// A point, and so many digits.
fn decimals<const DIGITS: usize>(mut number: u64, text: &mut Vec<u8>) {
    let mut digits = [0; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    text.push(b'.');
    text.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Facet, Fault, Opening, RequestName, Sample};
    use tokio::time::Instant as Clock;

    const US: fn(u64) -> Duration = Duration::from_micros;

    fn catalogue() -> Catalogue {
        let name =
            |method: &str, name: &str| RequestName { method: method.into(), name: name.into() };
        Catalogue {
            names: vec![name("GET", "/a"), name("POST", "=1+1, \"b\"\nc")],
            facets: vec![Facet {
                class: "Reader".into(),
                tags: vec!["smoke".into(), "=fast".into()],
            }],
            texts: vec!["expect: $.id equals \"7\"".into()],
            ..Catalogue::default()
        }
    }

    fn row(name: u16, second: u32, after_load: bool, outcome: Outcome, start: Clock) -> Counted {
        let sample = Sample {
            name,
            due: start + US(999_999),
            sent: Some(start + US(1_000_250)),
            first_byte: Some(start + US(1_001_000)),
            ended: start + US(12_002_001),
            connect: None,
            body_bytes: 18_446_744_073_709_551_615,
            decoded_bytes: 0,
            status: Some(200),
            retries: 0,
            outcome,
        };
        Counted { sample, second, after_load }
    }

    fn written(counted: &[Counted], start: Clock) -> Vec<String> {
        let mut rows = Rows::new(&catalogue(), Duration::from_millis(9500));
        let mut text = Vec::new();
        for one in counted {
            rows.row(one, start, 1_700_000_000_000_000, &mut text);
        }
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<_> = text.split_terminator("\r\n").map(str::to_owned).collect();
        let columns = HEADER.split(',').count();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let mut read = 0;
        for record in reader.records() {
            assert_eq!(record.unwrap().len(), columns);
            read += 1;
        }
        assert_eq!(read, lines.len());
        lines
    }

    #[test]
    fn a_row_tells_when_how_long_and_what_came_of_it() {
        let start = Clock::now();
        let ok = row(0, 12, false, Outcome::Succeeded, start);
        let mut refused =
            row(1, 9, true, Outcome::Failed(Failure::Fault(Fault::ConnectRefused)), start);
        (refused.sample.sent, refused.sample.first_byte) = (None, None);
        (refused.sample.status, refused.sample.retries) = (None, 3);
        let mut broke = row(0, 12, true, Outcome::Failed(Failure::Rule(0)), start);
        broke.sample.connect = Some(Opening::new(US(1500), Some(US(1))));
        broke.sample.body_bytes = 0;
        let mut cut = row(0, 12, true, Outcome::Cancelled, start);
        (cut.sample.sent, cut.sample.first_byte, cut.sample.status) = (None, None, None);
        assert_eq!(
            written(&[ok, refused, broke, cut], start),
            [
                "1700000012.002001,GET,/a,Reader,smoke =fast,12,load,999.999,1000.250,12002.001,0.251,11002.002,11001.751,,,0.750,18446744073709551615,0,200,ok,,,0",
                "1700000012.002001,POST,\"'=1+1, \"\"b\"\"\nc\",,,9,warm-up,999.999,,12002.001,,11002.002,,,,,18446744073709551615,0,,failed,connect.refused,connect refused,3",
                "1700000012.002001,GET,/a,Reader,smoke =fast,12,grace,999.999,1000.250,12002.001,0.251,11002.002,11001.751,1.500,0.001,0.750,0,0,200,failed,rule,\"expect: $.id equals \"\"7\"\"\",0",
                "1700000012.002001,GET,/a,Reader,smoke =fast,12,grace,999.999,,12002.001,,,,,,,,,,cancelled,,,0",
            ]
        );
    }

    #[test]
    fn numbers_are_those_of_the_library() {
        for number in [0, 7, 10, 999, 1000, 123_456_789, u64::MAX] {
            let mut text = Vec::new();
            whole(number, &mut text);
            assert_eq!(text, number.to_string().into_bytes());
            let mut text = Vec::new();
            ms(Some(number), &mut text);
            let want = format!("{}.{:03},", number / 1000, number % 1000);
            assert_eq!(text, want.into_bytes());
        }
        // Half a microsecond is rounded up, as in histograms.
        let ns = Duration::from_nanos;
        assert_eq!([499, 500, 1499, 1500].map(|time| us(ns(time))), [0, 1, 1, 2]);
    }

    /// Law 8: rows that could not be written in time are counted, and told as what could not be written.
    #[test]
    fn what_is_lost_is_told() {
        assert!(too_slow(1).starts_with("1 row of it is missing"), "{}", too_slow(1));
        assert!(too_slow(12_345).starts_with("12,345 rows of it are missing"));
    }

    #[test]
    fn a_file_ends_when_no_more_will_come() {
        let start = Clock::now();
        let (outlet, inlet) = listing();
        let requests = vec![row(0, 1, false, Outcome::Succeeded, start); 3];
        outlet.pass(Batch { start, requests });
        outlet.end();
        let rows = Rows::new(&catalogue(), Duration::ZERO);
        let file = write(Vec::new(), &inlet, rows).unwrap();
        assert_eq!(String::from_utf8(file).unwrap().lines().count(), 4);
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        outlet.end();
        let error = write(Full, &inlet, Rows::new(&catalogue(), Duration::ZERO));
        assert!(
            matches!(error.map(drop), Err(error) if error.kind() == io::ErrorKind::StorageFull)
        );
    }
}
