"""An article's way: reviewed, published by that, released into digests, withdrawn."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from wagtail.models import TaskState

from newsletter.approval.models import Approval
from newsletter.editions.models import Release
from tests.desk import world
from tests.desk.conftest import client_of


@pytest.fixture
def article(desk):
    article = world.article(desk.author)
    article.conditions.set([world.condition()])
    article.save()
    article.save_revision(user=desk.author)
    return article


def said(answer):
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def approve(desk, article):
    client_of(desk.author).post(reverse("desk:submit_article", args=(article.pk,)))
    state = TaskState.objects.latest("pk")
    url = reverse(
        "wagtailsnippets_editions_article:workflow_action", args=(article.pk, "approve", state.pk)
    )
    return client_of(desk.reviewer).post(url, {"comment": ""})


def test_approval_puts_it_on_the_site_and_release_into_digests(desk, article):
    approve(desk, article)
    article.refresh_from_db()
    assert article.live
    assert Approval.objects.get().revision == article.live_revision
    assert not Release.objects.exists()

    answer = client_of(desk.reviewer).post(reverse("desk:release", args=(article.pk,)))
    assert "Released" in said(answer)
    assert Release.objects.get().seq == 1


def test_it_is_not_released_before_it_was_approved(desk, article):
    article.live = True
    article.save()
    answer = client_of(desk.sender).post(reverse("desk:release", args=(article.pk,)))
    assert "approved" in said(answer)
    assert not Release.objects.exists()


def test_a_double_click_releases_once(desk, article):
    approve(desk, article)
    for _ in range(2):
        client_of(desk.sender).post(reverse("desk:release", args=(article.pk,)))
    assert Release.objects.count() == 1
    client_of(desk.sender).post(reverse("desk:release", args=(article.pk,)), {"again": "1"})
    assert Release.objects.count() == 2


def test_withdrawing_asks_for_a_reason(desk, article):
    approve(desk, article)
    client_of(desk.sender).post(reverse("desk:release", args=(article.pk,)))
    url = reverse("desk:withdraw", args=(article.pk,))

    assert "Say why" in said(client_of(desk.reviewer).post(url, {"reason": "  "}))
    assert Release.objects.get().withdrawn_at is None

    assert "Withdrawn" in said(client_of(desk.reviewer).post(url, {"reason": "Wrong dosage"}))
    assert Release.objects.get().withdrawn_at is not None


def test_a_reviewer_takes_a_wrong_article_off_the_site(desk, article):
    approve(desk, article)
    url = reverse("wagtailsnippets_editions_article:unpublish", args=(article.pk,))
    client_of(desk.reviewer).post(url)
    article.refresh_from_db()
    assert not article.live


def test_the_page_shows_what_stands_against_it(desk):
    article = world.article(desk.author, reviewer_name="", reviewed_on=None)
    page = client_of(desk.author).get(reverse("desk:article", args=(article.pk,)))
    assert "no medical reviewer" in page.content.decode()


def test_a_translation_says_that_it_goes_with_its_original(desk, article):
    original = world.article(desk.author, title="The original", slug="original", live=True)
    article.language, article.translation_of = "es", original
    article.save()
    article.save_revision(user=desk.author)
    approve(desk, article)
    shown = client_of(desk.sender).get(reverse("desk:article", args=(article.pk,)))
    assert "goes into digests with its original" in shown.content.decode()
    answer = client_of(desk.sender).post(reverse("desk:release", args=(article.pk,)))
    assert "Release that one" in said(answer)
    assert not Release.objects.exists()
