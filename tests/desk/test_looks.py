"""Every form of a mail, a link for colleagues, and the mail as one reader gets it."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.rich_text import RichText

from newsletter.desk.models import AccessEntry
from newsletter.editions.models import DraftLink, Issue
from signup.models import Follow, Subscription
from tests.desk import world
from tests.desk.conftest import client_of


@pytest.fixture
def issue(desk: SimpleNamespace) -> Issue:
    return world.issue(desk.newsletter, desk.author)


@pytest.fixture
def link(desk: SimpleNamespace, issue: Issue) -> DraftLink:
    client_of(desk.author).post(
        reverse("desk:share_draft", args=["issue", issue.pk]),
        {"purpose": "Dr Okafor", "days": "7"},
    )
    return DraftLink.objects.get()


def shared(link: DraftLink) -> str:
    return reverse("drafts:draft", args=[link.token])


def test_every_look_offered_can_be_seen(desk, issue):
    client = client_of(desk.author)
    page = client.get(reverse("desk:looks", args=["issue", issue.pk])).content.decode()
    looks = re.findall(r'href="\?as=([\w-]+)"', page)
    assert {"desktop", "phone", "dark", "no-images", "text", "in-es"} <= set(looks)
    for look in looks:
        shown = client.get(reverse("desk:looks", args=["issue", issue.pk]), {"as": look})
        frame = re.search(r'class="desk-looks__frame" src="([^"]+)"', shown.content.decode())
        assert client.get(frame[1]).status_code == 200


def test_a_form_that_does_not_exist_is_not_found(desk, issue):
    url = reverse("desk:preview", args=["issue", issue.pk, "no-such-form"])
    assert client_of(desk.author).get(url).status_code == 404


def test_a_colleague_reads_the_draft_without_an_account(link, issue):
    stranger = Client()
    page = stranger.get(shared(link))
    assert page.status_code == 200 and issue.title in page.content.decode()
    assert "no-store" in page["Cache-Control"] and "noindex" in page["X-Robots-Tag"]
    assert page["Referrer-Policy"] == "no-referrer" and not page.cookies
    for form in ("html", "dark", "no-images", "text"):
        mail = stranger.get(reverse("drafts:mail", args=[link.token, form]))
        assert mail.status_code == 200 and "no-store" in mail["Cache-Control"]
        assert "sandbox" in mail["Content-Security-Policy"]


def test_the_link_shows_the_newest_draft(desk, link, issue):
    issue.title = "Another title"
    issue.save_revision(user=desk.author)
    assert "Another title" in Client().get(shared(link)).content.decode()


def test_a_link_ends_by_itself(link):
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert Client().get(shared(link)).status_code == 410
        assert Client().get(reverse("drafts:mail", args=[link.token, "html"])).status_code == 404


def test_a_revoked_link_opens_nothing(desk, link, issue):
    client_of(desk.author).post(reverse("desk:revoke_draft", args=[link.pk]))
    answer = Client().get(shared(link))
    assert answer.status_code == 410 and issue.title not in answer.content.decode()


@pytest.mark.parametrize("token", ["1", "MQ:1abc:xyz", "x" * 300])
def test_nobody_guesses_a_link(link, token):
    assert Client().get(reverse("drafts:draft", args=[token])).status_code == 410


def test_nothing_can_be_changed_by_a_link(link, issue):
    before = Issue.objects.get(pk=issue.pk).latest_revision_id
    assert Client().post(shared(link), {"title": "x"}).status_code == 405
    assert Issue.objects.get(pk=issue.pk).latest_revision_id == before


@pytest.mark.parametrize("who", ["reviewer", "sender", "protection"])
def test_only_who_composes_makes_links(desk, issue, who):
    client_of(getattr(desk, who)).post(
        reverse("desk:share_draft", args=["issue", issue.pk]), {"purpose": "me", "days": "7"}
    )
    assert not DraftLink.objects.exists()


def test_a_link_says_whom_it_is_for(desk, issue):
    answer = client_of(desk.author).post(
        reverse("desk:share_draft", args=["issue", issue.pk]), {"purpose": "", "days": "7"}
    )
    assert answer.status_code == 422 and "Say whom the link is for." in answer.content.decode()
    assert not DraftLink.objects.exists()


# --- As a reader ---------------------------------------------------------------------------


@pytest.fixture
def disk() -> object:
    return world.condition()


@pytest.fixture
def personal_issue(desk: SimpleNamespace, issue: Issue, disk: object) -> Issue:
    part = {"conditions": [disk], "content": [("rich_text", RichText("<p>For your back.</p>"))]}
    issue.body.append(("only_for", part))
    issue.save_revision(user=desk.author)
    return issue


def ask(client: Client, issue: Issue, who: object, reason: str = "A reader wrote to us"):
    return client.post(reverse("desk:as_reader", args=[issue.pk]), {"who": who, "reason": reason})


def test_the_mail_as_a_reader_gets_it_is_shown_after_it_was_written_down(
    desk, personal_issue, disk
):
    follower, other = [row.subscriber for row in Subscription.objects.all()[:2]]
    Follow.objects.create(subscriber=follower, condition=disk)
    client = client_of(desk.protection)
    mail = {
        form: reverse("desk:as_reader_mail", args=[personal_issue.pk, form])
        for form in ("html", "text")
    }
    assert client.get(mail["html"]).status_code == 404

    ask(client, personal_issue, follower.pk)

    entry = AccessEntry.objects.get()
    assert entry.action == AccessEntry.Action.MAIL_SEEN
    assert entry.subscriber_id == follower.pk and entry.reason == "A reader wrote to us"
    assert all("For your back." in client.get(url).content.decode() for url in mail.values())
    ask(client, personal_issue, other.pk)
    assert all("For your back." not in client.get(url).content.decode() for url in mail.values())
    assert AccessEntry.objects.count() == 2


def test_no_link_in_it_is_the_readers(desk, personal_issue):
    reader = Subscription.objects.first().subscriber
    client = client_of(desk.protection)
    ask(client, personal_issue, reader.pk)
    mail = client.get(reverse("desk:as_reader_mail", args=[personal_issue.pk, "html"]))
    assert "/unsubscribe/" not in mail.content.decode()


def test_without_a_reason_nothing_is_shown(desk, personal_issue):
    reader = Subscription.objects.first().subscriber
    client = client_of(desk.protection)
    assert ask(client, personal_issue, reader.pk, reason="").status_code == 422
    url = reverse("desk:as_reader_mail", args=[personal_issue.pk, "html"])
    assert client.get(url).status_code == 404
    assert not AccessEntry.objects.exists()


def test_it_is_open_for_a_quarter_of_an_hour(desk, personal_issue):
    client = client_of(desk.protection)
    ask(client, personal_issue, Subscription.objects.first().subscriber.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        url = reverse("desk:as_reader_mail", args=[personal_issue.pk, "html"])
        assert client.get(url).status_code == 404


@pytest.mark.parametrize("who", ["author", "reviewer", "sender", "admin"])
def test_who_may_not_see_what_readers_follow_sees_no_readers_mail(desk, personal_issue, who):
    client = client_of(getattr(desk, who))
    ask(client, personal_issue, Subscription.objects.first().subscriber.pk)
    assert not AccessEntry.objects.exists()
    url = reverse("desk:as_reader_mail", args=[personal_issue.pk, "html"])
    assert client.get(url).status_code != 200
