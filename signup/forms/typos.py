"""“Did you mean gmail.com?” A hint about the part after the @; nothing is ever refused for it.

static/js/sign-up.js says the same while one types; it reads DOMAINS from the field.
"""

# Where most readers have their mailbox. A domain that stands here is never doubted.
DOMAINS = (
    "aol.com",
    "comcast.net",
    "gmail.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.es",
    "hotmail.fr",
    "icloud.com",
    "live.com",
    "mail.com",
    "me.com",
    "msn.com",
    "outlook.com",
    "outlook.es",
    "proton.me",
    "protonmail.com",
    "t-online.de",
    "telefonica.net",
    "web.de",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.com.mx",
    "yahoo.es",
    "ymail.com",
)
_LONGEST = 254


def suggestion(typed: str) -> str | None:
    """Return the address that was probably meant, or None when there is nothing to doubt.

    One slip of the finger is assumed: a letter too much, missing, wrong, or two in each other's
    place. Short names stay as they are, since they are one slip away from too many others.
    """
    local, at, domain = typed.strip().rpartition("@")
    domain = domain.lower().rstrip(".")
    if not at or not local or len(typed) > _LONGEST or domain in DOMAINS:
        return None
    meant = [known for known in DOMAINS if len(known) > 6 and _one_slip(domain, known)]
    return f"{local}@{meant[0]}" if len(meant) == 1 else None


def _one_slip(typed: str, known: str) -> bool:
    """True when one insertion, deletion, replacement or swap of neighbours turns one into other."""
    if abs(len(typed) - len(known)) > 1 or typed == known:
        return False
    same = 0
    while same < min(len(typed), len(known)) and typed[same] == known[same]:
        same += 1
    rest, wanted = typed[same:], known[same:]
    if rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]:
        return True
    return rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
