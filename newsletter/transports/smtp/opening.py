"""Connections that are being made aside, each in a thread, while the other lines go on."""

import contextlib
import logging
import socket
import threading
from collections import deque

from newsletter.transports.errors import LineDown, TransportError
from newsletter.transports.smtp.connect import connect
from newsletter.transports.smtp.envelope import Offer
from newsletter.transports.smtp.lane import Lane

log = logging.getLogger(__name__)

_Ready = tuple[socket.socket, Offer]


class Openings:
    """Begins connections, and rings when one stands or cannot be had."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: deque[tuple[Lane, _Ready | TransportError]] = deque()
        # A connection of an earlier life is closed as soon as it stands.
        self.life = 0
        self._bell: tuple[socket.socket, socket.socket] | None = None

    def listen(self) -> int:
        """Return the file that becomes readable when there is something in `arrivals`."""
        if self._bell is None:
            self._bell = socket.socketpair()
            for end in self._bell:
                end.setblocking(False)
        return self._bell[0].fileno()

    def begin(self, lane: Lane) -> None:
        """Connect to the lane's relay."""
        lane.opening += 1
        threading.Thread(
            target=self._connect, args=(lane, self.life), name="smtp-connect", daemon=True
        ).start()

    def arrivals(self) -> list[tuple[Lane, _Ready | TransportError]]:
        """Return the connections that stand by now, and the errors of those that do not."""
        if self._bell is None:
            return []
        with contextlib.suppress(BlockingIOError):
            self._bell[0].recv(4096)
        arrived = []
        while self._done:
            lane, result = self._done.popleft()
            lane.opening -= 1
            arrived.append((lane, result))
        return arrived

    def ring(self) -> None:
        """Wake whoever waits. From any thread."""
        bell = self._bell
        if bell is not None:
            # A full bell has rung already; a closed one has nobody to wake.
            with contextlib.suppress(OSError):
                bell[1].send(b"!")

    def forget(self) -> None:
        """Let no connection arrive that was begun until now. From any thread."""
        with self._lock:
            self.life += 1
            forgotten = list(self._done)
            self._done.clear()
        for _, result in forgotten:
            _close(result)

    def close(self) -> None:
        """Forget, and give the files back."""
        self.forget()
        bell, self._bell = self._bell, None
        for end in bell or ():
            end.close()

    def _connect(self, lane: Lane, life: int) -> None:
        result: _Ready | TransportError
        try:
            result = connect(lane.relay)
        except TransportError as error:
            result = error
        except Exception as error:
            log.exception("Connecting to %s failed", lane.relay.where)
            result = LineDown(f"No connection to {lane.relay.where}: {error}")
        with self._lock:
            if life == self.life:
                self._done.append((lane, result))
                self.ring()
                return
        _close(result)


def _close(result: _Ready | TransportError) -> None:
    if not isinstance(result, TransportError):
        result[0].close()
