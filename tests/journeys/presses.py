"""Pages that only a press of a button leads to: refused, slowed down, failed, done.

Each stands behind an address of its own (`/pressed/<name>/`), which sends the real form to the
real page and shows the answer, so that one loop can walk all of them like any other page.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.utils import timezone
from django.utils.translation import get_language

from signup import guard
from signup.consent import current_texts

# Another network than 127.0.0.1, which the guard does not count.
FROM = "8.8.8.8"
REFUSED, SLOWED, FAILED, TAKEN, GONE = 422, 429, 503, 409, 410


@dataclass(frozen=True, slots=True)
class Press:
    """One form as it is sent; `while_` holds while it is answered."""

    path: str
    data: dict[str, Any] = field(default_factory=dict)
    status: int = REFUSED
    while_: Callable[[], Any] | None = None


_doors: dict[str, Press] = {}


def hang(doors: dict[str, Press]) -> dict[str, str]:
    """Remember these presses for `pressed`; return name → address."""
    _doors.clear()
    _doors.update(doors)
    return {name: f"/pressed/{name}/" for name in doors}


def statuses() -> dict[str, int]:
    return {name: press.status for name, press in _doors.items()}


def pressed(_request: HttpRequest, name: str) -> HttpResponse:
    press = _doors[name]
    data = dict(press.data)
    if data.pop("with_token", False):
        # A form on another site speaks its own language, whoever looks at it.
        embedded = "/embed/" in press.path
        place = guard.Place.EMBEDDED if embedded else guard.Place.SIGN_UP_PAGE
        language = "en" if embedded else get_language() or "en"
        data["form_token"] = guard.form_token(place, current_texts(language))
    with ExitStack() as stack:
        if press.while_ is not None:
            stack.enter_context(press.while_())
        path = f"/{get_language()}{press.path}"
        answer = Client(REMOTE_ADDR=FROM).post(path, data, follow=press.status == 200)
    shown = HttpResponse(answer.content, status=answer.status_code)
    if "Content-Security-Policy" in answer:
        shown["Content-Security-Policy"] = answer["Content-Security-Policy"]
    return shown


# --- What is sent -------------------------------------------------------------------------------


def whole(newsletter: str, **changes: Any) -> dict[str, Any]:
    """The sign-up page, filled in well."""
    values = {
        "with_token": True,
        "email": "ada@rooms.example.org",
        "newsletters": [newsletter],
        "conditions": ["herniated-disk"],
        "consent_mail": "on",
        "consent_health": "on",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


@contextmanager
def _without_a_database() -> Iterator[None]:
    def gone(*_args: Any) -> Any:
        raise OperationalError("the server closed the connection")

    with connection.execute_wrapper(gone):
        yield


def _no_room() -> Any:
    return override_settings(SIGN_UPS_PER_NETWORK=0)


def _proof_wanted() -> Any:
    return override_settings(SIGN_UPS_UNPROVED_PER_HOUR=0)


def of_the_forms(embed: str, newsletter: str) -> dict[str, Press]:
    """Everything that can be wrong with a sign-up, on the page, the short form and an embed."""
    sent = partial(whole, newsletter)
    page, short = "/sign-up/", "/sign-up/for/herniated-disk/"
    found = {
        "refused-empty": Press(page, {"with_token": True}),
        "refused-address": Press(page, sent(email="ada at example")),
        "refused-nothing-chosen": Press(page, sent(newsletters=None, conditions=None)),
        "refused-no-longer-offered": Press(page, sent(conditions=["retired"])),
        "refused-mail-consent": Press(page, sent(consent_mail=None)),
        "refused-health-consent": Press(page, sent(consent_health=None)),
        "refused-name": Press(page, sent(first_name="www.spam.example")),
        "refused-trap": Press(page, sent(nickname_2="a machine")),
        "refused-too-old": Press(page, sent(with_token=None, form_token="")),
    }
    for name, path in (("page", page), ("short", short), ("embed", embed)):
        found |= {
            f"slowed-{name}": Press(path, sent(), SLOWED, _no_room),
            f"proof-wanted-{name}": Press(path, sent(), SLOWED, _proof_wanted),
            f"failed-{name}": Press(path, sent(), FAILED, _without_a_database),
            f"refused-{name}": Press(path, {"with_token": True, "email": "ada@gmial.com"}),
        }
    return found


def of_a_reader(fresh: str, tokens: dict[str, str]) -> dict[str, Press]:
    """Behind a link: what was refused there, and what was done. Each can be pressed again."""
    tomorrow = f"{timezone.now() + timedelta(days=900):%Y-%m-%d}"
    return {
        "preferences-refused": Press(
            fresh, {"action": "save", "first_name": "www.spam.example", "pause_until": tomorrow}
        ),
        "preferences-searched": Press(fresh, {"action": "save", "q": "knee", "find": "1"}, 200),
        "preferences-nothing-found": Press(fresh, {"q": "zzzz", "find": "1"}, 200),
        "preferences-request-refused": Press("/preferences/", {"email": "ada at example"}),
        "change-address-refused": Press(f"{fresh}address/", {"email": "ada at example"}),
        "erase-refused": Press(f"{fresh}erase/", {}, 200),
        "address-taken": Press(tokens["taken"], {}, TAKEN),
        # After "address-taken": only the newest change that was asked for can be confirmed.
        "change-address-asked": Press(
            f"{fresh}address/",
            {"with_token": True, "email": "ada@rooms-elsewhere.example.org"},
            200,
        ),
        "new-address-done": Press(tokens["moving"], {}, 200),
        "added": Press(tokens["adding"], {}, 200),
        "undone": Press(tokens["undo"], {}, 200),
        "undo-refused": Press(tokens["undo"], {}, GONE),
    }
