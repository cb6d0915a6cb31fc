//! Owns the words for the order in which a user takes its tasks.

/// How tasks of a user follow each other.
///
/// | order | an iteration is | the next task |
/// |---|---|---|
/// | random | one task | drawn by weight among those that can run |
/// | sequence | all tasks, once | the one written next |
/// | shuffle | all tasks, once | another order each time |
/// | chain | until `exit`, or a task without `next` | drawn by the weights of `next` |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By weight.
    #[default]
    Random,
    /// As written.
    Sequence,
    /// As written, shuffled each time.
    Shuffle,
    /// By their `next`, from the first on.
    Chain,
}

impl Order {
    /// Every word for it.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("random", Self::Random),
        ("sequence", Self::Sequence),
        ("shuffle", Self::Shuffle),
        ("chain", Self::Chain),
    ];
}
