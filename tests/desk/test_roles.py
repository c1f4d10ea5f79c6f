"""Who may do what at the desk. A refused action also proves that nothing was written."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from wagtail.models import Collection, Revision, Task, TaskState, Workflow, WorkflowContentType

from newsletter.approval.models import Approval, Schedule
from newsletter.catalogue.models import Condition, Newsletter, Publisher
from newsletter.desk import roles
from newsletter.desk.models import User
from newsletter.editions.models import Article, Issue, Release
from newsletter.sending.models import Mailing
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.forms_of import form_of

ISSUE = "wagtailsnippets_editions_issue"
# Wagtail answers a script with 403; a person it takes back to the dashboard, with a message.
SCRIPT = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}


def test_making_the_roles_again_changes_nothing(db):
    def rows():
        return {
            model: list(model.objects.order_by("pk").values())
            for model in (Group, Permission, Workflow, Task, WorkflowContentType, Collection)
        } | {"held": list(Group.permissions.through.objects.values_list("group", "permission"))}

    before = rows()
    roles.ensure_roles()
    assert rows() == before


def test_making_the_roles_again_keeps_what_an_administrator_added(db):
    authors = Group.objects.get(name=roles.AUTHORS)
    extra = Permission.objects.get(codename="delete_issue")
    authors.permissions.add(extra)
    roles.ensure_roles()
    assert extra in authors.permissions.all()


def test_issues_and_articles_go_through_the_medical_review(db):
    models = {
        assigned.content_type.model_class()
        for assigned in WorkflowContentType.objects.all()
        if assigned.workflow.name == "Medical review"
    }
    assert models == {Issue, Article}
    assert Issue.get_default_workflow().tasks.get().specific._meta.label == "desk.MedicalReview"


def test_wagtails_groups_and_workflow_for_pages_are_gone(db):
    assert not Group.objects.filter(name__in=["Editors", "Moderators"]).exists()
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "held"),
    [
        ("author", {"compose"}),
        ("reviewer", {"approve"}),
        ("sender", {"send"}),
        ("admin", {"compose", "send"}),
        ("protection", set()),
    ],
)
def test_composing_approving_and_sending_are_three_permissions(desk, role, held):
    names = {
        "compose": "editions.change_issue",
        "approve": "approval.approve_issue",
        "send": "sending.send_issue",
    }
    user = getattr(desk, role)
    assert {what for what, name in names.items() if user.has_perm(name)} == held
    assert user.has_perm("wagtailadmin.access_admin")


def snapshot():
    models = (
        Issue,
        Article,
        Condition,
        Newsletter,
        User,
        Approval,
        Schedule,
        Mailing,
        Release,
        Revision,
    )
    return {model: model.objects.count() for model in models} | {
        "states": sorted(TaskState.objects.values_list("pk", "status")),
    }


@pytest.fixture
def approved(desk):
    issue = world.issue(desk.newsletter, desk.author)
    world.approve(issue, desk.reviewer)
    return issue


def pages(issue):
    return {
        "issues": reverse(f"{ISSUE}:list"),
        "write": reverse(f"{ISSUE}:add"),
        "edit": reverse(f"{ISSUE}:edit", args=(issue.pk,)),
        "way": reverse("desk:issue", args=(issue.pk,)),
        "preview": reverse("desk:preview", args=("issue", issue.pk, "html")),
        "send": reverse("desk:send_now", args=(issue.pk,)),
        "mailings": reverse("desk:mailings"),
        "conditions": reverse("wagtailsnippets_catalogue_condition:list"),
        "add condition": reverse("wagtailsnippets_catalogue_condition:add"),
        "edit newsletter": reverse(
            "wagtailsnippets_catalogue_newsletter:edit", args=(issue.newsletter_id,)
        ),
        "publisher": reverse(
            "wagtailsettings:edit", args=("catalogue", "publisher", Publisher.load().pk)
        ),
        "users": reverse("desk:people"),
        "groups": reverse("wagtailusers_groups:index"),
    }


_EVERYONE = {"issues", "way", "preview", "conditions", "mailings"}
_MAY_OPEN = {
    "author": _EVERYONE | {"write", "edit"},
    "reviewer": _EVERYONE | {"add condition"},
    "sender": _EVERYONE | {"send"},
    "admin": {
        *_EVERYONE,
        "write",
        "edit",
        "send",
        "add condition",
        "edit newsletter",
        "publisher",
        "users",
        "groups",
    },
    "protection": _EVERYONE,
}


# Every role is asked about the same pages, by the same statements: PostgreSQL hears one of them.
@pytest.mark.parametrize(
    "role",
    [pytest.param(role, marks=[pytest.mark.once] if role != "admin" else []) for role in _MAY_OPEN],
)
def test_each_role_opens_its_own_pages_and_no_others(desk, approved, role):
    client = client_of(getattr(desk, role))
    before = snapshot()
    answers = {
        name: client.get(url, follow=False, **SCRIPT).status_code
        for name, url in pages(approved).items()
    }
    assert {name for name, status in answers.items() if status == 200} == _MAY_OPEN[role]
    assert {status for name, status in answers.items() if name not in _MAY_OPEN[role]} <= {403}
    assert snapshot() == before


def deeds(issue, article):
    return {
        "submit": (reverse("desk:submit_issue", args=(issue.pk,)), {}),
        "test": (reverse("desk:test_send", args=(issue.pk,)), {"to": "author@staff.example.org"}),
        "send": (
            reverse("desk:send_now", args=(issue.pk,)),
            {"approval": issue.approvals.get().pk},
        ),
        "schedule": (
            reverse("desk:schedule", args=(issue.pk,)),
            {"send_at": "2099-01-01T08:00"},
        ),
        "cancel schedule": (reverse("desk:cancel_schedule", args=(issue.pk,)), {}),
        "release": (reverse("desk:release", args=(article.pk,)), {}),
        "withdraw": (reverse("desk:withdraw", args=(article.pk,)), {"reason": "x"}),
    }


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (
            "author",
            {"send", "schedule", "cancel schedule", "release", "withdraw"},
        ),
        ("reviewer", {"submit", "test", "send", "schedule", "cancel schedule"}),
        ("sender", {"submit"}),
        (
            "protection",
            {"submit", "test", "send", "schedule", "cancel schedule", "release", "withdraw"},
        ),
    ],
)
def test_what_a_role_may_not_do_is_refused_and_leaves_nothing(desk, approved, role, refused):
    article = world.published_article(desk.author, desk.reviewer, world.condition())
    client = client_of(getattr(desk, role))
    before = snapshot()
    for name, (url, data) in deeds(approved, article).items():
        if name in refused:
            assert client.post(url, data, **SCRIPT).status_code == 403, name
    assert snapshot() == before


def test_a_stranger_is_asked_to_sign_in(client, desk, approved):
    for url in pages(approved).values():
        answer = client.get(url)
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("wagtailadmin_login"))


def test_staff_without_a_role_get_nowhere(desk, approved):
    nobody = User.objects.create_user("nobody", is_staff=True)
    client = client_of(nobody)
    for url in pages(approved).values():
        assert client.get(url).status_code == 302


def test_staff_sign_in_with_their_password(client, db):
    world.staff("author", password=world.PASSWORD)
    url = reverse("wagtailadmin_login")
    assert b"Sign in to the desk" in client.get(url).content

    client.post(url, {"username": "author", "password": "wrong"})
    assert "_auth_user_id" not in client.session
    answer = client.post(
        url,
        {"username": "author", "password": world.PASSWORD, "next": reverse("wagtailadmin_home")},
    )
    assert answer.url == reverse("wagtailadmin_home")
    assert "_auth_user_id" in client.session


def test_what_wagtail_has_for_pages_is_closed_even_to_superusers(desk):
    client = client_of(world.staff("root", "Administrators", is_superuser=True))
    for name, args in (
        ("wagtailadmin_explore_root", ()),
        ("wagtailsites:index", ()),
        ("wagtailadmin_workflows:index", ()),
        ("wagtailadmin_workflows:edit", (Workflow.objects.get().pk,)),
        ("wagtailadmin_reports:aging_pages", ()),
        ("wagtailsnippets:index", ()),
    ):
        answer = client.get(reverse(name, args=args), follow=True)
        assert "That part of Wagtail is not used here." in answer.content.decode(), name
        assert client.post(reverse(name, args=args), **SCRIPT).status_code == 403, name


def test_a_superuser_cannot_publish_past_the_reviewer(desk):
    root = world.staff("root", "Administrators", is_superuser=True)
    issue = world.issue(desk.newsletter, desk.author)
    client = client_of(root)
    url = reverse(f"{ISSUE}:edit", args=(issue.pk,))
    assert b"action-publish" not in client.get(url).content

    client.post(url, form_of(issue, **{"action-publish": "1"}))

    issue.refresh_from_db()
    assert not issue.live
    assert issue.live_revision is None
