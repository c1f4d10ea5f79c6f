"""Staff who are limited to some newsletters or conditions stay within them, at every address."""

from types import SimpleNamespace

import pytest
from django.urls import reverse
from wagtail.models import TaskState

from newsletter.approval.models import Approval, Schedule
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk.models import limits
from newsletter.desk.models.limits import limits_of
from newsletter.desk.reviewers import reviewers
from newsletter.desk.weekly_summary import summarise
from newsletter.editions.models import Article, DraftLink, Issue
from newsletter.sending.models import Mailing
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.every_address import desk_patterns, every_address, one_of_everything
from tests.desk.forms_of import form_of, issue_form

ISSUE = "wagtailsnippets_editions_issue"
ARTICLE = "wagtailsnippets_editions_article"
SCRIPT = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}
# Stands in every name and text of what lies outside, and nowhere else.
SECRET = "Zebrafish"


@pytest.fixture
def two(desk):
    """Two newsletters, two conditions, and one of everything in each."""
    inside, outside = (
        desk.newsletter,
        world.newsletter(name=f"{SECRET} letter", slug="outside", list_id_label="outside"),
    )
    world.reader(outside)
    own, other = world.condition("Asthma"), world.condition(f"{SECRET} fever")
    things = {}
    for name, letter, condition, word in (
        ("inside", inside, own, "Meadow"),
        ("outside", outside, other, SECRET),
    ):
        things[name] = one_of_everything(desk, letter, condition, word)
    for role in world.ROLE_OF:
        limit(getattr(desk, role), [inside], [own])
    return SimpleNamespace(desk=desk, **things)


def limit(user, newsletters=(), conditions=()):
    limits.limit(
        user,
        newsletters=Newsletter.objects.filter(pk__in=[one.pk for one in newsletters]),
        conditions=Condition.objects.filter(pk__in=[one.pk for one in conditions]),
    )


# Enough that no form falls over it.
POSTED = {
    "days": 7,
    "body-count": "0",
    "help_lines-TOTAL_FORMS": "0",
    "help_lines-INITIAL_FORMS": "0",
}
# Every role asks the database the same questions, with other limits: PostgreSQL hears one of them.
EACH_ROLE = pytest.mark.parametrize(
    "role",
    [
        pytest.param(role, marks=[pytest.mark.once] if role != "author" else [])
        for role in world.ROLE_OF
    ],
)
# Signing out would end the walk.
LEAVES_THE_WALK = {"wagtailadmin_logout", "wagtailadmin_error_test"}


def test_the_walk_leaves_out_no_address_of_ours(two):
    walked = {name for name, _url in every_address(two.outside)}
    ours = {name for name, _route, _pattern in desk_patterns() if name.startswith("desk:")}
    assert ours <= walked


@EACH_ROLE
def test_no_address_tells_anything_of_what_lies_outside(two, role):
    client = client_of(getattr(two.desk, role))
    walked = 0
    for name, url in every_address(two.outside):
        if name in LEAVES_THE_WALK:
            continue
        for extra in ({}, SCRIPT):
            answer = client.get(url, **extra)
            text = b"".join(answer) if answer.streaming else answer.content
            assert SECRET.encode() not in text, (name, url, answer.status_code)
            assert answer.status_code < 500, (name, url)
        walked += 1
    assert walked > 150


@EACH_ROLE
def test_nothing_is_done_to_what_lies_outside_by_any_address(two, role):
    def state():
        return [
            list(model.objects.order_by("pk").values())
            for model in (Issue, Article, Condition, Newsletter, Mailing, Approval, Schedule)
        ] + [list(DraftLink.objects.values("pk", "revoked_at")), TaskState.objects.count()]

    before = state()
    client = client_of(getattr(two.desk, role))
    for name, url in every_address(two.outside):
        if name not in LEAVES_THE_WALK and url.startswith(
            (
                "/admin/issues/",
                "/admin/articles/",
                "/admin/conditions/",
                "/admin/newsletters/",
                "/admin/mailings/",
                "/admin/looks/",
                "/admin/sign-offs/",
                "/admin/preview/",
                "/admin/bulk/",
                "/admin/snippets/",
            )
        ):
            answer = client.post(url, POSTED | {"approval": two.outside.approval.pk}, **SCRIPT)
            assert answer.status_code < 500, name
            assert SECRET.encode() not in answer.content, name
    assert state() == before


@EACH_ROLE
def test_what_lies_inside_stays_open(two, role):
    client = client_of(getattr(two.desk, role))
    inside = two.inside
    for url in (
        reverse("desk:issue", args=(inside.draft.pk,)),
        reverse("desk:article", args=(inside.article.pk,)),
        reverse("desk:preview", args=("issue", inside.draft.pk, "html")),
        reverse("desk:record", args=(inside.approval.pk,)),
        reverse(f"{ISSUE}:list"),
        reverse("wagtailsnippets_catalogue_condition:list"),
    ):
        assert client.get(url).status_code == 200, url
    assert "Meadow" in client.get(reverse(f"{ISSUE}:list")).content.decode()
    assert "Meadow" in client.get(reverse("wagtailadmin_home")).content.decode()


@pytest.mark.parametrize(
    ("role", "name", "which"),
    [
        ("author", f"{ISSUE}:edit", "draft"),
        ("author", f"{ARTICLE}:edit", "article"),
        ("reviewer", "desk:read_issue", "waiting"),
        ("sender", "desk:send_now", "ready"),
        ("sender", "desk:mailing", "mailing"),
        ("admin", "wagtailsnippets_catalogue_newsletter:edit", "letter"),
        ("reviewer", "wagtailsnippets_catalogue_condition:edit", "condition"),
    ],
)
def test_the_same_page_is_open_inside_and_refused_outside(two, role, name, which):
    client = client_of(getattr(two.desk, role))
    opened = client.get(reverse(name, args=(getattr(two.inside, which).pk,)))
    assert opened.status_code in (200, 302)
    assert opened.status_code == 200 or role == "reviewer"
    url = reverse(name, args=(getattr(two.outside, which).pk,))
    assert client.get(url, **SCRIPT).status_code == 403
    assert "outside what you work on" in client.get(url, follow=True).content.decode()


def test_whoever_is_limited_has_no_say_over_the_whole_house(two):
    client = client_of(two.desk.admin)
    for name in (
        "desk:people",
        "desk:readers",
        "desk:invite",
        "wagtailusers_groups:index",
        "wagtailadmin_reports:site_history",
        "wagtailadmin_reports:workflow",
    ):
        assert client.get(reverse(name), **SCRIPT).status_code == 403, name


def test_a_superuser_is_never_limited(two):
    root = world.staff("root", "Administrators", is_superuser=True)
    limit(root, [two.inside.letter])
    assert not limits_of(root)
    assert SECRET in client_of(root).get(reverse(f"{ISSUE}:list")).content.decode()


def test_a_limit_does_not_vanish_with_what_it_names(two):
    author = two.desk.author
    lonely = world.newsletter(name="Lonely", slug="lonely", list_id_label="lonely")
    limit(author, [lonely])
    lonely.delete()
    author = type(author).objects.get(pk=author.pk)
    assert limits_of(author).newsletters == frozenset()
    assert not limits_of(author).among(Issue.objects.all()).exists()


def test_an_issue_that_was_drafted_into_another_newsletter_is_out_of_reach(two):
    world.edit(two.inside.draft, two.desk.admin, newsletter=two.outside.letter)
    client = client_of(two.desk.author)
    url = reverse("desk:issue", args=(two.inside.draft.pk,))
    assert client.get(url, **SCRIPT).status_code == 403


def test_an_article_about_something_else_too_is_out_of_reach(two):
    article = two.inside.article
    article.conditions.set([two.inside.condition, two.outside.condition])
    article.save()
    article.save_revision()
    within = limits_of(two.desk.author)
    assert not within.allow(Article.objects.get(pk=article.pk))
    assert article not in within.among(Article.objects.all())


def test_no_issue_is_written_into_a_newsletter_outside(two):
    client = client_of(two.desk.author)
    before = Issue.objects.count()
    page = client.get(reverse(f"{ISSUE}:add")).content.decode()
    assert SECRET not in page
    client.post(reverse(f"{ISSUE}:add"), issue_form(two.outside.letter))
    assert Issue.objects.count() == before
    client.post(reverse(f"{ISSUE}:add"), issue_form(two.inside.letter))
    assert Issue.objects.count() == before + 1


def test_no_article_from_outside_is_put_into_an_issue_by_hand(two):
    issue = two.inside.draft
    url = reverse(f"{ISSUE}:edit", args=(issue.pk,))
    client = client_of(two.desk.author)

    def card(article):
        return form_of(
            issue,
            **{
                "body-0-type": "article_card",
                "body-0-value-article": str(article.pk),
                "body-0-value-lead": "",
            },
        )

    answer = client.post(url, card(two.outside.article), **SCRIPT)
    assert answer.status_code == 403 and SECRET not in answer.content.decode()
    answer = client.post(url, card(two.outside.article), follow=True)
    assert "you do not have permission" in answer.content.decode()
    assert SECRET not in answer.content.decode()
    body = Issue.objects.get(pk=issue.pk).get_latest_revision().content["body"]
    assert "article_card" not in body
    check = reverse("desk:check_issue", args=(issue.pk,))
    assert client.post(check, card(two.outside.article), **SCRIPT).status_code == 403
    shown = reverse(f"{ISSUE}:preview_on_edit", args=(issue.pk,))
    client.post(shown, card(two.outside.article))
    assert SECRET not in client.get(f"{shown}?mode=").content.decode()
    client.post(url, card(two.inside.article))
    body = Issue.objects.get(pk=issue.pk).get_latest_revision().content["body"]
    assert "article_card" in body


def test_a_reviewer_is_asked_only_about_what_they_answer_for(two):
    reviewer = two.desk.reviewer
    free = world.staff("freereviewer", "Medical reviewers")
    assert set(reviewers(two.inside.waiting)) == {reviewer, free}
    assert set(reviewers(two.outside.waiting)) == {free}
    told = [str(one.thing) for one in summarise(reviewer).waiting]
    assert told == ["Meadow waiting"]
    assert {str(one.thing) for one in summarise(free).waiting} == {
        "Meadow waiting",
        f"{SECRET} waiting",
    }


def test_choosers_and_filters_offer_only_what_lies_inside(two):
    client = client_of(two.desk.author)
    for model in ("editions_article", "catalogue_condition", "editions_issue"):
        for view in ("choose", "choose_results"):
            url = reverse(f"wagtailsnippetchoosers_{model}:{view}")
            page = client.get(url).content.decode()
            assert SECRET not in page and ("Meadow" in page or "Asthma" in page), url
    letter = two.outside.letter.pk
    assert (
        SECRET not in client.get(f"{reverse(f'{ISSUE}:list')}?newsletter={letter}").content.decode()
    )


def test_an_author_who_may_not_delete_is_told_so_in_words(desk):
    issue = world.issue(desk.newsletter, desk.author)
    url = reverse("wagtail_bulk_action", args=("editions", "issue", "delete"))
    for user in (desk.author, desk.admin):
        answer = client_of(user).post(f"{url}?id={issue.pk}", follow=True)
        assert "Nothing here is deleted or changed many at a time." in answer.content.decode()
    condition = world.condition()
    url = reverse("wagtail_bulk_action", args=("catalogue", "condition", "delete"))
    answer = client_of(desk.author).post(f"{url}?id={condition.pk}", follow=True)
    assert "You may not delete these." in answer.content.decode()
    assert Issue.objects.filter(pk=issue.pk).exists()
    assert Condition.objects.filter(pk=condition.pk).exists()


def test_many_conditions_are_deleted_at_once_only_if_all_lie_inside(two):
    url = reverse("wagtail_bulk_action", args=("catalogue", "condition", "delete"))
    client = client_of(two.desk.admin)
    both = f"?id={two.inside.condition.pk}&id={two.outside.condition.pk}"
    for query in (both, "?id=all"):
        assert client.post(url + query, **SCRIPT).status_code == 403
    assert Condition.objects.count() == 2
