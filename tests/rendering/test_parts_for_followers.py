"""A part that only those get who follow a condition: one message, hashed as a whole."""

from typing import Any

import pytest

from newsletter.rendering.copies import IssueCopies, ReaderRow
from newsletter.rendering.issue import compile_issue
from newsletter.wire.message import CompiledMessage
from tests.rendering import samples
from tests.rendering.reading import assert_fit_for_the_wire, part

pytestmark = [pytest.mark.once, pytest.mark.django_db]
FOR_FOLLOWERS = "Your bedroom: 18 degrees will do."


@pytest.fixture
def issue() -> Any:
    return samples.full_issue()


def copies(issue: Any) -> IssueCopies:
    stored = compile_issue(issue).message.to_bytes()
    return IssueCopies(CompiledMessage.from_bytes(stored), samples.stamp())


def test_a_follower_gets_the_part_in_both_forms(issue: Any) -> None:
    made = copies(issue)
    raw = made.copy(samples.ANNA, made.asks_for)
    assert FOR_FOLLOWERS in part(raw, "plain")
    assert FOR_FOLLOWERS in part(raw, "html")
    assert "Because you follow Sleep problems" in part(raw, "plain")
    assert_fit_for_the_wire(raw)


def test_nobody_else_gets_a_trace_of_it(issue: Any) -> None:
    made = copies(issue)
    for follows in ((), {max(made.asks_for) + 1}):
        raw = made.copy(samples.ANNA, follows)
        for kind in ("plain", "html"):
            assert "bedroom" not in part(raw, kind) and "Because you follow" not in part(raw, kind)
        assert "\n\n\n" not in part(raw, "plain")
        assert_fit_for_the_wire(raw)


def test_headers_are_the_same_for_followers_and_others(issue: Any) -> None:
    made = copies(issue)
    with_part = made.copy(samples.ANNA, made.asks_for)
    without = made.copy(samples.ANNA)
    assert with_part.split(b"\r\n\r\n")[0] == without.split(b"\r\n\r\n")[0]
    assert b"sleep" not in with_part.split(b"\r\n\r\n")[0].lower()


def test_a_reader_of_plain_text_gets_the_part_too(issue: Any) -> None:
    made = copies(issue)
    reader = ReaderRow(7, "anna@example.org", "Anna", 70, text_only=True)
    assert FOR_FOLLOWERS in part(made.copy(reader, made.asks_for), "plain")


def test_the_part_belongs_to_what_is_hashed(issue: Any) -> None:
    before = compile_issue(issue).content_hash
    part_for_some = next(block for block in issue.body if block.block_type == "only_for")
    part_for_some.value["content"][0].value.source = "<p>Another text.</p>"
    assert compile_issue(issue).content_hash != before


def test_who_the_part_is_for_belongs_to_what_is_hashed(issue: Any) -> None:
    before = compile_issue(issue).content_hash
    part_for_some = next(block for block in issue.body if block.block_type == "only_for")
    part_for_some.value["conditions"][0] = samples.condition("Gout", "gout")
    assert compile_issue(issue).content_hash != before


def test_no_readers_name_can_stand_in_the_part(issue: Any) -> None:
    part_for_some = next(block for block in issue.body if block.block_type == "only_for")
    part_for_some.value["content"][0].value.source = "<p>Dear {first_name|you}</p>"
    made = copies(issue)
    assert "{first_name|you}" in part(made.copy(samples.ANNA, made.asks_for), "plain")


def test_an_issue_with_such_a_part_is_health_data(issue: Any) -> None:
    assert issue.is_health_data and not issue.newsletter.sensitive
    assert not samples.issue_of(issue.newsletter, []).is_health_data
