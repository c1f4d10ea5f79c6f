"""One connection: a non-blocking socket, and the conversation on it."""

import contextlib
import socket
import ssl
import struct
import time

from newsletter.transports.protocol import Outgoing
from newsletter.transports.smtp.conversation import Conversation, Settled, Step
from newsletter.transports.smtp.envelope import Offer
from newsletter.transports.smtp.lane import Lane
from newsletter.transports.values import Receipt

# Seconds to wait in each phase (RFC 5321 section 4.5.3.2). One timeout for all would either give
# up on a relay that is storing a message, and so make an unknown, or hang on a dead one.
PATIENCE = {
    Step.RSET: 300.0,
    Step.MAIL: 300.0,
    Step.RCPT: 300.0,
    Step.DATA: 120.0,
    Step.FINAL: 600.0,
    Step.VOID: 600.0,
    Step.QUIT: 2.0,
}
# For each block of content to be taken off our hands.
CONTENT = 180.0
# For what the relay still had to say when it would hear no more of us.
LAST_WORDS = 5.0
# A connection that has been idle, or open, for longer is replaced: relays and the firewalls before
# them drop such ones, and a relay's new address is looked up only by a new one. Seconds.
LONGEST_IDLE = 30.0
OLDEST = 600.0

_READ = 16384
_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
# Close at once, and let the system forget what it has not sent yet.
_NO_LINGER = struct.pack("ii", 1, 0)


class Line:
    """Drives one conversation. Not thread-safe, but for `cut`."""

    __slots__ = (
        "_heard",
        "_pending",
        "_since",
        "_sock",
        "_tls",
        "begun",
        "conversation",
        "deaf",
        "fd",
        "is_free",
        "lane",
        "leaving",
        "opened",
        "retiring",
        "used",
        "watched",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, offer: Offer, lane: Lane) -> None:
        self._sock = sock
        self._tls = isinstance(sock, ssl.SSLSocket)
        self.fd = sock.fileno()
        self.lane = lane
        self.conversation = Conversation(offer)
        self._pending: memoryview | None = None
        self._heard = 0
        self.opened = self.used = self._since = time.monotonic()
        # The relay reads no more, but may still have something to say.
        self.deaf = False
        # Takes no more messages, and then QUIT was said.
        self.retiring = self.leaving = False
        # Messages begun on it.
        self.begun = 0
        # Kept by the pool: among the free lines; watched for when the socket takes more.
        self.is_free = False
        self.watched = False

    @property
    def has_room(self) -> bool:
        return not (self.deaf or self.retiring) and self.conversation.has_room

    @property
    def is_over(self) -> bool:
        """Nothing more will come of it: close it."""
        return self.conversation.over

    @property
    def is_writing(self) -> bool:
        """Something waits until the socket takes it."""
        return self._pending is not None

    def is_worn(self, now: float) -> bool:
        """Whether a new connection would be better for the next message."""
        return now - self.used > LONGEST_IDLE or now - self.opened > OLDEST

    def take(self, outgoing: Outgoing, now: float) -> Receipt | None:
        """Begin a message; `write` then sends it off."""
        if self.conversation.is_idle:
            self._since = now
        refused = self.conversation.take(outgoing)
        if refused is None:
            self.used = now
            self.begun += 1
            self.retiring = self.begun == self.lane.relay.messages
        return refused

    def write(self, now: float) -> list[Settled]:
        """Write what there is, as far as the socket takes it."""
        conversation = self.conversation
        # An empty piece is never left pending, and is never what there is to say.
        while data := self._pending or conversation.output():
            try:
                count = self._sock.send(data)
            except _WAIT:
                self._pending = memoryview(data)
                return []
            except OSError:
                # The reason comes with the last words of the relay, if it had any.
                self._pending = None
                self.deaf = True
                self._since = now
                return self.read(now)
            conversation.wrote(count)
            self._since = now
            self._pending = memoryview(data)[count:] if count < len(data) else None
        return []

    def read(self, now: float) -> list[Settled]:
        """Take in what has arrived; return what that settles."""
        conversation = self.conversation
        settled: list[Settled] = []
        while not conversation.over:
            try:
                data = self._sock.recv(_READ)
            except _WAIT:
                break
            except OSError as error:
                return settled + conversation.lost(error.strerror or str(error))
            if not data:
                return settled + conversation.lost("the relay closed the connection")
            settled += conversation.received(data)
            # TLS keeps what it has decrypted where no poll can see it.
            if len(data) < _READ and not self._tls:
                break
        if conversation.heard != self._heard:
            self._heard, self._since = conversation.heard, now
        return settled

    def expire(self, now: float) -> list[Settled]:
        """Give the line up if the relay has kept us waiting for too long."""
        step = self.conversation.awaits
        if self.deaf:
            patience = LAST_WORDS
        elif self._pending is not None:
            patience = CONTENT
        elif step is not None:
            patience = PATIENCE[step]
        else:
            return []
        cap = self.lane.relay.timeout
        if cap:
            patience = min(patience, cap)
        if now - self._since <= patience:
            return []
        return self.conversation.lost(f"no answer within {patience:g} seconds")

    def leave(self, now: float) -> None:
        """Say QUIT. The answer to it, or two seconds without one, end the line."""
        self.retiring = self.leaving = True
        self._since = now
        self.conversation.quit()
        self.write(now)

    def cut(self) -> None:
        """Let not one more byte go out. From any thread: the file stays open until `drop`."""
        # The plain socket's: the TLS one would forget its keys and go on in plain text.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def drop(self) -> None:
        """Close the file; what the system has not sent yet of a message is forgotten."""
        self.conversation.over = True
        if self._sock.fileno() >= 0 and not self.leaving:
            socket.socket.setsockopt(self._sock, socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._sock.close()
