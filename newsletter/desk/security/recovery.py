"""Recovery codes: eight ways in without the phone, each for once, kept as hashes."""

import secrets
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from newsletter.desk.models import RecoveryCode, User

COUNT = 8
# No vowels and nothing that is mistaken for something else: 25 letters of 28 hold 120 bits, so
# a plain hash is enough (nobody can try them out).
_LETTERS = "23456789bcdfghjkmnpqrstvwxyz"
_GROUPS, _GROUP = 5, 5


def renew(user: User) -> list[str]:
    """Make a new set, drop the old one, and return the codes: the only time they can be seen."""
    codes = [_one() for _ in range(COUNT)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            [RecoveryCode(user=user, code_hash=_hash(user, code)) for code in codes]
        )
    return codes


def use(*, user: User, code: str) -> bool:
    """Use up `code`; False when it is none of this account's, or was used before."""
    rows = RecoveryCode.objects.filter(user=user, code_hash=_hash(user, code), used_at__isnull=True)
    # One statement: of two at the same moment only one finds it unused.
    return rows.update(used_at=timezone.now()) == 1


def left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()


def looks_like_one(typed: str) -> bool:
    return len(_plain(typed)) == _GROUPS * _GROUP


def _one() -> str:
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)
    )


def _plain(typed: str) -> str:
    return "".join(letter for letter in typed.lower() if letter.isalnum())


def _hash(user: User, code: str) -> bytes:
    return sha256(f"recovery:{user.pk}:{_plain(code)}".encode()).digest()
