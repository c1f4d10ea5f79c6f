"""Telling the workers which mails are due, a few at a time and behind the answer's back.

A message to the broker for each sign-up would cost more than everything else its answer does
outside the database, and a slow broker would be waited for. So the ids of a moment travel together,
sent by a thread of this process. The rows are the truth: ids that are lost, with the process or
because the broker is away, are found by the sweep (signup.mail).
"""

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from kombu.exceptions import OperationalError

from signup import tasks

log = logging.getLogger(__name__)

# Seconds that a mail may wait for others to travel with.
TOGETHER = 0.1
# No more mails than this wait for each other in one task.
IN_ONE_TASK = 20
# What a broker that hangs may let grow; beyond that the sweep finds them.
WAITING_AT_MOST = 10_000


class _Outbox:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._waiting: list[int | None] = []
        # Made only when asked for; at the process' end it does what waits.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hand-over")

    def add(self, system_mail_id: int | None) -> None:
        with self._lock:
            if len(self._waiting) >= WAITING_AT_MOST:
                return
            self._waiting.append(system_mail_id)
            is_first = len(self._waiting) == 1
        if is_first:
            self._thread.submit(self._soon)

    def _soon(self) -> None:
        time.sleep(TOGETHER)
        try:
            self.send()
        except Exception:
            # Nobody waits for this thread's result; the sweep will send them.
            log.exception("Mails could not be handed to the workers.")

    def send(self) -> None:
        with self._sending:
            with self._lock:
                waiting, self._waiting = self._waiting, []
            try:
                for at in range(0, len(waiting), IN_ONE_TASK):
                    some = waiting[at : at + IN_ONE_TASK]
                    tasks.send_system_mails.delay([one for one in some if one is not None])
            except (OperationalError, OSError) as error:
                log.warning("The broker does not answer, the sweep will send the mail: %s", error)

    def forget(self) -> None:
        with self._lock:
            self._waiting = []
        # What was taken before has left as soon as nobody holds this.
        with self._sending:
            pass


_outbox = _Outbox()


def hand_over(system_mail_id: int | None) -> None:
    """Have the mail sent within a moment. None: nothing is due, but that must not show."""
    _outbox.add(system_mail_id)


def now() -> None:
    """Send what waits without waiting for more; return when nothing is on its way any more."""
    _outbox.send()


def forget() -> None:
    """Leave what waits to the sweep; return when nothing is on its way any more."""
    _outbox.forget()


def _begin_anew() -> None:
    """A forked process has no thread, and its parent still sends what waited there."""
    global _outbox  # noqa: PLW0603
    _outbox = _Outbox()


os.register_at_fork(after_in_child=_begin_anew)
