"""Which language a page speaks: the address says so, else the browser does. No cookie remembers it.

`/es/sign-up/` is the page `/sign-up/` in Spanish. The prefix is taken off before the address is
looked up and stands in front of every address that the page then names, so one press on the
language switch holds for the whole visit, for a shared link and for a cache (docs/adr/0011).
"""

import re
from collections.abc import Callable
from urllib.parse import quote

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import get_script_prefix, set_script_prefix
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import (
    get_supported_language_variant,
    parse_accept_lang_header,
)

from signup import consent

_PREFIX = re.compile(r"/([a-z]{2,3}(?:-[a-z0-9]{2,8})?)(/.*|\Z)", re.DOTALL)
# Staff's pages, files and what machines ask for have one address and no language.
_NOT_PAGES = re.compile(
    r"/(admin|static|media|mailbox|webhooks|api|healthz|readyz|metrics|robots\.txt"
    r"|sitemap[\w-]*\.xml)(/|\Z)"
)


class LanguageMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _NOT_PAGES.match(request.path_info):
            with translation.override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        code, path = split(request.path_info)
        if not code:
            with translation.override(_wanted_by_browser(request)):
                response = self.get_response(request)
            patch_vary_headers(response, ["Accept-Language"])
            return response
        if path == "":
            return HttpResponseRedirect(f"{get_script_prefix()}{code}/")
        spoken = code in offered()
        if not spoken and request.method in ("GET", "HEAD"):
            # A language that is off again: its links in old mails still lead to the page.
            query = request.META.get("QUERY_STRING", "")
            away = quote(get_script_prefix() + path.lstrip("/"), safe="/:@")
            return HttpResponseRedirect(away + (f"?{query}" if query else ""))
        return self._under_prefix(request, code, path, code if spoken else settings.LANGUAGE_CODE)

    def _under_prefix(
        self, request: HttpRequest, code: str, path: str, language: str
    ) -> HttpResponse:
        outside = get_script_prefix()
        request.path_info = path
        set_script_prefix(f"{outside}{code}/")
        try:
            with translation.override(language):
                return self.get_response(request)
        finally:
            set_script_prefix(outside)


def split(path: str) -> tuple[str, str]:
    """Return (language, the rest) of a path below our root; ("", path) where it names none."""
    found = _PREFIX.fullmatch(path)
    if found is None or found[1] not in LANG_INFO or _NOT_PAGES.match(found[2]):
        return "", path
    return found[1], found[2]


def offered() -> list[str]:
    """Return the codes of the languages that a visitor may choose.

    Nobody consents in a language that is not the page's, so one whose wording data protection has
    not approved is not offered at all; ours is what everything falls back to. Without a database
    nobody can sign up in any language: then all of them may say that.
    """
    try:
        worded = consent.languages_offered()
    except DatabaseError:
        return [code for code, _name in settings.LANGUAGES]
    return worded if settings.LANGUAGE_CODE in worded else [settings.LANGUAGE_CODE, *worded]


def _wanted_by_browser(request: HttpRequest) -> str:
    """The first language of Accept-Language that we offer; ours when there is none."""
    choice: list[str] | None = None
    for code, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            language = get_supported_language_variant(code)
        except LookupError:
            continue
        if language == settings.LANGUAGE_CODE:
            break
        choice = offered() if choice is None else choice
        if language in choice:
            return language
    return str(settings.LANGUAGE_CODE)
