"""The link under a section of a digest: one POST stops that condition, and it tells nothing."""

import base64
import string
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from newsletter.catalogue.models import Condition
from project.logs import mask
from signup import section_links, tokens
from signup.confirm import follow
from signup.models import ConsentEntry, Follow, Subscriber, Subscription, SystemMail
from signup.privacy.erase import erase
from signup.section_links import Section
from signup.tokens import BadToken
from tests.signup.conftest import Catalogue
from tests.signup.mailed import dump

Asking = Callable[..., SystemMail | None]
IDS = st.integers(0, 2**64 - 1)


@pytest.fixture
def subscription(reader: Subscriber, catalogue: Catalogue) -> Subscription:
    """Ada's digest; she follows two conditions."""
    follow(subscriber=reader, conditions=[catalogue.asthma])
    assert followed(reader) == {"herniated-disk", "asthma"}
    return Subscription.objects.get(subscriber=reader, newsletter=catalogue.digest)


def followed(reader: Subscriber) -> set[str]:
    return set(Follow.objects.filter(subscriber=reader).values_list("condition__slug", flat=True))


def path(subscription: Subscription, condition: Condition) -> str:
    return f"/stop/{section_links.signer()(subscription.pk, condition.pk)}/"


def test_one_post_stops_that_condition_and_nothing_else(
    subscription: Subscription, catalogue: Catalogue, reader: Subscriber, browser_client: Client
) -> None:
    entries = ConsentEntry.objects.count()
    link = path(subscription, catalogue.disk)
    for _press in range(2):
        answer = browser_client.post(link)
        assert (answer.status_code, answer["Location"]) == (302, "/stopped/")
        assert followed(reader) == {"asthma"}
    subscription.refresh_from_db()
    reader.refresh_from_db()
    assert subscription.state == "live" and reader.health_consent is not None
    assert ConsentEntry.objects.count() == entries, "every consent stands as before"
    after = browser_client.get("/stopped/").content.decode()
    assert "disk" not in after and 'href="/preferences/"' in after


def test_get_and_head_change_nothing_and_tell_nothing(
    subscription: Subscription, catalogue: Catalogue, browser_client: Client
) -> None:
    link = path(subscription, catalogue.disk)
    before = dump()
    page = browser_client.get(link)
    assert page.status_code == browser_client.head(link).status_code == 200
    assert dump() == before
    shown = page.content.decode().lower()
    for private in ("disk", "asthma", "ada@", "ada<", "my conditions"):
        assert private not in shown
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store, private"
    assert not page.cookies


def test_the_page_is_the_same_whatever_the_section_and_whatever_stands(
    subscription: Subscription, catalogue: Catalogue, reader: Subscriber, browser_client: Client
) -> None:
    """A forwarded mail tells nobody what its reader follows now."""
    disk, asthma = path(subscription, catalogue.disk), path(subscription, catalogue.asthma)
    before = browser_client.get(disk).content
    assert browser_client.get(asthma).content == before
    Follow.objects.filter(subscriber=reader).delete()
    assert browser_client.get(disk).content == before
    assert browser_client.post(disk)["Location"] == "/stopped/"


def test_it_works_years_later_and_for_readers_who_left_or_were_erased(
    subscription: Subscription, catalogue: Catalogue, reader: Subscriber, browser_client: Client
) -> None:
    link = path(subscription, catalogue.disk)
    with time_machine.travel(timezone.now() + timedelta(days=4000)):
        browser_client.post(link)
    assert followed(reader) == {"asthma"}
    erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    assert browser_client.post(link)["Location"] == "/stopped/"


def test_who_follows_anew_can_stop_by_the_old_link_again(
    subscription: Subscription, catalogue: Catalogue, reader: Subscriber, browser_client: Client
) -> None:
    link = path(subscription, catalogue.disk)
    browser_client.post(link)
    follow(subscriber=reader, conditions=[catalogue.disk])
    browser_client.post(link)
    assert followed(reader) == {"asthma"}


def test_no_other_link_stops_a_section_and_a_sections_link_ends_nothing_else(
    subscription: Subscription, catalogue: Catalogue, reader: Subscriber, browser_client: Client
) -> None:
    """Invariant 17: a token is bound to its purpose."""
    token = section_links.signer()(subscription.pk, catalogue.disk.pk)
    for other in (
        tokens.unsubscribe_token(subscription.pk),
        tokens.withdraw_token(subscription.pk),
        tokens.make(tokens.Purpose.UNDO, subscription.pk, catalogue.disk.pk),
    ):
        assert browser_client.post(f"/stop/{other}/").status_code == 404
    for door in ("unsubscribe", "withdraw", "preferences", "confirm"):
        assert browser_client.post(f"/{door}/{token}/", {"consent": "health"}).status_code == 404
    assert followed(reader) == {"herniated-disk", "asthma"}
    subscription.refresh_from_db()
    assert subscription.state == "live"


def test_the_token_never_stands_in_a_log(subscription: Subscription, catalogue: Catalogue) -> None:
    assert mask(f"POST {path(subscription, catalogue.disk)}") == "POST /stop/…/"


def test_the_token_shows_neither_whose_it_is_nor_what_for() -> None:
    sign = section_links.signer()
    raw = [
        base64.urlsafe_b64decode(sign(subscription, condition) + "=")
        for subscription in range(40)
        for condition in range(40)
    ]
    assert len(set(raw)) == 1600
    # In every place but the key's version all kinds of bytes turn up, as in noise.
    for place in range(1, len(raw[0])):
        assert len({one[place] for one in raw}) > 230


@given(IDS, IDS)
def test_every_token_reads_back_and_is_always_the_same(subscription: int, condition: int) -> None:
    token = section_links.signer()(subscription, condition)
    assert section_links.read(token) == Section(subscription, condition)
    assert section_links.signer()(subscription, condition) == token
    assert len(token) == section_links.LENGTH <= 75


@given(IDS, IDS, st.data())
def test_a_token_with_one_letter_changed_is_none_of_ours(
    subscription: int, condition: int, data: st.DataObject
) -> None:
    token = section_links.signer()(subscription, condition)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_+/= \u00e9"))
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(BadToken):
            section_links.read(changed)


@given(st.text(max_size=80))
def test_any_other_string_is_none_of_ours(text: str) -> None:
    with pytest.raises(BadToken):
        section_links.read(text)


def test_a_token_outlives_the_rotation_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    old = settings.TOKEN_KEYS[0]
    token = section_links.signer()(7, 8)
    monkeypatch.setattr(settings, "TOKEN_KEYS", [(old[0] + 1, b"n" * 32), old])
    assert section_links.read(token) == Section(7, 8)
    assert section_links.signer(old[0])(7, 8) == token != section_links.signer()(7, 8)
    monkeypatch.setattr(settings, "TOKEN_KEYS", [(old[0] + 1, b"n" * 32)])
    with pytest.raises(BadToken):
        section_links.read(token)
