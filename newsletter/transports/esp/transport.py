"""The transport: letters gathered, calls made side by side, answers handed back."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import requests
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.core.exceptions import ImproperlyConfigured

from newsletter.transports.errors import LineDown, Misconfigured
from newsletter.transports.esp.answers import STATUSES, verdict
from newsletter.transports.esp.letters import Letter, as_django_message, opened
from newsletter.transports.esp.providers import provider_of
from newsletter.transports.protocol import Answered, Meter, Outgoing, WayState
from newsletter.transports.relay import Relay
from newsletter.transports.values import Outcome, Receipt, UnsafeEnvelope

log = logging.getLogger(__name__)

# Seconds before the next look, when nothing is ready to go or to be read.
NAP = 0.003
# A wait that the ESP asks for is waited for here up to this many seconds; after a longer one the
# messages are answered as temporary, and the batch rests.
PATIENCE = 2.0
# A connection that was idle for longer than this is not trusted: the other end may have closed it,
# and then nobody could say whether a request over it was read.
IDLE_SECONDS = 15.0
# Of a call that was refused whole, so many single letters are tried before the rest is given back.
TRIES_ALONE = 2

_ABORTED = Receipt(Outcome.TEMPORARY, reply="not sent: broken off", about_the_line=True)
_LOST = Receipt(Outcome.UNKNOWN, reply="broken off while the ESP was being called")

# Until when (steady clock) each ESP asked this process to be left alone.
_quiet_until: dict[str, float] = {}


class EspTransport:
    """`esp` is anymail's name for a backend: "mailgun", "postmark", "amazon_ses", …

    `health_agreement` is the name of the ESP with which an agreement on health data exists,
    `tracking_off` that of the one whose own measuring was switched off in its account.
    Raises Misconfigured.
    """

    def __init__(self, esp: str, *, health_agreement: str = "", tracking_off: str = "") -> None:
        self.name = f"esp-{esp}"
        self.allowed_for_health = health_agreement.lower() == esp.lower()
        self._esp = esp
        self._provider = provider_of(esp)
        # Made once here, so that bad settings show before anything is sent.
        first = self._provider.make(esp)
        self._tracking_off = tracking_off.lower() == esp.lower()
        if self._provider.measures(first) and not self._tracking_off:
            raise Misconfigured(
                f"ESP={esp} measures opens and clicks by the settings of its account, and no call "
                "can switch that off. Switch it off there, then set ESP_TRACKING_OFF to its name."
            )
        self._idle: queue.SimpleQueue[tuple[float, Any]] = queue.SimpleQueue()
        self._idle.put((0.0, first))
        self._pool: ThreadPoolExecutor | None = None
        # Why the last call was in vain for anybody; "" once one was answered.
        self._trouble = ""
        # Set when this line is dropped; calls that began before keep the one that they know.
        self._over = threading.Event()

    announces_content = True
    relays: Sequence[Relay] = ()

    @property
    def lines(self) -> int:
        """Letters that can be under way at once: calls, and what one call holds."""
        return self._provider.connections * self._provider.most

    def states(self) -> list[WayState]:
        rests = max(0.0, _quiet_until.get(self.name, 0.0) - time.monotonic())
        # That it asked for quiet is no trouble: it answers, and mail goes on when it said.
        lines = 0 if self._trouble else self._idle.qsize()
        return [WayState(self._esp, lines, rests, self._trouble)]

    def limit(self, meter: Meter | None) -> None:
        """A provider keeps its own limits, and says so (429)."""

    def open(self) -> None:
        if self._over.is_set():
            self._over = threading.Event()
        backend = self._backend()
        try:
            backend.open()
        except requests.RequestException as error:
            raise LineDown(f"No connection to {self.name}.") from error
        except Exception as error:
            # botocore is there for Amazon SES alone: its errors are known by where they are from.
            if type(error).__module__.startswith("botocore"):
                raise Misconfigured(f"{self.name}: {type(error).__name__}") from error
            raise
        finally:
            self._idle.put((time.monotonic(), backend))
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._provider.connections, self.name)

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool:
            pool.shutdown(wait=False, cancel_futures=True)
        backends = []
        with contextlib.suppress(queue.Empty):
            while True:
                backends.append(self._idle.get_nowait()[1])
        for backend in backends:
            _close(backend)
            self._idle.put((0.0, backend))

    def abort(self) -> None:
        """A call that is being made cannot be taken back: its letters are answered as unknown."""
        self._over.set()
        self.close()

    def send(self, outgoing: Iterable[Outgoing | None]) -> Iterator[Answered]:
        self.open()
        sending = _Sending(self, iter(outgoing))
        try:
            yield from sending.run()
        except GeneratorExit:
            self.abort()
            raise

    # --- One call, in a thread of its own ------------------------------------------------

    def submit(self, call: "_Call") -> "Future[list[Answered]]":
        if self._pool is None:  # broken off this very moment
            future: Future[list[Answered]] = Future()
            future.set_result(call.give_back())
            return future
        return self._pool.submit(self._make, call)

    def _make(self, call: "_Call") -> list[Answered]:
        waited = self._wait_for_quiet(call)
        if waited is not None:
            return call.answered(call.letters, [waited] * len(call.letters))
        backend = self._backend()
        try:
            return self._try(call, backend, call.letters, again=True)
        finally:
            self._idle.put((time.monotonic(), backend))

    def _wait_for_quiet(self, call: "_Call") -> Receipt | None:
        """Wait while the ESP wants to be left alone; a receipt when that takes too long."""
        seconds = _quiet_until.get(self.name, 0.0) - time.monotonic()
        if seconds > PATIENCE:
            said = f"asked to be left alone for another {seconds:.0f} s"
            return Receipt(Outcome.TEMPORARY, 450, "4.3.2", said, about_the_line=True)
        if call.over.wait(max(seconds, 0.0)):
            return _ABORTED
        return None

    def _try(
        self, call: "_Call", backend: Any, letters: Sequence[Letter], *, again: bool
    ) -> list[Answered]:
        """Send these letters in one call, or in smaller ones when that is refused whole."""
        message = as_django_message(list(letters), switch_tracking_off=not self._tracking_off)
        if not call.begin(letters):
            return call.answered(letters, [_ABORTED] * len(letters))
        try:
            backend.open()
            backend.send_messages([message])
        except AnymailRecipientsRefused:
            pass  # the status says which way
        except (AnymailError, ImproperlyConfigured) as error:
            found = verdict(error)
            self._trouble = found.receipt.reply if found.nobody_would_get_through else ""
            if found.wait:
                _quiet_until[self.name] = time.monotonic() + found.wait
                if again and found.wait <= PATIENCE:
                    refused = self._wait_for_quiet(call)
                    if refused is None:
                        return self._try(call, backend, letters, again=False)
            if found.receipt.outcome is Outcome.UNKNOWN or found.receipt.about_the_line:
                _close(backend)
            if found.nothing_went and not found.receipt.about_the_line and len(letters) > 1:
                return self._in_halves(call, backend, letters)
            return call.answered(letters, [found.receipt] * len(letters))
        except Exception as error:
            # An answer that anymail could not make sense of, most likely: what it was to tell of
            # may have happened.
            log.exception("%s: the answer to a call cannot be read", self.name)
            said = f"the answer cannot be read: {type(error).__name__}"
            return call.answered(letters, [Receipt(Outcome.UNKNOWN, reply=said)] * len(letters))
        self._trouble = ""
        return call.answered(letters, _receipts(message, letters))

    def _in_halves(self, call: "_Call", backend: Any, letters: Sequence[Letter]) -> list[Answered]:
        """One bad address makes some APIs refuse a whole call, and none of it was sent."""
        middle = len(letters) // 2
        answers: list[Answered] = []
        for half in (letters[:middle], letters[middle:]):
            if call.rest_hears is not None:
                # It is not about one letter: what is left hears the same, without a call each.
                answers += call.answered(half, [call.rest_hears] * len(half))
                continue
            some = self._try(call, backend, half, again=True)
            last = some[-1].receipt
            if len(half) == 1 and last.outcome is Outcome.OURS:
                call.refused_alone += 1
            if last.about_the_line or call.refused_alone >= TRIES_ALONE:
                call.rest_hears = last
            answers += some
        return answers

    def _backend(self) -> Any:
        """Return a backend that nobody else is using."""
        try:
            since, backend = self._idle.get_nowait()
        except queue.Empty:
            return self._provider.make(self._esp)
        if time.monotonic() - since > IDLE_SECONDS:
            _close(backend)
        return backend


class _Call:
    """Letters that go out together, in a thread that may be told at any moment that it is over."""

    def __init__(self, letters: list[Letter], over: threading.Event) -> None:
        self.letters = letters
        self.over = over
        self.refused_alone = 0
        # What letters that were not tried are answered: one of those that were heard as much.
        self.rest_hears: Receipt | None = None
        self._lock = threading.Lock()
        self._given_back = False
        # What may have left this machine, and what is known of it.
        self._begun: set[int] = set()
        self._known: dict[int, Receipt] = {}

    def begin(self, letters: Sequence[Letter]) -> bool:
        """Ask leave for a request with these letters. False once they were given back."""
        with self._lock:
            if not self._given_back:
                self._begun.update(letter.key for letter in letters)
            return not self._given_back

    def answered(self, letters: Sequence[Letter], receipts: Sequence[Receipt]) -> list[Answered]:
        answers = [Answered(one.key, each) for one, each in zip(letters, receipts, strict=True)]
        with self._lock:
            self._known.update(answers)
        return answers

    def give_back(self) -> list[Answered]:
        """Answer every letter now, whatever the thread is doing; it will begin no other request."""
        with self._lock:
            self._given_back = True
            return [
                Answered(
                    letter.key,
                    self._known.get(letter.key)
                    or (_LOST if letter.key in self._begun else _ABORTED),
                )
                for letter in self.letters
            ]


class _Sending:
    """One `send`: what was gathered, and what is being called."""

    def __init__(self, transport: EspTransport, outgoing: Iterator[Outgoing | None]) -> None:
        self._transport = transport
        self._over = transport._over
        self._outgoing = outgoing
        self._exhausted = False
        self._gathered: list[Letter] = []
        self._begins: dict[int, Callable[[int], None] | None] = {}
        self._calling: dict[Future[list[Answered]], _Call] = {}

    def run(self) -> Iterator[Answered]:
        while not (self._exhausted and not self._gathered and not self._calling):
            if self._over.is_set():
                yield from self._broken_off()
                return
            nothing_ready = yield from self._gather()
            self._start()
            if self._calling:
                done, _ = wait(self._calling, timeout=NAP, return_when=FIRST_COMPLETED)
                for future in done:
                    del self._calling[future]
                    yield from future.result()
            elif nothing_ready:
                time.sleep(NAP)

    def _gather(self) -> Generator[Answered, None, bool]:
        """Take messages while there is room for them. Returns True when none was ready."""
        provider = self._transport._provider
        while not self._exhausted and len(self._gathered) < provider.most:
            if len(self._calling) >= provider.connections:
                return False
            try:
                one = next(self._outgoing)
            except StopIteration:
                self._exhausted = True
                return False
            if one is None:
                return True
            try:
                self._gathered.append(opened(one))
                self._begins[one.key] = one.begins
            except UnsafeEnvelope as error:
                yield Answered(one.key, Receipt(Outcome.PERMANENT, 553, "5.6.7", str(error)))
        return False

    def _start(self) -> None:
        provider = self._transport._provider
        while self._gathered and len(self._calling) < provider.connections:
            number = provider.group(self._gathered)
            call = _Call(self._gathered[:number], self._over)
            # Here and not in the call's thread: the caller's books are no business of a thread.
            for letter in call.letters:
                begins = self._begins.pop(letter.key)
                if begins is not None:
                    begins(letter.key)
            future = self._transport.submit(call)
            del self._gathered[:number]
            self._calling[future] = call

    def _broken_off(self) -> Iterator[Answered]:
        for letter in self._gathered:
            yield Answered(letter.key, _ABORTED)
        for call in self._calling.values():
            yield from call.give_back()


def _receipts(message: Any, letters: Sequence[Letter]) -> list[Receipt]:
    told: list[Receipt] | None = getattr(message, "receipts", None)
    if told is not None:
        return told if len(told) == len(letters) else [STATUSES["unknown"]] * len(letters)
    recipients: dict[str, Any] = message.anymail_status.recipients
    found = []
    for letter in letters:
        status = recipients.get(letter.address)
        if status is None and len(recipients) == len(letters) == 1:
            # Providers may spell the one address differently (case, IDNA).
            status = next(iter(recipients.values()))
        found.append(STATUSES[(status.status if status else None) or "unknown"])
    return found


def _close(backend: Any) -> None:
    with contextlib.suppress(requests.RequestException):
        backend.close()
