"""Throttling, proving once more who one is, and helping somebody who lost a phone."""

import time
from urllib.parse import unquote

import pytest
import redis
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.desk.models import AccessEntry, Authenticator, RecoveryCode, User
from newsletter.desk.security import recovery, throttle
from tests.desk import signing_in, world
from tests.desk.signing_in import (
    LOGIN,
    SECOND,
    SET_UP,
    code_of,
    inside,
    logged_in,
    password,
    prove_url,
    proven,
    stale,
)
from tests.running.examples import examples

pytestmark = pytest.mark.django_db
SCRIPT = {"x-requested-with": "XMLHttpRequest"}


@pytest.fixture(autouse=True)
def _passwords_that_take_no_time(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


# --- How often one may try --------------------------------------------------------------------


def test_after_eight_tries_even_the_right_password_waits(client):
    world.staff("author", password=world.PASSWORD)
    for _ in range(8):
        assert password(client, "author", "wrong").status_code == 200
    answer = password(client, "author")
    assert answer.status_code == 429
    assert b"Too many tries" in answer.content
    assert not logged_in(client)


def test_another_spelling_of_the_name_is_no_new_start(client):
    for name in ("author", "AUTHOR", " author ", "Author", "aUthor", "auTHor", "x", "author "):
        password(client, name, "wrong")
    password(client, "authoR", "wrong")
    assert password(client, "author", "wrong").status_code == 429


def test_signing_in_forgets_the_slips_before_it(client):
    world.staff("author", password=world.PASSWORD)
    for _ in range(3):
        for _ in range(7):
            password(client, "author", "wrong")
        password(client, "author")
        assert inside(client)
        client.logout()


def test_many_names_from_one_network_are_too_many(client):
    here = {"REMOTE_ADDR": "9.9.9.9"}
    for number in range(100):
        client.post(LOGIN, {"username": f"staff{number}", "password": "x"}, **here)
    assert client.post(LOGIN, {"username": "new", "password": "x"}, **here).status_code == 429
    elsewhere = client.post(LOGIN, {"username": "new", "password": "x"}, REMOTE_ADDR="8.8.4.4")
    assert elsewhere.status_code == 200


def test_one_network_that_tries_does_not_keep_the_owner_out(client):
    world.staff("author", password=world.PASSWORD)
    for _ in range(10):
        client.post(LOGIN, {"username": "author", "password": "x"}, REMOTE_ADDR="9.9.9.9")
    answer = client.post(
        LOGIN, {"username": "author", "password": world.PASSWORD}, REMOTE_ADDR="8.8.4.4"
    )
    assert answer.status_code == 302


def test_the_second_step_is_throttled_too(client):
    user, device = signing_in.with_factor()
    password(client, user.username)
    for _ in range(8):
        client.post(SECOND, {"code": "000000"})
        TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert client.post(SECOND, {"code": code_of(device)}).status_code == 429
    assert not logged_in(client)


def test_wrong_codes_close_the_factor_for_a_moment_whatever_the_cache_says(client):
    user, device = signing_in.with_factor()
    password(client, user.username)
    wrong = f"{(int(code_of(device)) + 1) % 1_000_000:06d}"
    for _ in range(3):
        client.post(SECOND, {"code": wrong})
        cache.clear()
    assert client.post(SECOND, {"code": code_of(device)}).status_code == 422
    assert not logged_in(client)


def test_without_the_cache_each_process_counts_for_itself(client, monkeypatch):
    def gone(*args, **kwargs):
        raise redis.exceptions.ConnectionError

    for verb in ("add", "incr", "delete"):
        monkeypatch.setattr(throttle.cache, verb, gone)
    throttle._own.clear()
    world.staff("author", password=world.PASSWORD)
    password(client, "author")
    assert inside(client)
    client.logout()
    for _ in range(8):
        password(client, "author", "wrong")
    assert password(client, "author").status_code == 429
    throttle._own.clear()


def test_the_counters_name_nobody(client, valkey):
    password(client, "author", "wrong")
    kept = b" ".join(valkey.keys("*"))
    assert b"desk:tries" in kept
    assert b"author" not in kept


# --- Proving once more ------------------------------------------------------------------------


def test_signing_in_with_both_counts_as_proof_for_ten_minutes(client):
    user, device = signing_in.with_factor("admin")
    signing_in.sign_in(client, user, device)
    url = reverse("desk:invite")
    assert client.get(url).status_code == 200
    stale(client)
    assert unquote(client.get(url).url) == f"{prove_url()}?next={url}"


def test_proving_takes_the_password_and_a_new_code(client):
    user, device = signing_in.with_factor("admin")
    signing_in.sign_in(client, user, device)
    stale(client)
    used, fresh = code_of(device), code_of(device, ahead=1)
    data = {"password": world.PASSWORD, "code": used, "next": "/admin/users/"}
    assert client.post(prove_url(), data).status_code == 422, "a code works once"
    assert client.post(prove_url(), {**data, "code": ""}).status_code == 422
    assert client.post(prove_url(), {"password": world.PASSWORD}).status_code == 422
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    wrong = client.post(prove_url(), {**data, "code": fresh, "password": "wrong"})
    assert wrong.status_code == 422
    before = client.session.session_key
    assert client.post(prove_url(), {**data, "code": fresh}).url == "/admin/users/"
    assert client.session.session_key != before
    assert client.get(reverse("desk:invite")).status_code == 200


def test_a_wrong_password_does_not_use_up_a_recovery_code(client):
    user, device = signing_in.with_factor("admin")
    code, *_ = signing_in.codes(user)
    signing_in.sign_in(client, user, device)
    client.post(prove_url(), {"password": "wrong", "code": code})
    assert recovery.left(user) == 8


def test_proving_is_throttled(client):
    user = world.staff("admin", password=world.PASSWORD)
    client.force_login(user)
    for _ in range(8):
        client.post(prove_url(), {"password": "wrong"})
    assert client.post(prove_url(), {"password": world.PASSWORD}).status_code == 429
    assert "desk_proven_at" not in client.session


def test_proving_leads_to_this_site_only(client):
    user = world.staff("admin", password=world.PASSWORD)
    client.force_login(user)
    data = {"password": world.PASSWORD, "next": "//evil.example/"}
    assert client.post(prove_url(), data).url == "/admin/"


@pytest.mark.parametrize("name", ["wagtailadmin_account", "desk:invite", "wagtailusers_groups:add"])
def test_changing_accounts_asks_for_proof(client, name):
    client.force_login(world.staff("admin"))
    for answer in (client.get(reverse(name)), client.post(reverse(name), {"username": "x"})):
        assert answer.url.startswith(prove_url())
    assert User.objects.count() == 1


# --- One's own factor -------------------------------------------------------------------------


def test_moving_to_another_phone_ends_what_the_old_one_opened(client):
    user, device = signing_in.with_factor()
    elsewhere = signing_in.sign_in(Client(), user, device)
    signing_in.sign_in(client, user, device, ahead=1)
    secret = client.get(SET_UP).context["form"]["secret"].value()
    from newsletter.desk.security import factor

    new = factor.unconfirmed(user, secret)
    assert client.post(SET_UP, {"secret": secret, "code": code_of(new)}).status_code == 200
    assert Authenticator.objects.get().bin_key == new.bin_key
    assert inside(client)
    assert not inside(elsewhere)


def test_moving_to_another_phone_asks_for_proof(client):
    user, device = signing_in.with_factor()
    signing_in.sign_in(client, user, device)
    stale(client)
    assert client.get(SET_UP).url.startswith(prove_url())
    from newsletter.desk.security import factor

    secret = factor.new_secret(user)
    client.post(SET_UP, {"secret": secret, "code": code_of(factor.unconfirmed(user, secret))})
    assert TOTPDevice.objects.get() == device


def test_new_recovery_codes_end_the_old_ones(client):
    user, device = signing_in.with_factor()
    old, *_ = signing_in.codes(user)
    signing_in.sign_in(client, user, device)
    assert client.get(reverse("desk:new_codes")).status_code == 405
    assert client.post(reverse("desk:new_codes")).status_code == 200
    assert not recovery.use(user=user, code=old)
    assert recovery.left(user) == 8
    stale(client)
    assert client.post(reverse("desk:new_codes")).url.startswith(prove_url())


def test_a_factor_comes_off_only_where_it_is_optional(client, settings):
    user, device = signing_in.with_factor()
    signing_in.sign_in(client, user, device)
    settings.STAFF_SECOND_FACTOR = "required"
    client.post(reverse("desk:take_off_factor"))
    assert TOTPDevice.objects.exists()
    settings.STAFF_SECOND_FACTOR = "optional"
    client.post(reverse("desk:take_off_factor"))
    assert not TOTPDevice.objects.exists()
    assert inside(client)


# --- Somebody lost a phone --------------------------------------------------------------------


def test_an_administrator_takes_a_factor_off_with_a_reason_that_is_kept():
    admin = world.staff("admin")
    user, device = signing_in.with_factor()
    signing_in.codes(user)
    theirs = signing_in.sign_in(Client(), user, device)
    client = proven(admin)
    assert b"Lost phone" in client.get(reverse("desk:people")).content
    url = reverse("desk:reset_factor", args=(user.pk,))
    assert client.post(url, {"reason": ""}).status_code == 422
    assert TOTPDevice.objects.exists()

    client.post(url, {"reason": "Lost her phone, I called her back"})
    assert not TOTPDevice.objects.exists()
    assert not RecoveryCode.objects.exists()
    line = AccessEntry.objects.get()
    assert (line.action, line.actor_id, line.detail) == (
        "factor_reset",
        admin.pk,
        f"account {user.pk}",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.STAFF_SECOND_FACTOR", "required")
        assert not inside(theirs)


def test_nobody_takes_off_their_own_or_a_superusers():
    admin = world.staff("admin")
    root = world.staff("root", "Administrators", is_superuser=True)
    for user in (admin, root):
        signing_in.give_factor(user)
    client = proven(root)
    session = client.session
    session["otp_device_id"] = TOTPDevice.objects.get(user=root).persistent_id
    session.save()
    own = reverse("desk:reset_factor", args=(root.pk,))
    assert client.post(own, {"reason": "no reason"}, headers=SCRIPT).status_code == 403

    client = proven(admin)
    session = client.session
    session["otp_device_id"] = TOTPDevice.objects.get(user=admin).persistent_id
    session.save()
    assert client.post(own, {"reason": "no reason"}, headers=SCRIPT).status_code == 403
    assert TOTPDevice.objects.count() == 2
    assert not AccessEntry.objects.exists()


@pytest.mark.parametrize("role", ["author", "reviewer", "sender", "protection"])
def test_other_roles_neither_see_nor_touch_factors(role):
    client = proven(world.staff(role))
    user, _device = signing_in.with_factor("admin")
    for url in (reverse("desk:people"), reverse("desk:reset_factor", args=(user.pk,))):
        assert client.get(url, headers=SCRIPT).status_code == 403
    assert client.post(url, {"reason": "because"}, headers=SCRIPT).status_code == 403
    assert TOTPDevice.objects.exists()
    assert not AccessEntry.objects.exists()


def test_taking_a_factor_off_asks_for_proof(client):
    user, _device = signing_in.with_factor()
    client.force_login(world.staff("admin"))
    url = reverse("desk:reset_factor", args=(user.pk,))
    assert client.post(url, {"reason": "Lost phone"}).url.startswith(prove_url())
    assert TOTPDevice.objects.exists()


# --- Whatever is sent -------------------------------------------------------------------------


_TEXT = st.text(max_size=80) | st.sampled_from(["0" * 6, "٣٣٣٣٣٣", "1e5", "\x00", "a" * 5000])


@pytest.mark.once
@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    code=_TEXT,
    secret=_TEXT,
    phrase=_TEXT,
    name=_TEXT,
    onward=st.sampled_from(["/admin/", "https://evil.example", "//evil.example", "javascript:0"])
    | _TEXT,
)
def test_nothing_that_is_sent_breaks_the_way_in(db, code, secret, phrase, name, onward):
    cache.clear()
    User.objects.filter(username="author").delete()
    user, _device = signing_in.with_factor()
    half = Client()
    password(half, user.username)
    whole = Client()
    whole.force_login(User.objects.filter(username="sender").first() or world.staff("sender"))
    answers = [
        Client().post(LOGIN, {"username": name, "password": phrase, "next": onward}),
        half.post(SECOND, {"code": code}),
        half.post(SET_UP, {"code": code, "secret": secret}),
        whole.post(prove_url(), {"password": phrase, "code": code, "next": onward}),
        whole.get(prove_url(), {"next": onward}),
        whole.post(SET_UP, {"code": code, "secret": secret}),
    ]
    assert not [answer.status_code for answer in answers if answer.status_code >= 500]
    assert not logged_in(half)
    for answer in answers:
        assert "evil.example" not in answer.headers.get("Location", "").split("?")[0]
    assert TOTPDevice.objects.filter(user=user).count() == 1
    assert connection.is_usable()


def test_half_a_log_in_is_not_stretched_by_a_clock_that_jumps_back(client):
    user, device = signing_in.with_factor()
    password(client, user.username)
    session = client.session
    session["desk_half"] = {**session["desk_half"], "at": time.time() + 3600}
    session.save()
    assert client.post(SECOND, {"code": code_of(device)}).url == LOGIN
