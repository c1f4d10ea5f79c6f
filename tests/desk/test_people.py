"""Inviting people to the desk, what they are limited to, and seeing them off."""

import re
from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter.approval.models import Approval, Schedule
from newsletter.desk import roles
from newsletter.desk.models import Absence, Departure, Invitation, RecoveryCode, ReviewRequest, User
from newsletter.desk.models.limits import limits_of
from newsletter.desk.security import factor, leave
from newsletter.desk.waiting import ask, waiting_for
from newsletter.editions.models import DraftLink
from project.logs import mask
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.signing_in import code_of, proven

SCRIPT = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}
NEW = {"first_name": "Ada", "last_name": "Newcome", "email": "ada@staff.example.org"}
PASS = "seven quiet herons at dusk"


def form(*groups, **changes):
    numbers = [Group.objects.get(name=name).pk for name in groups or (roles.AUTHORS,)]
    return {**NEW, "groups": numbers, **changes}


@pytest.fixture
def invited(desk):
    """Ada, who has a mail; and the address in it."""
    answer = proven(desk.admin).post(reverse("desk:invite"), form())
    assert answer.url == reverse("desk:people")
    return User.objects.get(email=NEW["email"]), link_in(mail.outbox[-1])


def link_in(message):
    found = re.search(rf"{re.escape(settings.BASE_URL)}(/admin/invitation/\S+)", message.body)
    assert found
    return found[1]


def home(user):
    return client_of(user).get(reverse("wagtailadmin_home")).content.decode()


def join(client, link, password=PASS):
    return client.post(link, {"new_password1": password, "new_password2": password})


def test_an_invitation_is_mailed_and_leads_through_password_and_second_factor_to_the_desk(invited):
    ada, link = invited
    assert mail.outbox[-1].to == [NEW["email"]]
    client = Client()
    answer = client.get(link)
    assert "Welcome, Ada Newcome" in answer.content.decode()
    assert answer["Referrer-Policy"] == "no-referrer"

    answer = join(client, link)
    assert answer.url == reverse("security:set_up")
    assert "_auth_user_id" not in client.session
    assert client.get(reverse("wagtailadmin_home")).status_code == 302

    page = client.get(answer.url).content.decode()
    secret = re.search(r'name="secret" value="([^"]+)"', page)[1]
    code = code_of(factor.unconfirmed(ada, secret))
    client.post(answer.url, {"secret": secret, "code": code})
    assert client.get(reverse("wagtailadmin_home")).status_code == 200
    assert TOTPDevice.objects.filter(user=ada, confirmed=True).exists()


def test_nobody_can_sign_in_before_the_invitation_is_taken_up(invited):
    ada, _link = invited
    assert not ada.is_active and not ada.has_usable_password()
    mail.outbox.clear()
    Client().post(reverse("wagtailadmin_password_reset"), {"email": ada.email})
    assert mail.outbox == []


def test_looking_at_an_invitation_uses_nothing_up(invited):
    _ada, link = invited
    for _again in range(3):
        assert Client().get(link).status_code == 200
        Client().head(link)
    assert Invitation.objects.open().count() == 1


def test_an_invitation_works_once(invited):
    _ada, link = invited
    join(Client(), link)
    answer = join(Client(), link, "another pass phrase here")
    assert answer.status_code == 410
    assert User.objects.get(email=NEW["email"]).check_password(PASS)


def test_an_invitation_expires_after_three_days(invited):
    ada, link = invited
    with time_machine.travel(timezone.now() + timedelta(days=3, seconds=1), tick=False):
        assert Client().get(link).status_code == 410
        assert join(Client(), link).status_code == 410
    ada.refresh_from_db()
    assert not ada.is_active


def test_inviting_again_ends_the_earlier_link(invited, desk):
    ada, first = invited
    client_of(desk.admin).post(reverse("desk:invite_again", args=(ada.pk,)))
    second = link_in(mail.outbox[-1])
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200


def test_a_weak_password_is_refused_and_the_link_stays(invited):
    ada, link = invited
    assert join(Client(), link, "12345678").status_code == 422
    ada.refresh_from_db()
    assert not ada.is_active
    assert Client().get(link).status_code == 200


def test_the_link_stands_neither_in_the_database_nor_in_a_log(invited):
    _ada, link = invited
    token = link.rstrip("/").rpartition("/")[2]
    kept = Invitation.objects.values().get()
    assert token not in str(kept) and token.encode() not in bytes(kept["token_hash"])
    assert token not in mask(f'"GET {link} HTTP/1.1" 200')


def test_when_the_mail_does_not_go_out_the_account_waits_for_a_second_try(desk, monkeypatch):
    def fail(self, *args, **kwargs):
        raise SMTPServerDisconnected

    monkeypatch.setattr("django.core.mail.EmailMessage.send", fail)
    answer = proven(desk.admin).post(reverse("desk:invite"), form(), follow=True)
    assert "the mail did not go out" in answer.content.decode()
    assert User.objects.filter(email=NEW["email"], is_active=False).exists()


def test_an_address_is_invited_once(invited, desk):
    answer = proven(desk.admin).post(reverse("desk:invite"), form(email=NEW["email"].upper()))
    assert answer.status_code == 422
    assert "Somebody here has that address already." in answer.content.decode()


@pytest.mark.parametrize("role", ["author", "reviewer", "sender", "protection"])
def test_only_administrators_look_after_people(desk, role):
    client = proven(getattr(desk, role))
    before = User.objects.count()
    for name, args in (
        ("desk:people", ()),
        ("desk:invite", ()),
        ("desk:person", (desk.author.pk,)),
        ("desk:leave", (desk.admin.pk,)),
        ("desk:reset_factor", (desk.admin.pk,)),
    ):
        assert client.get(reverse(name, args=args), **SCRIPT).status_code == 403
        assert client.post(reverse(name, args=args), form(), **SCRIPT).status_code in (403, 405)
    assert client.post(
        reverse("desk:invite_again", args=(desk.admin.pk,)), **SCRIPT
    ).status_code in (403, 404)
    assert User.objects.count() == before
    assert not User.objects.filter(is_active=False).exists()


def test_who_proved_themselves_long_ago_is_asked_again_before_changing_people(desk):
    client = client_of(desk.admin)  # signed in, never proven
    for name, args in (
        ("desk:invite", ()),
        ("desk:person", (desk.author.pk,)),
        ("desk:leave", (desk.author.pk,)),
    ):
        answer = client.get(reverse(name, args=args))
        assert answer.url.startswith(reverse("desk:prove")), name


def test_roles_and_limits_count_from_the_next_page(desk):
    other = world.newsletter(name="Other", slug="other", list_id_label="other")
    data = form(
        roles.SENDERS,
        first_name="A",
        last_name="Uthor",
        email=desk.author.email,
        newsletters=[other.pk],
    )
    proven(desk.admin).post(reverse("desk:person", args=(desk.author.pk,)), data)
    author = User.objects.get(pk=desk.author.pk)
    assert [group.name for group in author.groups.all()] == [roles.SENDERS]
    assert limits_of(author).newsletters == {other.pk}
    assert limits_of(author).conditions is None
    assert not author.has_perm("editions.change_issue")


def test_nobody_changes_their_own_roles(desk):
    url = reverse("desk:person", args=(desk.admin.pk,))
    client = proven(desk.admin)
    assert "Nobody changes their own roles" in client.get(url).content.decode()
    client.post(url, form(roles.REVIEWERS, email=desk.admin.email))
    admin = User.objects.get(pk=desk.admin.pk)
    assert [group.name for group in admin.groups.all()] == [roles.ADMINISTRATORS]
    assert not admin.has_perm("approval.approve_issue")


def test_an_administrator_has_no_say_over_a_superuser(desk):
    root = world.staff("root", "Administrators", is_superuser=True)
    client = proven(desk.admin)
    for name in ("desk:person", "desk:leave"):
        assert client.get(reverse(name, args=(root.pk,)), **SCRIPT).status_code == 403


def test_wagtails_own_pages_for_accounts_lead_to_ours(desk):
    client = proven(desk.admin)
    people = reverse("desk:people")
    for name, args, to in (
        ("index", (), people),
        ("add", (), people),
        ("edit", (desk.author.pk,), reverse("desk:person", args=(desk.author.pk,))),
        ("delete", (desk.author.pk,), reverse("desk:person", args=(desk.author.pk,))),
    ):
        url = reverse(f"wagtailusers_users:{name}", args=args)
        assert client.get(url).url == to
        assert client.post(url, {"username": "x", "is_superuser": "on"}).url == to
    assert not User.objects.filter(is_superuser=True).exists()
    assert User.objects.filter(pk=desk.author.pk).exists()


# --- Leaving -------------------------------------------------------------------------------------


@pytest.fixture
def second(desk):
    return world.staff(
        "second", "Authors", "Medical reviewers", first_name="Bea", last_name="Second"
    )


def test_whoever_leaves_is_out_at_once_and_cannot_come_back_in(desk, second):
    client = client_of(desk.author)
    assert client.get(reverse("wagtailadmin_home")).status_code == 200
    TOTPDevice.objects.create(user=desk.author, confirmed=True)
    RecoveryCode.objects.create(user=desk.author, code_hash=b"x" * 32)
    proven(desk.admin).post(reverse("desk:leave", args=(desk.author.pk,)), {"successor": second.pk})
    assert client.get(reverse("wagtailadmin_home")).url.startswith("/admin/login/")
    author = User.objects.get(pk=desk.author.pk)
    assert not author.is_active and not author.has_usable_password()
    assert not TOTPDevice.objects.filter(user=author).exists()
    assert not RecoveryCode.objects.filter(user=author).exists()
    assert Departure.objects.get(user=author).by == desk.admin


def test_drafts_need_somebody_who_takes_them_over(desk, second):
    world.issue(desk.newsletter, desk.author, title="Half written")
    url = reverse("desk:leave", args=(desk.author.pk,))
    answer = proven(desk.admin).post(url, {"successor": ""})
    assert answer.status_code == 422
    assert "Choose who takes the drafts over." in answer.content.decode()
    with pytest.raises(leave.NotPossible):
        leave.leave(user=desk.author, by=desk.admin, successor=None)
    assert User.objects.get(pk=desk.author.pk).is_active


def test_drafts_stand_on_the_successors_dashboard(desk, second):
    world.issue(desk.newsletter, desk.author, title="Half written")
    world.article(desk.author, title="Half an article")
    assert "Half written" in home(desk.author)
    assert "Half written" not in home(second)
    leave.leave(user=desk.author, by=desk.admin, successor=second)
    page = home(second)
    assert "Half written" in page and "Half an article" in page


def test_taking_over_a_draft_does_not_make_its_author(desk, second):
    """Who wrote it stays as it was, so the successor may still review it."""
    issue = world.issue(desk.newsletter, desk.author)
    leave.leave(user=desk.author, by=desk.admin, successor=second)
    world.approve(issue, second)
    assert Approval.objects.get(issue=issue).approved_by == second


def test_drafts_are_handed_on_again_when_the_successor_leaves_too(desk, second):
    world.issue(desk.newsletter, desk.author, title="Half written")
    leave.leave(user=desk.author, by=desk.admin, successor=second)
    third = world.staff("third", "Authors")
    leave.leave(user=second, by=desk.admin, successor=third)
    assert [issue.title for issue in leave.issues_of(third)] == ["Half written"]


@pytest.mark.parametrize("able", [True, False])
def test_reviews_go_to_a_successor_who_may_sign_or_else_to_everybody(desk, second, able):
    issue = world.issue(desk.newsletter, desk.author)
    state = issue.get_workflow().start(issue, desk.author)
    ask(state, reviewer=desk.reviewer, due_on=None)
    assert waiting_for(second) == []
    leave.leave(user=desk.reviewer, by=desk.admin, successor=second if able else desk.sender)
    assert ReviewRequest.objects.get().reviewer == (second if able else None)
    assert [one.thing for one in waiting_for(second)] == [issue]


def test_whoever_stood_in_for_somebody_is_replaced(desk, second):
    away = world.staff("away", "Medical reviewers")
    today = timezone.localdate()
    days = {"first_day": today, "last_day": today}
    Absence.objects.create(user=away, deputy=desk.reviewer, **days)
    Absence.objects.create(user=desk.reviewer, deputy=away, **days)
    Absence.objects.create(user=second, deputy=desk.reviewer, **days)
    leave.leave(user=desk.reviewer, by=desk.admin, successor=second)
    # Nobody is their own deputy, and whoever left needs none.
    assert list(Absence.objects.values_list("user", "deputy")) == [(away.pk, second.pk)]


def test_locks_and_links_to_drafts_end_with_the_account(desk, second):
    issue = world.issue(desk.newsletter, desk.author)
    issue.locked, issue.locked_by, issue.locked_at = True, desk.author, timezone.now()
    issue.save()
    DraftLink.objects.create(
        issue=issue, purpose="x", created_by=desk.author, expires_at=DraftLink.end_of(7)
    )
    leave.leave(user=desk.author, by=desk.admin, successor=second)
    issue.refresh_from_db()
    assert not issue.locked
    assert not DraftLink.objects.open().exists()


def test_what_they_signed_stays_signed_and_what_they_scheduled_is_shown(desk, second):
    issue = world.issue(desk.newsletter, desk.author, title="On its way")
    approval = world.approve(issue, desk.reviewer)
    Schedule.objects.create(
        approval=approval,
        send_at=timezone.now() + timedelta(days=2),
        scheduled_by=desk.sender,
    )
    shown = "Set to go out by people who have left"
    assert shown not in home(desk.admin)
    for leaver in (desk.reviewer, desk.sender):
        leave.leave(user=leaver, by=desk.admin, successor=second)
    approval.refresh_from_db()
    assert approval.voided_at is None and approval.approved_by == desk.reviewer
    assert Schedule.objects.open().count() == 1
    page = home(desk.admin)
    assert shown in page and "On its way" in page
    assert shown not in home(desk.author)


def test_nobody_closes_their_own_account(desk):
    url = reverse("desk:leave", args=(desk.admin.pk,))
    assert proven(desk.admin).post(url, {"successor": ""}, **SCRIPT).status_code == 403
    assert User.objects.get(pk=desk.admin.pk).is_active


def test_whoever_comes_back_is_invited_like_anybody(desk, second):
    leave.leave(user=desk.author, by=desk.admin, successor=second)
    client_of(desk.admin).post(reverse("desk:invite_again", args=(desk.author.pk,)))
    link = link_in(mail.outbox[-1])
    assert join(Client(), link).url == reverse("security:set_up")
    assert not Departure.objects.exists()
