"""The pretended relay behind real sockets: many connections, TLS, STARTTLS, AUTH, slow drips."""

import base64
import contextlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from tests.running.listening import listening
from tests.transports.pretended_relay import Book, PretendedRelay, Script


@dataclass
class FaultServer:
    """`hears` and `says` give, for each connection in turn, after how many octets it ends."""

    script: Script = lambda step, text: None
    pipelining: bool = True
    eager: bool = False
    # Offered at first, and after STARTTLS or on an implicit TLS line.
    offers: tuple[str, ...] = ("8BITMIME", "SMTPUTF8", "SIZE 1000000")
    offers_inside: tuple[str, ...] | None = None
    context: ssl.SSLContext | None = None
    implicit_tls: bool = False
    # What a meddler puts behind the answer to STARTTLS, in plain text.
    behind_starttls: bytes = b""
    greeting: bytes = b"220 fault.test ESMTP"
    # Who may log in.
    user: bytes = b""
    password: bytes = b""
    # Overlooks what comes with AUTH PLAIN, and asks for it.
    asks_for_plain: bool = False
    # Seconds between the octets of each reply to mail.
    drip: float = 0.0
    says: list[int] = field(default_factory=list)
    hears: list[int] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    connections: int = 0
    drops: int = 0
    open_now: int = 0
    most_open: int = 0
    # What was said before mail began: EHLO, STARTTLS, AUTH, each with whether inside TLS.
    hellos: list[tuple[bool, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sockets: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._open_until_exit = contextlib.ExitStack()
        self.port = self._open_until_exit.enter_context(listening(self._serve))
        return self

    def __exit__(self, *_: object) -> None:
        self._open_until_exit.close()
        for one in self._sockets:
            one.close()

    def url(self, options: str = "timeout=10", *, login: str = "", host: str = "127.0.0.1") -> str:
        scheme = "smtps" if self.implicit_tls else "smtp"
        return f"{scheme}://{login}{host}:{self.port}?{options}"

    def _serve(self, plain: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
            says = self.says.pop(0) if self.says else None
            hears = self.hears.pop(0) if self.hears else None
        try:
            line = plain
            if self.implicit_tls and self.context:
                line = self.context.wrap_socket(plain, server_side=True)
            self._sockets.append(line)
            line.sendall(self.greeting + b"\r\n")
            ready = self._hello(line, inside=self.implicit_tls)
            if ready is not None:
                self._mail(*ready, says=says, hears=hears)
        finally:
            with self._lock:
                self.open_now -= 1

    def _hello(self, line: socket.socket, *, inside: bool) -> tuple[socket.socket, bytes] | None:
        """Up to the first MAIL. Returns the line and what was heard of it."""
        heard = b""
        while True:
            while b"\r\n" not in heard:
                got = line.recv(4096)
                if not got:
                    return None
                heard += got
            if heard.startswith((b"MAIL", b"RSET")):
                return line, heard
            command, _, heard = heard.partition(b"\r\n")
            self.hellos.append((inside, command.decode()))
            verb = command.partition(b" ")[0].upper()
            if verb == b"EHLO":
                offers = self.offers_inside if inside and self.offers_inside else self.offers
                names = ["fault.test", *(["PIPELINING"] if self.pipelining else []), *offers]
                line.sendall(
                    b"".join(b"250-%s\r\n" % name.encode() for name in names) + b"250 HELP\r\n"
                )
            elif verb == b"STARTTLS" and self.context:
                line.sendall(b"220 go\r\n" + self.behind_starttls)
                line = self.context.wrap_socket(line, server_side=True)
                self._sockets.append(line)
                inside = True
            elif command.startswith(b"AUTH PLAIN "):
                right = b"\0".join((b"", self.user, self.password))
                said = base64.b64decode(command[11:])
                if self.asks_for_plain:
                    line.sendall(b"334 \r\n")
                    said = base64.b64decode(line.recv(4096))
                line.sendall(b"235 2.7.0 in\r\n" if said == right else b"535 5.7.8 no\r\n")
            elif command == b"AUTH LOGIN":
                answers = []
                for question in (b"Username:", b"Password:"):
                    line.sendall(b"334 " + base64.b64encode(question) + b"\r\n")
                    answers.append(base64.b64decode(line.recv(4096)))
                fine = answers == [self.user, self.password]
                line.sendall(b"235 2.7.0 in\r\n" if fine else b"535 5.7.8 no\r\n")
            elif verb == b"QUIT":
                line.sendall(b"221 bye\r\n")
                return None
            else:
                line.sendall(b"502 5.5.1 what?\r\n")

    def _mail(
        self, line: socket.socket, heard: bytes, *, says: int | None, hears: int | None
    ) -> None:
        with self._lock:
            relay = PretendedRelay(self.book, self.script, self.pipelining, self.eager)
        cut = False
        while not (relay.closed or cut):
            if hears is not None:
                cut = len(heard) > hears
                heard = heard[:hears]
                hears -= len(heard)
            with self._lock:
                said = relay.hear(heard)
            if says is not None:
                cut = cut or len(said) > says
                said = said[:says]
                says -= len(said)
            if self.drip:
                for octet in said:
                    line.sendall(bytes([octet]))
                    time.sleep(self.drip)
            else:
                line.sendall(said)
            if relay.closed or cut:
                break
            heard = line.recv(65536)
            if not heard:
                return
        with self._lock:
            self.drops += 1
        # With what is still unread in it, so that the other side gets a reset, as in life.
        line.close()
