"""A relay far away: what passes through arrives half a round trip later, in both directions.

    python -m benchmarks.distance PORT TARGET_PORT RTT_MILLISECONDS

Order and octets stay as they are, and so does the rate: only distance is added.
"""

import contextlib
import heapq
import itertools
import select
import socket
import sys
import time


def serve(port: int, target: int, round_trip: float) -> None:
    """Serve until killed. `round_trip` in seconds."""
    one_way = round_trip / 2
    due: list[tuple[float, int, socket.socket, bytes]] = []
    order = itertools.count()
    others: dict[int, tuple[socket.socket, socket.socket]] = {}
    with socket.create_server(("127.0.0.1", port), backlog=256) as server:
        watched = {server.fileno()}
        while True:
            # select() and not poll(), which counts in milliseconds and would add one each way.
            wait = max(0.0, due[0][0] - time.monotonic()) if due else None
            for fd in select.select(watched, (), (), wait)[0]:
                if fd == server.fileno():
                    near, _ = server.accept()
                    far = socket.create_connection(("127.0.0.1", target))
                    for end in (near, far):
                        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        _unpaced(end)
                        watched.add(end.fileno())
                    others[near.fileno()] = near, far
                    others[far.fileno()] = far, near
                    continue
                here, there = others[fd]
                try:
                    octets = here.recv(1 << 18)
                except ConnectionError:
                    octets = b""
                if not octets:
                    watched.discard(fd)
                heapq.heappush(due, (time.monotonic() + one_way, next(order), there, octets))
            now = time.monotonic()
            while due and due[0][0] <= now:
                _, _, there, octets = heapq.heappop(due)
                try:
                    if octets:
                        there.sendall(octets)
                    else:
                        there.shutdown(socket.SHUT_WR)
                except OSError:
                    continue  # that end has gone; its own end-of-file is on its way


def _unpaced(end: socket.socket) -> None:
    """BBR, where it is the system's way, paces by what it has measured on this machine, and would
    add milliseconds of its own to the distance."""
    if hasattr(socket, "TCP_CONGESTION"):  # Linux
        with contextlib.suppress(OSError):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000)
