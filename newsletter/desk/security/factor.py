"""The second factor of one account: set up, checked, taken off.

A secret is kept only once its first code has come back. Until then it travels in the form that
shows it, signed for that account, so that looking at the page changes nothing (invariant 2). What
is kept is sealed (newsletter.desk.security.sealing).
"""

import base64
import logging
import secrets
from datetime import timedelta

import segno
from django.conf import settings
from django.core import signing
from django.db import transaction

from newsletter.desk import access_log
from newsletter.desk.models import AccessEntry, Authenticator, RecoveryCode, User
from newsletter.desk.security import recovery, sealing
from newsletter.desk.security.sealing import CannotOpen

log = logging.getLogger(__name__)

SETUP_LASTS = timedelta(minutes=30)
_SALT = "desk.security.factor"
_KEY_BYTES = 20  # RFC 4226 section 4: 160 bits


class NotYours(ValueError):
    """The form's secret is damaged, older than half an hour, or was made for another account."""


def new_secret(user: User) -> str:
    """Return a fresh secret, signed for this account."""
    return signing.dumps({"for": user.pk, "key": secrets.token_hex(_KEY_BYTES)}, salt=_SALT)


def unconfirmed(user: User, signed: str) -> Authenticator:
    """Return the device of a signed secret, not saved. Raises NotYours."""
    try:
        found = signing.loads(signed, salt=_SALT, max_age=SETUP_LASTS)
    except signing.BadSignature as error:
        raise NotYours from error
    if found["for"] != user.pk:
        raise NotYours
    return Authenticator(user_id=user.pk, name="authenticator app", key=found["key"])


def address(device: Authenticator, user: User) -> str:
    """Return the otpauth address that the QR code holds."""
    device.user = user
    return str(device.config_url)


def picture(address: str) -> str:
    """Return the QR code as an SVG that stands in the page itself. Nobody else is asked for it."""
    code = segno.make(address, error="m")
    return str(code.svg_inline(scale=5, border=4, dark="#1F2A2E", light="#FFFFFF", omitsize=True))


def in_groups(device: Authenticator) -> str:
    """Return the secret as people type it: base32 in groups of four."""
    plain = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def confirm(*, user: User, signed: str, code: str) -> tuple[Authenticator, list[str]] | None:
    """Keep the secret when `code` proves that the app has it; return it and the recovery codes.

    It takes the place of an earlier one, whose sessions then count as not verified. None when the
    code is wrong; then nothing has changed. Raises NotYours.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        device = unconfirmed(user, signed)
        if any(
            _holds(own, device.bin_key) for own in Authenticator.objects.filter(user_id=user.pk)
        ):
            raise NotYours  # the form was sent twice
        device.seal()
        device.confirmed = True
        Authenticator.objects.filter(user_id=user.pk).delete()
        device.save()
        if not device.verify_token(code):
            transaction.set_rollback(True)
            return None
        return device, recovery.renew(user)


def check(*, user: User, code: str) -> Authenticator | None:
    """Return the device when `code` is its present one and was never used before.

    The row is locked, so that two requests cannot use one code (RFC 6238 section 5.2).
    """
    with transaction.atomic():
        device: Authenticator | None = (
            Authenticator.objects.select_for_update()
            .filter(user_id=user.pk, confirmed=True)
            .order_by("pk")
            .first()
        )
        if device is None:
            return None
        try:
            return device if device.verify_token(code) else None
        except CannotOpen as error:
            # As a wrong code to whoever signs in; recovery codes still work.
            log.error("The second factor of account %d cannot be opened: %s", user.pk, error)
            return None


def _holds(device: Authenticator, secret: bytes) -> bool:
    """Whether it is this very secret. One that cannot be opened is being replaced: it is not."""
    try:
        return secrets.compare_digest(device.bin_key, secret)
    except CannotOpen:
        return False


def waits(device: Authenticator) -> bool:
    """Whether wrong codes have closed it for a moment (1, 2, 4, … seconds)."""
    allowed, _why = device.verify_is_allowed()
    return not allowed


def remove(user: User) -> None:
    """Take it off, with its recovery codes. Sessions that it opened are no longer verified."""
    with transaction.atomic():
        Authenticator.objects.filter(user_id=user.pk).delete()
        RecoveryCode.objects.filter(user=user).delete()


def seal_all() -> tuple[int, list[int]]:
    """Seal every secret under the newest key; return how many, and the accounts that it failed for.

    A row that changes meanwhile is its owner's own doing and is left as it is then.
    """
    sealed, lost = 0, []
    for device in Authenticator.objects.order_by("pk").iterator():
        if sealing.version_of(device.key) == settings.FACTOR_KEYS[0][0]:
            continue
        before = device.key
        try:
            device.seal()
        except CannotOpen:
            lost.append(device.user_id)
            continue
        sealed += Authenticator.objects.filter(pk=device.pk, key=before).update(key=device.key)
    return sealed, lost


def reset(*, user: User, by: User, reason: str) -> None:
    """Take it off somebody else's account, who has lost phone and codes. Written down."""
    with transaction.atomic():
        access_log.write(
            by=by,
            action=AccessEntry.Action.FACTOR_RESET,
            reason=reason,
            detail=f"account {user.pk}",
        )
        remove(user)
