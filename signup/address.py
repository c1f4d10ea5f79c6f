"""E-mail addresses: what mail is sent to, what two spellings share, and keyed hashes of that."""

import hmac
import re
import unicodedata
from dataclasses import dataclass
from hashlib import sha256

from django.conf import settings
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

MAX_LENGTH = 254  # RFC 5321 section 4.5.3.1, as an address stands between < and >

# What people bring along when they paste an address out of a mail program.
_WRAPPED = re.compile(r"[^<>]*<\s*([^<>\s]+)\s*>")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), None)


class BadAddress(ValueError):
    """Not an address we can mail. The message is for the person who typed it."""


@dataclass(frozen=True, slots=True)
class Address:
    """`email` as mail is sent to it; `key` is the same for every spelling of one mailbox."""

    email: str
    key: str


def normalise(raw: str) -> Address:
    """Return the address in `raw`, its domain in ASCII (A-labels). Asks no name server.

    The part before the @ keeps its spelling in `email`, since its owner alone knows what it
    means (RFC 5321 section 2.4); `key` is in lower case, because no mailbox that we know of
    tells `Ada` from `ada`, and two rows for one reader would mean two mails.

    Raises BadAddress with a sentence that says what to do.
    """
    typed = unicodedata.normalize("NFC", raw).translate(_INVISIBLE).strip()
    wrapped = _WRAPPED.fullmatch(typed)
    if wrapped:
        typed = wrapped[1]
    typed = typed.removeprefix("mailto:")
    _refuse_the_obvious(typed)
    try:
        checked = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except (EmailNotValidError, UnicodeError) as error:
        raise BadAddress(_explain(typed)) from error
    if "=?" in checked.local_part:
        # An encoded word (RFC 2047): some mail programs decode it to somebody else's address.
        raise BadAddress(_explain(typed))
    email = checked.ascii_email
    if email is None or len(email) > MAX_LENGTH:
        raise BadAddress(_("Enter a shorter e-mail address. This one is too long to be mailed."))
    local, _at, domain = email.rpartition("@")
    return Address(email=f"{local}@{domain.lower()}", key=email.lower())


def hash_address(key: str) -> bytes:
    """Return the keyed hash of `key` under the newest key: its version, then HMAC-SHA-256."""
    return _hash(settings.SUPPRESSION_KEYS[0], key)


def hashes_of(key: str) -> list[bytes]:
    """Return the hash under every listed key, newest first: old suppressions still count."""
    return [_hash(versioned, key) for versioned in settings.SUPPRESSION_KEYS]


def _hash(versioned: tuple[int, bytes], key: str) -> bytes:
    version, secret = versioned
    return bytes([version]) + hmac.digest(secret, b"address\0" + key.encode(), sha256)


def _refuse_the_obvious(typed: str) -> None:
    if not typed:
        raise BadAddress(_("Enter your e-mail address."))
    if len(typed) > 2 * MAX_LENGTH:
        raise BadAddress(_("Enter a shorter e-mail address. This one is too long to be mailed."))
    if re.search(r"[,;]", typed) and typed.count("@") > 1:
        raise BadAddress(_("Enter one e-mail address only."))


def _explain(typed: str) -> str:
    """Say what is wrong in the order in which people get it wrong."""
    local, at, domain = typed.rpartition("@")
    if any(unicodedata.category(character).startswith("C") for character in typed):
        return _("Enter your e-mail address again. It holds a character that cannot be seen.")
    if not at:
        return _("Enter an e-mail address with an @, like name@example.org.")
    if re.search(r"\s", typed):
        return _("Enter your e-mail address without spaces.")
    if not local:
        return _("Enter the part before the @ too, like name@example.org.")
    if not domain:
        return _("Enter the part after the @ too, like name@example.org.")
    if "@" in local:
        return _("Enter an e-mail address with one @ only, like name@example.org.")
    if not local.isascii():
        return _(
            "We cannot mail addresses with special letters before the @ yet. "
            "Enter another address if you have one."
        )
    if domain.startswith("["):
        return _("Enter an address with a name after the @, like name@example.org.")
    if "." not in domain:
        return _("Enter the whole part after the @, with its ending, like name@example.org.")
    if ".." in typed:
        return _("Enter your e-mail address again. It has two dots in a row.")
    return _("Enter an e-mail address like name@example.org. This one does not look complete.")
