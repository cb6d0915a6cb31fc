"""A small Todo API on FastAPI: a server that is none of ours, to try the sample plans on.
Todos live in memory, as long as the process does."""

import itertools

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel


class TodoIn(BaseModel):
    title: str
    description: str | None = None
    completed: bool = False


class TodoPatch(BaseModel):
    title: str | None = None
    description: str | None = None
    completed: bool | None = None


app = FastAPI()
store: dict[int, dict] = {}
ids = itertools.count(1)


def found(todo_id: int) -> dict:
    if todo_id not in store:
        raise HTTPException(404, "Todo not found")
    return store[todo_id]


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/todos/", status_code=201)
def create_todo(todo: TodoIn):
    todo_id = next(ids)
    store[todo_id] = {"id": todo_id, **todo.model_dump()}
    return store[todo_id]


@app.get("/todos/")
def list_todos(skip: int = 0, limit: int = 100):
    return list(itertools.islice(list(store.values()), skip, skip + limit))


@app.get("/todos/{todo_id}")
def get_todo(todo_id: int):
    return found(todo_id)


@app.put("/todos/{todo_id}")
def update_todo(todo_id: int, patch: TodoPatch):
    found(todo_id).update(patch.model_dump(exclude_unset=True))
    return store[todo_id]


@app.delete("/todos/{todo_id}", status_code=204)
def delete_todo(todo_id: int):
    found(todo_id)
    store.pop(todo_id, None)
    return Response(status_code=204)
