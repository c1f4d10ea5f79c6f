"""Clients that post as fast as they are answered, over connections that stay open."""

import multiprocessing
import random
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROCESSES = 2
_LONGEST_WAIT = 30


@dataclass
class Answers:
    """What came back: how long each took in seconds, and how many of each status.

    `cpu`: seconds of processor time that the clients themselves used.
    """

    seconds: list[float]
    statuses: Counter[int]
    lasted: float
    cpu: float

    def figures(self) -> dict[str, Any]:
        ordered = sorted(self.seconds)
        return {
            "requests_per_second": round(len(ordered) / self.lasted, 1),
            "p50_ms": round(ordered[len(ordered) // 2] * 1000, 1),
            "p95_ms": round(ordered[int(len(ordered) * 0.95)] * 1000, 1),
            "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 1),
            "slowest_ms": round(ordered[-1] * 1000, 1),
            "requests": len(ordered),
            "statuses": {str(status): number for status, number in sorted(self.statuses.items())},
        }


FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def request(path: str, body: bytes, headers: dict[str, str], content_type: str = FORM) -> bytes:
    """Return the octets of one POST, made before the clock runs."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def post_all(port: int, requests: Sequence[bytes], *, clients: int, seconds: float) -> Answers:
    """Send `requests` from `clients` connections until they are used up or the time is over."""
    spawned = multiprocessing.get_context("fork")
    answers = spawned.Queue()
    gate = spawned.Event()
    workers = []
    shares = min(PROCESSES, clients)
    for number in range(shares):
        connections = clients // shares + (number < clients % shares)
        share = requests[number::shares]
        worker = spawned.Process(
            target=_client, args=(port, share, connections, seconds, gate, answers), daemon=True
        )
        worker.start()
        workers.append(worker)
    gate.set()
    found = [answers.get(timeout=seconds + _LONGEST_WAIT) for _ in workers]
    for worker in workers:
        worker.join()
    return Answers(
        seconds=[took for share in found for took in share[0]],
        statuses=sum((share[1] for share in found), Counter()),
        lasted=max(share[2] for share in found),
        cpu=sum(share[3] for share in found),
    )


def medians(
    port: int, kinds: Mapping[str, Sequence[bytes]], *, seconds: float
) -> dict[str, dict[str, float]]:
    """Send one after another, a round of every kind at a time, and compare what they took.

    For `seconds` at most; `samples` says how many of each kind that were. Each round in another
    order, so that none always stands behind the same other. Raises ValueError when one is not
    taken: it would compare nothing.
    """
    took: dict[str, list[float]] = {name: [] for name in kinds}
    dice = random.Random(0)
    until = time.perf_counter() + seconds
    with Line(port) as line:
        for row in zip(*kinds.values(), strict=True):
            if time.perf_counter() > until:
                break
            for name, octets in dice.sample(list(zip(kinds, row, strict=True)), len(kinds)):
                begun = time.perf_counter()
                status = line.send(octets)
                took[name].append((time.perf_counter() - begun) * 1000)
                if status >= 400:
                    raise ValueError(f"A sign-up for a {name} address was answered {status}.")
    return {
        name: {
            "samples": len(values),
            "median": round(statistics.median(values), 2),
            "p10": round(sorted(values)[len(values) // 10], 2),
            "p90": round(sorted(values)[len(values) * 9 // 10], 2),
        }
        for name, values in took.items()
    }


def _client(
    port: int, share: Sequence[bytes], connections: int, seconds: float, gate: Any, answers: Any
) -> None:
    took: list[float] = []
    statuses: Counter[int] = Counter()
    left = iter(share)
    gate.wait()
    begun, used = time.perf_counter(), time.process_time()

    def run() -> None:
        with Line(port) as line:
            while time.perf_counter() - begun < seconds:
                octets = next(left, None)
                if octets is None:
                    return
                sent = time.perf_counter()
                status = line.send(octets)
                took.append(time.perf_counter() - sent)
                statuses[status] += 1

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lasted, used = time.perf_counter() - begun, time.process_time() - used
    answers.put((took, statuses, lasted, used))


class Line:
    """One connection. It is opened anew when the server closes it, as a browser does."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        if self.socket is not None:
            self.socket.close()

    def send(self, octets: bytes) -> int:
        try:
            return self._send(octets)
        except (ConnectionError, EOFError):
            self.socket = None
            return self._send(octets)

    def _send(self, octets: bytes) -> int:
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), _LONGEST_WAIT)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(octets)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        length = 0
        closes = False
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
            elif name == b"connection":
                closes = value.strip() == b"close"
        while len(body) < length:
            body += self._more()
        if closes:
            self.socket.close()
            self.socket = None
        return int(head[9:12])

    def _more(self) -> bytes:
        assert self.socket is not None
        more = self.socket.recv(65536)
        if not more:
            raise EOFError("closed")
        return more
