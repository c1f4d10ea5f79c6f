"""A relay that writes down every message before it says 250, and misbehaves when told to.

    python -m benchmarks.faults.recorder PORT FILE

One line of JSON in FILE for each message: the steady clock's time, the recipient, Message-ID and
SHA-256 of its bytes. So what a killed recorder had accepted is known, whether or not its client
ever heard of it. Orders come as lines of JSON on standard input (`Orders`).
"""

import hashlib
import heapq
import json
import os
import random
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_EHLO = b"\r\n".join(
    (b"250-recorder", b"250-8BITMIME", b"250-SMTPUTF8", b"250-SIZE 50000000",
     b"250-ENHANCEDSTATUSCODES", b"250 PIPELINING")
)  # fmt: skip
_END = b"\r\n.\r\n"
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.MULTILINE | re.IGNORECASE)


@dataclass
class Orders:
    # Seconds between a message's last byte and the answer to it.
    delay: float = 0.0
    # The share of recipients that are answered with 451, by chance.
    refuse: float = 0.0
    # So many contents are taken, and the line is dropped instead of saying so.
    lose_answers: int = 0
    # So many contents are cut off half-way, and not taken. Nobody's second copy is: a mail that
    # is lost twice stays unknown, as promised, and would be counted as lost.
    lose_contents: int = 0


class _Dropped(ConnectionError):
    """We end this line on purpose."""


class _Line:
    """One client's conversation: bytes in, replies out."""

    def __init__(self, recorder: "_Recorder", connection: socket.socket) -> None:
        self.recorder = recorder
        self.connection = connection
        self.heard = b""
        self.in_content = False
        self.sender = False
        self.recipient = b""
        # Replies keep their order: none before this moment.
        self.quiet_until = 0.0

    def read(self, octets: bytes) -> None:
        """Raises _Dropped."""
        self.heard += octets
        while self._content() if self.in_content else self._command():
            pass

    def _command(self) -> bool:
        command, end, rest = self.heard.partition(b"\r\n")
        if not end:
            return False
        self.heard = rest
        self.say(self._reply(command))
        return True

    def _reply(self, command: bytes) -> bytes:
        match command[:4].upper():
            case b"EHLO":
                return _EHLO
            case b"MAIL" if self.sender:
                return b"503 5.5.1 nested MAIL"
            case b"MAIL":
                self.sender = True
                return b"250 2.1.0 ok"
            case b"RCPT" if not self.sender or self.recipient:
                return b"503 5.5.1 one recipient, after MAIL"
            case b"RCPT":
                if self.recorder.refuses():
                    return b"451 4.7.1 later"
                self.recipient = command[command.index(b"<") + 1 : command.index(b">")]
                return b"250 2.1.5 ok"
            case b"DATA" if not self.recipient:
                return b"554 5.5.1 no valid recipients"
            case b"DATA":
                self.in_content = True
                # The command's own line end may be the one in front of the dot.
                self.heard = b"\r\n" + self.heard
                return b"354 go ahead"
            case b"RSET":
                self.sender, self.recipient = False, b""
                return b"250 2.0.0 ok"
            case b"QUIT":
                self.say(b"221 2.0.0 bye")
                raise _Dropped
            case _:
                return b"500 5.5.2 what?"

    def _content(self) -> bool:
        orders = self.recorder.orders
        first = self.recipient not in self.recorder.struck
        if orders.lose_contents and first and len(self.heard) > 2:
            orders.lose_contents -= 1
            self.recorder.struck.add(self.recipient)
            raise _Dropped
        # Not from the start each time: the dot may have come with the last octets only.
        at = self.heard.find(_END)
        if at < 0:
            return False
        content, self.heard = self.heard[2 : at + 2], self.heard[at + len(_END) :]
        self.recorder.write_down(self.recipient, content)
        recipient = self.recipient
        self.in_content, self.sender, self.recipient = False, False, b""
        if orders.lose_answers and first:
            orders.lose_answers -= 1
            self.recorder.struck.add(recipient)
            raise _Dropped
        self.say(b"250 2.0.0 accepted", delay=orders.delay)
        return True

    def say(self, reply: bytes, *, delay: float = 0.0) -> None:
        now = time.monotonic()
        self.quiet_until = max(self.quiet_until, now + delay)
        if self.quiet_until <= now:
            self.connection.sendall(reply + b"\r\n")
        else:
            self.recorder.later(self.quiet_until, self, reply + b"\r\n")


class _Recorder:
    def __init__(self, records: int) -> None:
        self.orders = Orders()
        # Whose copy was lost already.
        self.struck: set[bytes] = set()
        self._records = records
        self._dice = random.Random(1)
        self._lines: dict[int, _Line] = {}
        self._later: list[tuple[float, int, _Line, bytes]] = []
        self._number = 0
        self._poll = select.poll()
        self._orders_heard = b""

    def refuses(self) -> bool:
        return self.orders.refuse > 0 and self._dice.random() < self.orders.refuse

    def write_down(self, recipient: bytes, content: bytes) -> None:
        found = _MESSAGE_ID.search(content)
        line = json.dumps(
            [
                time.monotonic(),
                recipient.decode(),
                found.group(1).decode() if found else "",
                hashlib.sha256(content).hexdigest(),
            ]
        )
        # One write: a kill leaves it whole or not at all.
        os.write(self._records, line.encode() + b"\n")

    def later(self, at: float, line: _Line, reply: bytes) -> None:
        self._number += 1
        heapq.heappush(self._later, (at, self._number, line, reply))

    def serve(self, port: int) -> None:
        with socket.create_server(("127.0.0.1", port), backlog=256) as server:
            self._poll.register(server.fileno(), select.POLLIN)
            self._poll.register(sys.stdin.fileno(), select.POLLIN)
            while True:
                for fd, _ in self._poll.poll(self._patience()):
                    if fd == server.fileno():
                        self._welcome(server)
                    elif fd == sys.stdin.fileno():
                        self._obey(os.read(fd, 4096))
                    elif fd in self._lines:
                        self._hear(self._lines[fd])
                for line, reply in self._due():
                    self._send(line, reply)

    def _welcome(self, server: socket.socket) -> None:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines[connection.fileno()] = line = _Line(self, connection)
        self._poll.register(connection.fileno(), select.POLLIN)
        self._send(line, b"220 recorder ESMTP\r\n")

    def _hear(self, line: _Line) -> None:
        try:
            octets = line.connection.recv(1 << 17)
            if not octets:
                raise _Dropped
            line.read(octets)
        except ConnectionError:
            self._part(line)

    def _send(self, line: _Line, reply: bytes) -> None:
        try:
            line.connection.sendall(reply)
        except ConnectionError:
            self._part(line)

    def _part(self, line: _Line) -> None:
        fd = line.connection.fileno()
        if fd >= 0 and self._lines.pop(fd, None) is not None:
            self._poll.unregister(fd)
            line.connection.close()

    def _due(self) -> Iterator[tuple[_Line, bytes]]:
        while self._later and self._later[0][0] <= time.monotonic():
            _, _, line, reply = heapq.heappop(self._later)
            if line.connection.fileno() >= 0:
                yield line, reply

    def _patience(self) -> float:
        """Milliseconds until the next reply is due; a second when none is."""
        if not self._later:
            return 1000
        return max(0.0, (self._later[0][0] - time.monotonic()) * 1000)

    def _obey(self, octets: bytes) -> None:
        if not octets:
            sys.exit(0)  # who gave the orders is gone
        *lines, self._orders_heard = (self._orders_heard + octets).split(b"\n")
        for line in lines:
            for name, value in json.loads(line).items():
                setattr(self.orders, name, value)


if __name__ == "__main__":
    file = os.open(Path(sys.argv[2]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    _Recorder(file).serve(int(sys.argv[1]))
