"""Whom a breach touches, and how many signed up on which form: for those who may, written down."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.desk import access_log
from newsletter.desk.models import AccessEntry
from newsletter.desk.readers import breach, form_counts
from newsletter.desk.readers.breach import Breach
from newsletter.desk.readers.forms import BreachForm
from signup.models import (
    ConsentEntry,
    ConsentSubject,
    Follow,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
)
from signup.privacy.erase import erase
from signup.suppress import suppress
from tests.desk import world
from tests.desk.signing_in import proven, stale

pytestmark = pytest.mark.django_db
Action = AccessEntry.Action
URL = "/admin/readers/breach/"


@pytest.fixture
def scene(desk: Any) -> Any:
    """Three readers of the newsletter; one of them follows a condition and lives in Spain."""
    desk.readers = list(Subscriber.objects.order_by("pk"))
    # Their chains can be written on, as those of real readers.
    for chain in ConsentSubject.objects.all():
        ConsentSubject.objects.filter(pk=chain.pk).update(head_seq=1, head_hash=b"\1" * 32)
    desk.condition = world.condition()
    Follow.objects.create(subscriber=desk.readers[0], condition=desk.condition)
    Subscriber.objects.filter(pk=desk.readers[0].pk).update(
        timezone="Europe/Madrid", language="es", first_name="Ana"
    )
    return desk


def around(what: str, **more: Any) -> Breach:
    now = timezone.now()
    return Breach(what, now - timedelta(hours=1), now + timedelta(hours=1), **more)


def numbers(asked: Breach) -> list[int]:
    return [person.number for person in breach.to_be_told(asked)]


def asked(scene: Any, **changes: Any) -> dict[str, Any]:
    now = timezone.localtime()
    return {
        "what": "all",
        "since": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "until": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "reason": "A backup was stolen",
        **changes,
    }


def test_the_whole_database_touches_everybody_with_every_kind_of_data(scene: Any) -> None:
    found = breach.touched(around(breach.ALL))
    assert (found.people, found.erased) == (3, 0)
    kinds = {kind.name: (kind.people, kind.records, kind.health) for kind in found.kinds}
    assert kinds == {
        "E-mail address, language, time zone": (3, 3, False),
        "First name": (1, 1, False),
        "Newsletters chosen": (3, 3, False),
        "Conditions followed": (1, 1, True),
        "Consents: who said what to which words": (3, 3, False),
    }
    assert found.places == [("", "en", 2), ("Spain", "es", 1)]


def test_who_came_after_or_was_gone_before_is_not_touched(scene: Any) -> None:
    late, gone, _still = scene.readers
    now = timezone.now()
    Subscriber.objects.filter(pk=late.pk).update(created_at=now + timedelta(days=1))
    Subscriber.objects.filter(pk=gone.pk).update(created_at=now - timedelta(days=9))
    erase(subscriber=gone, method=ConsentEntry.Method.PREFERENCES, source="test")
    Subscriber.objects.filter(pk=gone.pk).update(erased_at=now - timedelta(days=2))
    assert numbers(around(breach.ALL)) == [scene.readers[2].pk]


def test_who_was_erased_since_is_counted_and_cannot_be_told(scene: Any) -> None:
    erase(subscriber=scene.readers[1], method=ConsentEntry.Method.PREFERENCES, source="test")
    found = breach.touched(around(breach.ALL))
    assert (found.people, found.erased) == (3, 1)
    assert numbers(around(breach.ALL)) == [scene.readers[0].pk, scene.readers[2].pk]


def test_a_list_of_a_newsletter_touches_those_who_were_on_it_then(scene: Any) -> None:
    other = world.reader(world.newsletter(name="Other", slug="other", list_id_label="other"))
    left = Subscription.objects.get(subscriber=scene.readers[1])
    Subscription.objects.filter(pk=left.pk).update(
        state="ended", ended_reason="staff", consent=None,
        created_at=timezone.now() - timedelta(days=9), ended_at=timezone.now() - timedelta(days=2),
    )  # fmt: skip
    assert numbers(around(breach.NEWSLETTER, newsletter=scene.newsletter)) == [
        scene.readers[0].pk,
        scene.readers[2].pk,
    ]
    assert numbers(around(breach.NEWSLETTER, newsletter=other.newsletter)) == [other.subscriber_id]


def test_exports_of_single_readers_touch_those_readers(scene: Any) -> None:
    looked(scene, Action.EXPORTED, scene.readers[0])
    looked(scene, Action.PROOF_SEEN, scene.readers[2])
    looked(scene, Action.CONDITIONS_SEEN, scene.readers[1])
    assert numbers(around(breach.EXPORTS)) == [scene.readers[0].pk, scene.readers[2].pk]
    now = timezone.now()
    before = Breach(breach.EXPORTS, now - timedelta(days=2), now - timedelta(days=1))
    assert numbers(before) == []


def test_an_account_touches_whom_it_looked_at_and_whom_its_lists_showed(scene: Any) -> None:
    looked(scene, Action.CONDITIONS_SEEN, scene.readers[1])
    account = scene.protection.pk
    assert numbers(around(breach.ACCOUNT, account=account)) == [scene.readers[1].pk]
    assert numbers(around(breach.ACCOUNT, account=scene.admin.pk)) == []
    proven(scene.protection).post(
        reverse("desk:list_by_health"),
        {"condition": scene.condition.pk, "reason": "Asked by the clinic"},
    )
    assert numbers(around(breach.ACCOUNT, account=account)) == [
        scene.readers[0].pk,
        scene.readers[1].pk,
    ]


def test_a_line_of_the_log_that_says_nothing_never_means_everybody(scene: Any) -> None:
    access_log.write(by=scene.protection, action=Action.LISTED, reason="Something", detail="")
    assert numbers(around(breach.ACCOUNT, account=scene.protection.pk)) == []


def looked(scene: Any, action: AccessEntry.Action, reader: Subscriber) -> None:
    access_log.write(by=scene.protection, action=action, subscriber=reader, reason="Asked")


def test_the_last_minute_belongs_to_what_is_asked_with_its_seconds(scene: Any) -> None:
    """The field offers minutes; a breach that ends now touches who came a second ago."""
    minute = timezone.localtime().replace(second=0, microsecond=0) - timedelta(minutes=5)
    Subscriber.objects.update(created_at=minute + timedelta(seconds=59))
    typed = f"{minute:%Y-%m-%dT%H:%M}"
    form = BreachForm({"what": "all", "since": typed, "until": typed, "reason": "A stolen laptop"})
    assert form.is_valid(), form.errors
    assert len(numbers(form.asked())) == 3
    Subscriber.objects.update(created_at=minute + timedelta(seconds=60))
    assert numbers(form.asked()) == []


# --- The page -----------------------------------------------------------------------------------


def test_counting_is_written_down_and_shows_no_address(scene: Any) -> None:
    answer = proven(scene.protection).post(URL, asked(scene))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "3 people are touched" in page
    assert "Spain" in page
    assert scene.readers[0].email not in page
    line = AccessEntry.objects.get()
    assert (line.action, line.reason) == ("breach_asked", "A backup was stolen")
    assert line.detail.startswith("all, 20")


def test_the_table_holds_whom_to_tell_and_is_written_down(scene: Any) -> None:
    suppress(subscriber=scene.readers[2], reason=Suppression.Reason.REQUEST, source="test")
    answer = proven(scene.protection).post(URL, asked(scene, form="csv"))
    assert answer["Content-Type"].startswith("text/csv")
    assert "no-store" in answer["Cache-Control"]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["address"] for row in rows] == [reader.email for reader in scene.readers]
    assert [row["follows_conditions"] for row in rows] == ["yes", "", ""]
    assert rows[0]["country"] == "Spain"
    assert rows[2]["never_mail"] == "yes"
    assert AccessEntry.objects.get().action == "breach_listed"


@pytest.mark.parametrize("role", ["author", "reviewer", "sender", "admin"])
def test_others_may_not_ask(scene: Any, role: str) -> None:
    answer = proven(getattr(scene, role)).post(
        URL, asked(scene), headers={"x-requested-with": "XMLHttpRequest"}
    )
    assert answer.status_code == 403
    assert not AccessEntry.objects.exists()


@pytest.mark.parametrize("form", ["count", "csv"])
def test_it_is_asked_anew_who_somebody_is(scene: Any, form: str) -> None:
    client = proven(scene.protection)
    stale(client)
    answer = client.post(URL, asked(scene, form=form))
    assert "/prove/" in answer["Location"]
    assert not AccessEntry.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"reason": "for ada@example.org"},
        {"what": "everything"},
        {"what": "newsletter"},
        {"what": "mailings"},
        {"what": "account"},
        {"until": "2001-01-01T00:00"},
        {"since": "yesterday"},
    ],
)
def test_what_cannot_be_meant_is_said_and_shows_nothing(scene: Any, wrong: dict[str, str]) -> None:
    answer = proven(scene.protection).post(URL, asked(scene, form="csv", **wrong))
    assert answer.status_code == 422
    assert not AccessEntry.objects.exists()


# --- How many signed up on which form --------------------------------------------------------


@pytest.fixture
def sign_ups(scene: Any, settings: Any) -> Any:
    """30 on the sign-up page, 27 confirmed; 25 and 4 on two conditions' pages."""
    world.condition("Knee arthritis")
    for path, many, confirmed in (
        ("/sign-up/", 30, 27),
        ("/conditions/herniated-disk/", 25, 23),
        ("/conditions/knee-arthritis/", 4, 4),
    ):
        SignUp.objects.bulk_create(
            SignUp(
                subscriber=scene.readers[0],
                form_url=settings.BASE_URL + path,
                confirmed_at=timezone.now() if number < confirmed else None,
            )
            for number in range(many)
        )
    return scene


def test_forms_are_counted_by_day_and_what_tells_of_health_is_rounded_or_hidden(
    sign_ups: Any,
) -> None:
    found = {one.page: one for one in form_counts.form_counts()}
    plain = found["/sign-up/"]
    assert (plain.asked, plain.confirmed, plain.share) == (30, 27, 90)
    assert [(day.asked, day.confirmed) for day in plain.days] == [(30, 27)]
    disk, knee = found["/conditions/herniated-disk/"], found["/conditions/knee-arthritis/"]
    assert (disk.asked, disk.confirmed, disk.share, disk.days) == (20, 20, None, [])
    assert (knee.asked, knee.confirmed, knee.share, knee.days) == (None, None, None, [])


def test_the_page_of_forms_shows_no_small_number_beside_a_condition(sign_ups: Any) -> None:
    page = proven(sign_ups.admin).get(reverse("desk:form_counts")).content.decode()
    row = page[page.index("knee-arthritis") :].partition("</tr>")[0]
    assert row.count("fewer than 20") == 2
    assert ">4<" not in row
    assert Client().get(reverse("desk:form_counts")).url.startswith("/admin/login/")


def test_an_embedded_form_with_a_condition_tells_of_health(scene: Any, settings: Any) -> None:
    from signup.models import EmbedForm

    form = EmbedForm.objects.create(name="Clinic")
    form.conditions.add(scene.condition)
    url = f"{settings.BASE_URL}/en/sign-up/embed/{form.public_id}/?on=https://clinic.example"
    SignUp.objects.create(subscriber=scene.readers[0], form_url=url)
    [only] = form_counts.form_counts()
    assert only.about_health
    assert only.asked is None
    assert only.page == "Clinic (https://clinic.example)", "by the name that staff know it by"


def test_what_is_older_than_sign_ups_are_kept_is_not_counted(sign_ups: Any) -> None:
    SignUp.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert form_counts.form_counts() == []
