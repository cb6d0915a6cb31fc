"""TodoUser of plans/todo.yaml as a program for Locust; benches/locust.sh compares the two.

    locust -f benches/locustfile.py --headless -u 20 -r 5 -t 15s --host URL TodoUser

It is written as a locustfile usually is, and so differs from the plan in one thing: a task that
finds nothing to do returns at once and still costs the user its wait, where the plan draws only
among the tasks that can run. Over 15 seconds that makes 123 requests on average, and 141 of the
plan.
"""

import random

from locust import HttpUser, between, task


class TodoUser(HttpUser):
    """Someone who keeps a few todos."""

    wait_time = between(1, 3)

    def on_start(self):
        self.todos = []

    @task(3)
    def create_todo(self):
        body = {"title": f"perf {random.randint(1, 1000)}", "completed": False}
        with self.client.post(
            "/todos/", json=body, name="/todos/ [POST - Create]", catch_response=True
        ) as response:
            if response.status_code == 201:
                self.todos.append(response.json()["id"])
            else:
                response.failure(f"status {response.status_code}")

    @task(2)
    def list_todos(self):
        self.client.get("/todos/", name="/todos/ [GET - List]")

    @task
    def get_single_todo(self):
        if self.todos:
            todo = random.choice(self.todos)
            self.client.get(f"/todos/{todo}", name="/todos/{id} [GET - Single]")

    @task
    def update_todo(self):
        if not self.todos:
            return
        todo = random.choice(self.todos)
        body = {
            "title": f"edited {random.randint(1, 1000)}",
            "completed": random.choice([True, False]),
        }
        with self.client.put(
            f"/todos/{todo}", json=body, name="/todos/{id} [PUT - Update]", catch_response=True
        ) as response:
            self.judge(response, 200)

    @task
    def delete_todo(self):
        if not self.todos:
            return
        todo = random.choice(self.todos)
        with self.client.delete(
            f"/todos/{todo}", name="/todos/{id} [DELETE]", catch_response=True
        ) as response:
            if self.judge(response, 204):
                self.todos.remove(todo)

    def judge(self, response, good):
        """404 is fine as well: somebody else was first."""
        if response.status_code not in (good, 404):
            response.failure(f"status {response.status_code}")
            return False
        response.success()
        return True
