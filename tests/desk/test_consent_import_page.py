"""Bringing readers in at the desk: tried out first, with the very same file, by those who may."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from newsletter.desk.models import AccessEntry
from signup.models import Subscriber, Subscription
from tests.desk import world
from tests.desk.signing_in import proven, stale

pytestmark = pytest.mark.django_db
URL = "/admin/consent/import/"


def text(*addresses: str) -> str:
    today = timezone.localdate()
    lines = [f"{address},imported,{today},form 12,the open day,en" for address in addresses]
    return "\n".join(["address,basis,date,evidence,where,language", *lines])


def sent(desk: Any, content: str | bytes, **more: Any) -> dict[str, Any]:
    octets = content if isinstance(content, bytes) else content.encode()
    return {
        "newsletter": desk.newsletter.pk,
        "file": SimpleUploadedFile("readers.csv", octets),
        "reason": "The clinic's paper forms",
        **more,
    }


def test_a_file_is_tried_out_and_then_taken_in(desk: Any) -> None:
    client, file = proven(desk.protection), text("new@example.org", "info@example.org")
    before = Subscriber.objects.count()
    tried = client.post(URL, sent(desk, file, do="try"))
    page = tried.content.decode()
    assert "nothing was written" in page
    assert "no one person" in page
    assert "new@example.org" not in page
    assert Subscriber.objects.count() == before
    assert not AccessEntry.objects.exists()

    done = client.post(URL, sent(desk, file, do="import", tried=tried.context["tried"]))
    assert done.status_code == 200
    assert Subscription.objects.get(subscriber__email_key="new@example.org").state == "live"
    entry = AccessEntry.objects.get()
    assert (entry.action, entry.reason) == ("imported", "The clinic's paper forms")
    assert Subscriber.objects.count() == before + 1


def test_another_file_than_the_one_tried_out_is_refused(desk: Any) -> None:
    client = proven(desk.protection)
    tried = client.post(URL, sent(desk, text("new@example.org"), do="try")).context["tried"]
    other = world.newsletter(name="Other", slug="other", list_id_label="other")
    for data in (
        sent(desk, text("other@example.org"), do="import", tried=tried),
        sent(desk, text("new@example.org"), do="import", tried=tried, newsletter=other.pk),
        sent(desk, text("new@example.org"), do="import", tried="forged"),
        sent(desk, text("new@example.org"), do="import"),
    ):
        assert client.post(URL, data).status_code == 422
    assert not Subscriber.objects.filter(email_key__in=["new@example.org", "other@example.org"])
    assert not AccessEntry.objects.exists()


def test_what_one_account_tried_out_another_cannot_do(desk: Any) -> None:
    file = text("new@example.org")
    tried = proven(desk.protection).post(URL, sent(desk, file, do="try")).context["tried"]
    other = world.staff("second", "Data protection")
    assert proven(other).post(URL, sent(desk, file, do="import", tried=tried)).status_code == 422
    assert not AccessEntry.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"reason": ""},
        {"reason": "for ada@example.org"},
        {"newsletter": ""},
        {"file": SimpleUploadedFile("a.csv", b"\xff\xfe\x00")},
        {"file": SimpleUploadedFile("a.csv", b"address\nx")},
        {"file": ""},
    ],
)
def test_what_cannot_be_meant_is_said(desk: Any, change: dict[str, Any]) -> None:
    data = {**sent(desk, text("new@example.org"), do="try"), **change}
    assert proven(desk.protection).post(URL, data).status_code == 422


@pytest.mark.parametrize("role", ["author", "reviewer", "sender", "admin"])
def test_others_may_not(desk: Any, role: str) -> None:
    answer = proven(getattr(desk, role)).post(
        URL, sent(desk, text("new@example.org")), headers={"x-requested-with": "XMLHttpRequest"}
    )
    assert answer.status_code == 403


def test_it_is_asked_anew_who_somebody_is(desk: Any) -> None:
    client = proven(desk.protection)
    stale(client)
    answer = client.post(URL, sent(desk, text("new@example.org"), do="try"))
    assert "/prove/" in answer["Location"]


def test_digests_and_sensitive_newsletters_are_not_offered(desk: Any) -> None:
    hiv = world.newsletter(name="Living with HIV", slug="hiv", list_id_label="hiv", sensitive=True)
    data = sent(desk, text("new@example.org"), do="try", newsletter=hiv.pk)
    assert proven(desk.protection).post(URL, data).status_code == 422
