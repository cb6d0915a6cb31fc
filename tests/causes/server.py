"""A server on 127.0.0.1 whose behaviour is known: the cause that a recorded run shows.

    python3 tests/causes/server.py [OPTIONS]

It prints its port, and answers until it is ended. Without options each request is answered after 5 ms.
Times are seconds; its clock begins with the first request.
"""

import argparse
import asyncio
import math
import os
import random
import socket
import ssl
import time

CHUNK = 16 * 1024
BACKLOG = 1024


def options():
    say = argparse.ArgumentParser()
    add = say.add_argument
    add("--delay", type=float, default=0.005, help="what each request takes")
    add("--jitter", type=float, default=0, help="sigma of the lognormal factor on each delay")
    add("--path", action="append", default=[], help="/a=0.5 or /a=0.5/2: its own delay, and workers of its own")
    add("--workers", type=int, help="so many requests at once; the others wait for their turn")
    add("--usl", help="GAMMA,ALPHA,BETA: N requests at once are served at the rate of the law")
    add("--accept", help="OPEN,SHUT: connections are accepted for so long, then not, by turns")
    add("--tls", help="a folder with cert.pem and key.pem")
    add("--handshake", type=float, default=0, help="the time before TLS answers")
    add("--lookup", help="PORT,DELAY: also a name server there, which says 127.0.0.1 after the delay")
    add("--body", type=int, default=200, help="bytes of an answer")
    add("--bandwidth", type=float, help="bytes per second that all answers together are sent with")
    add("--refuse-above", type=int, help="503 when more requests than that are under way")
    add("--fail", type=float, default=0, help="the share of requests that get 500")
    add("--drift", help="TO,OVER: the delay grows evenly up to TO within OVER")
    add("--cold", help="DELAY,UNTIL: the delay at the start, which falls evenly")
    add("--stall", help="EVERY,FOR: all stands still")
    add("--stalls", help="AT,AT,…,FOR: all stands still at these times")
    add("--die", type=float, help="ends itself then")
    add("--seed", type=int, default=1)
    return say.parse_args()


def numbers(text):
    return [float(part) for part in text.split(",")]


class Server:
    def __init__(self, say):
        self.say, self.random = say, random.Random(say.seed)
        self.began, self.active, self.line_free = None, 0, 0.0
        self.opened = asyncio.Event()
        self.opened.set()
        self.paths = {}
        for path in say.path:
            name, figures = path.split("=")
            delay, _, workers = figures.partition("/")
            self.paths[name] = (float(delay), asyncio.Semaphore(int(workers)) if workers else None)
        self.workers = asyncio.Semaphore(say.workers) if say.workers else None
        self.context = None
        if say.tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(f"{say.tls}/cert.pem", f"{say.tls}/key.pem")

    def time(self):
        now = time.monotonic()
        if self.began is None:
            self.began = now
            if self.say.die:
                asyncio.get_running_loop().call_later(self.say.die, os._exit, 0)
        return now - self.began

    def delay(self, path):
        """What a request takes that begins now, and whose turn it waits for."""
        delay, workers = self.paths.get(path, (self.say.delay, self.workers))
        if self.say.usl:
            gamma, alpha, beta = numbers(self.say.usl)
            n = self.active
            delay = (1 + alpha * (n - 1) + beta * n * (n - 1)) / gamma
        if self.say.drift:
            to, over = numbers(self.say.drift)
            delay += (to - delay) * min(self.time() / over, 1)
        if self.say.cold:
            cold, until = numbers(self.say.cold)
            delay += max(cold - delay, 0) * max(1 - self.time() / until, 0)
        if self.say.jitter:
            sigma = self.say.jitter
            delay *= math.exp(self.random.gauss(-sigma * sigma / 2, sigma))
        return delay, workers

    async def stand_still(self):
        """Until the stall is over in which it is now, if there is one."""
        now = self.time()
        if self.say.stall:
            every, length = numbers(self.say.stall)
            since = now % every if now >= every else length
            await asyncio.sleep(max(length - since, 0))
        if self.say.stalls:
            *times, length = numbers(self.say.stalls)
            for at in times:
                if at <= now < at + length:
                    await asyncio.sleep(at + length - now)

    async def answer(self, path, writer):
        await self.stand_still()
        refused = self.say.refuse_above is not None and self.active > self.say.refuse_above
        status = 503 if refused else 200
        if not refused:
            delay, workers = self.delay(path)
            if workers:
                async with workers:
                    await asyncio.sleep(delay)
            else:
                await asyncio.sleep(delay)
            await self.stand_still()
            if self.random.random() < self.say.fail:
                status = 500
        body = self.say.body if status == 200 else 20
        writer.write(b"HTTP/1.1 %d Known\r\nContent-Length: %d\r\n\r\n" % (status, body))
        while body > 0:
            some = min(body, CHUNK)
            body -= some
            if self.say.bandwidth:
                # Each answer waits for the line again after each chunk, so that all get the same.
                now = time.monotonic()
                begin = max(now, self.line_free)
                self.line_free = begin + some / self.say.bandwidth
                await asyncio.sleep(self.line_free - now)
            writer.write(b"x" * some)
            await writer.drain()

    async def talk(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.active += 1
                try:
                    await self.read_body(head, reader)
                    await self.answer(head.split(b" ", 2)[1].decode(), writer)
                finally:
                    self.active -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def read_body(self, head, reader):
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.split(b":")[1]))

    async def connection(self, client):
        try:
            if self.say.handshake:
                await asyncio.sleep(self.say.handshake)
            reader = asyncio.StreamReader(limit=1 << 20)
            protocol = asyncio.StreamReaderProtocol(reader, self.talk)
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: protocol, client, ssl=self.context)
        except OSError:
            client.close()

    async def accept(self, listener):
        loop = asyncio.get_running_loop()
        tasks = set()
        if self.say.accept:
            tasks.add(loop.create_task(self.shut(listener)))
        while True:
            await self.opened.wait()
            client, _ = await loop.sock_accept(listener)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self.connection(client))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def shut(self, listener):
        """Accepts for a time, and lets the system drop all that comes for another, by turns."""
        opened, shut = numbers(self.say.accept)
        while True:
            await asyncio.sleep(opened)
            self.opened.clear()
            listener.listen(0)
            # The first may still be accepted; one fills the queue.
            plugs = [socket.socket(), socket.socket()]
            for plug in plugs:
                plug.setblocking(False)
                plug.connect_ex(listener.getsockname())
            await asyncio.sleep(shut)
            for plug in plugs:
                plug.close()
            listener.listen(BACKLOG)
            self.opened.set()


class NameServer(asyncio.DatagramProtocol):
    """Says of every name that it is 127.0.0.1, for no time."""

    def __init__(self, delay):
        self.delay = delay

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, query, sender):
        question = query[12:]
        end = question.index(b"\0") + 5
        is_a = question[end - 4 : end - 2] == b"\0\1"
        head = query[:2] + b"\x81\x80\0\1\0" + (b"\1" if is_a else b"\0") + b"\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1" if is_a else b""
        loop = asyncio.get_running_loop()
        loop.call_later(self.delay, self.transport.sendto, head + question[:end] + record, sender)


async def main():
    say = options()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    if say.lookup:
        port, delay = numbers(say.lookup)
        make = lambda: NameServer(delay)
        await asyncio.get_running_loop().create_datagram_endpoint(make, ("127.0.0.1", int(port)))
    print(listener.getsockname()[1], flush=True)
    await Server(say).accept(listener)


asyncio.run(main())
