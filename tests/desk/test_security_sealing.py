"""Secrets of second factors stand sealed in the database; keys change and nobody notices."""

from binascii import unhexlify
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from hypothesis import given
from hypothesis import strategies as st

from newsletter.desk import checks
from newsletter.desk.models import Authenticator, User
from newsletter.desk.security import sealing
from newsletter.desk.security.factor import new_secret, unconfirmed
from tests.desk.signing_in import SECOND, SET_UP, code_of, inside, password, sign_in, with_factor

pytestmark = pytest.mark.django_db

OLD, NEW = (1, bytes.fromhex("44" * 32)), (2, bytes.fromhex("55" * 32))


def in_the_column(user: User) -> str:
    return str(TOTPDevice.objects.values_list("key", flat=True).get(user=user))


@pytest.fixture
def sealed() -> tuple[User, Authenticator]:
    user, plain = with_factor()
    device = Authenticator.objects.get(pk=plain.pk)
    device.seal()
    device.save()
    return user, device


def test_what_is_set_up_is_kept_sealed_and_lets_its_owner_in(client: Client) -> None:
    from tests.desk import world

    user = world.staff("author", password=world.PASSWORD)
    password(client, "author")
    signed = new_secret(user)
    device = unconfirmed(user, signed)
    secret = device.bin_key
    client.post(SET_UP, {"secret": signed, "code": code_of(device)})
    kept = in_the_column(user)
    assert secret.hex() not in kept
    assert sealing.opened(kept, account=user.pk) == secret
    assert inside(client)


def test_a_code_opens_a_sealed_factor_and_a_wrong_one_does_not(
    client: Client, sealed: tuple[User, Authenticator]
) -> None:
    user, device = sealed
    password(client, user.username)
    wrong = f"{(int(code_of(device)) + 1) % 1_000_000:06d}"
    assert client.post(SECOND, {"code": wrong}).status_code == 422
    Authenticator.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    sign_in(Client(), user, device, ahead=0)


def test_a_seal_moved_to_another_account_opens_nothing(
    client: Client, sealed: tuple[User, Authenticator]
) -> None:
    """Whoever writes to the database cannot make their own app another account's."""
    _user, device = sealed
    other, others = with_factor("reviewer")
    Authenticator.objects.filter(pk=others.pk).update(key=device.key)
    password(client, other.username)
    assert client.post(SECOND, {"code": code_of(device)}).status_code == 422
    assert not inside(client)


@given(
    secret=st.binary(min_size=1, max_size=32),
    account=st.integers(1, 2**63 - 1),
    place=st.integers(0, 200),
    bit=st.integers(0, 7),
)
def test_a_seal_opens_as_it_was_and_never_after_a_bit_was_turned(
    secret: bytes, account: int, place: int, bit: int
) -> None:
    made = sealing.seal(secret, account=account)
    assert len(made) <= 96
    assert sealing.opened(made, account=account) == secret
    assert sealing.seal(secret, account=account) != made, "no nonce is used twice"
    turned = bytearray(made.encode())
    turned[place % len(turned)] ^= 1 << bit
    text = turned.decode("latin-1")
    try:
        # The last letter of base64 has bits that mean nothing; then it is the same seal.
        assert sealing.opened(text, account=account) == secret
        assert text[:-1] == made[:-1]
    except sealing.CannotOpen:
        pass


@pytest.mark.parametrize("damaged", ["1.", "1.AAAA", "1.é", "9.AAAA", "300.AAAA", ".AAAA", "1.=="])
def test_what_is_no_seal_of_ours_is_refused_in_words(damaged: str) -> None:
    with pytest.raises(sealing.CannotOpen):
        sealing.opened(damaged, account=1)


def test_a_seal_fits_into_its_column() -> None:
    room = TOTPDevice._meta.get_field("key").max_length
    assert len(sealing.seal(bytes(20), account=2**63 - 1)) + len("255.") - len("1.") <= room


def test_keys_are_changed_without_anybody_noticing(
    client: Client, sealed: tuple[User, Authenticator], settings: Any, capsys: Any
) -> None:
    user, _device = sealed
    settings.FACTOR_KEYS = (NEW, OLD)
    assert [found.id for found in _checked()] == ["desk.W002"]
    call_command("seal_factors")
    assert in_the_column(user).startswith("2.")
    settings.FACTOR_KEYS = (NEW,)
    assert _checked() == []
    sign_in(client, user, Authenticator.objects.get(user=user))
    call_command("seal_factors")
    assert capsys.readouterr().out.splitlines() == ["Sealed anew: 1.", "Sealed anew: 0."]


def test_a_key_that_is_gone_is_told_and_locks_out_without_an_error(
    client: Client, sealed: tuple[User, Authenticator], settings: Any
) -> None:
    user, device = sealed
    code = code_of(device)
    settings.FACTOR_KEYS = (NEW,)
    assert [found.id for found in _checked()] == ["desk.E002"]
    with pytest.raises(CommandError, match=f"accounts {user.pk}"):
        call_command("seal_factors")
    password(client, user.username)
    assert client.post(SECOND, {"code": code}).status_code == 422
    assert not inside(client)


def test_a_secret_that_an_earlier_version_left_plain_works_and_is_told(client: Client) -> None:
    user, device = with_factor()
    assert [found.id for found in _checked()] == ["desk.W002"]
    sign_in(client, user, device)


def test_the_migration_seals_what_stands_there_and_takes_it_back() -> None:
    user, device = with_factor()
    plain = device.key
    migration = import_module("newsletter.desk.migrations.0020_seal_second_factors")
    with _Editor() as editor:
        migration.seal(apps, editor)
        kept = in_the_column(user)
        assert kept != plain
        assert sealing.opened(kept, account=user.pk) == unhexlify(plain)
        migration.seal(apps, editor)
        assert in_the_column(user) == kept, "what is sealed is left alone"
        migration.unseal(apps, editor)
    assert in_the_column(user) == plain


class _Editor:
    connection = connection

    def __enter__(self) -> "_Editor":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _checked() -> list[Any]:
    return checks.second_factors_can_be_opened(databases=["default"])
