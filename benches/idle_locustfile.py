"""The users of idle.yaml for Locust, with its faster client and with the usual one.

    locust -f benches/idle_locustfile.py --headless -u 500 -r 100 -t 12s --host URL Fast
"""

from locust import FastHttpUser, HttpUser, constant, task


class Fast(FastHttpUser):
    wait_time = constant(60)

    @task
    def get(self):
        self.client.get("/")


class Usual(HttpUser):
    wait_time = constant(60)

    @task
    def get(self):
        self.client.get("/")
