"""Readers at the desk: found, looked at with a reason, exported and erased with proof."""

import io
import itertools
import json
import zipfile

import pytest
from django.urls import reverse
from django.utils import timezone

from newsletter.desk.models import AccessEntry
from newsletter.desk.readers import finding
from signup.models import Follow, Subscriber, Subscription
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.reader_with_everything import reader_with_everything
from tests.desk.signing_in import prove_url, proven, stale

pytestmark = pytest.mark.django_db
SCRIPT = {"x-requested-with": "XMLHttpRequest"}


@pytest.fixture
def scene(desk):
    return reader_with_everything(desk)


def page(scene, client=None):
    return (client or client_of(scene.protection)).get(
        reverse("desk:reader", args=(scene.reader.pk,))
    )


# --- Finding ----------------------------------------------------------------------------------


def test_a_reader_is_found_by_any_spelling_of_the_address(scene):
    client = client_of(scene.protection)
    url = reverse("desk:reader", args=(scene.reader.pk,))
    email = scene.reader.email
    for typed in (email, f"  {email.upper()} ", f"Ada <{email}>", str(scene.reader.pk)):
        assert client.post(reverse("desk:find_reader"), {"who": typed}).url == url


def test_a_part_of_an_address_finds_nobody(scene):
    client = client_of(scene.protection)
    local = scene.reader.email.partition("@")[0]
    for typed in (local, f"{local}@", "@example.org"):
        answer = client.post(reverse("desk:find_reader"), {"who": typed})
        assert answer.status_code == 422
        assert scene.reader.email not in answer.context["find"].errors.as_text()


def test_searching_leaves_no_address_in_an_address_line(scene):
    answer = client_of(scene.protection).post(
        reverse("desk:find_reader"), {"who": "nobody@example.org"}
    )
    assert answer.status_code == 200
    assert b"No reader has this address or number." in answer.content
    get = client_of(scene.protection).get(reverse("desk:find_reader"), {"who": "x@example.org"})
    assert get.status_code == 405


def test_the_list_is_narrowed_by_newsletter_and_state(scene):
    world.reader(scene.newsletter, state="ended", consent=None, ended_reason="unsubscribed")
    client = client_of(scene.protection)

    def shown(**asked):
        answer = client.get(reverse("desk:readers"), asked)
        return len(answer.context["page"].readers)

    assert shown() == 5
    assert shown(state="live") == 4
    assert shown(state="ended") == 1
    assert shown(state="live", newsletter=scene.newsletter.pk) == 4
    assert shown(newsletter=scene.newsletter.pk) == 5
    assert shown(state="nonsense") == 5


def test_every_reader_stands_on_exactly_one_page(scene, monkeypatch):
    for _ in range(20):
        world.reader(scene.newsletter)
    monkeypatch.setattr(finding, "PER_PAGE", 4)
    everyone = set(Subscriber.objects.values_list("pk", flat=True))
    for wanted in (
        finding.Wanted(),
        finding.Wanted(state="live"),
        finding.Wanted(newsletter=scene.newsletter),
    ):
        seen, place, pages = [], finding.Place(), []
        while True:
            found = finding.page_of(wanted, place)
            pages.append([reader.pk for reader in found.readers])
            seen += pages[-1]
            if found.older is None:
                break
            place = finding.Place(before=found.older)
        assert len(seen) == len(set(seen))
        assert set(seen) == everyone
        assert seen == sorted(seen, reverse=True)
        # And back up again.
        for earlier, later in itertools.pairwise(pages):
            back = finding.page_of(wanted, finding.Place(after=later[0]))
            assert [reader.pk for reader in back.readers] == earlier


def test_a_condition_and_a_state_at_once_are_found_page_by_page(scene, monkeypatch):
    monkeypatch.setattr(finding, "PER_PAGE", 2)
    monkeypatch.setattr(finding, "_STRIDE", 3)
    monkeypatch.setattr(finding, "MOST_LOOKED_AT", 6)
    fitting = []
    for number in range(20):
        subscription = world.reader(scene.newsletter)
        Follow.objects.create(subscriber=subscription.subscriber, condition=scene.condition)
        if number % 5 == 0:
            Subscription.objects.filter(pk=subscription.pk).update(
                state="ended", consent=None, ended_reason="unsubscribed"
            )
            fitting.append(subscription.subscriber_id)
    wanted = finding.Wanted(condition=scene.condition, state="ended")
    seen, place = [], finding.Place()
    for _ in range(50):
        found = finding.page_of(wanted, place)
        seen += [reader.pk for reader in found.readers]
        if found.older is None:
            break
        place = finding.Place(before=found.older)
    assert seen == sorted(fitting, reverse=True)


def test_a_page_of_readers_takes_a_fixed_number_of_queries(scene, django_assert_max_num_queries):
    client = client_of(scene.protection)
    for _ in range(60):
        world.reader(scene.newsletter)
    client.get(reverse("desk:readers"))
    with django_assert_max_num_queries(20) as counted:
        client.get(reverse("desk:readers"))
    assert not [query for query in counted.captured_queries if "COUNT(" in query["sql"]]


# --- Health -----------------------------------------------------------------------------------


def test_the_page_of_a_reader_tells_nothing_of_health(scene):
    answer = page(scene)
    text = answer.content.decode()
    assert scene.reader.email in text
    assert "Living well" in text
    assert "confirm a sign-up" in text
    assert "Consent, confirmed by the reader" in text
    assert scene.condition.name not in text
    assert "HIV" not in text
    assert "a sensitive newsletter" in text
    assert "no-store" in answer.headers["Cache-Control"]
    assert not AccessEntry.objects.exists()


def test_a_look_with_a_reason_shows_it_and_is_written_down(scene):
    client = client_of(scene.protection)
    url = reverse("desk:look_at_reader", args=(scene.reader.pk,))
    assert client.get(url).status_code == 405
    text = client.post(url, {"reason": "She asked by telephone"}).content.decode()
    assert scene.condition.name in text
    assert "Living with HIV" in text
    line = AccessEntry.objects.get()
    assert (line.action, line.actor_name, line.subscriber_id, line.reason) == (
        "conditions_seen",
        "protection",
        scene.reader.pk,
        "She asked by telephone",
    )
    assert scene.condition.name not in page(scene).content.decode(), "this once"


@pytest.mark.parametrize("reason", ["", "   ", "why", "asked by ada@example.org", "x" * 301])
def test_without_a_fit_reason_nothing_is_shown_and_nothing_written(scene, reason):
    url = reverse("desk:look_at_reader", args=(scene.reader.pk,))
    answer = client_of(scene.protection).post(url, {"reason": reason})
    assert answer.status_code == 422
    assert scene.condition.name not in answer.content.decode().partition("<main")[2]
    assert not AccessEntry.objects.exists()


def test_a_list_by_condition_opens_with_a_reason_for_a_quarter_of_an_hour(scene):
    client = client_of(scene.protection)
    listed = reverse("desk:readers_by_health")
    assert client.get(listed).url == reverse("desk:readers"), "not before a reason"
    answer = client.post(
        reverse("desk:list_by_health"),
        {"condition": scene.condition.pk, "state": "live", "reason": "A recall of a leaflet"},
    )
    assert answer.url == listed
    assert [reader.pk for reader in client.get(listed).context["page"].readers] == [scene.reader.pk]
    line = AccessEntry.objects.get()
    assert (line.action, line.subscriber_id) == ("listed", None)
    assert line.detail == "condition herniated-disk, live"

    session = client.session
    session["desk_listing"]["until"] = (timezone.now() - timezone.timedelta(seconds=1)).isoformat()
    session.save()
    assert client.get(listed).url == reverse("desk:readers")


def test_a_sensitive_newsletter_is_listed_only_that_way(scene):
    client = client_of(scene.protection)
    plain = client.get(reverse("desk:readers"), {"newsletter": scene.hiv.pk})
    assert len(plain.context["page"].readers) == 4, "the filter is not taken"
    url = reverse("desk:list_by_health")
    assert client.post(url, {"newsletter": scene.hiv.pk, "reason": ""}).status_code == 422
    assert not AccessEntry.objects.exists()
    client.post(url, {"newsletter": scene.hiv.pk, "reason": "Asked by the board"})
    found = client.get(reverse("desk:readers_by_health")).context["page"].readers
    assert [reader.pk for reader in found] == [scene.reader.pk]
    assert AccessEntry.objects.get().detail == "newsletter hiv"


# --- Exporting and erasing --------------------------------------------------------------------


def test_an_export_holds_everything_and_is_written_down(scene):
    client = proven(scene.protection)
    url = reverse("desk:export_reader", args=(scene.reader.pk,))
    assert client.get(url).status_code == 200
    assert not AccessEntry.objects.exists(), "looking at the question is not exporting"
    answer = client.post(url, {"reason": "Article 15, letter of 20 November"})
    assert answer.headers["Content-Type"] == "application/zip"
    assert "no-store" in answer.headers["Cache-Control"]
    found = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("everything.json"))
    assert found["signup"]["address"] == scene.reader.email
    assert found["desk"]["looked_at_by_staff"][0]["what"] == "exported"
    line = AccessEntry.objects.get()
    assert (line.action, line.subscriber_id) == ("exported", scene.reader.pk)


def test_erasing_takes_a_reason_and_the_number(scene):
    client = proven(scene.protection)
    url = reverse("desk:erase_reader", args=(scene.reader.pk,))
    email, number = scene.reader.email, scene.reader.pk
    for data in (
        {"reason": "Asked by letter", "number": str(number + 1)},
        {"reason": "", "number": str(number)},
        {"reason": f"{email} asked", "number": str(number)},
    ):
        assert client.post(url, data).status_code == 422
        scene.reader.refresh_from_db()
        assert not scene.reader.is_erased
    assert not AccessEntry.objects.exists()

    data = {"reason": "Asked by letter", "number": f" {number} "}
    assert client.post(url, data).url == reverse("desk:reader", args=(number,))
    scene.reader.refresh_from_db()
    assert scene.reader.is_erased
    assert AccessEntry.objects.get().action == "erased"
    assert email not in page(scene).content.decode()
    client.post(url, data)
    assert AccessEntry.objects.count() == 1, "nothing was left to erase"


def test_both_ask_for_proof_that_is_ten_minutes_old_at_most(scene):
    client = proven(scene.protection)
    stale(client)
    data = {"reason": "Asked by letter", "number": str(scene.reader.pk)}
    for name in ("desk:export_reader", "desk:erase_reader"):
        url = reverse(name, args=(scene.reader.pk,))
        for answer in (client.get(url), client.post(url, data)):
            assert answer.url.startswith(prove_url())
    scene.reader.refresh_from_db()
    assert not scene.reader.is_erased
    assert not AccessEntry.objects.exists()


def test_what_cannot_be_written_down_is_not_handed_out(scene, monkeypatch):
    def broken(**_):
        raise RuntimeError("the log is full")

    monkeypatch.setattr("newsletter.desk.access_log.write", broken)
    client = proven(scene.protection)
    data = {"reason": "Asked by letter", "number": str(scene.reader.pk)}
    for name in ("export_reader", "erase_reader", "look_at_reader"):
        with pytest.raises(RuntimeError):
            client.post(reverse(f"desk:{name}", args=(scene.reader.pk,)), data)
    scene.reader.refresh_from_db()
    assert not scene.reader.is_erased
