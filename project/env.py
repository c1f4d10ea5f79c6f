"""The environment's values, read strictly: what cannot be meant is refused in one plain line."""

import os
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
import idna
from django.core.exceptions import ImproperlyConfigured

_YES = {"true", "yes", "on", "1"}
_NO = {"false", "no", "off", "0"}
_DATABASES = {"sqlite", "postgres", "postgresql"}
_BROKERS = {"redis", "rediss", "unix", "redis+socket"}


class Env:
    """The process's environment. An empty value counts as not set, a wrong one is an error.

    Every method raises ImproperlyConfigured, naming the variable and what may stand there.
    """

    def text(self, var: str, *, default: str) -> str:
        return self._given(var) or default

    def words(self, var: str, *, default: list[str]) -> list[str]:
        """Separated by commas."""
        value = self._given(var)
        if value is None:
            return default
        return [part.strip() for part in value.split(",") if part.strip()]

    def flag(self, var: str, *, default: bool = False) -> bool:
        value = self._given(var)
        if value is None:
            return default
        if value.lower() in _YES:
            return True
        if value.lower() in _NO:
            return False
        raise ImproperlyConfigured(f"{var} must be true or false, not {value!r}.")

    def whole(self, var: str, *, default: int) -> int:
        return int(self._number(var, default, int, "a whole number"))

    def number(self, var: str, *, default: float) -> float:
        return float(self._number(var, default, float, "a number"))

    def given(self, var: str) -> bool:
        return self._given(var) is not None

    def starting_with(self, prefix: str) -> dict[str, str]:
        """Every variable that begins with `prefix`, without it."""
        found = {name: self._given(name) for name in os.environ if name.startswith(prefix)}
        return {name.removeprefix(prefix): value for name, value in found.items() if value}

    def word(self, var: str, *, default: str, choices: Sequence[str]) -> str:
        """One of a few words."""
        value = self._given(var) or default
        if value not in choices:
            raise ImproperlyConfigured(f"{var} must be one of {', '.join(choices)}, not {value!r}.")
        return value

    def secret(self, var: str) -> str:
        value = self._given(var)
        if value is None:
            raise ImproperlyConfigured(
                f"{var} is not set. `make run` makes one for you; in production see "
                "docs/settings.md for how to make one."
            )
        return value

    def zone(self, var: str, *, default: str) -> str:
        value = self._given(var) or default
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ImproperlyConfigured(
                f"{var} must be an IANA time zone such as Europe/Berlin, not {value!r}."
            ) from None
        return value

    def origin(self, var: str, *, default: str) -> str:
        """http(s)://host[:port], without a path: links are made by appending one.

        A host outside ASCII becomes A-labels, as browsers and the headers of mails write it.
        """
        value = (self._given(var) or default).rstrip("/")
        try:
            parts = urlsplit(value)
            fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            fine = False
        if not fine or value != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
            raise ImproperlyConfigured(
                f"{var} must look like https://news.example.org (no path, no user), not {value!r}."
            )
        if value.isascii():
            return value
        try:
            host = idna.encode(parts.hostname or "", uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ImproperlyConfigured(f"{var} names no host: {error}.") from error
        return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")

    def database(self, var: str, *, default: str) -> dict[str, Any]:
        value = self._given(var) or default
        if value.partition("://")[0] not in _DATABASES:
            raise ImproperlyConfigured(
                f"{var} must look like postgres://user:password@host:5432/name "
                "or sqlite:////folder/file.sqlite3."
            )
        try:
            found: dict[str, Any] = environ.Env.db_url_config(value)
        except (ValueError, KeyError) as error:
            raise ImproperlyConfigured(f"{var} cannot be read: {error}.") from None
        if found.get("NAME") in (None, "", ":memory:"):
            raise ImproperlyConfigured(f"{var} names no database after the last slash.")
        # A socket's folder stands in a URL as %2Frun%2Fpostgresql.
        found["HOST"] = unquote(found.get("HOST") or "")
        return found

    def broker(self, var: str, *, default: str) -> str:
        value = self._given(var) or default
        if value.partition("://")[0] not in _BROKERS or not value.partition("://")[2]:
            raise ImproperlyConfigured(
                f"{var} must look like redis://host:6379/0, rediss://… or unix:///path/to.sock."
            )
        return value

    def _given(self, var: str) -> str | None:
        return os.environ.get(var, "").strip() or None

    def _number(self, var: str, default: float, kind: Callable[[str], float], words: str) -> float:
        value = self._given(var)
        if value is None:
            return default
        try:
            number = kind(value)
        except ValueError:
            raise ImproperlyConfigured(f"{var} must be {words}, not {value!r}.") from None
        if not 0 <= number < 1e12:
            raise ImproperlyConfigured(f"{var} must be {words} of 0 or more, not {value!r}.")
        return number
