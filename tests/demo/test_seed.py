"""`seed_demo`: everything at once, once."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from newsletter.approval import preflight, sign_off
from newsletter.catalogue.models import Condition, Newsletter, Publisher
from newsletter.desk import roles
from newsletter.desk.models import User
from newsletter.editions.models import Article, Issue, Release
from newsletter.management.demo import staff
from newsletter.management.demo.population import Story, people
from newsletter.sending.balance import counts, recount
from newsletter.sending.models import Delivery, Mailing
from signup import consent
from signup.models import (
    ConsentEntry,
    ConsentText,
    Follow,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)

# The mark has pytest-django make the database also where this file runs alone.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """What the first run printed. All tests of this file share its rows and change none."""
    with django_db_blocker.unblock(), transaction.atomic():
        said = StringIO()
        call_command("seed_demo", stdout=said)
        yield said.getvalue()
        transaction.set_rollback(True)


def all_rows() -> dict[str, list[tuple[object, ...]]]:
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_models()
    }


def test_a_second_run_changes_nothing_and_says_so() -> None:
    before = all_rows()
    said = StringIO()
    call_command("seed_demo", stdout=said)
    assert said.getvalue() == "The demo's content is there already. Nothing was changed.\n"
    assert all_rows() == before


def test_it_says_what_it_made(demo: str) -> None:
    for line in ("10 conditions", "20 articles", "300 readers", "5 staff accounts"):
        assert line in demo
    assert staff.password_in_use() in demo


def test_the_demo_speaks_spanish_because_its_data_protection_person_approved_it() -> None:
    assert consent.languages_offered() == ["en", "es"]
    for text in ConsentText.objects.filter(language="es"):
        assert text.approved_by == staff.DATA_PROTECTION
    page = Client().get("/es/sign-up/").content.decode()
    assert '<html lang="es"' in page


def test_its_privacy_notice_is_spanish_on_a_spanish_page(client: Client) -> None:
    assert "Qué guardamos." in client.get("/es/privacy/").content.decode()
    assert "What we store." in client.get("/en/privacy/").content.decode()


def test_conditions_are_reviewed_and_in_date() -> None:
    assert Condition.objects.count() == 10
    for condition in Condition.objects.all():
        condition.full_clean()
        assert condition.reviewed_by and condition.reviewed_on and condition.review_due
        assert len(condition.emergency_sign_list) >= 4


def test_every_article_is_signed_off_by_the_reviewer_and_live() -> None:
    assert Article.objects.count() == 20
    for article in Article.objects.all():
        approval = sign_off.valid_article_approval(article)
        assert approval is not None and approval.approved_by.username == staff.REVIEWER
        assert article.live and article.is_reviewed
        assert preflight.check_article(article) == []


def test_three_articles_are_left_to_be_released() -> None:
    waiting = Article.objects.exclude(releases__in=Release.objects.standing())
    assert waiting.count() == 3
    assert list(Release.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 18))


def test_one_issue_counts_as_sent_and_one_waits_for_its_review() -> None:
    sent = Issue.objects.get(slug="moving-into-winter")
    draft = Issue.objects.get(slug="hearts-and-heads")
    approval = sign_off.valid_approval(sent)
    assert approval is not None and approval.approved_by.username == staff.REVIEWER
    assert sent.live and not draft.live
    assert draft.current_workflow_state is None
    assert preflight.check(draft.get_latest_revision_as_object()) == []
    assert {block.block_type for block in draft.body} >= {
        "rich_text",
        "article_card",
        "image",
        "key_facts",
        "quote",
        "button",
        "emergency",
    }


def test_the_mailings_balance_and_say_that_nothing_was_sent() -> None:
    kinds = {mailing.kind: mailing for mailing in Mailing.objects.all()}
    assert set(kinds) == {Mailing.Kind.ISSUE, Mailing.Kind.DIGEST}
    for mailing in kinds.values():
        assert mailing.state == Mailing.State.ENDED
        assert counts(mailing) == recount(mailing)
        assert counts(mailing).planned == counts(mailing).accepted > 100
    replies = set(Delivery.objects.values_list("reply", flat=True))
    assert replies == {"seed_demo: invented, no mail was sent"}
    assert set(SystemMail.objects.values_list("reply", flat=True)) == replies
    assert set(SystemMail.objects.values_list("state", flat=True)) == {SystemMail.State.ACCEPTED}


def test_the_ledger_holds() -> None:
    assert consent.verify() == []
    # Each reader gave something; all but the pending confirmed it; each who left took it back.
    by_action = ConsentEntry.objects.filter
    given = by_action(action=ConsentEntry.Action.GIVEN).values("subject").distinct()
    confirmed = by_action(action=ConsentEntry.Action.CONFIRMED).values("subject").distinct()
    assert given.count() == 300
    assert confirmed.count() == 300 - sum(one.story == Story.PENDING for one in people())
    assert set(
        ConsentEntry.objects.exclude(action=ConsentEntry.Action.WITHDRAWN).values_list(
            "form_url", flat=True
        )
    ) == {"seed_demo"}


def test_readers_are_in_every_state() -> None:
    assert Subscriber.objects.count() == 300
    assert set(Subscription.objects.values_list("state", flat=True)) == set(
        Subscription.State.values
    )
    assert Subscription.objects.filter(paused_until__isnull=False).exists()
    assert Follow.objects.filter(paused_at__isnull=False).exists()
    reasons = set(Subscription.objects.values_list("ended_reason", flat=True))
    assert {"", "unsubscribed", "one_click", "complained", "bounced"} == reasons
    assert Suppression.objects.count() == 6
    assert len(set(Subscriber.objects.values_list("timezone", flat=True))) >= 40


def test_no_address_could_be_real() -> None:
    addresses = [
        *Subscriber.objects.values_list("email", flat=True),
        *User.objects.values_list("email", flat=True),
        *Newsletter.objects.values_list("from_email", flat=True),
        *Newsletter.objects.values_list("reply_to", flat=True),
        Publisher.current().contact_email,
        Publisher.current().system_from_email,
    ]
    for address in addresses:
        domain = (address or "").rpartition("@")[2]
        assert domain == "example.org" or domain.endswith(".example"), address


def test_newsletters_are_as_the_story_needs_them() -> None:
    living_well = Newsletter.objects.get(slug="living-well")
    my_conditions = Newsletter.objects.get(slug="my-conditions")
    assert not living_well.is_digest and not living_well.sensitive
    assert my_conditions.is_digest and my_conditions.sensitive
    assert Publisher.current().emergency_number == "112"


@pytest.mark.parametrize(
    ("username", "group"),
    [
        ("author", roles.AUTHORS),
        ("reviewer", roles.REVIEWERS),
        ("sender", roles.SENDERS),
        ("admin", roles.ADMINISTRATORS),
        ("dataprotection", roles.DATA_PROTECTION),
    ],
)
def test_staff_can_log_in_and_have_their_role(client: Client, username: str, group: str) -> None:
    assert client.login(username=username, password=staff.password_in_use())
    user = User.objects.get(username=username)
    assert [found.name for found in user.groups.all()] == [group]
    assert user.has_perm("wagtailadmin.access_admin")
    assert user.is_superuser == (username == "admin")


def test_production_refuses_and_writes_nothing(settings: Settings) -> None:
    settings.EMBEDDED = settings.DEBUG = False
    before = all_rows()
    with pytest.raises(CommandError, match="neither EMBEDDED nor DEBUG"):
        call_command("seed_demo")
    assert all_rows() == before
