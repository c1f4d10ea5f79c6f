"""The access log cannot be changed, holds no address, and is shown to data protection."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from newsletter.desk import access_log
from newsletter.desk.models import AccessEntry
from signup.privacy.export import export
from tests.desk import world
from tests.desk.conftest import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(desk):
    reader = world.reader(desk.newsletter).subscriber
    return access_log.write(
        by=desk.protection,
        action=AccessEntry.Action.CONDITIONS_SEEN,
        subscriber=reader,
        reason="Asked by telephone",
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.update(reason="nothing happened"),
        lambda rows: rows.delete(),
        lambda rows: rows._raw_delete("default"),
    ],
)
def test_no_line_is_changed_or_deleted(line, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        change(AccessEntry.objects.filter(pk=line.pk))
    assert AccessEntry.objects.get().reason == "Asked by telephone"


def test_the_table_is_not_emptied_at_once(line):
    empty = "TRUNCATE" if connection.vendor == "postgresql" else "DELETE FROM"
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"{empty} desk_accessentry")


@pytest.mark.parametrize("text", ["ada@example.org asked", "from <a@b.c>", "mailto:x@y"])
def test_no_address_gets_in(desk, text):
    for given in ({"reason": text}, {"reason": "fine", "detail": text}):
        with pytest.raises(access_log.HoldsAddress):
            access_log.write(by=desk.protection, action=AccessEntry.Action.LISTED, **given)
    assert not AccessEntry.objects.exists()


def test_an_account_whose_name_is_an_address_stands_by_its_number(desk):
    user = world.staff("ada@staff.example.org", "Data protection")
    line = access_log.write(by=user, action=AccessEntry.Action.LISTED, reason="A good reason")
    assert line.actor_name == f"account {user.pk}"


def test_the_log_outlives_the_account(line, desk):
    desk.protection.delete()
    assert AccessEntry.objects.get().actor_name == "protection"


def test_a_reader_learns_that_staff_looked_and_why_but_not_who(line):
    from signup.models import Subscriber

    found = export(subscriber=Subscriber.objects.get(pk=line.subscriber_id))
    [look] = found["desk"]["looked_at_by_staff"]
    assert look["reason"] == "Asked by telephone"
    assert "protection" not in str(found["desk"])


def test_the_report_is_narrowed_and_paged(line, desk, monkeypatch):
    monkeypatch.setattr("newsletter.desk.readers.reports.PER_PAGE", 2)
    for _ in range(4):
        access_log.write(
            by=desk.admin,
            action=AccessEntry.Action.LISTED,
            reason="A leaflet",
            detail="condition x",
        )
    client = client_of(desk.protection)
    url = reverse("desk:access_log")
    first = client.get(url)
    assert len(first.context["rows"]) == 2
    seen = [row.pk for row in first.context["rows"]]
    older = first.context["older"]
    while older:
        answer = client.get(url, {"before": older})
        seen += [row.pk for row in answer.context["rows"]]
        older = answer.context["older"]
    assert seen == sorted(AccessEntry.objects.values_list("pk", flat=True), reverse=True)
    by_reader = client.get(url, {"reader": line.subscriber_id}).context["rows"]
    assert [row.pk for row in by_reader] == [line.pk]
    assert len(client.get(url, {"action": "conditions_seen"}).context["rows"]) == 1
    assert len(client.get(url, {"account": desk.protection.pk}).context["rows"]) == 1


def test_the_retention_report_says_what_goes_tonight(desk):
    from datetime import timedelta

    from django.utils import timezone

    from signup.models import SystemMail

    reader = world.reader(desk.newsletter).subscriber
    for age in (1, 31, 40):
        mail = SystemMail.objects.create(
            subscriber=reader, kind="confirm", expires_at=timezone.now()
        )
        SystemMail.objects.filter(pk=mail.pk).update(
            created_at=timezone.now() - timedelta(days=age)
        )
    answer = client_of(desk.protection).get(reverse("desk:retention"))
    due = {rule.what: rule.due for rule in answer.context["rules"]}
    assert due["Confirmations, links and notices that we mailed"] == 2
    from signup.privacy import retention

    retention.purge()
    answer = client_of(desk.protection).get(reverse("desk:retention"))
    assert {rule.due for rule in answer.context["rules"]} <= {0, None}
