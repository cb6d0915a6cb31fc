"""The GET of get.yaml for Locust, with its faster client and with the usual one.

    locust -f benches/get_locustfile.py --headless -u 64 -r 64 -t 8s --host URL Fast
"""

from locust import FastHttpUser, HttpUser, task


class Fast(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")


class Usual(HttpUser):
    @task
    def get(self):
        self.client.get("/")
