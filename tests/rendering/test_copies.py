"""The copies of a mailing: each reader's own, always the same, and telling nobody anything."""

from datetime import timedelta

import pytest

from newsletter.rendering.copies import Extras, IssueCopies, ReaderRow, message_ids
from newsletter.rendering.digest_body import NothingLeft
from newsletter.rendering.issue import compile_issue
from newsletter.wire.headers import UnsafeValue
from signup.tokens import unsubscribe_token
from tests.rendering import samples
from tests.rendering.reading import assert_fit_for_the_wire, parsed, part

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def copies(mailing_id: int = 1) -> IssueCopies:
    issue = samples.rich_issue()
    return IssueCopies(compile_issue(issue).message, samples.stamp(mailing_id))


def test_a_copy_that_is_made_again_is_the_same_bytes() -> None:
    made = copies()
    assert made.copy(samples.ANNA) == made.copy(samples.ANNA)


def test_each_reader_has_a_link_of_their_own() -> None:
    made = copies()
    ben = ReaderRow(8, "ben@example.org", "Ben", 80)
    for reader, other in ((samples.ANNA, ben), (ben, samples.ANNA)):
        raw = made.copy(reader).replace(b"=\r\n", b"").decode("ascii")
        assert raw.count(unsubscribe_token(reader.subscription_id)) == 5
        assert unsubscribe_token(other.subscription_id) not in raw
        assert other.email not in raw and other.first_name not in raw


def test_message_ids_differ_by_reader_and_by_mailing_and_hold_no_number() -> None:
    first, second = (message_ids(samples.stamp(pk), "example.org") for pk in (1, 2))
    ids = {make(reader) for make in (first, second) for reader in range(500)}
    assert len(ids) == 1000
    assert first(7) == message_ids(samples.stamp(1), "example.org")(7)
    assert first(12) != message_ids(samples.stamp(11), "example.org")(2)
    other = message_ids(samples.stamp(1, salt=b"of another house"), "example.org")
    assert first(7) != other(7)


@pytest.mark.parametrize(
    "reader",
    [
        ReaderRow(1, "a@example.org\r\nBcc: all@example.org", "", 1),
        ReaderRow(1, "a@example.org", "Anna\r\nBcc: all@example.org", 1),
        ReaderRow(1, "a@example.org", "Anna\x00", 1),
        ReaderRow(1, "ä ö@example.org", "Anna", 1),
        ReaderRow(1, "ä\u2028Bcc:x@example.org", "Anna", 1),
        ReaderRow(1, "a@example.org, b@example.org", "Anna", 1),
    ],
)
def test_a_reader_who_could_break_a_header_gets_no_copy(reader: ReaderRow) -> None:
    with pytest.raises(UnsafeValue):
        copies().copy(reader)


@pytest.mark.parametrize(
    "name", ["Zoë", "علي", "O'Brien & <b>", ".", "=?utf-8?q?x?=", "A" * 60, "😀" * 60]
)
def test_awkward_names_arrive(name: str) -> None:
    raw = copies().copy(samples.ANNA._replace(first_name=name))
    assert_fit_for_the_wire(raw)
    assert f"Hello {name}," in part(raw, "plain")


def test_a_digest_gathers_its_articles_under_the_conditions_that_brought_them() -> None:
    raw = samples.digest_copy()
    assert_fit_for_the_wire(raw)
    text = part(raw, "plain")
    places = [
        text.index(words)
        for words in (
            "HERNIATED DISK",
            "Walking helps more than resting",
            "When an operation is worth it",
            "SLEEP PROBLEMS",
            "Waking at three",
            "Your next mail comes on Monday, 30 November",
        )
    ]
    assert places == sorted(places)
    html = part(raw, "html")
    assert html.index("Herniated disk") < html.index("Sleep problems")
    assert "https://news.example.org/conditions/" in html


def test_no_condition_stands_in_a_digests_headers_preview_line_or_personal_link() -> None:
    raw = samples.digest_copy()
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii").lower()
    hidden = part(raw, "html").partition("<h1")[0].lower()
    for word in ("herniated", "disk", "sleep"):
        assert word not in head and word not in hidden
    assert parsed(raw)["Subject"] == "Your health reading for this week"


def test_an_article_that_was_withdrawn_is_left_out() -> None:
    known = samples.digest_copies()
    raw = known.copies.copy(samples.ANNA, [10_000, known.articles[0]], known.follows)
    assert part(raw, "plain").count("Read it here:") == 1


def test_a_digest_of_which_nothing_is_left_is_not_made() -> None:
    with pytest.raises(NothingLeft):
        samples.digest_copy(article_ids=[10_000])


def test_articles_of_a_condition_no_longer_followed_are_left_out() -> None:
    known = samples.digest_copies()
    _disk, sleep = sorted(known.follows)
    raw = known.copies.copy(samples.ANNA, known.articles, {sleep})
    text = part(raw, "plain")
    assert text.count("Read it here:") == 1
    assert "Waking at three" in text and "HERNIATED" not in text
    assert not known.copies.holds(known.articles, set())
    with pytest.raises(NothingLeft):
        known.copies.copy(samples.ANNA, known.articles, set())


def test_a_digest_without_a_date_for_the_next_one_promises_none() -> None:
    text = part(samples.digest_copy(extras=Extras()), "plain")
    assert "Your next mail comes when there is something new." in text


def test_a_digest_in_plain_text() -> None:
    raw = samples.digest_copy(samples.ANNA._replace(text_only=True))
    assert_fit_for_the_wire(raw)
    assert parsed(raw).get_content_type() == "text/plain"


def test_the_date_is_the_mailings_and_not_the_clocks() -> None:
    issue = samples.rich_issue()
    message = compile_issue(issue).message
    later = IssueCopies(message, samples.stamp(dated=samples.DATED + timedelta(hours=1)))
    assert parsed(later.copy(samples.ANNA))["Date"] == "Mon, 23 Nov 2026 08:00:00 +0000"
