//! Owns the todos: kept as the JSON that answers are made of.

use std::collections::BTreeMap;

use bytes::Bytes;

/// More todos than these are not kept: the oldest go, so that a soak cannot eat the memory.
const KEPT: usize = 1_000_000;

/// What a todo holds, as the client gave it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Todo {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) completed: Option<bool>,
}

/// A change to a todo: only what the client gave, `null` being something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Patch {
    pub(super) title: Option<Option<String>>,
    pub(super) description: Option<Option<String>>,
    pub(super) completed: Option<Option<bool>>,
}

/// All todos, by id, which is the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Store {
    todos: BTreeMap<i64, (Todo, Bytes)>,
    last: i64,
}

impl Store {
    pub(super) fn create(&mut self, todo: Todo) -> Bytes {
        self.last += 1;
        let json = json(self.last, &todo);
        self.todos.insert(self.last, (todo, json.clone()));
        if self.todos.len() > KEPT {
            self.todos.pop_first();
        }
        json
    }

    pub(super) fn get(&self, id: i64) -> Option<Bytes> {
        self.todos.get(&id).map(|(_, json)| json.clone())
    }

    pub(super) fn update(&mut self, id: i64, patch: Patch) -> Option<Bytes> {
        let (todo, stored) = self.todos.get_mut(&id)?;
        if let Some(title) = patch.title {
            todo.title = title;
        }
        if let Some(description) = patch.description {
            todo.description = description;
        }
        if let Some(completed) = patch.completed {
            todo.completed = completed;
        }
        *stored = json(id, todo);
        Some(stored.clone())
    }

    pub(super) fn delete(&mut self, id: i64) -> bool {
        self.todos.remove(&id).is_some()
    }

    /// A JSON list of `limit` todos after the first `skip`.
    pub(super) fn list(&self, skip: usize, limit: usize) -> Bytes {
        let mut out = vec![b'['];
        for (_, json) in self.todos.values().skip(skip).take(limit) {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(json);
        }
        out.push(b']');
        out.into()
    }
}

fn json(id: i64, todo: &Todo) -> Bytes {
    let text = |text: &Option<String>| serde_json::to_string(text).expect("text is JSON");
    let completed = todo.completed.map_or("null", |value| if value { "true" } else { "false" });
    let (title, description) = (text(&todo.title), text(&todo.description));
    format!(r#"{{"id":{id},"title":{title},"description":{description},"completed":{completed}}}"#)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn todo(title: &str) -> Todo {
        Todo { title: Some(title.into()), description: None, completed: Some(false) }
    }

    #[test]
    fn todos_are_listed_in_the_order_in_which_they_were_made() {
        let mut store = Store::default();
        for title in ["a", "b", "c\""] {
            store.create(todo(title));
        }
        assert!(store.delete(2) && !store.delete(2));
        let all = r#"[{"id":1,"title":"a","description":null,"completed":false},{"id":3,"title":"c\"","description":null,"completed":false}]"#;
        assert_eq!(store.list(0, 100), all);
        assert_eq!(
            store.list(1, 1),
            all[59..].replace("},{", "").trim_start_matches(',').replacen('{', "[{", 1)
        );
        assert_eq!(store.list(5, 1), "[]");
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let mut store = Store::default();
        store.create(todo("a"));
        let patch = Patch { completed: Some(Some(true)), ..Patch::default() };
        assert_eq!(
            store.update(1, patch).unwrap(),
            r#"{"id":1,"title":"a","description":null,"completed":true}"#
        );
        let patch = Patch { title: Some(None), ..Patch::default() };
        assert_eq!(
            store.update(1, patch).unwrap(),
            r#"{"id":1,"title":null,"description":null,"completed":true}"#
        );
        assert_eq!(store.update(9, Patch::default()), None);
    }
}
