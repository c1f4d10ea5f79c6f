"""One issue, by those who make it, each in a browser of their own: written with every block,
stopped and mended, returned and approved, tried out, sent by readers' clocks, watched, stopped,
and corrected for those who had it by then."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.approval.test_sent_as_approved import pattern_of
from tests.journeys.staff import Staff
from tests.running.processes import wait_until
from tests.running.stack import LiveStack

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(600)]

SUBJECT = "Hearts and heads, once more"
WRONG = "We wrote that a rest of ten hours is best."
RIGHT = "Seven or eight hours are enough."
# Every block there is but the notice of a correction.
EVERY_BLOCK = 17


def test_an_issue_from_its_first_block_to_its_readers(
    live_stack: LiveStack, browser: Browser
) -> None:
    stack = live_stack
    author = Staff(browser, stack, "author")
    issue = _compose(stack, author)
    _is_stopped_and_mends_it(stack, author, issue)

    reviewer = Staff(browser, stack, "reviewer", phone=True)
    _returns_it(reviewer, issue)
    _submits_again(author, issue)
    _approves_it(stack, reviewer, issue)

    sender = Staff(browser, stack, "sender")
    _tries_it_out(stack, sender, issue)
    mailing = _sends_by_readers_clocks(stack, sender, issue)
    _watches(stack, sender, author, mailing)
    _the_mailbox_holds_what_was_approved(stack, mailing)
    _stops_the_rest(stack, sender, mailing)

    correction = _writes_a_correction(stack, author, mailing)
    _approves_it(stack, reviewer, correction)
    _goes_to_those_who_had_it(stack, sender, mailing, correction)
    _the_website_says_what_was_wrong(stack, browser, mailing)


def _compose(stack: LiveStack, author: Staff) -> int:
    """Begin with the demo's draft, which has every block, and add one more by hand."""
    page = author.page
    author.way(stack.value("SELECT min(id) FROM editions_issue WHERE title = 'Hearts and heads'"))
    page.get_by_role("button", name="Duplicate").click()
    expect(page.locator("[name=title]")).to_have_value("Hearts and heads (copy)")
    kinds = page.locator("[name^='body-'][name$='-type']").evaluate_all(
        "fields => fields.filter(f => /^body-\\d+-type$/.test(f.name)).map(f => f.value)"
    )
    assert len(set(kinds)) == EVERY_BLOCK
    page.locator("[name=subject]").fill(SUBJECT)
    page.locator("[data-contentpath=body]").get_by_title("Insert a block").last.click()
    page.get_by_role("option", name="Button", exact=True).click()
    place = len(kinds)
    page.locator(f"[name=body-{place}-value-text]").fill("Click here")
    page.locator(f"[name=body-{place}-value-url]").fill(stack.url("/conditions/"))
    _save(page)
    return int(re.findall(r"/edit/(\d+)/", page.url)[0])


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".messages .success")).to_be_visible(timeout=20_000)


def _is_stopped_and_mends_it(stack: LiveStack, author: Staff, issue: int) -> None:
    page = author.page
    author.way(issue)
    expect(page.locator("[data-desk-code=link_text]")).to_be_visible()
    expect(page.get_by_role("button", name="Send to medical review")).to_be_disabled()
    assert not stack.rows("SELECT id FROM approval_approval WHERE issue_id = ?", issue)

    page.goto(stack.url(f"/admin/issues/edit/{issue}/"))
    last = int(page.locator("[name=body-count]").input_value()) - 1
    text = page.locator(f"[name=body-{last}-value-text]")
    expect(text).to_have_value("Click here")
    text.fill("All conditions we write about")
    _save(page)
    author.way(issue)
    expect(page.locator("[data-desk-code=link_text]")).to_have_count(0)
    page.get_by_role("button", name="Send to medical review").click()
    expect(page.get_by_text("Sent to medical review.")).to_be_visible()


def _returns_it(reviewer: Staff, issue: int) -> None:
    page = reviewer.page
    reviewer.way(issue)
    page.get_by_role("link", name="Read and decide").click()
    page.locator(".desk-notes summary").first.click()
    page.locator(".desk-notes textarea").first.fill("Say hello in fewer words.")
    page.get_by_role("button", name="Return with notes").click()
    expect(page.get_by_text("Changes asked for").first).to_be_visible()


def _submits_again(author: Staff, issue: int) -> None:
    page = author.page
    author.way(issue)
    expect(page.get_by_text("Say hello in fewer words.").first).to_be_visible()
    page.get_by_role("link", name="Make the changes").click()
    page.locator("[name=preheader]").fill("What helps both of them, in three short pieces.")
    _save(page)
    author.way(issue)
    page.get_by_role("button", name="Send it to review again").click()
    expect(page.get_by_text("Sent to medical review.")).to_be_visible()


def _approves_it(stack: LiveStack, reviewer: Staff, issue: int) -> None:
    """With a reason for the warning that a mail with every block is large."""
    page = reviewer.page
    reviewer.way(issue)
    page.get_by_role("link", name="Read and decide").click()
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    for reason in page.locator("[name^=reason-]").all():
        reason.fill("It shows every block there is, for once.")
    page.get_by_role("button", name="Approve").click()
    wait_until(
        lambda: stack.rows("SELECT id FROM approval_approval WHERE issue_id = ?", issue),
        seconds=20,
        about="the approval",
    )


def _tries_it_out(stack: LiveStack, sender: Staff, issue: int) -> None:
    page = sender.page
    sender.way(issue)
    page.get_by_role("link", name="Dry run").click()
    expect(page.get_by_role("heading", level=2, name="readers would get it")).to_be_visible()
    expect(page.get_by_text("Paused by the reader")).to_be_visible()
    copy = page.frame_locator("iframe").first.locator("body")
    expect(copy).to_contain_text("Unsubscribe")
    assert not stack.rows("SELECT id FROM sending_mailing WHERE issue_id = ?", issue)


def _sends_by_readers_clocks(stack: LiveStack, sender: Staff, issue: int) -> int:
    page = sender.page
    sender.way(issue)
    page.get_by_role("link", name="Send or schedule").click()
    page.get_by_label("At a day and time by each reader's own clock").check()
    now = datetime.now(UTC)
    page.get_by_label("Day and time", exact=True).fill(now.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Day and time", exact=True).blur()
    expect(page.locator("[data-desk-outlook]")).to_contain_text("Their turn")
    page.get_by_role("button", name="Schedule for").click()
    page.wait_for_url("**/admin/mailings/*/")
    mailing = int(page.url.rstrip("/").rpartition("/")[2])
    assert stack.value("SELECT issue_id FROM sending_mailing WHERE id = ?", mailing) == issue
    return mailing


def _watches(stack: LiveStack, sender: Staff, author: Staff, mailing: int) -> None:
    """Those whose clocks showed the time lately have it now; the others wait for their turn."""
    counted = (
        "SELECT coalesce(sum(accepted), 0) AS accepted, coalesce(sum(planned), 0) AS planned"
        " FROM sending_batch WHERE mailing_id = ?"
    )
    due = "(not_before IS NULL OR not_before <= CURRENT_TIMESTAMP) AND mailing_id = ?"
    wait_until(
        lambda: (
            stack.rows(counted, mailing)[0]["accepted"] > 0
            and not stack.value(
                f"SELECT count(*) FROM sending_batch WHERE state <> 'done' AND {due}", mailing
            )
        ),
        seconds=60,
        about="the first turns",
    )
    numbers = stack.rows(counted, mailing)[0]
    assert 0 < numbers["accepted"] < numbers["planned"]
    for one in (sender, author):
        one.page.goto(stack.url(f"/admin/mailings/{mailing}/"))
        expect(one.page.get_by_text("wait for their turn")).to_be_visible()
        one.page.get_by_text("Turn by turn").click()
        expect(one.page.get_by_role("rowheader", name="Honolulu")).to_be_visible()
    expect(author.page.get_by_role("link", name="Pause")).to_have_count(0)


def _the_mailbox_holds_what_was_approved(stack: LiveStack, mailing: int) -> None:
    """Byte for byte, but for the slots and the lines that the mailbox puts on top."""
    (frozen,) = stack.rows(
        "SELECT f.content FROM approval_frozen f"
        " JOIN sending_edition e ON e.frozen_id = f.id WHERE e.mailing_id = ?",
        mailing,
    )
    pattern, _holes = pattern_of(SimpleNamespace(content=frozen["content"]))
    at_the_end = re.compile(pattern.pattern + rb"(?:\r?\n)*\Z")
    issue = stack.value("SELECT issue_id FROM sending_mailing WHERE id = ?", mailing)
    whole = [
        content
        for path in Path(stack.var / "mailbox" / "new").iterdir()
        if b"\r\nFeedback-ID: i%d:" % issue in (content := path.read_bytes())
    ]
    accepted = stack.value(
        "SELECT count(*) FROM sending_delivery WHERE mailing_id = ? AND state = 'accepted'", mailing
    )
    assert len(whole) == accepted > 0
    text_alone = [content for content in whole if b"multipart/alternative" not in content]
    assert len(text_alone) == stack.value(
        "SELECT count(*) FROM sending_delivery d JOIN signup_subscriber r"
        " ON r.id = d.subscriber_id AND r.text_only"
        " WHERE d.mailing_id = ? AND d.state = 'accepted'",
        mailing,
    )
    for content in set(whole) - set(text_alone):
        assert at_the_end.search(content), "Something between the slots is not what was approved."


def _stops_the_rest(stack: LiveStack, sender: Staff, mailing: int) -> None:
    page = sender.page
    page.goto(stack.url(f"/admin/mailings/{mailing}/"))
    page.get_by_role("link", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel it for good").click()
    wait_until(
        lambda: stack.value("SELECT ended_at FROM sending_mailing WHERE id = ?", mailing),
        seconds=30,
        about="the end of what was cancelled",
    )
    skipped = stack.rows(
        "SELECT DISTINCT skip_reason FROM sending_delivery WHERE mailing_id = ?"
        " AND state = 'skipped'",
        mailing,
    )
    assert {row["skip_reason"] for row in skipped} == {"cancelled"}


def _writes_a_correction(stack: LiveStack, author: Staff, mailing: int) -> int:
    """From the page of what was sent: its text stands below a notice that is to be filled in."""
    page = author.page
    page.goto(stack.url(f"/admin/mailings/{mailing}/"))
    page.get_by_role("button", name="Write a correction").click()
    expect(page.locator("[name=body-0-type]")).to_have_value("correction")
    page.locator("[name=body-0-value-was_wrong]").fill(WRONG)
    page.locator("[name=body-0-value-is_right]").fill(RIGHT)
    _save(page)
    (correction,) = re.findall(r"/edit/(\d+)/", page.url)
    author.submit(int(correction))
    expect(page.get_by_text("Sent to medical review.")).to_be_visible()
    return int(correction)


def _goes_to_those_who_had_it(
    stack: LiveStack, sender: Staff, mailing: int, correction: int
) -> None:
    readers = (
        "SELECT subscriber_id FROM sending_delivery"
        " WHERE mailing_id = ? AND state IN ('accepted', 'unknown')"
    )
    had_it = {row["subscriber_id"] for row in stack.rows(readers, mailing)}
    planned = stack.value("SELECT count(*) FROM sending_delivery WHERE mailing_id = ?", mailing)
    assert 0 < len(had_it) < planned

    page = sender.page
    page.goto(stack.url(f"/admin/issues/way/{correction}/reach/"))
    would_get = page.locator("dt", has_text="Would get it").locator("xpath=../dd")
    expect(would_get).to_have_text(str(len(had_it)))
    sender.send_now(correction)
    sent = int(page.url.rstrip("/").rpartition("/")[2])
    wait_until(
        lambda: stack.value("SELECT ended_at FROM sending_mailing WHERE id = ?", sent),
        seconds=60,
        about="the end of the correction",
    )
    told = stack.rows(
        "SELECT subscriber_id, state FROM sending_delivery WHERE mailing_id = ?", sent
    )
    assert {row["subscriber_id"] for row in told} == had_it
    assert {row["state"] for row in told} == {"accepted"}


def _the_website_says_what_was_wrong(stack: LiveStack, browser: Browser, mailing: int) -> None:
    """To a visitor who never had the mail."""
    slug = stack.value(
        "SELECT i.slug FROM editions_issue i JOIN sending_mailing m ON m.issue_id = i.id"
        " WHERE m.id = ?",
        mailing,
    )
    page = browser.new_page()
    page.goto(stack.url(f"/issues/{slug}/"))
    notice = page.get_by_role("note").filter(has_text="We corrected this issue")
    expect(notice).to_contain_text(WRONG)
    notice.get_by_role("link").first.click()
    expect(page.frame_locator("iframe").get_by_text(RIGHT)).to_be_visible()
    page.close()
