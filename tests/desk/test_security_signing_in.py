"""Signing in takes two steps, and there is no third way."""

import re

import pytest
import time_machine
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django_otp.plugins.otp_totp.models import TOTPDevice
from kombu.exceptions import OperationalError

from newsletter import tasks
from newsletter.desk.models import RecoveryCode, User
from newsletter.desk.security import recovery
from newsletter.desk.security.signing_in import Login
from tests.desk import signing_in, world
from tests.desk.signing_in import HOME, LOGIN, SECOND, SET_UP, code_of, inside, logged_in, password

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _passwords_that_take_no_time(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def required(settings):
    settings.STAFF_SECOND_FACTOR = "required"


def test_wagtails_own_log_in_address_is_the_one_with_two_steps():
    found = resolve(reverse("wagtailadmin_login"))
    assert found.func.view_class is Login
    assert resolve(reverse("wagtailadmin_password_reset")).view_name == "security:password_reset"


def test_the_password_alone_logs_nobody_in(client):
    user, device = signing_in.with_factor()
    answer = password(client, user.username, next="/admin/mailings/")
    assert answer.url == SECOND
    assert not logged_in(client)
    assert client.get(HOME).url.startswith(LOGIN)

    answer = client.post(SECOND, {"code": code_of(device)})
    assert answer.url == "/admin/mailings/"
    assert inside(client)


def test_a_wrong_code_lets_nobody_in_and_says_so(client):
    user, device = signing_in.with_factor()
    password(client, user.username)
    wrong = f"{(int(code_of(device)) + 1) % 1_000_000:06d}"
    answer = client.post(SECOND, {"code": wrong})
    assert answer.status_code == 422
    assert b"That code is wrong" in answer.content
    assert not logged_in(client)


@pytest.mark.parametrize("code", ["", " ", "abc", "1" * 60, "½½½½½½", "-1", "\0", "000000\n"])
def test_nonsense_instead_of_a_code_is_refused_in_words(client, code):
    user, _device = signing_in.with_factor()
    password(client, user.username)
    assert client.post(SECOND, {"code": code}).status_code == 422
    assert not logged_in(client)


def test_a_code_works_once(client):
    user, device = signing_in.with_factor()
    code = code_of(device)
    password(client, user.username)
    client.post(SECOND, {"code": code})
    assert inside(client)

    other = Client()
    password(other, user.username)
    assert other.post(SECOND, {"code": code}).status_code == 422
    assert not logged_in(other)


def test_an_old_code_is_refused(client):
    user, device = signing_in.with_factor()
    password(client, user.username)
    assert client.post(SECOND, {"code": code_of(device, ahead=-3)}).status_code == 422


def test_the_second_step_alone_leads_nowhere(client):
    _user, device = signing_in.with_factor()
    for answer in (client.get(SECOND), client.post(SECOND, {"code": code_of(device)})):
        assert answer.url == LOGIN
    assert not logged_in(client)


def test_half_a_log_in_lasts_ten_minutes(client):
    user, device = signing_in.with_factor()
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        password(client, user.username)
    with time_machine.travel(now + timezone.timedelta(minutes=11), tick=False):
        assert client.post(SECOND, {"code": code_of(device)}).url == LOGIN
        assert not logged_in(client)


def test_a_password_changed_in_between_ends_half_a_log_in(client):
    user, device = signing_in.with_factor()
    password(client, user.username)
    user.set_password("quite another pass phrase")
    user.save()
    assert client.post(SECOND, {"code": code_of(device)}).url == LOGIN
    assert not logged_in(client)


def test_an_account_closed_in_between_stays_out(client):
    user, device = signing_in.with_factor()
    password(client, user.username)
    User.objects.update(is_active=False)
    assert client.post(SECOND, {"code": code_of(device)}).url == LOGIN
    assert not logged_in(client)


def test_somebody_elses_code_does_not_fit(client):
    user, _device = signing_in.with_factor()
    _other, others = signing_in.with_factor("sender")
    password(client, user.username)
    assert client.post(SECOND, {"code": code_of(others)}).status_code == 422


def test_a_planted_session_is_not_the_one_that_gets_in(client):
    """Session fixation: the key that a stranger knows is worth nothing after either step."""
    user, device = signing_in.with_factor()
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    password(client, user.username)
    halfway = client.session.session_key
    assert halfway != planted
    client.post(SECOND, {"code": code_of(device)})
    assert client.session.session_key not in (planted, halfway)
    assert "planted" not in client.session

    stranger = Client()
    for key in (planted, halfway):
        stranger.cookies["sessionid"] = key
        assert not inside(stranger)


def test_who_was_logged_in_before_is_out_after_the_first_step(client):
    first = world.staff("sender")
    client.force_login(first)
    user, _device = signing_in.with_factor()
    password(client, user.username)
    assert not logged_in(client)


def test_a_session_without_the_factor_is_ended_at_every_address(client, required):
    """As after a log-in that some other code let through."""
    user, _device = signing_in.with_factor("admin")
    for url in (
        HOME,
        reverse("desk:readers"),
        reverse("desk:prove"),
        reverse("desk:own_factor"),
        reverse("desk:people"),
        reverse("wagtailimages:index"),
        "/admin/nothing/here/",
    ):
        client.force_login(user)
        assert client.get(url).url.startswith(LOGIN), url
        assert not logged_in(client)
    client.force_login(user)
    script = client.get(HOME, headers={"x-requested-with": "XMLHttpRequest"})
    assert script.status_code == 403
    client.force_login(user)
    assert client.post(reverse("desk:new_codes")).url.startswith(LOGIN)
    assert not RecoveryCode.objects.exists()


def test_next_never_leads_off_this_site(client):
    user, device = signing_in.with_factor()
    password(client, user.username, next="https://evil.example/")
    assert client.post(SECOND, {"code": code_of(device)}).url == HOME


# --- Where everybody needs one ---------------------------------------------------------------


def test_without_a_factor_one_is_set_up_before_anything_is_seen(client, required):
    user = world.staff("author", password=world.PASSWORD)
    assert password(client, user.username).url == SET_UP
    assert not logged_in(client)
    page = client.get(SET_UP)
    assert b"<svg" in page.content
    assert b"viewBox" in page.content, "or the picture is cut off where it is made smaller"
    secret = page.context["form"]["secret"].value()
    assert not TOTPDevice.objects.exists(), "looking changes nothing"

    device = TOTPDevice(key=_key(secret))
    page = client.post(SET_UP, {"secret": secret, "code": code_of(device)})
    found = re.findall(r"<code>([a-z0-9-]{29})</code>", page.content.decode())
    assert len(found) == 8
    assert "no-store" in page.headers["Cache-Control"]
    assert inside(client)
    assert TOTPDevice.objects.get().user == user


def test_setting_up_asks_for_a_right_code(client, required):
    user = world.staff("author", password=world.PASSWORD)
    password(client, user.username)
    secret = client.get(SET_UP).context["form"]["secret"].value()
    wrong = f"{(int(code_of(TOTPDevice(key=_key(secret)))) + 1) % 1_000_000:06d}"
    answer = client.post(SET_UP, {"secret": secret, "code": wrong})
    assert answer.status_code == 422
    assert answer.context["form"]["secret"].value() == secret, "the same picture again"
    assert not TOTPDevice.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert not logged_in(client)


@pytest.mark.parametrize("secret", ["", "nonsense", "x:y:z"])
def test_a_secret_that_is_not_ours_is_not_taken(client, required, secret):
    world.staff("author", password=world.PASSWORD)
    password(client, "author")
    client.post(SET_UP, {"secret": secret, "code": "000000"})
    assert not TOTPDevice.objects.exists()


def test_a_secret_made_for_another_account_is_not_taken(client, required):
    for name in ("author", "sender"):
        world.staff(name, password=world.PASSWORD)
    password(client, "sender")
    secret = client.get(SET_UP).context["form"]["secret"].value()
    password(client, "author")
    client.post(SET_UP, {"secret": secret, "code": code_of(TOTPDevice(key=_key(secret)))})
    assert not TOTPDevice.objects.exists()


def test_the_password_alone_never_replaces_a_factor(client, required):
    user, device = signing_in.with_factor()
    password(client, user.username)
    assert client.get(SET_UP).url == SECOND
    from newsletter.desk.security import factor

    secret = factor.new_secret(user)
    client.post(SET_UP, {"secret": secret, "code": code_of(TOTPDevice(key=_key(secret)))})
    assert TOTPDevice.objects.get() == device
    assert not logged_in(client)


def test_where_it_is_optional_the_password_still_does(client):
    world.staff("author", password=world.PASSWORD)
    password(client, "author")
    assert inside(client)


# --- Recovery codes ---------------------------------------------------------------------------


def test_a_recovery_code_lets_in_once(client):
    user, _device = signing_in.with_factor()
    first, *_rest = signing_in.codes(user)
    password(client, user.username)
    client.post(SECOND, {"code": first.upper().replace("-", " ")})
    assert inside(client)
    assert recovery.left(user) == 7

    other = Client()
    password(other, user.username)
    assert other.post(SECOND, {"code": first}).status_code == 422
    assert not logged_in(other)


def test_recovery_codes_are_kept_as_hashes_only(db):
    user, _device = signing_in.with_factor()
    codes = signing_in.codes(user)
    kept = b"".join(bytes(row.code_hash) for row in RecoveryCode.objects.all())
    assert len(set(codes)) == 8
    for code in codes:
        assert code.encode() not in kept
        assert code.replace("-", "").encode() not in kept


def test_somebody_elses_recovery_code_does_not_fit(client):
    user, _device = signing_in.with_factor()
    other, _others = signing_in.with_factor("sender")
    theirs = signing_in.codes(other)
    password(client, user.username)
    assert client.post(SECOND, {"code": theirs[0]}).status_code == 422
    assert recovery.left(other) == 8


# --- A forgotten password ---------------------------------------------------------------------


@pytest.fixture
def handed_over(monkeypatch):
    """What the request gives the worker; nothing is mailed before `mail_new_password(…)`."""
    given = []
    monkeypatch.setattr(tasks.mail_new_password, "delay", given.append)
    return given


def test_a_new_password_does_not_get_past_the_second_factor(client, handed_over):
    user, device = signing_in.with_factor()
    client.post(reverse("wagtailadmin_password_reset"), {"email": user.email})
    assert mail.outbox == []
    tasks.mail_new_password(*handed_over)
    [message] = mail.outbox
    assert message.to == [user.email]
    assert user.username in message.body
    link = re.search(r"http://[^/]+(/admin/\S+)", message.body)[1]
    form = client.get(link, follow=True)
    phrase = "a brand new pass phrase"
    client.post(form.request["PATH_INFO"], {"new_password1": phrase, "new_password2": phrase})
    user.refresh_from_db()
    assert user.check_password(phrase)
    assert not logged_in(client)
    assert TOTPDevice.objects.get() == device

    password(client, user.username, phrase)
    assert not logged_in(client)
    client.post(SECOND, {"code": code_of(device)})
    assert inside(client)


def test_a_reset_link_works_once(client):
    user, _device = signing_in.with_factor()
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    link = reverse("wagtailadmin_password_reset_confirm", args=(uid, token))
    page = client.get(link, follow=True)
    phrase = "a brand new pass phrase"
    client.post(page.request["PATH_INFO"], {"new_password1": phrase, "new_password2": phrase})
    again = Client().get(link, follow=True)
    assert not again.context["validlink"]


def test_asking_for_a_new_password_looks_the_same_for_everyone_and_ends(client, handed_over):
    user, _device = signing_in.with_factor()
    url = reverse("wagtailadmin_password_reset")
    known = [client.post(url, {"email": user.email}) for _ in range(12)]
    unknown = client.post(url, {"email": "nobody@staff.example.org"})
    assert {answer.url for answer in known} == {unknown.url}
    assert handed_over == [[user.pk]] * 8 + [[]]


def test_asking_does_the_same_work_whether_an_account_is_known_or_not(
    client, handed_over, monkeypatch
):
    """Nothing is rendered and no relay is spoken to while somebody waits for the answer."""
    user, _device = signing_in.with_factor()
    gone = world.staff("reviewer")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    url = reverse("wagtailadmin_password_reset")
    monkeypatch.setattr(
        "django.core.mail.EmailMultiAlternatives.send", lambda *_: pytest.fail("mailed in the view")
    )
    asked = []
    for address in (user.email, gone.email, "nobody@staff.example.org"):
        with CaptureQueriesContext(connection) as statements:
            client.post(url, {"email": address})
        asked.append([query["sql"].partition("WHERE")[0] for query in statements])
    assert asked[0] == asked[1] == asked[2]
    assert handed_over == [[user.pk], [], []]


def test_without_the_broker_the_answer_is_the_same(client, monkeypatch, caplog):
    user, _device = signing_in.with_factor()

    def away(_ids):
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.mail_new_password, "delay", away)
    url = reverse("wagtailadmin_password_reset")
    answers = [client.post(url, {"email": address}) for address in (user.email, "no@example.org")]
    assert answers[0].url == answers[1].url
    assert "the broker is away" in caplog.text
    assert user.email not in caplog.text


def test_an_account_that_was_closed_meanwhile_gets_no_link():
    user, _device = signing_in.with_factor()
    User.objects.filter(pk=user.pk).update(is_active=False)
    tasks.mail_new_password([user.pk, 10**9])
    assert mail.outbox == []


def _key(signed: str) -> str:
    from django.core import signing

    return signing.loads(signed, salt="desk.security.factor")["key"]
