"""The second factor of one account: set up, checked, taken off.

A secret is kept only once its first code has come back. Until then it travels in the form that
shows it, signed for that account, so that looking at the page changes nothing (invariant 2).
"""

import secrets
from binascii import unhexlify
from datetime import timedelta

import segno
from django.core import signing
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter.desk import access_log
from newsletter.desk.models import AccessEntry, RecoveryCode, User
from newsletter.desk.security import recovery

SETUP_LASTS = timedelta(minutes=30)
_SALT = "desk.security.factor"
_KEY_BYTES = 20  # RFC 4226 section 4: 160 bits


class NotYours(ValueError):
    """The form's secret is damaged, older than half an hour, or was made for another account."""


def new_secret(user: User) -> str:
    """Return a fresh secret, signed for this account."""
    return signing.dumps({"for": user.pk, "key": secrets.token_hex(_KEY_BYTES)}, salt=_SALT)


def unconfirmed(user: User, signed: str) -> TOTPDevice:
    """Return the device of a signed secret, not saved. Raises NotYours."""
    try:
        found = signing.loads(signed, salt=_SALT, max_age=SETUP_LASTS)
    except signing.BadSignature as error:
        raise NotYours from error
    if found["for"] != user.pk:
        raise NotYours
    return TOTPDevice(user_id=user.pk, name="authenticator app", key=found["key"])


def address(device: TOTPDevice, user: User) -> str:
    """Return the otpauth address that the QR code holds."""
    device.user = user
    return str(device.config_url)


def picture(address: str) -> str:
    """Return the QR code as an SVG that stands in the page itself. Nobody else is asked for it."""
    code = segno.make(address, error="m")
    return str(code.svg_inline(scale=5, border=4, dark="#1F2A2E", light="#FFFFFF", omitsize=True))


def in_groups(device: TOTPDevice) -> str:
    """Return the secret as people type it: base32 in groups of four."""
    import base64

    plain = base64.b32encode(unhexlify(device.key)).decode().rstrip("=")
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def confirm(*, user: User, signed: str, code: str) -> tuple[TOTPDevice, list[str]] | None:
    """Keep the secret when `code` proves that the app has it; return it and the recovery codes.

    It takes the place of an earlier one, whose sessions then count as not verified. None when the
    code is wrong; then nothing has changed. Raises NotYours.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        device = unconfirmed(user, signed)
        if TOTPDevice.objects.filter(user_id=user.pk, key=device.key).exists():
            raise NotYours  # the form was sent twice
        device.confirmed = True
        TOTPDevice.objects.filter(user_id=user.pk).delete()
        device.save()
        if not device.verify_token(code):
            transaction.set_rollback(True)
            return None
        return device, recovery.renew(user)


def check(*, user: User, code: str) -> TOTPDevice | None:
    """Return the device when `code` is its present one and was never used before.

    The row is locked, so that two requests cannot use one code (RFC 6238 section 5.2).
    """
    with transaction.atomic():
        device: TOTPDevice | None = (
            TOTPDevice.objects.select_for_update()
            .filter(user_id=user.pk, confirmed=True)
            .order_by("pk")
            .first()
        )
        if device is None or not device.verify_token(code):
            return None
        return device


def waits(device: TOTPDevice) -> bool:
    """Whether wrong codes have closed it for a moment (1, 2, 4, … seconds)."""
    allowed, _why = device.verify_is_allowed()
    return not allowed


def remove(user: User) -> None:
    """Take it off, with its recovery codes. Sessions that it opened are no longer verified."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user_id=user.pk).delete()
        RecoveryCode.objects.filter(user=user).delete()


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
