"""After erasing, the address is in no row, file, log, queue or key that the system wrote.

The whole way with real parts: web, worker processes, Valkey, an SMTP server that answers with the
address in its words, as relays do.
"""

import io
import logging
import re
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from newsletter import tasks as sending_tasks
from newsletter.sending.models import Delivery
from newsletter.sending.plan import plan_issue, resume
from signup.models import Subscriber, Subscription, SystemMail
from signup.privacy import traces
from tests.running.processes import wait_until
from tests.running.smtp import SmtpCatcher
from tests.signup.conftest import Catalogue
from tests.signup.filling_in import filled_in
from tests.signup.mailed import approved_issue, dump, urls_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web_log() -> Iterator[io.StringIO]:
    """What the web process writes, by the formatter that production has (settings.LOGGING)."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(next(h.formatter for h in logging.getLogger().handlers if _is_ours(h)))
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def _is_ours(handler: logging.Handler) -> bool:
    return type(handler.formatter).__name__ == "MaskingFormatter"


def paths_in(content: bytes, door: str) -> str:
    return next(
        url.removeprefix(settings.BASE_URL) for url in urls_in(content) if f"/{door}/" in url
    )


def everything_in_valkey(valkey: Any) -> Iterator[bytes]:
    for key in valkey.scan_iter():
        yield key
        yield valkey.dump(key) or b""
        kind = valkey.type(key)
        if kind == b"string":
            yield valkey.get(key) or b""
        elif kind == b"list":
            yield from valkey.lrange(key, 0, -1)
        elif kind == b"hash":
            yield from (part for pair in valkey.hgetall(key).items() for part in pair)
        elif kind == b"set":
            yield from valkey.smembers(key)
        elif kind == b"zset":
            yield from valkey.zrange(key, 0, -1)


def files_of_the_system(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and "mailbox" not in path.parts:
                yield path


def files_with(secrets: list[bytes], *folders: Path) -> list[tuple[str, bytes]]:
    found = []
    for path in files_of_the_system(*folders):
        # By another process: who opens and closes SQLite's file beside SQLite loses the locks of
        # this whole process, and what later tests write beside workers would be damaged.
        content = subprocess.check_output(["cat", path]).lower()
        found += [(path.name, secret) for secret in secrets if secret in content]
    return found


def test_after_erasing_nothing_that_the_system_wrote_holds_the_address(
    catalogue: Catalogue,
    smtp_catcher: SmtpCatcher,
    start_worker: Callable[..., Any],
    valkey: Any,
    tmp_path: Path,
    web_log: io.StringIO,
) -> None:
    name = f"erase-{uuid.uuid4().hex[:12]}"
    address, other = f"{name}@example.org", f"{name}@new.example.org"
    client = Client(enforce_csrf_checks=True)
    start_worker(env={"EMAIL_URL": smtp_catcher.url, "LOG_LEVEL": "DEBUG"}, concurrency=2)

    def mail_with(door: str, to: str = address) -> bytes:
        def found() -> bytes:
            return next(
                (
                    caught.content
                    for caught in reversed(smtp_catcher.messages)
                    if caught.recipient == to and f"/{door}/".encode() in caught.content
                ),
                b"",
            )

        return wait_until(found, seconds=60, about=f"mail with {door} for {to}")

    # The reader's whole life: asked, refused once by the relay, confirmed, mailed, asked to move.
    smtp_catcher.refuse("RCPT", f"550 5.7.1 <{address}>: not from you", times=1)
    assert client.post("/sign-up/", filled_in(address)).status_code == 302
    wait_until(
        lambda: SystemMail.objects.filter(attempt=1, state="queued").update(
            retry_at=timezone.now() - timedelta(seconds=1)
        ),
        seconds=60,
    )
    assert address in SystemMail.objects.get().reply
    from signup import tasks

    tasks.sweep_system_mail.delay()
    client.post(paths_in(mail_with("confirm"), "confirm"))
    client.post("/preferences/", {"email": address, **_token()})
    page = paths_in(mail_with("preferences"), "preferences")
    client.post(f"{page}address/", {"email": other, **_token()})
    mail_with("new-address", to=other)
    smtp_catcher.refuse("RCPT", f"451 4.3.0 <{address}>: greylisted", times=1)
    issue, approval = approved_issue(catalogue.living_well)
    resume(plan_issue(issue=issue, approval=approval, by=None))
    sending_tasks.feed.delay()
    wait_until(lambda: Delivery.objects.exclude(reply="").exists(), seconds=60)
    _many_more_readers()
    for path in ("/confirm/x/", "/unsubscribe/x/", f"/preferences/{name}/"):
        client.get(path)
        client.put(path)
    subscription = Subscription.objects.filter(subscriber__email=address).first()
    assert subscription is not None

    secrets = [address.encode(), other.encode(), name.encode()]
    folders = [Path(settings.VAR_DIR), tmp_path]
    if connection.vendor == "sqlite":
        folders.append(Path(connection.settings_dict["NAME"]).parent)
        assert files_with(secrets, *folders)  # so that finding nothing below means something
    assert address in str(dump())

    assert client.post(f"{page}erase/", {"action": "erase"})["Location"] == "/erased/"

    rows = str(dump()).lower()
    assert not [secret for secret in secrets if secret.decode() in rows]
    kept = b"\n".join(everything_in_valkey(valkey)).lower()
    assert not [secret for secret in secrets if secret in kept]
    logs = web_log.getvalue().lower()
    assert not [secret for secret in secrets if secret.decode() in logs]
    assert "method not allowed (put): /preferences/…" in logs
    # A worker may have been reading in that very moment: then the log file is emptied later.
    wait_until(lambda: traces.wipe() and not files_with(secrets, *folders), seconds=30)
    worker_log = (tmp_path / "worker1.log").read_text()
    assert "…@example.org" in worker_log  # the relay's words were logged, without the address
    token = re.compile(r"/(?:confirm|preferences|unsubscribe|new-address)/[\w-]{20,}")
    assert not token.search(logs + worker_log)


def _token() -> dict[str, str]:
    return {"form_token": filled_in()["form_token"]}


def _many_more_readers() -> None:
    """So that pages of the database file are split and joined around the reader's rows."""
    Subscriber.objects.bulk_create(
        Subscriber(email=f"r{n}@readers.example", email_key=f"r{n}@readers.example")
        for n in range(300)
    )
    Subscriber.objects.filter(email__endswith="@readers.example", pk__iregex="[02468]$").delete()
