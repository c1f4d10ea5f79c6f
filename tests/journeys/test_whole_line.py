"""The whole story, once: sign up, confirm, compose, review, send, read, digest, leave.

After each step it looks at what the database holds, through a connection of its own.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.staff import Staff
from tests.running.processes import wait_until
from tests.running.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]

READER = "maria.journey@example.org"


@pytest.fixture
def reader_page(browser: Browser) -> Iterator[Page]:
    """A reader's phone: no JavaScript, as on the oldest of them."""
    with browser.new_context(
        viewport={"width": 375, "height": 667}, java_script_enabled=False
    ) as context:
        yield context.new_page()


class Rows:
    """What stands in the database about our reader."""

    def __init__(self, stack: LiveStack) -> None:
        self._stack = stack

    def subscriptions(self) -> dict[str, tuple[str, str]]:
        """Newsletter slug → (state, ended_reason)."""
        return {
            row["slug"]: (row["state"], row["ended_reason"])
            for row in self._stack.rows(
                "SELECT n.slug, s.state, s.ended_reason FROM signup_subscription s"
                " JOIN signup_subscriber r ON r.id = s.subscriber_id"
                " JOIN catalogue_newsletter n ON n.id = s.newsletter_id WHERE r.email = ?",
                READER,
            )
        }

    def follows(self) -> list[str]:
        rows = self._stack.rows(
            "SELECT c.slug FROM signup_follow f JOIN catalogue_condition c ON c.id = f.condition_id"
            " JOIN signup_subscriber r ON r.id = f.subscriber_id WHERE r.email = ?",
            READER,
        )
        return [row["slug"] for row in rows]

    def ledger(self) -> list[tuple[str, str, str]]:
        """(action, purpose, wording) in order."""
        rows = self._stack.rows(
            "SELECT e.action, e.purpose, t.wording FROM signup_consententry e"
            " JOIN signup_consentsubject j ON j.subject = e.subject"
            " JOIN signup_subscriber r ON r.id = j.subscriber_id"
            " LEFT JOIN signup_consenttext t ON t.id = e.text_id"
            " WHERE r.email = ? ORDER BY e.seq",
            READER,
        )
        return [(row["action"], row["purpose"], row["wording"] or "") for row in rows]

    def deliveries(self, kind: str) -> list[dict[str, Any]]:
        return self._stack.rows(
            "SELECT d.state, d.attempt, d.article_ids FROM sending_delivery d"
            " JOIN sending_mailing m ON m.id = d.mailing_id"
            " JOIN signup_subscriber r ON r.id = d.subscriber_id"
            " WHERE m.kind = ? AND r.email = ?",
            kind,
            READER,
        )


def test_a_stranger_becomes_a_reader_and_leaves_again(
    live_stack: LiveStack, browser: Browser, reader_page: Page
) -> None:
    stack, page, rows = live_stack, reader_page, Rows(live_stack)

    _sign_up(stack, page)
    assert set(rows.subscriptions().values()) == {("pending", "")}
    assert rows.follows() == []
    assert {action for action, _, _ in rows.ledger()} == {"given"}

    confirmation = stack.wait_for_mail(READER)
    _read_without_pressing(stack, page, confirmation)
    assert set(rows.subscriptions().values()) == {("pending", "")}, "GET changes nothing"

    _confirm(page)
    assert set(rows.subscriptions().values()) == {("live", "")}
    assert set(rows.subscriptions()) == {"living-well", "my-conditions"}
    assert rows.follows() == ["herniated-disk"]
    given = {(purpose, words) for action, purpose, words in rows.ledger() if action == "given"}
    confirmed = {
        (purpose, words) for action, purpose, words in rows.ledger() if action == "confirmed"
    }
    assert confirmed == given, "what is confirmed is the wording that was ticked"
    assert all(words for _, words in confirmed)

    issue = _compose_review_and_send(stack, browser)
    assert [row["state"] for row in rows.deliveries("issue")] == ["accepted"]
    counts = stack.rows(
        "SELECT sum(planned) AS planned, sum(accepted + refused + skipped + unknown) AS closed"
        " FROM sending_batch b JOIN sending_mailing m ON m.id = b.mailing_id WHERE m.issue_id = ?",
        issue,
    )[0]
    assert counts["planned"] == counts["closed"] > 0
    letter = stack.wait_for_mail(READER, subject="A short walk")
    assert len([m for m in stack.mails(READER) if "A short walk" in str(m["Subject"])]) == 1
    _read_it_in_the_mailbox(stack, page)

    digest = stack.wait_for_mail(READER, subject="Your health reading", seconds=90)
    assert "disk" not in str(digest["Subject"]).lower()
    (delivery,) = rows.deliveries("digest")
    assert delivery["state"] == "accepted"
    assert delivery["article_ids"]
    body = digest.get_body(("plain",))
    assert body is not None
    assert "herniated disk" in body.get_content().lower()

    _unsubscribe(stack, page, letter)
    assert rows.subscriptions()["living-well"] == ("ended", "unsubscribed")
    assert rows.subscriptions()["my-conditions"] == ("live", ""), "one link ends one newsletter"
    assert rows.ledger()[-1][:2] == ("withdrawn", "mail")

    assert "The ledger holds" in stack.manage("verify_ledger")


def _sign_up(stack: LiveStack, page: Page) -> None:
    page.goto(stack.url("/sign-up/"))
    page.get_by_label("Living well").check()
    page.get_by_label("Herniated disk").check()
    page.get_by_label("Your e-mail address").fill("maria.journey")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    assert page.title().startswith("Error: ")
    expect(page.get_by_label("Your e-mail address")).to_have_value("maria.journey")
    expect(page.get_by_label("Herniated disk")).to_be_checked()

    page.get_by_label("Your e-mail address").fill(READER)
    page.locator("[name=consent_mail]").check()
    page.locator("[name=consent_health]").check()
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert READER not in page.url


def _read_without_pressing(stack: LiveStack, page: Page, mail: Any) -> None:
    assert "Herniated" not in mail.as_string(), "the confirmation echoes nothing that was typed"
    page.goto(stack.link_in(mail, "/confirm/"))
    expect(page.get_by_role("heading", name="One last step")).to_be_visible()


def _confirm(page: Page) -> None:
    page.get_by_role("button", name="Yes, sign me up").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    expect(page.get_by_label("Herniated disk", exact=True)).to_be_checked()


def _compose_review_and_send(stack: LiveStack, browser: Browser) -> int:
    author = Staff(browser, stack, "author")
    issue = author.compose(
        title="A short walk",
        subject="A short walk does more than you think",
        preheader="Ten minutes are enough to begin with.",
        text="Ten minutes of walking a day is a good beginning. Add a minute each day.",
    )
    author.expect_preview("Ten minutes of walking")
    author.submit(issue)

    sender = Staff(browser, stack, "sender")
    sender.way(issue)
    expect(sender.page.get_by_role("link", name="Send or schedule")).to_have_count(0)

    Staff(browser, stack, "reviewer").approve(issue)
    sender.send_now(issue)
    wait_until(
        lambda: (
            stack.value("SELECT state FROM sending_mailing WHERE issue_id = ?", issue) == "ended"
        ),
        seconds=120,
        about="the mailing's end",
    )
    expect(sender.page.locator("strong", has_text="100 %")).to_be_visible(timeout=60_000)
    return issue


def _read_it_in_the_mailbox(stack: LiveStack, page: Page) -> None:
    page.goto(stack.url(f"/mailbox/?q={READER}"))
    page.get_by_role("link", name="A short walk").first.click()
    shown = page.frame_locator("iframe").first.locator("body")
    expect(shown).to_contain_text("Ten minutes of walking")


def _unsubscribe(stack: LiveStack, page: Page, letter: Any) -> None:
    page.goto(stack.link_in(letter, "/unsubscribe/"))
    assert Rows(stack).subscriptions()["living-well"][0] == "live", "GET changes nothing"
    expect(page.get_by_text("Herniated disk")).to_have_count(0)
    page.get_by_role("button", name="Yes, stop them").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
