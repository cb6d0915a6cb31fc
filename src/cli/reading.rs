//! Owns the options with which a plan is read, the same for every verb that reads one.

use crate::plan::Loading;
use crate::program::Selection;
use crate::session;

/// How the plan is read.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Reading {
    /// Set a variable of the plan's `vars`; may be given again
    #[arg(long = "set", value_name = "NAME=VALUE", help_heading = "Plan", value_parser = set)]
    set: Vec<(String, String)>,
    /// Lay one of the plan's `environments` over it
    #[arg(long, value_name = "NAME", help_heading = "Plan")]
    env: Option<String>,
    /// Run only tasks and steps with one of these tags
    #[arg(short = 'T', long, value_name = "TAG", num_args = 1.., value_delimiter = ',', help_heading = "Plan")]
    tags: Vec<String>,
    /// Leave out tasks and steps with one of these tags
    #[arg(short = 'E', long, value_name = "TAG", num_args = 1.., value_delimiter = ',', help_heading = "Plan")]
    exclude_tags: Vec<String>,
    /// Let the plan name files outside of its folder
    #[arg(long, help_heading = "Plan")]
    allow_outside: bool,
}

fn set(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write it as `project=7`".to_owned()),
    }
}

impl Reading {
    /// The variables that are set.
    pub(super) fn variables(&self) -> &[(String, String)] {
        &self.set
    }

    pub(super) fn loading(&self) -> Loading {
        Loading {
            environment: self.env.clone(),
            allow_outside: self.allow_outside,
            set: self.set.clone(),
            variables: session::variables(),
        }
    }

    pub(super) fn selection(&self) -> Selection {
        let words = |tags: &[String]| {
            tags.iter().map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
        };
        Selection { tags: words(&self.tags), exclude: words(&self.exclude_tags) }
    }
}
