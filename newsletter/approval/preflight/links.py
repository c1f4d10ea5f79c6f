"""Links: what they say, where they lead, and what they would tell about the reader."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.db.models import Model
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from newsletter.approval.links import looking
from newsletter.approval.models import LinkCheck
from newsletter.approval.preflight.findings import Finding, error, warning
from newsletter.approval.preflight.outline import Link, Part
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.editions.models import Article, Issue
from newsletter.wire.slots import MARK

# Heard alone, in a list of links, these say nothing (WCAG 2.2, 2.4.4). English and Spanish.
_WRITTEN = (
    "click|click here|click this|here|this|this link|this page|link|more|read more|read on|"
    "learn more|more info|more information|info|details|see more|continue|go|website|web site|"
    "aquí|aqui|haz clic|haga clic|haz clic aquí|haga clic aquí|pulse aquí|pincha aquí|"
    "clic aquí|más|leer más|lee más|ver más|más información|saber más|enlace|este enlace|"
    "esta página|continuar"
)
_EMPTY_WORDS = frozenset(_WRITTEN.split("|"))
_BARE = re.compile(r"^(?:https?://|www\.)\S+$", re.IGNORECASE)

# Parameters by which other systems follow a click or a person.
_TRACKING = re.compile(
    r"^(?:utm_\w+|mtm_\w+|pk_\w+|hsa_\w+|_hs\w+|gclid|gbraid|wbraid|dclid|fbclid|msclkid|yclid"
    r"|ttclid|twclid|li_fat_id|igshid|mc_cid|mc_eid|mkt_tok|ml_subscriber|vero_id|oly_\w+_id"
    r"|_openstat|wickedid|rb_clickid|s_cid|elqtrack\w*|ck_subscriber_id|_ke|trk_\w+)$",
    re.IGNORECASE,
)
# The same by name, for links whose reader is named in them.
_PERSONAL = re.compile(r"[\w.+-]+(?:@|%40)[\w-]+\.\w+")


# The pages that stand for a row, by its slug.
_ROWS: dict[str, type[Model]] = {
    "archive:article": Article,
    "archive:issue": Issue,
    "archive:condition": Condition,
    "archive:condition_feed": Condition,
    "archive:sample_mail": Newsletter,
    "archive:newsletter_feed": Newsletter,
    "signup:condition_sign_up": Condition,
}


def findings(parts: Sequence[Part]) -> Iterator[Finding]:
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for part in parts:
        for link in part.outline.links:
            yield from _words(link, part)
            yield from _following(link, part)
            if link.text:
                seen[link.text.casefold()].add(link.address.rstrip("/"))
    for text, addresses in seen.items():
        if len(addresses) > 1 and text not in _EMPTY_WORDS:
            block = next(
                part.block
                for part in reversed(parts)
                if any(link.text.casefold() == text for link in part.outline.links)
            )
            yield warning(
                "link_ambiguous",
                _("“%(text)s” leads to different pages. Say in each link where it leads.")
                % {"text": text},
                "body",
                block=block,
            )
    yield from _reachable(parts)


def addresses(parts: Sequence[Part]) -> list[str]:
    """The addresses on other sites, each once, in their order."""
    found = (link.address for part in parts for link in part.outline.links)
    return list(dict.fromkeys(one for one in found if _is_web(one) and not _is_ours(one)))


def tracking_parameters(address: str) -> list[str]:
    """Return the names of the parameters by which a click or a person is followed."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return []
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *parse_qsl(parts.fragment)]
    return [
        name for name, value in pairs if _TRACKING.match(name) or _PERSONAL.fullmatch(value.strip())
    ]


def _words(link: Link, part: Part) -> Iterator[Finding]:
    text = link.text.strip(" .:…›»→").casefold()
    if not text:
        yield error(
            "link_empty",
            _("A link to %(address)s has no words. A screen reader has nothing to say for it.")
            % {"address": link.address},
            "body",
            block=part.block,
        )
    elif text in _EMPTY_WORDS or _BARE.match(text):
        yield error(
            "link_text",
            _("The link “%(text)s” does not say where it leads. Name what the reader finds there.")
            % {"text": link.text},
            "body",
            block=part.block,
        )


def _following(link: Link, part: Part) -> Iterator[Finding]:
    names = tracking_parameters(link.address) if _is_web(link.address) else []
    if names:
        yield error(
            "tracking_parameter",
            _("The link “%(text)s” follows its reader by “%(name)s”. Take that out of the address.")
            % {"text": link.text or link.address, "name": ", ".join(dict.fromkeys(names))},
            "body",
            block=part.block,
        )


def _reachable(parts: Sequence[Part]) -> Iterator[Finding]:
    known = looking.known(addresses(parts))
    said: set[str] = set()
    for part in parts:
        for link in part.outline.links:
            if link.address in said:
                continue
            said.add(link.address)
            if _is_ours(link.address):
                if not _exists(link.address):
                    yield _gone(link, part)
            elif (row := known.get(link.address)) is not None:
                yield from _answered(link, part, row)


def _answered(link: Link, part: Part, row: LinkCheck) -> Iterator[Finding]:
    what = {"address": link.address, "status": row.status, "detail": row.detail}
    if row.verdict == LinkCheck.Verdict.GONE:
        yield _gone(link, part)
    elif row.verdict == LinkCheck.Verdict.FORBIDDEN:
        yield error(
            "link_forbidden",
            _("Readers cannot open %(address)s. %(detail)s") % what,
            "body",
            block=part.block,
        )
    elif row.verdict == LinkCheck.Verdict.SILENT:
        yield warning(
            "link_silent",
            (
                _("%(address)s answered with error %(status)s. Open it yourself.")
                if row.status
                else _("%(address)s did not answer. %(detail)s Open it yourself.")
            )
            % what,
            "body",
            block=part.block,
        )


def _gone(link: Link, part: Part) -> Finding:
    return error(
        "link_gone",
        _("There is no page at %(address)s. Correct the link, or take it out.")
        % {"address": link.address},
        "body",
        block=part.block,
    )


def _is_web(address: str) -> bool:
    return address.lower().startswith(("http://", "https://")) and not MARK.search(address)


def _is_ours(address: str) -> bool:
    return address == settings.BASE_URL or address.startswith(f"{settings.BASE_URL}/")


def _exists(address: str) -> bool:
    """Ask our own addresses without going over the network: is there a page, and a row for it?"""
    path = urlsplit(address).path or "/"
    if MARK.search(address) or path.startswith((settings.STATIC_URL, settings.MEDIA_URL)):
        return True
    try:
        found = resolve(path)
    except Resolver404:
        return False
    slug = found.kwargs.get("slug")
    if (model := _ROWS.get(found.view_name)) is None:
        return True
    rows = model._default_manager.filter(slug=slug)
    # What is still a draft would be a page that is not there.
    return (rows.filter(live=True) if model in (Article, Issue) else rows).exists()
