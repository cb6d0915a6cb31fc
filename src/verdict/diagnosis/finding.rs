//! Owns what a finding is, and the one table of the rules that make them.

/// What the figures of a run say.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which rule found it.
    pub rule: Rule,
    /// Other rules that apply and are explained by it, so that they are not told by themselves.
    pub also: Vec<Rule>,
    /// What was found, with its figures: one sentence or two, without a full stop at the end.
    pub sentence: String,
    /// The figures of the sentence, as numbers.
    pub figures: Vec<Figure>,
    /// Where to look next: one sentence, without a full stop.
    pub advice: String,
    /// Where in the results it is to be seen.
    pub evidence: Evidence,
}

/// A figure of a finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// What it is of, with its unit last: `response_ms_top`.
    pub key: &'static str,
    /// The number.
    pub value: f64,
}

/// Where in the results something is to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// On which chart or table.
    pub chart: Chart,
    /// Of which name, `METHOD name`, if it is of one.
    pub name: Option<String>,
    /// In which seconds of the run, from and up to, if it is of a part.
    pub seconds: Option<(u32, u32)>,
}

macro_rules! rules {
    ($($variant:ident, $id:literal, $title:literal;)*) => {
        /// A rule of the diagnosis.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $title] $variant,)*
        }

        impl Rule {
            /// Every rule, the most important first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name in JSON: `flat_throughput`.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// The words for a heading.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }
        }
    };
}

rules! {
    GeneratorLimit, "generator_limit", "the generator was the limit";
    ErrorsAtLoad, "errors_at_load", "errors set in under load";
    ErrorsSince, "errors_since", "errors set in and stayed";
    ErrorsThroughout, "errors_throughout", "errors all along";
    OneNameSlow, "one_name_slow", "one name is slow alone";
    Knee, "knee", "response time grows with load";
    FlatThroughput, "flat_throughput", "throughput does not grow with load";
    SlowConnect, "slow_connect", "the time goes into connecting";
    SlowTls, "slow_tls", "the time goes into TLS";
    SlowFirstByte, "slow_first_byte", "the time goes into waiting for the answer";
    SlowBody, "slow_body", "the time goes into reading the answer";
    Drift, "drift", "response time drifts up";
    PeriodicStalls, "periodic_stalls", "everything stands still again and again";
    TooFewSamples, "too_few_samples", "too few samples";
    Capacity, "capacity", "capacity";
}

macro_rules! charts {
    ($($variant:ident, $id:literal;)*) => {
        /// A chart or table of the results.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Chart {
            $(#[doc = $id] $variant,)*
        }

        impl Chart {
            /// Its name in the results: `response`.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }
        }
    };
}

charts! {
    Requests, "requests";
    Response, "response";
    Users, "users";
    Timings, "timings";
    Failures, "failures";
    Generator, "generator";
    Load, "load";
}

impl Rule {
    /// Its sentence may hold what others wrote: a name, a status, a threshold.
    #[must_use]
    pub fn quotes(self) -> bool {
        matches!(
            self,
            Self::GeneratorLimit
                | Self::ErrorsAtLoad
                | Self::ErrorsSince
                | Self::ErrorsThroughout
                | Self::OneNameSlow
                | Self::TooFewSamples
        )
    }

    /// A generator that could not keep up would make it look so.
    pub(super) fn may_be_the_generators(self) -> bool {
        !matches!(
            self,
            Self::GeneratorLimit
                | Self::ErrorsAtLoad
                | Self::ErrorsSince
                | Self::ErrorsThroughout
                | Self::OneNameSlow
                | Self::TooFewSamples
        )
    }
}

impl Finding {
    /// What a rule found.
    pub(super) fn new(rule: Rule, sentence: String, advice: &str, chart: Chart) -> Self {
        let evidence = Evidence { chart, name: None, seconds: None };
        let (also, figures, advice) = (Vec::new(), Vec::new(), advice.to_owned());
        Self { rule, also, sentence, figures, advice, evidence }
    }

    pub(super) fn figures(mut self, figures: &[(&'static str, f64)]) -> Self {
        self.figures.extend(figures.iter().map(|(key, value)| Figure { key, value: *value }));
        self
    }

    pub(super) fn seconds(mut self, from_s: u32, to_s: u32) -> Self {
        self.evidence.seconds = Some((from_s, to_s));
        self
    }

    pub(super) fn name(mut self, name: &str) -> Self {
        self.evidence.name = Some(name.to_owned());
        self
    }
}
