"""The transport: letters gathered, calls made side by side, answers handed back."""

import contextlib
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
from newsletter.transports.protocol import Answered, Outgoing
from newsletter.transports.values import Outcome, Receipt, UnsafeEnvelope

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
        self._broken_off = threading.Event()

    announces_content = True

    @property
    def lines(self) -> int:
        """Letters that can be under way at once: calls, and what one call holds."""
        return self._provider.connections * self._provider.most

    def open(self) -> None:
        self._broken_off.clear()
        backend = self._backend()
        try:
            backend.open()
        except requests.RequestException as error:
            raise LineDown(f"No connection to {self.name}.") from error
        except Exception as error:
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
        self._broken_off.set()
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
            future.set_result([Answered(letter.key, _ABORTED) for letter in call.letters])
            return future
        return self._pool.submit(self._make, call)

    def _make(self, call: "_Call") -> list[Answered]:
        waited = self._wait_for_quiet()
        if waited is not None:
            return [Answered(letter.key, waited) for letter in call.letters]
        backend = self._backend()
        try:
            return self._try(call, backend, call.letters, again=True)
        finally:
            self._idle.put((time.monotonic(), backend))

    def _wait_for_quiet(self) -> Receipt | None:
        """Wait while the ESP wants to be left alone; a receipt when that takes too long."""
        seconds = _quiet_until.get(self.name, 0.0) - time.monotonic()
        if seconds > PATIENCE:
            said = f"asked to be left alone for another {seconds:.0f} s"
            return Receipt(Outcome.TEMPORARY, 450, "4.3.2", said, about_the_line=True)
        if self._broken_off.wait(max(seconds, 0.0)):
            return _ABORTED
        return None

    def _try(
        self, call: "_Call", backend: Any, letters: Sequence[Letter], *, again: bool
    ) -> list[Answered]:
        """Send these letters in one call, or in smaller ones when that is refused whole."""
        if self._broken_off.is_set():
            return [Answered(letter.key, _ABORTED) for letter in letters]
        message = as_django_message(list(letters), switch_tracking_off=not self._tracking_off)
        call.begun = True
        try:
            backend.open()
            backend.send_messages([message])
        except AnymailRecipientsRefused:
            pass  # the status says which way
        except (AnymailError, ImproperlyConfigured) as error:
            found = verdict(error)
            if found.wait:
                _quiet_until[self.name] = time.monotonic() + found.wait
                if again and found.wait <= PATIENCE:
                    refused = self._wait_for_quiet()
                    if refused is None:
                        return self._try(call, backend, letters, again=False)
            if found.receipt.outcome is Outcome.UNKNOWN or found.receipt.about_the_line:
                _close(backend)
            if found.nothing_went and not found.receipt.about_the_line and len(letters) > 1:
                return self._in_halves(call, backend, letters)
            return [Answered(letter.key, found.receipt) for letter in letters]
        receipts = _receipts(message, letters)
        return [Answered(letter.key, each) for letter, each in zip(letters, receipts, strict=True)]

    def _in_halves(self, call: "_Call", backend: Any, letters: Sequence[Letter]) -> list[Answered]:
        """One bad address makes some APIs refuse a whole call, and none of it was sent."""
        middle = len(letters) // 2
        answers: list[Answered] = []
        for half in (letters[:middle], letters[middle:]):
            if call.refused_alone >= TRIES_ALONE:
                # It is not about one letter: what is left hears the same, without a call each.
                last = call.refusal or _ABORTED
                answers += [Answered(letter.key, last) for letter in half]
                continue
            some = self._try(call, backend, half, again=True)
            if len(half) == 1 and some[0].receipt.outcome is Outcome.OURS:
                call.refused_alone += 1
                call.refusal = some[0].receipt
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
    """Letters that go out together."""

    def __init__(self, letters: list[Letter]) -> None:
        self.letters = letters
        # True once a request may have left this machine.
        self.begun = False
        self.refused_alone = 0
        self.refusal: Receipt | None = None


class _Sending:
    """One `send`: what was gathered, and what is being called."""

    def __init__(self, transport: EspTransport, outgoing: Iterator[Outgoing | None]) -> None:
        self._transport = transport
        self._outgoing = outgoing
        self._exhausted = False
        self._gathered: list[Letter] = []
        self._begins: dict[int, Callable[[int], None] | None] = {}
        self._calling: dict[Future[list[Answered]], _Call] = {}

    def run(self) -> Iterator[Answered]:
        while not (self._exhausted and not self._gathered and not self._calling):
            if self._transport._broken_off.is_set():
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
            call = _Call(self._gathered[:number])
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
        for future, call in self._calling.items():
            if future.done() and not future.cancelled():
                yield from future.result()
            else:
                receipt = _LOST if call.begun else _ABORTED
                yield from [Answered(letter.key, receipt) for letter in call.letters]


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
