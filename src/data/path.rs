//! Owns what a file's name in a plan stands for: a file under the plan's folder.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::error::DataError;
use crate::diagnostic::suggest;

/// So many names of a folder are looked at for one that was meant.
const NAMES: usize = 1_000;

/// The file that a plan in `folder` calls `file`, with every symlink resolved.
///
/// Unless `allow_outside`, a path that is absolute, climbs out of the folder with `..`, or leaves it
/// over a symlink is refused: a plan from somebody else must not read (and then send) files of the
/// machine that it runs on. What is no plain file is refused as well: a pipe can be read but once.
pub fn under(folder: &Path, file: &str, allow_outside: bool) -> Result<PathBuf, DataError> {
    if file.is_empty() {
        return Err(DataError::new("the name of a file is empty", "write its path"));
    }
    if !allow_outside && leaves(Path::new(file)) {
        return Err(outside(file));
    }
    // An empty folder is what the parent of a bare `plan.yaml` is.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let home = folder
        .canonicalize()
        .map_err(|error| DataError::unread(&folder.display().to_string(), &error))?;
    let path = match home.join(file).canonicalize() {
        Ok(path) => path,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(missing(&home, file, allow_outside));
        }
        Err(error) => return Err(DataError::unread(file, &error)),
    };
    if !allow_outside && !path.starts_with(&home) {
        return Err(outside(file));
    }
    if path.is_dir() {
        return Err(DataError::new(format!("`{file}` is a folder"), "name a file in it"));
    }
    if !path.is_file() {
        return Err(DataError::new(
            format!("`{file}` is not a plain file"),
            "write what it gives into a file, and name that",
        ));
    }
    Ok(path)
}

/// Whether the path, as written, ends outside the folder it starts from.
fn leaves(path: &Path) -> bool {
    let mut depth = 0_usize;
    for component in path.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::CurDir => {}
            _ => return true,
        }
    }
    false
}

fn outside(file: &str) -> DataError {
    DataError::new(
        format!("`{file}` is not under the plan's folder"),
        "move it there, or allow it with `--allow-outside`",
    )
}

fn missing(home: &Path, file: &str, allow_outside: bool) -> DataError {
    let title = format!("there is no file `{file}`");
    let asked = Path::new(file);
    let within = asked.parent().unwrap_or(Path::new(""));
    let folder = match home.join(within).canonicalize() {
        // What a folder outside holds is not told.
        Ok(folder) if allow_outside || folder.starts_with(home) => folder,
        Ok(_) => return outside(file),
        Err(_) => {
            let hint = format!("there is no folder `{}` beside the plan either", within.display());
            return DataError::new(title, hint);
        }
    };
    let mut names: Vec<_> = folder
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .take(NAMES)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    let wanted = asked.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let hint = match suggest(wanted, names.iter().map(String::as_str)) {
        // A link to nowhere has the very name.
        Some(near) if near == wanted => "it is a link to a file that is not there".to_owned(),
        Some(near) => format!("did you mean `{}`?", within.join(near).display()),
        None => "paths start from the plan's folder".to_owned(),
    };
    DataError::new(title, hint)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use proptest::prelude::*;

    /// `plans/` with a file and a folder, and `secret.csv` beside it.
    fn world() -> (tempfile::TempDir, PathBuf) {
        let world = tempfile::tempdir().unwrap();
        let plans = world.path().canonicalize().unwrap().join("plans");
        fs::create_dir_all(plans.join("data")).unwrap();
        fs::write(plans.join("data/accounts.csv"), "a\n1\n").unwrap();
        fs::write(world.path().join("secret.csv"), "a\n1\n").unwrap();
        symlink("data/accounts.csv", plans.join("inside.csv")).unwrap();
        symlink("../secret.csv", plans.join("escape.csv")).unwrap();
        symlink("..", plans.join("up")).unwrap();
        symlink("nowhere.csv", plans.join("broken.csv")).unwrap();
        (world, plans)
    }

    fn refused(folder: &Path, file: &str) -> (String, String) {
        let error = under(folder, file, false).unwrap_err();
        (error.title, error.hint)
    }

    #[test]
    fn a_file_under_the_plans_folder_is_found() {
        let (_world, plans) = world();
        let accounts = plans.join("data/accounts.csv");
        for file in ["data/accounts.csv", "./data/../data/accounts.csv", "inside.csv"] {
            assert_eq!(under(&plans, file, false).as_ref(), Ok(&accounts), "{file}");
        }
        assert_eq!(
            under(Path::new(""), "Cargo.toml", false).unwrap().file_name().unwrap(),
            "Cargo.toml"
        );
    }

    #[test]
    fn a_file_elsewhere_is_refused_unless_allowed() {
        let (world, plans) = world();
        let secret = world.path().canonicalize().unwrap().join("secret.csv");
        let whole = secret.to_str().unwrap();
        for file in ["../secret.csv", "data/../../secret.csv", "escape.csv", "up/secret.csv", whole]
        {
            let (title, hint) = refused(&plans, file);
            assert_eq!(title, format!("`{file}` is not under the plan's folder"));
            assert_eq!(hint, "move it there, or allow it with `--allow-outside`");
            assert_eq!(under(&plans, file, true).as_ref(), Ok(&secret), "{file}");
        }
    }

    #[test]
    fn what_is_outside_is_not_told_by_a_suggestion() {
        let (_world, plans) = world();
        for file in ["up/secrets.csv", "../secrets.csv", "up/nothing.csv", "../nothing.csv"] {
            let (title, _) = refused(&plans, file);
            assert_eq!(title, format!("`{file}` is not under the plan's folder"));
        }
    }

    #[test]
    fn a_missing_file_comes_with_the_name_that_was_meant() {
        let (_world, plans) = world();
        let hints = [
            ("data/acounts.csv", "did you mean `data/accounts.csv`?"),
            ("data/products.csv", "paths start from the plan's folder"),
            ("date/accounts.csv", "there is no folder `date` beside the plan either"),
            ("broken.csv", "it is a link to a file that is not there"),
        ];
        for (file, hint) in hints {
            let found = refused(&plans, file);
            assert_eq!(found, (format!("there is no file `{file}`"), hint.to_owned()));
        }
    }

    #[test]
    fn what_is_no_plain_file_is_refused() {
        let (_world, plans) = world();
        assert_eq!(refused(&plans, "data").0, "`data` is a folder");
        assert_eq!(refused(&plans, "").0, "the name of a file is empty");
        let device = under(&plans, "/dev/null", true).unwrap_err();
        assert_eq!(device.title, "`/dev/null` is not a plain file");
        assert!(refused(&plans, "a\0b").0.starts_with("cannot read"));
    }

    proptest! {
        #[test]
        fn no_path_leads_out(parts in proptest::collection::vec(
            proptest::sample::select(
                &["..", ".", "", "data", "up", "plans", "secret.csv", "accounts.csv", "escape.csv"][..],
            ), 1..6,
        )) {
            let (_world, plans) = world();
            if let Ok(path) = under(&plans, &parts.join("/"), false) {
                prop_assert!(path.starts_with(&plans) && path.is_file(), "{:?}", path);
            }
        }
    }
}
