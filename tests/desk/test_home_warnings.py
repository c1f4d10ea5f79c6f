"""The dashboard says what keeps mail from arriving, and shows authors their own drafts."""

import pytest
from django.urls import reverse
from django.utils import timezone

from newsletter.approval.models import SenderDomain
from newsletter.catalogue.models import Newsletter
from newsletter.desk.arriving import mailing_warnings
from newsletter.desk.models.limits import limit
from newsletter.outcomes.models import Event
from newsletter.sending.models import Batch, Mailing
from tests.desk import world
from tests.desk.conftest import client_of

ARRIVES = "Mail may not arrive"


def home(user):
    return client_of(user).get(reverse("wagtailadmin_home")).content.decode()


def domain(name="news.example.org", level="bad"):
    finding = {
        "level": level,
        "about": "SPF",
        "message": "There is no record.",
        "record": f'{name}. IN TXT "v=spf1 mx -all"',
    }
    return SenderDomain.objects.create(domain=name, checked_at=timezone.now(), findings=[finding])


@pytest.fixture
def mailing(desk):
    issue = world.issue(desk.newsletter, desk.author)
    return Mailing.objects.create(
        kind="issue",
        newsletter=desk.newsletter,
        issue=issue,
        approval=world.approve(issue, desk.reviewer),
        state="sending",
        dated=timezone.now(),
    )


def test_a_domain_that_is_not_proven_is_shown_with_its_record_to_those_who_send(desk):
    assert ARRIVES not in home(desk.sender)
    domain()
    page = home(desk.sender)
    assert ARRIVES in page and "There is no record." in page and "v=spf1 mx -all" in page
    assert ARRIVES not in home(desk.author)


@pytest.mark.parametrize(("name", "level"), [("news.example.org", "ok"), ("else.example", "bad")])
def test_a_domain_that_is_fine_or_not_ours_is_not_shown(desk, name, level):
    domain(name, level)
    assert ARRIVES not in home(desk.sender)


def test_a_domain_of_a_newsletter_outside_ones_limits_is_not_shown(desk):
    domain()
    other = world.newsletter(
        name="Other", slug="other", list_id_label="other", from_email="a@other.example"
    )
    limit(
        desk.sender,
        newsletters=Newsletter.objects.filter(pk=other.pk),
        conditions=desk.newsletter.__class__.objects.none(),
    )
    assert ARRIVES not in home(desk.sender)


def test_a_mailing_stopped_by_trouble_is_shown_until_it_goes_on(desk, mailing):
    Mailing.objects.update(state="paused", trouble="The relay does not know us any more.")
    assert "The relay does not know us any more." in home(desk.sender)
    Mailing.objects.update(state="sending")
    assert ARRIVES not in home(desk.sender)


@pytest.mark.parametrize(("accepted", "warns"), [(100, False), (900, True), (5000, False)])
def test_complaints_are_a_rate_once_there_are_enough_readers(desk, mailing, accepted, warns):
    Batch.objects.create(mailing=mailing, planned=accepted, accepted=accepted)
    reader = world.reader(desk.newsletter).subscriber
    Event.objects.create(
        mailing=mailing, subscriber=reader, kind=Event.Kind.COMPLAINED, at=timezone.now()
    )
    assert bool(list(mailing_warnings([mailing]))) is warns


@pytest.mark.parametrize(("refused", "warns"), [(5, False), (19, False), (60, True)])
def test_many_refused_addresses_are_a_warning(desk, mailing, refused, warns):
    Batch.objects.create(mailing=mailing, planned=1000, accepted=1000 - refused, refused=refused)
    found = list(mailing_warnings([mailing]))
    assert bool(found) is warns
    assert all(str(refused) in one.what for one in found)


def test_what_came_back_later_is_a_warning_too(desk, mailing):
    Batch.objects.create(mailing=mailing, planned=100, accepted=81, refused=19)
    assert list(mailing_warnings([mailing])) == []
    reader = world.reader(desk.newsletter).subscriber
    for source in ("smtp", "return path"):
        Event.objects.create(
            mailing=mailing,
            subscriber=reader,
            kind=Event.Kind.BOUNCED,
            source=source,
            at=timezone.now(),
        )
    (found,) = mailing_warnings([mailing])
    assert "20 of 100 addresses were refused, 1 of them after" in found.what


def test_copies_that_come_back_for_how_we_send_are_serious_and_say_why(desk, mailing):
    def come_back(status: str, number: int) -> None:
        Event.objects.create(
            mailing=mailing,
            kind=Event.Kind.BOUNCED,
            source="return path",
            source_id=f"{number} {status}",
            status=status,
            detail=f"550 {status} no",
            at=timezone.now(),
        )

    for number in range(4):
        come_back("5.7.26", number)
        come_back("5.1.1", number)
    assert list(mailing_warnings([mailing])) == []
    come_back("5.1.8", 4)
    (found,) = mailing_warnings([mailing])
    assert found.serious
    assert "5 copies" in found.what and ("5.7.26 no" in found.what or "5.1.8 no" in found.what)


def test_an_author_sees_their_own_drafts_and_nobody_elses(desk):
    other = world.staff("other", "Authors")
    world.issue(desk.newsletter, desk.author, title="Mine")
    world.article(desk.author, title="My article")
    world.issue(desk.newsletter, other, title="Theirs")
    page = home(desk.author)
    assert "Your drafts" in page and "Mine" in page and "My article" in page
    assert "Theirs" not in page
    assert "Your drafts" not in home(desk.reviewer)


def test_what_has_gone_out_is_no_draft_any_more(desk, mailing):
    assert (
        mailing.issue.title
        not in home(desk.author).partition("Your drafts")[2].partition("</section>")[0]
    )
