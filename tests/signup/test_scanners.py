"""Machines that open every link of every mail change nothing at all (invariant 2)."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from signup import preferences, relocate, retire
from signup.address import normalise
from signup.consent import importing, renewal
from signup.models import Follow, RenewalQuestion, Subscriber, Subscription, SystemMail
from tests.digests.factories import UserFactory
from tests.signup.conftest import Catalogue
from tests.signup.mailed import dump, link_in, sent, sent_digest, sent_issue, urls_in

pytestmark = pytest.mark.once

Asking = Callable[..., SystemMail | None]
_PERSONAL = re.compile(
    "/(confirm|welcome|preferences|new-address|unsubscribe|goodbye|undo|erased|keep|withdraw|stop)/"
)


@pytest.fixture
def mails(ask: Asking, reader: Subscriber, catalogue: Catalogue) -> dict[str, bytes]:
    """One of every kind, as it left."""
    found = {
        "confirm": sent(ask("bob@example.org")),
        "issue": sent_issue(catalogue.living_well),
        "digest": sent_digest(catalogue.disk),
    }
    address = relocate.ask(subscriber=reader, address=normalise("ada@new.example.org"))
    found["address"] = sent(address)
    assert address is not None and address.address_change is not None
    found["moved"] = sent(relocate.confirm(change=address.address_change).notice)
    # After the move, which closes what was mailed to the old address.
    found["preferences"] = sent(preferences.request_link(address_key="ada@new.example.org"))
    # The new address has been asked today; tomorrow is another day.
    from signup.models import Asked

    Asked.objects.all().delete()
    found["add"] = sent(ask("ada@new.example.org", conditions=[catalogue.asthma]))
    renewal.begin(
        newsletter=catalogue.living_well,
        answer_by=timezone.now() + timedelta(days=14),
        reason="Years without a mail.",
        by="privacy",
    )
    renewal.tick()
    importing.run(
        text="address,basis,date,evidence,where\n"
        f"cleo@example.org,imported,{timezone.localdate()},form 12,the open day\n",
        newsletter=catalogue.living_well,
        by="account 1",
        dry=False,
    )
    found["brought_in"] = sent(SystemMail.objects.get(kind="brought_in"))
    found["renewal"] = sent(RenewalQuestion.objects.get().mail)
    retire.retire(condition=catalogue.disk, offers=None, by=UserFactory())
    found["retired"] = sent(SystemMail.objects.get(kind="retired"))
    kinds = set(SystemMail.objects.filter(state="accepted").values_list("kind", flat=True))
    assert kinds == set(SystemMail.Kind.values), "a kind of mail is not opened here"
    return {kind: envelope.content for kind, envelope in found.items()}


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_every_link_of_every_mail_changes_nothing(
    browser_client: Client, mails: dict[str, bytes], method: str
) -> None:
    before = dump()
    opened = 0
    for kind, content in mails.items():
        links = urls_in(content)
        assert links, kind
        for url in sorted(links):
            response = getattr(browser_client, method)(url.removeprefix(settings.BASE_URL))
            assert response.status_code < 500, (kind, url)
            assert not response.cookies, (kind, url)
            opened += 1
    assert opened > len(mails)
    assert dump() == before


def test_a_scanner_that_goes_on_from_the_pages_changes_nothing_either(
    browser_client: Client, mails: dict[str, bytes]
) -> None:
    """It follows links, and opens by GET what forms would be sent to."""
    before = dump()
    seen: set[str] = set()
    todo = {url.removeprefix(settings.BASE_URL) for mail in mails.values() for url in urls_in(mail)}
    for _depth in range(3):
        found: set[str] = set()
        for path in sorted(todo - seen):
            seen.add(path)
            response = browser_client.get(path)
            if response.status_code < 300 and "html" in response["Content-Type"]:
                found |= set(re.findall(r"(?:href|action)=\"(/[^\"#]*)", response.content.decode()))
        todo = {path for path in found if _PERSONAL.match(path)}
    doors = ("confirm", "unsubscribe", "preferences", "new-address", "withdraw", "keep", "stop")
    for door in (f"/{name}/" for name in doors):
        assert any(path.startswith(door) for path in seen), door
    assert any(path.endswith("/erase/") for path in seen)
    assert dump() == before


def test_every_mail_that_must_offers_a_way_out(mails: dict[str, bytes]) -> None:
    for kind in ("issue", "digest", "renewal", "brought_in"):
        assert any("/unsubscribe/" in url for url in urls_in(mails[kind])), kind
    head = mails["renewal"].decode().partition("\r\n\r\n")[0]
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head


@pytest.mark.parametrize("kind", ["issue", "digest", "renewal", "preferences", "add"])
def test_a_consent_is_withdrawn_by_one_post_from_any_mail_to_a_reader(
    browser_client: Client, mails: dict[str, bytes], kind: str, reader: Subscriber
) -> None:
    path = link_in(mails[kind], "/withdraw/")
    assert Follow.objects.filter(subscriber=reader).exists()
    answer = browser_client.post(path, {"consent": "health"})
    assert answer.status_code == 302
    reader.refresh_from_db()
    assert reader.health_consent is None
    assert not Follow.objects.filter(subscriber=reader).exists()
    living_well = Subscription.objects.get(subscriber=reader, newsletter__slug="living-well")
    assert living_well.state == "live", "one consent, and no other"


@pytest.mark.parametrize("kind", ["confirm", "address", "moved"])
def test_a_mailbox_that_has_not_said_yes_or_was_left_gets_no_hold_of_the_reader(
    mails: dict[str, bytes], kind: str
) -> None:
    urls = urls_in(mails[kind])
    assert not [url for url in urls if "/withdraw/" in url or "/unsubscribe/" in url]


def test_no_mail_of_ours_names_what_is_followed_or_what_was_typed(
    mails: dict[str, bytes],
) -> None:
    assert "my conditions" not in mails["renewal"].decode().lower()
    for kind in ("confirm", "add", "preferences", "address", "moved"):
        content = mails[kind].decode().lower()
        for private in ("herniated", "asthma", "living well", "my conditions"):
            assert private not in content, (kind, private)
    assert "ada@new" not in mails["moved"].decode().partition("\r\n\r\n")[2]
    assert "ada@example.org" not in mails["address"].decode()
