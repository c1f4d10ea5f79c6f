"""A web server on the loopback, and the way that leads to it and nowhere else."""

import http.server
import ipaddress
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from newsletter.web.fetch import Way

LOOPBACK = ipaddress.ip_address("127.0.0.1")
Page = Callable[[http.server.BaseHTTPRequestHandler], None]


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        page = self.server.pages.get(self.path)
        if page is None:
            self.send_error(404)
            return
        try:
            page(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the asker has heard enough

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


def answer(body=b"", *, status=200, **headers) -> Page:
    """A page that says this; header names are written with underscores."""

    def page(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    return page


@contextmanager
def site() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.pages, server.asked = {}, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def way_to(server, **hosts) -> Way:
    """All names are the loopback server, save those given; only its address may be asked."""
    table = {name.replace("_", "."): [ipaddress.ip_address(one)] for name, one in hosts.items()}
    return Way(
        resolve=lambda host, patience: table.get(host, [LOOPBACK]),
        allowed=lambda address: address == LOOPBACK,
        ports={"http": server.server_port},
    )
