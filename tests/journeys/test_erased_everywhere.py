"""A reader's whole life in what `make run` starts; erased, nothing of it names them any more.

Web, workers, beat, Valkey and the database are processes of their own, and log all they can.
Afterwards every row of every table, every key of the broker, every log and every other file is read
for the address, in whatever encoding. The catcher's mailbox stands for the reader's own and is
left out.
"""

import base64
import io
import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from tests.running.processes import wait_until
from tests.running.stack import LiveStack, live
from tests.running.traces import Traces, files_under

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

MAILBOX = "mailbox"
CATALOGUE = """
from newsletter.catalogue.models import Newsletter
from tests.signup.conftest import make_condition, make_newsletter
make_newsletter("living-well")
make_newsletter("my-conditions", kind=Newsletter.Kind.DIGEST)
make_condition("herniated-disk")
"""
ISSUE = """
from django.core.management import call_command
from newsletter.catalogue.models import Condition, Newsletter
from tests.digests.factories import approved, released
from tests.signup.mailed import approved_issue
issue, _approval = approved_issue(Newsletter.objects.get(slug="living-well"))
approved(released(Condition.objects.get(slug="herniated-disk")), text="Lift with care")
call_command("plan_mailing", issue.slug)
"""


@pytest.fixture
def talkative_stack(migrated_folder: Callable[[], Path]) -> Iterator[LiveStack]:
    folder = migrated_folder()
    # The demo's three hundred readers leave nothing of this one.
    (folder / "seeded").touch()
    with live(folder, LOG_LEVEL="DEBUG", WEB_ACCESS_LOG="yes") as stack:
        stack.manage("shell", "-c", CATALOGUE)
        yield stack


class Reader:
    """A reader with a browser that runs no script and keeps no cookie."""

    def __init__(self, stack: LiveStack, address: str) -> None:
        self.stack, self.address = stack, address

    def open(self, path: str) -> str:
        with urllib.request.urlopen(self.stack.url(path), timeout=60) as answer:
            return str(answer.read().decode())

    def press(self, path: str, **fields: Any) -> bytes:
        """POST what stands hidden in the page's form, and `fields` on top; follow on."""
        page = self.open(path)
        token = re.findall(r'name="form_token" value="([^"]+)"', page)
        hidden = {"form_token": token[0]} if token else {}
        body = urllib.parse.urlencode({**hidden, **fields}, doseq=True).encode()
        with urllib.request.urlopen(self.stack.url(path), data=body, timeout=60) as answer:
            return bytes(answer.read())

    def link(self, door: str, *, count: int = 1, subject: str = "") -> str:
        """The path behind `door` in the newest mail."""
        mail = self.stack.wait_for_mail(self.address, subject=subject, count=count, seconds=120)
        return urlsplit(self.stack.link_in(mail, f"/{door}/")).path

    def ask_for_the_unknown(self) -> None:
        """So that logs have a line about this reader's own address in a path."""
        for path in (f"/preferences/{self.address}/", f"/no-such-page/{self.address}/"):
            with pytest.raises(urllib.error.HTTPError):
                self.open(path)


def tables(stack: LiveStack) -> list[str]:
    """Every table, the full-text index's own included."""
    if stack.database_url.startswith("sqlite"):
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    else:
        query = "SELECT table_name AS name FROM information_schema.tables" + (
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
    return sorted(row["name"] for row in stack.rows(query))


def in_the_database(stack: LiveStack, traces: Traces) -> list[tuple[str, bytes]]:
    return [
        hit
        for table in tables(stack)
        for hit in traces.in_rows(table, stack.rows(f'SELECT * FROM "{table}"'))
    ]


def valkeys(stack: LiveStack) -> list[redis.Redis]:
    socket = next(path for path in stack.var.rglob("*.sock") if path.is_socket())
    found = [redis.Redis(unix_socket_path=str(socket), db=number) for number in range(16)]
    return [client for client in found if client.dbsize()]


def live_a_whole_life(reader: Reader) -> None:
    stack = reader.stack
    reader.press(
        "/sign-up/",
        email=reader.address,
        first_name="Rosalind",
        newsletters="living-well",
        conditions="herniated-disk",
        cadence="immediate",
        consent_mail="on",
        consent_health="on",
    )
    reader.press(reader.link("confirm"))
    stack.manage("shell", "-c", ISSUE)
    reader.link("unsubscribe", subject="Moving well")
    wait_until(
        lambda: stack.value(
            "SELECT count(*) FROM sending_delivery d JOIN signup_subscriber r"
            " ON r.id = d.subscriber_id WHERE r.email = ? AND d.state = 'accepted'",
            reader.address,
        ),
        seconds=120,
        about="a delivery that is recorded",
    )
    reader.ask_for_the_unknown()


def change_and_take_out(reader: Reader, page: str) -> None:
    form = reader.open(page)
    assert "Rosalind" in form
    reader.press(
        page, action="save", conditions="herniated-disk", cadence="weekly", weekday="2",
        hour="9", first_name="Rosalinde", timezone="Europe/Berlin", language="en", text_only="on",
    )  # fmt: skip
    assert "Rosalinde" in reader.open(page)
    assert "Moving well" in reader.open(f"{page}record/")
    with zipfile.ZipFile(io.BytesIO(reader.press(f"{page}export/"))) as parcel:
        name = next(each for each in parcel.namelist() if each.endswith(".json"))
        assert reader.address in json.dumps(json.loads(parcel.read(name)))


def test_after_erasing_nothing_that_make_run_wrote_holds_the_address(
    talkative_stack: LiveStack,
) -> None:
    stack = talkative_stack
    # Typed with capitals: the row keeps the typed spelling beside the key.
    address = f"Erased-{uuid.uuid4().hex[:12]}@example.org"
    traces, reader = Traces(address), Reader(stack, address)
    live_a_whole_life(reader)
    reader.press("/preferences/", email=address)
    page = reader.link("preferences", subject="Your link")
    change_and_take_out(reader, page)
    before = {table for table, _form in in_the_database(stack, traces)}
    assert {"signup_subscriber"} <= before

    reader.press(f"{page}erase/", action="erase", never_again="on")

    assert in_the_database(stack, traces) == []
    clients = valkeys(stack)
    assert clients, "the broker holds nothing at all: was it looked at?"
    assert [hit for client in clients for hit in traces.in_valkey(client)] == []
    # A worker may have been reading in that very moment; then the database's own log is emptied
    # a little later (signup.privacy.traces).
    wait_until(lambda: not traces.in_files(stack.var, but=MAILBOX), seconds=60)
    _the_files_were_really_read(stack.var, traces)
    assert "The ledger holds" in stack.manage("verify_ledger")


def _the_files_were_really_read(var: Path, traces: Traces) -> None:
    """Logs are among what was looked at, they tell of this reader's requests, and of nobody."""
    names = {path.name for path in files_under(var, but=MAILBOX)}
    assert "supervisor.log" in names
    said = "".join(
        path.read_text(errors="replace")
        for path in files_under(var, but=MAILBOX)
        if path.suffix == ".log"
    )
    assert "/preferences/…/" in said
    assert "Not Found: …@example.org/" in said
    assert re.search(r"POST (/en)?/preferences/…/erase/", said)
    # The mailbox, which is left out, does hold the address: the same eyes find it there.
    assert traces.in_files(var / MAILBOX, but="nothing")


@pytest.mark.once
@pytest.mark.parametrize(
    "written",
    [
        "to: Anna.Case@example.org!",
        "TO: ANNA.CASE@EXAMPLE.ORG",
        "?email=anna.case%40example.org&x",
        "?next=%3Femail%3Danna.case%2540example.org",
        "a =\r\nanna.case=40example.org",
        '{"email": "anna.case\\u0040example.org"}',
        "only anna.case was kept",
        *(
            base64.b64encode(b"x" * n + b"Anna.Case@example.org and more").decode()
            for n in range(5)
        ),
        *(base64.b64encode(b"x" * n + b"anna.case@example.org").decode() for n in range(5)),
        b"to anna.case@example.org".hex(),
        b"to anna.case@example.org".hex().upper(),
    ],
)
def test_the_eyes_that_look_see_every_encoding(written: str, tmp_path: Path) -> None:
    traces = Traces("Anna.Case@example.org")
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "file").write_text(written)
    assert traces.in_files(tmp_path, but="mailbox")
    assert traces.in_rows("t", [{"n": 1, "words": written}])
    assert not Traces("bea.other@example.org").in_files(tmp_path, but="mailbox")
