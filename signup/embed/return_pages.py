"""The pages of other web sites that a sign-up may lead back to: an exact list, no patterns."""

import re

MOST_PAGES = 20
LONGEST = 500
# Said back to the page, so that it can say what happens next. It is the same for everybody.
DONE = "wellread=check-inbox"

_HOST = (
    r"(?=.{1,253}(?:[:/?]|\Z))[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
)
_CHARACTERS = r"[A-Za-z0-9\-._~!$&'()*+,;=:@%/]"
# RFC 3986, less than it allows: no user, no fragment, no address in brackets, ASCII only. What
# two programs could read in two ways (a backslash, a blank) is not among the characters.
_PAGE = re.compile(
    rf"(?P<origin>https://(?P<host>{_HOST})(?::(?P<port>[1-9][0-9]{{0,4}}))?)"
    rf"(?P<path>/{_CHARACTERS}*)?(?:\?(?P<query>(?:{_CHARACTERS}|\?)*))?",
)


class BadPage(ValueError):
    """A line that is no exact https address. The message is for the member of staff."""


def parse(typed: str) -> list[str]:
    """Return the pages of a list, one a line, each once, as they are compared later.

    Raises BadPage.
    """
    lines = dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip())
    if len(lines) > MOST_PAGES:
        raise BadPage(f"At most {MOST_PAGES} pages can be listed.")
    return list(dict.fromkeys(_parsed(line) for line in lines))


def origin_of(page: str) -> str:
    """Return the origin as browsers write it (RFC 6454 section 6.2): no path, no usual port."""
    found = _PAGE.fullmatch(page)
    if found is None:
        raise BadPage(f"“{page[:80]}” is not an exact address.")
    return found["origin"].removesuffix(":443")


def answered(page: str) -> str:
    """Return the address of `page` with the word that the form was taken."""
    return f"{page}{'&' if '?' in page else '?'}{DONE}"


def _parsed(line: str) -> str:
    scheme, slashes, rest = line.partition("://")
    host, slash, path = rest.partition("/")
    page = f"{scheme.lower()}{slashes}{host.lower()}{slash}{path}"
    found = _PAGE.fullmatch(page) if len(page) <= LONGEST else None
    if found is None or int(found["port"] or 443) > 65_535:
        raise BadPage(
            f"“{line[:80]}” is not an exact address. Write one a line, like "
            "https://www.example.org/thank-you/, without blanks, user names or #."
        )
    return page if found["path"] else page.replace(found["origin"], found["origin"] + "/", 1)
