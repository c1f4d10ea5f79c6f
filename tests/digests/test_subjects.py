"""What stands in a digest's subject: nothing of what is inside, unless both sides want it."""

import pytest
import time_machine

from newsletter.transports import memory
from signup.models import Subscriber
from tests.digests import factories
from tests.digests.factories import approved, reader, released, utc
from tests.digests.mailed import inbox, send_due

pytestmark = pytest.mark.django_db(transaction=True)

SUNDAY = utc(2026, 11, 22, 12)


@pytest.fixture(autouse=True)
def sunday():
    memory.outbox.clear()
    with time_machine.travel(SUNDAY, tick=False):
        yield


def subject(newsletter, *names, wanted=True, cadence="weekly", language="en") -> str:
    conditions = [
        factories.ConditionFactory(name=name, weight=-place) for place, name in enumerate(names)
    ]
    subscription = reader(newsletter, *conditions, cadence=cadence)
    Subscriber.objects.update(conditions_in_subject=wanted, language=language)
    for condition in conditions:
        approved(released(condition))
    send_due(SUNDAY)
    [mail] = inbox(subscription)
    return str(mail["Subject"])


def allowing(**changes):
    return factories.DigestNewsletterFactory(
        **{"sensitive": False, "conditions_in_subject": True, **changes}
    )


def test_it_names_them_where_newsletter_and_reader_both_want_it():
    assert subject(allowing(), "Migraine") == "Migraine: your health reading"


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, False),
        ({"conditions_in_subject": False}, True),
        ({"sensitive": True}, True),
        ({"discreet": True}, True),
    ],
)
def test_it_stays_neutral_where_one_of_them_does_not(changes, wanted):
    said = subject(allowing(**changes), "Migraine", wanted=wanted)
    assert said == "Your health reading for this week"


def test_neither_wants_it_unless_told():
    assert Subscriber().conditions_in_subject is False
    newsletter = factories.DigestNewsletterFactory()
    assert newsletter.conditions_in_subject is False


def test_more_than_two_are_not_listed():
    said = subject(allowing(), "Herniated disk", "Migraine", "Asthma")
    assert said == "Herniated disk, Migraine and more: your health reading"


@pytest.mark.parametrize(
    "name",
    [
        "Ménière’s disease, which has a long name that needs more than one line of a subject",
        "الصداع النصفي",
        "Migraine 😀",
        "A" * 100,
        "=?utf-8?q?Asthma?=",
    ],
)
def test_any_name_arrives_whole(name):
    assert subject(allowing(), name) == f"{name}: your health reading"


@pytest.mark.parametrize(
    ("cadence", "said"),
    [
        ("immediate", "New in your health reading"),
        ("daily", "Your health reading for today"),
        ("weekly", "Your health reading for this week"),
        ("monthly", "Your health reading for this month"),
    ],
)
def test_the_neutral_one_fits_how_often_it_comes(cadence, said):
    assert subject(factories.DigestNewsletterFactory(), "Migraine", cadence=cadence) == said
