//! Owns which tasks and steps run: those that the command line picks by their tags.

/// What `--tags` and `--exclude-tags` say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only what carries one of these; all when empty.
    pub tags: Vec<String>,
    /// Nothing that carries one of these.
    pub exclude: Vec<String>,
}

impl Selection {
    /// Nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.exclude.is_empty()
    }

    /// What carries `tags` is left out whatever it holds.
    #[must_use]
    pub fn excludes(&self, tags: &[String]) -> bool {
        tags.iter().any(|tag| self.exclude.contains(tag))
    }

    /// What carries `tags` is picked, with all that it holds.
    #[must_use]
    pub fn picks(&self, tags: &[String]) -> bool {
        self.tags.is_empty() || tags.iter().any(|tag| self.tags.contains(tag))
    }
}
