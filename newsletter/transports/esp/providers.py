"""What each ESP takes in one call, and how its API wants it said.

Several letters go out in one call only where the API sends each to its own recipient alone, which
is what invariant 8 asks for; everywhere else it is one call a letter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

from newsletter.transports.errors import Misconfigured
from newsletter.transports.esp.letters import Letter
from newsletter.transports.esp.shared import shape

# Seconds to connect, and to wait for the answer. An answer that comes later is none: the letters
# are unknown then, so it is generous.
TIMEOUTS = (10.0, 60.0)
# Of ANYMAIL_SEND_DEFAULTS nothing else is taken over: a tag or metadata could tell what a reader
# follows (invariant 11), tracking would measure who did not consent (12).
_DEFAULTS_KEPT = ("esp_extra",)


@dataclass(frozen=True, slots=True)
class Provider:
    """`most` letters and `octets` of them are what one call holds, `connections` calls at a time.

    `backend` names the class that sends several letters at once, or sees to what anymail's own
    leaves out. `can_share` says of a letter that it may be in a call with others.
    """

    backend: str = ""
    most: int = 1
    octets: int = 20_000_000
    connections: int = 4
    can_share: Callable[[Letter], bool] = lambda letter: True
    likeness: Callable[[Letter], object] = lambda letter: letter.likeness
    # Measures by the settings of its account: no call can switch it off.
    always_measures: bool = False

    def make(self, esp: str) -> BaseEmailBackend:
        """Return a backend with a connection of its own. Raises Misconfigured."""
        path = self.backend or f"anymail.backends.{esp}.EmailBackend"
        try:
            kind: type[BaseEmailBackend] = import_string(path)
        except ImproperlyConfigured as error:  # a package that it needs is not installed
            raise Misconfigured(f"ESP={esp}: {error}") from error
        except ImportError as error:
            raise Misconfigured(f"ESP={esp} is no backend of django-anymail.") from error
        try:
            backend: Any = kind(fail_silently=False)
        except ImproperlyConfigured as error:
            raise Misconfigured(f"ESP={esp}: {error}") from error
        backend.timeout = TIMEOUTS
        defaults = backend.send_defaults
        backend.send_defaults = {key: defaults[key] for key in _DEFAULTS_KEPT if key in defaults}
        if hasattr(backend, "client_params"):
            _never_twice(backend)
        return backend  # type: ignore[no-any-return]

    def measures(self, backend: Any) -> bool:
        """True when only its account can say whether opens and clicks are measured."""
        return self.always_measures or bool(getattr(backend, "configuration_set_name", None))

    def group(self, letters: Sequence[Letter]) -> int:
        """Return how many of the first letters go out in the next call."""
        first = letters[0]
        if self.most == 1 or not self.can_share(first):
            return 1
        octets, addresses, likeness = 0, set[str](), self.likeness(first)
        for number, letter in enumerate(letters[: self.most]):
            octets += len(letter.content)
            # One address twice in a call: the API could tell them apart as little as we could.
            if number and (
                octets > self.octets
                or self.likeness(letter) != likeness
                or letter.address.lower() in addresses
                or not self.can_share(letter)
            ):
                return number
            addresses.add(letter.address.lower())
        return min(len(letters), self.most)


def _never_twice(backend: Any) -> None:
    """Take boto3's own retrying away: after a lost answer it would send the message again."""
    from botocore.client import Config  # type: ignore[import-untyped]

    connect, read = TIMEOUTS
    backend.client_params["config"] = backend.client_params["config"].merge(
        Config(connect_timeout=connect, read_timeout=read, retries={"total_max_attempts": 1})
    )


_HERE = "newsletter.transports.esp"
# A letter that holds an API's own marks goes alone, where nothing looks for them.
PROVIDERS = {
    # 500 messages and 50 MB a call; each message in it is whole (API reference, "batch emails").
    "postmark": Provider(f"{_HERE}.postmark.EmailBackend", most=500, octets=20_000_000),
    # 1,000 recipients a call, 25 MB a message (user manual, "batch sending"). Letters that have
    # little in common have most of themselves in their own values.
    "mailgun": Provider(
        f"{_HERE}.mailgun.EmailBackend",
        most=1000,
        octets=20_000_000,
        can_share=lambda letter: (
            "%recipient" not in "".join((letter.text, letter.html, letter.subject, letter.to))
        ),
        likeness=shape,
    ),
    # 1,000 versions a call, each with its own content (guide, "batch send").
    "brevo": Provider(
        f"{_HERE}.brevo.EmailBackend", most=1000, octets=10_000_000, always_measures=True
    ),
    "resend": Provider(f"{_HERE}.resend.EmailBackend", always_measures=True),
    "amazon_ses": Provider(f"{_HERE}.amazon_ses.EmailBackend", connections=8),
    "test": Provider(connections=1),
}


def provider_of(esp: str) -> Provider:
    return PROVIDERS.get(esp.lower(), Provider())
