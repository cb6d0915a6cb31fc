//! Owns projects, which are made before a test and deleted after it, and the users of the service.

use std::sync::{Mutex, PoisonError};

use hyper::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, detail, empty, ok, value};
use super::asked::{Asked, required, text};
use super::kept::Kept;

/// Projects that are remembered …
const PROJECTS: usize = 1_000;
/// … and todos of one.
const TODOS: usize = 1_000;
/// Users that are remembered.
const USERS: usize = 200_000;

#[derive(Debug)]
struct Project {
    name: String,
    todos: Kept<u64, Value>,
    last: u64,
}

impl Project {
    fn told(&self, id: u64) -> Value {
        json!({ "id": id, "name": self.name, "made": self.last })
    }
}

/// All projects, and the id of the last.
#[derive(Debug)]
pub(super) struct Projects(Mutex<(Kept<u64, Project>, u64)>);

impl Default for Projects {
    fn default() -> Self {
        Self(Mutex::new((Kept::new(PROJECTS), 0)))
    }
}

impl Projects {
    pub(super) fn create(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let name = if asked.body.is_empty() { None } else { text(&asked.fields()?, "name")? };
        let mut projects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, last) = &mut *projects;
        *last += 1;
        let name = name.unwrap_or_else(|| format!("project {last}"));
        let project = Project { name, todos: Kept::new(TODOS), last: 0 };
        let told = project.told(*last);
        kept.insert(*last, project);
        Ok(value(StatusCode::CREATED, &told))
    }

    pub(super) fn get(&self, id: &str) -> Answer {
        self.with(id, |id, project| ok(&project.told(id)))
    }

    pub(super) fn delete(&self, id: &str) -> Answer {
        let id = id.parse::<u64>().unwrap_or(0);
        let mut projects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match projects.0.remove(&id) {
            Some(_) => empty(StatusCode::NO_CONTENT),
            None => no_project(),
        }
    }

    pub(super) fn todos(&self, id: &str) -> Answer {
        self.with(id, |_, project| ok(&project.todos.values().cloned().collect()))
    }

    pub(super) fn add(&self, id: &str, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let title = required(&asked.fields()?, "title")?;
        Ok(self.with(id, |id, project| {
            project.last += 1;
            let todo = json!({ "id": project.last, "project": id, "title": title });
            project.todos.insert(project.last, todo.clone());
            value(StatusCode::CREATED, &todo)
        }))
    }

    pub(super) fn clear(&self, id: &str) -> Answer {
        self.with(id, |_, project| {
            project.todos = Kept::new(TODOS);
            empty(StatusCode::NO_CONTENT)
        })
    }

    fn with(&self, id: &str, answer: impl FnOnce(u64, &mut Project) -> Answer) -> Answer {
        let id = id.parse::<u64>().unwrap_or(0);
        let mut projects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match projects.0.get_mut(&id) {
            Some(project) => answer(id, project),
            None => no_project(),
        }
    }
}

fn no_project() -> Answer {
    detail(StatusCode::NOT_FOUND, "Project not found")
}

/// The users by e-mail, and the id of the last.
#[derive(Debug)]
pub(super) struct Users(Mutex<(Kept<String, u64>, u64)>);

impl Default for Users {
    fn default() -> Self {
        Self(Mutex::new((Kept::new(USERS), 0)))
    }
}

impl Users {
    /// A new user, whose e-mail nobody else may have.
    pub(super) fn create(&self, asked: &Asked<'_>) -> Result<Answer, Refusal> {
        let fields = asked.fields()?;
        let email = required(&fields, "email")?;
        let name = text(&fields, "name")?;
        if !email.contains('@') {
            return Err(detail(StatusCode::UNPROCESSABLE_ENTITY, "The e-mail has no @").into());
        }
        let mut users = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, last) = &mut *users;
        if kept.get_mut(&email).is_some() {
            return Err(detail(StatusCode::CONFLICT, "The e-mail exists already").into());
        }
        *last += 1;
        kept.insert(email.clone(), *last);
        Ok(value(StatusCode::CREATED, &json!({ "id": *last, "email": email, "name": name })))
    }
}
