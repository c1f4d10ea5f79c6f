"""Alarms on their way to people: by mail, and by a second way out that needs none of our relays.

Each way is told once of the beginning and once of the end. Whoever notes the time does the telling;
if that fails, so does the note, and the next look tries again, for a day. A way that failed is left
alone for the rest of that look: ten alarms and a webhook that does not answer must not keep the
process busy that feeds the workers.
"""

import contextlib
import http.client
import json
import logging
import smtplib
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from newsletter.sending.models import Alarm
from newsletter.transports.values import without_addresses

log = logging.getLogger(__name__)

# Seconds that the second way out may take.
PATIENCE = 10.0


class NotTold(Exception):
    """This way out did not take the news."""


def tell(alarms: Sequence[Alarm], administrators: Sequence[str]) -> None:
    """Tell of each beginning, and of the end of those that have ended, what is still owed."""
    ways: dict[str, Callable[[Alarm, bool], None]] = {
        "mailed_at": lambda alarm, over: _mail(alarm, administrators, over=over),
        "posted_at": lambda alarm, over: _post(alarm, over=over),
    }
    for alarm in alarms:
        if alarm.ended_at is not None and alarm.mailed_at is None and alarm.posted_at is None:
            # Over before anybody could be told of it: then the end alone would be a riddle.
            log.warning("%s was over before anybody was told", alarm)
        for over in (False, True) if alarm.ended_at is not None else (False,):
            for field in list(ways):
                try:
                    _once(alarm, f"end_{field}" if over else field, over, ways[field])
                except NotTold as error:
                    log.warning("Alarm %s could not be told: %s", alarm.pk, error)
                    del ways[field]


def _once(alarm: Alarm, field: str, over: bool, way: Callable[[Alarm, bool], None]) -> None:
    mine = Alarm.objects.filter(pk=alarm.pk, **{f"{field}__isnull": True})
    if not mine.update(**{field: timezone.now()}):
        return
    try:
        way(alarm, over)
    except NotTold:
        Alarm.objects.filter(pk=alarm.pk).update(**{field: None})
        raise


def _mail(alarm: Alarm, to: Sequence[str], *, over: bool) -> None:
    title = f"{'Over' if over else 'Alarm'}: {alarm}"
    number = alarm.mailing_number
    page = f"mailings/{number}/" if number else "sending/"
    text = (
        f"{alarm}\n{alarm.text}\n\nSince {alarm.began_at:%Y-%m-%d %H:%M} UTC."
        f"{' It is over.' if over else ''}\n{settings.BASE_URL}/admin/{page}\n"
    )
    failures = []
    for address in to:
        try:
            send_mail(title[:200], text, None, [address])
        except (smtplib.SMTPException, OSError, ValueError) as error:
            # Or an address that no mail can have: the others are told all the same.
            log.warning("An administrator could not be mailed: %s", without_addresses(str(error)))
            failures.append(error)
    # Those who got it get it once: only when nobody did is it tried again.
    if failures and len(failures) == len(to):
        raise NotTold("no administrator's mail was taken")


def _post(alarm: Alarm, *, over: bool) -> None:
    """POST it to ALERT_WEBHOOK_URL. No reader's data is in it."""
    if not settings.ALERT_WEBHOOK_URL:
        return
    body = {
        "event": "over" if over else "began",
        "kind": alarm.kind,
        "about": alarm.about,
        "text": alarm.text,
        "began_at": alarm.began_at.isoformat(),
        "ended_at": alarm.ended_at.isoformat() if alarm.ended_at else None,
        "site": settings.BASE_URL,
        # The same news told twice, because an answer got lost, has the same id.
        "id": f"{alarm.pk}-{'over' if over else 'began'}",
    }
    request = urllib.request.Request(  # noqa: S310 - check wellread.E014 and `may_be_told`
        settings.ALERT_WEBHOOK_URL,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "User-Agent": "Wellread"},
    )
    if not may_be_told(settings.ALERT_WEBHOOK_URL):
        raise NotTold("ALERT_WEBHOOK_URL is neither https nor this machine")
    try:
        # Its status is all that counts.
        _opener.open(request, timeout=PATIENCE).close()
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        # Not the address itself: for many services it is the key.
        why = getattr(error, "reason", None) or type(error).__name__
        raise NotTold(f"the webhook: {why}") from None


def may_be_told(url: str) -> bool:
    """https to anywhere, the operator's own network too; plain http only to this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any,
        newurl: str,
    ) -> None:  # fmt: skip
        return None


class _Connection(http.client.HTTPConnection):
    """Ends PATIENCE after it was made, whatever drips in: a timeout is for each read alone."""

    def connect(self) -> None:
        super().connect()
        clock = threading.Timer(PATIENCE, self._cut)
        clock.daemon = True
        clock.start()

    def _cut(self) -> None:
        # By then it is another one with TLS, or none when the answer is there.
        line = self.sock
        if line is not None:
            with contextlib.suppress(OSError):  # it is closed already
                # Past TLS, whose own shutdown is not for another thread.
                socket.socket.shutdown(line, socket.SHUT_RDWR)


class _SecureConnection(http.client.HTTPSConnection, _Connection):
    pass


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req, context=ssl.create_default_context())


_opener = urllib.request.build_opener(_NoRedirects, _Http, _Https)
