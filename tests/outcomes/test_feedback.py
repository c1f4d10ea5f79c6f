"""More like this, or less: counted by a press, without knowing whose."""

from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from newsletter.editions.models import Issue
from newsletter.outcomes import feedback
from newsletter.outcomes.models import Opinion
from tests.rendering import samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue() -> Issue:
    samples.publisher()
    issue = samples.issue_of(samples.newsletter(), [])
    issue.save()
    return issue


def url(issue: Issue, answer: str = "more") -> str:
    return reverse("outcomes:feedback_answer", args=[issue.slug, answer])


def test_looking_counts_nothing(issue: Issue) -> None:
    for method in ("get", "head"):
        answer = getattr(Client(), method)(url(issue))
        assert answer.status_code == 200 and not answer.cookies
    assert not Opinion.objects.exists()


def test_a_press_counts_once_and_says_thank_you(issue: Issue) -> None:
    client = Client()
    answer = client.post(url(issue), follow=True)
    assert "Thank you" in answer.content.decode() and not answer.cookies
    client.post(url(issue))
    client.post(url(issue, "less"))
    found = dict(Opinion.objects.values_list("answer", "count"))
    assert found == {"more": 2, "less": 1}


def test_nothing_of_the_reader_is_kept() -> None:
    kept = {field.name for field in Opinion._meta.get_fields()}
    assert kept == {"id", "issue", "answer", "day", "count"}


@pytest.mark.parametrize("answer", ["", "maybe"])
def test_there_are_two_answers(issue: Issue, answer: str) -> None:
    address = url(issue).replace("more/", f"{answer}/" if answer else "")
    assert Client().post(address).status_code == 404
    assert not Opinion.objects.exists()


def test_a_draft_has_no_answers(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(live=False)
    assert Client().post(url(issue)).status_code == 404


def test_one_network_cannot_press_for_ever(
    issue: Issue, monkeypatch: pytest.MonkeyPatch, settings: SimpleNamespace
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr(feedback, "MOST", 3)
    cache.clear()
    for _ in range(5):
        assert Client().post(url(issue), REMOTE_ADDR="8.8.8.8").status_code == 302
    assert Opinion.objects.get().count == 3
    Client().post(url(issue), REMOTE_ADDR="9.9.9.9")
    assert Opinion.objects.get().count == 4


def test_the_links_in_the_mail_are_the_same_for_everybody(issue: Issue) -> None:
    from newsletter.rendering.issue import compile_issue

    issue.body.append(("feedback", {"question": "Useful?"}))
    compiled = compile_issue(issue)
    for part in (compiled.html, compiled.text):
        assert url(issue) in part and url(issue, "less") in part
