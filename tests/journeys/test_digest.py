"""The digest's story: follow two conditions in two zones, read a week, stop one from the mail."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
import time_machine
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings as SettingsWrapper
from pytest_django.live_server_helper import LiveServer

from newsletter.approval import release, sign_off
from newsletter.catalogue.models import Condition, Publisher
from newsletter.editions.models import Article
from newsletter.sending.digest_run import run_due
from newsletter.transports import memory
from signup.models import Subscription
from tests.archive import published
from tests.digests.mailed import html_of, inbox, send_all, text_of
from tests.journeys.reading_room import assert_accessible, link_of_the_last_mail, visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]

SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AUCKLAND, NEW_YORK = "Pacific/Auckland", "America/New_York"


@pytest.fixture
def address(live_server: LiveServer, settings: SettingsWrapper) -> Iterator[str]:
    memory.outbox.clear()
    settings.BASE_URL = live_server.url
    Publisher.objects.create(name="Lakeside Clinic", emergency_number="112")
    published.newsletter("My conditions", kind="digest", sensitive=True)
    published.condition("Herniated disk", weight=10)
    published.condition("Migraine", group="Head and nerves")
    yield live_server.url


class Clock:
    """Time that stands still, and goes on by the hour with whatever is due."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller
        self.now = SUNDAY
        # When each mail left, in the order of the outbox.
        self.left: list[datetime] = []

    def go_on_to(self, moment: datetime) -> None:
        while self.now < moment:
            self.now = min(self.now + HOUR, moment)
            self._traveller.move_to(self.now)
            self.send()

    def send(self) -> None:
        if run_due(self.now, sweep=False):
            send_all()
        self.left += [self.now] * (len(memory.outbox) - len(self.left))


def put_out(title: str, *slugs: str) -> None:
    """Written by one, signed off by another, published and released."""
    article: Article = published.article(title, *Condition.objects.filter(slug__in=slugs))
    author, reviewer = published.user(), published.user()
    revision = article.save_revision(user=author)
    sign_off.approve_article(article=article, revision=revision, by=reviewer)
    revision.publish()
    release.release(article=article, by=reviewer)


def sign_up(page: Page, address: str, email: str, zone: str) -> Subscription:
    page.goto(f"{address}/sign-up/")
    page.get_by_label("Herniated disk", exact=True).check()
    page.get_by_label("Migraine", exact=True).check()
    page.get_by_label("Your e-mail address").fill(email)
    page.locator("[name=consent_mail]").check()
    page.locator("[name=consent_health]").check()
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    page.goto(link_of_the_last_mail(address))
    page.get_by_role("button", name="Yes, sign me up").click()
    expect(page.get_by_role("heading", name="Welcome. You are signed up")).to_be_visible()
    page.get_by_label("How often").select_option("weekly")
    page.get_by_label("Day of the week").select_option("0")
    page.get_by_label("Time of day").select_option("8")
    page.get_by_label("Your time zone").select_option(zone)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    return Subscription.objects.select_related("subscriber").get(subscriber__email=email)


def test_a_week_in_two_zones_and_one_condition_stopped_from_the_mail(
    browser: Browser, address: str
) -> None:
    with time_machine.travel(SUNDAY, tick=False) as traveller, visitor(browser) as page:
        clock = Clock(traveller)
        put_out("Slipped discs often heal", "herniated-disk")
        put_out("A headache diary", "migraine")
        ada = sign_up(page, address, "ada@example.org", AUCKLAND)
        ned = sign_up(page, address, "ned@example.org", NEW_YORK)

        # The first digest comes at once, with the best of each condition.
        clock.send()
        for reader in (ada, ned):
            [first] = inbox(reader)
            assert shown(first) == ["Slipped discs often heal", "A headache diary"]

        # A week, and one article just after Auckland's Monday morning.
        clock.go_on_to(SUNDAY + 2 * DAY)
        put_out("Lift with care", "herniated-disk")
        clock.go_on_to(SUNDAY + 4 * DAY)
        put_out("Dim the light", "migraine")
        put_out("Sleep helps both", "herniated-disk", "migraine")
        clock.go_on_to(SUNDAY + 7 * DAY + 8 * HOUR)
        put_out("Coffee and the head", "migraine")
        clock.go_on_to(SUNDAY + 8 * DAY + 2 * HOUR)

        assert monday_mornings(clock, ada, AUCKLAND) == [datetime(2026, 11, 30, 8)]
        assert monday_mornings(clock, ned, NEW_YORK) == [datetime(2026, 11, 30, 8)]
        disk = ["Sleep helps both", "Lift with care"]
        assert shown(inbox(ada)[1]) == [*disk, "Dim the light"]
        assert shown(inbox(ned)[1]) == [*disk, "Coffee and the head", "Dim the light"]
        assert "Monday, 7 December" in text_of(inbox(ned)[1])

        stop_from_the_mail(page, inbox(ned)[1], "Herniated disk")

        put_out("A belt for your back", "herniated-disk")
        put_out("Weather and the head", "migraine")
        clock.go_on_to(SUNDAY + 15 * DAY + 2 * HOUR)
        assert shown(inbox(ned)[2]) == ["Weather and the head"]
        assert "herniated" not in html_of(inbox(ned)[2]).lower()
        assert shown(inbox(ada)[2]) == [
            "A belt for your back",
            "Weather and the head",
            "Coffee and the head",
        ]
        for reader in (ada, ned):
            everything = [title for mail in inbox(reader) for title in shown(mail)]
            assert len(everything) == len(set(everything)), "nothing twice"


def shown(mail: EmailMessage) -> list[str]:
    """The titles in a mail, in its order; both parts show the same ones."""
    titles = list(Article.objects.values_list("title", flat=True))
    text, html = text_of(mail), html_of(mail)
    in_text = sorted((title for title in titles if title in text), key=text.index)
    in_html = sorted((title for title in titles if title in html), key=html.index)
    assert in_text == in_html
    assert all(text.count(title) == 1 for title in in_text)
    return in_text


def monday_mornings(clock: Clock, reader: Subscription, zone: str) -> list[datetime]:
    """When the reader's mails after the first left, by the reader's own clock."""
    mine = [
        moment
        for moment, sent in zip(clock.left, memory.outbox, strict=True)
        if sent.recipient == reader.subscriber.email
    ]
    return [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in mine[1:]]


def stop_from_the_mail(page: Page, mail: EmailMessage, name: str) -> None:
    """Open the mail as a mail program would, and follow the link under that section."""
    page = page.context.new_page()
    page.set_content(html_of(mail))
    page.get_by_role("link", name=f"Stop news about {name}").click()
    expect(page.get_by_role("heading", name="Stop this part of your e-mail?")).to_be_visible()
    assert name.lower() not in page.content().lower() and name.lower() not in page.url
    assert_accessible(page)
    page.get_by_role("button", name="Yes, stop this part").click()
    expect(page.get_by_role("heading", name="This part has stopped")).to_be_visible()
    assert name.lower() not in page.content().lower()
    assert_accessible(page)
