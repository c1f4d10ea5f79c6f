"""Sign-ups a second: real POSTs to gunicorn, with signed tokens and solved challenges.

    python -m benchmarks.signup [--seconds 10] [--clients 12] [--runs 3] [--compare 100]

PostgreSQL, two gunicorn workers as in production, clients in processes of their own over
connections that stay open. Every request is another reader, address and network, and chooses a
newsletter and two conditions. Also compares the answer's time for known and unknown addresses.
"""

import argparse
import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import cpu
from benchmarks.posting import JSON, medians, post_all, request
from benchmarks.stage import ROOT, stage, table, write
from tests.running import processes
from tests.running.stack import free_port

# The benchmark is a flood, so the limits that floods meet stand out of its way. They are counted
# all the same.
ROOM = {
    "SIGN_UPS_PER_DOMAIN": "100000000",
    "SIGN_UPS_PER_HOUR": "100000000",
    "SIGN_UP_ALARM_PER_MINUTE": "100000000",
    "TRUSTED_PROXIES": "1",
    # As production: no pages of a local mailbox, static files collected.
    "EMBEDDED": "false",
    # No network but this machine's.
    "SIGN_UP_LOOKS_UP_DOMAINS": "false",
    "WEB_WORKERS": "2",
    "LOG_LEVEL": "WARNING",
}
AT_MOST = 500  # requests made ready for each second; when they are used up, the run ends
COMPARED_FOR = 15  # seconds at most for each way in
EACH = 100  # addresses of each kind, for each way in, whose answers are compared
SIGN_UP = "/sign-up/"


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.signup")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=12, help="connections, in two processes")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--compare", type=int, default=EACH, metavar="N",
        help="addresses of each kind whose answers are compared; 0: leave that out",
    )  # fmt: skip
    chosen = parser.parse_args()
    if not 0 <= chosen.compare <= 1000:
        parser.error("--compare is 0 to 1000")
    if not (1 <= chosen.seconds <= 600 and 1 <= chosen.clients <= 200 and 1 <= chosen.runs <= 9):
        parser.error("--seconds is 1 to 600, --clients 1 to 200, --runs 1 to 9")
    os.environ.update(ROOM)
    with stage("postgres"):
        make_catalogue()
        with web() as port:
            load(port, clients=4, seconds=2)  # warm
            runs = [load(port, chosen.clients, chosen.seconds) for _ in range(chosen.runs)]
            compared = compare(port, chosen.compare) if chosen.compare else None
    runs.sort(key=lambda run: float(run["requests_per_second"]))
    result = {
        "database": "postgres",
        "web_workers": 2,
        "clients": chosen.clients,
        **runs[len(runs) // 2],
        "every_run": runs,
        **({"answer_ms": compared} if compared is not None else {}),
    }
    print(table([(name.replace("_", " "), str(value)) for name, value in result.items()]))
    print(f"\nWritten to {write('signup', result).relative_to(ROOT)}")
    return 0


@contextmanager
def web(**environment: str) -> Iterator[int]:
    """gunicorn as production starts it; yields its port."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
    port = free_port()
    log = Path(os.environ["VAR_DIR"]) / "web.log"
    server = processes.start(
        "web",
        [sys.executable, "-m", "gunicorn", "-c", "python:project.web"],
        log=log,
        env={**os.environ, "PORT": str(port), **environment},
    )
    try:
        processes.wait_until(lambda: _answers(port), seconds=60, about="gunicorn")
        yield port
    finally:
        server.stop()
        if said := server.output.strip():
            print(f"gunicorn said:\n{said[-2000:]}", file=sys.stderr)


def _answers(port: int) -> bool:
    from urllib.request import urlopen

    try:
        with urlopen(f"http://127.0.0.1:{port}/sign-up/challenge/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def make_catalogue() -> None:
    """A newsletter, a digest and forty conditions."""
    from newsletter.catalogue.models import Condition, Newsletter

    for slug, kind in (("living-well", "editorial"), ("my-conditions", "digest")):
        Newsletter.objects.create(
            name=slug, slug=slug, kind=kind, promise="One mail a week.", from_name="Wellread",
            from_email="news@wellread.example", list_id_label=slug,
        )  # fmt: skip
    prose = dict.fromkeys(
        ("overview", "symptoms", "causes", "risk_factors", "prevention", "when_to_see_a_doctor"),
        "<p>Words.</p>",
    )
    for number in range(40):
        Condition.objects.create(
            name=f"Condition {number}", slug=f"condition-{number}", group=f"Group {number // 8}",
            summary="What it is.", emergency_signs="Numbness", **prose,
        )  # fmt: skip


def load(port: int, clients: int, seconds: float) -> dict[str, Any]:
    """Post for `seconds`, every time for another reader; stop when an answer is not as it ought."""
    ready = [
        filled_in(f"r{os.urandom(8).hex()}@readers{number % 50}.example")
        for number in range(int(seconds * AT_MOST))
    ]
    before = cpu.seconds_by_kind()
    answers = post_all(port, ready, clients=clients, seconds=seconds)
    used = {kind: s - before.get(kind, 0.0) for kind, s in cpu.seconds_by_kind().items()}
    figures = answers.figures()
    if set(figures["statuses"]) != {"302"}:
        sys.exit(f"Not every sign-up was taken: {figures['statuses']}")
    used["clients"] = answers.cpu
    each = {kind: round(s * 1000 / figures["requests"], 2) for kind, s in sorted(used.items())}
    return {**figures, "cpu_ms_each": each, "load_before": round(os.getloadavg()[0], 1)}


def compare(port: int, each: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return what `medians` says of each way in, for up to `each` addresses of every kind."""
    return {
        way: medians(port, kinds, seconds=COMPARED_FOR)
        for way, kinds in known_and_unknown(each).items()
    }


def filled_in(email: str, *, proved: bool = True, network: str | None = None) -> bytes:
    """Return the octets of one sign-up as a browser sends it, proof of work included."""
    return request(
        SIGN_UP, urlencode(_fields(email, proved=proved)).encode(), _from(email, network)
    )


def embedded(email: str, form_id: str) -> bytes:
    """Return the octets of one sign-up from a form on another web site."""
    fields = _fields(email, place="EMBEDDED")
    return request(f"/en/sign-up/embed/{form_id}/", urlencode(fields).encode(), _from(email))


def through_the_api(email: str, form_id: str) -> bytes:
    """Return the octets of one sign-up as JSON."""
    fields = _fields(email, place="EMBEDDED")
    several = ("newsletters", "conditions")
    said: dict[str, Any] = {
        name: value == "on" if name.startswith("consent") else value
        for name, value in fields
        if name not in several
    }
    for box in several:
        said[box] = [value for name, value in fields if name == box]
    body = json.dumps({**said, "form": form_id}).encode()
    return request("/api/v1/sign-ups", body, _from(email), content_type=JSON)


def _fields(
    email: str, *, proved: bool = True, place: str = "SIGN_UP_PAGE"
) -> list[tuple[str, str]]:
    from signup import guard
    from signup.consent import current_texts

    dice = random.Random(email)
    return [
        ("form_token", guard.form_token(guard.Place[place], _texts(current_texts))),
        ("proof_of_work", _proof() if proved else ""),
        ("nickname_2", ""),
        ("newsletters", "living-well"),
        *(("conditions", f"condition-{number}") for number in dice.sample(range(40), 2)),
        ("cadence", "weekly"),
        ("email", email),
        ("consent_mail", "on"),
        ("consent_health", "on"),
    ]


def _from(email: str, network: str | None = None) -> dict[str, str]:
    """A network for each address, behind the one proxy that is trusted."""
    dice = random.Random(f"network of {email}")
    parts = (dice.choice((23, 45, 89, 151)), *(dice.randrange(256) for _ in range(3)))
    return {"X-Forwarded-For": network or ".".join(map(str, parts))}


def _texts(current_texts: Any, _found: dict[str, Any] = {}) -> Any:  # noqa: B006 - remembers
    if not _found:
        _found["en"] = current_texts("en")
    return _found["en"]


def _proof() -> str:
    """A solved challenge. An easy one: the server's work to check it is the same."""
    import altcha

    from signup.guard import proof_of_work

    proof_of_work.TRIES = range(1, 2)
    asked = altcha.Challenge.from_dict(proof_of_work.challenge())
    solution = altcha.solve_challenge(asked)
    assert solution is not None
    return str(altcha.Payload(asked, solution).to_base64())


def known_and_unknown(each: int) -> dict[str, dict[str, list[bytes]]]:
    """Return, for each way in, sign-ups for addresses in every state a reader can be in.

    Invariant 13: how long the answer takes must not tell them apart.
    """
    from newsletter.catalogue.models import Condition, Newsletter
    from signup.models import EmbedForm

    form = EmbedForm.objects.create(name="Elsewhere")
    form.newsletters.set(Newsletter.objects.all())
    form.conditions.set(Condition.objects.all())
    ways: dict[str, Callable[[str], bytes]] = {
        "form": filled_in,
        "embed": lambda email: embedded(email, form.public_id),
        "api": lambda email: through_the_api(email, form.public_id),
    }
    kinds = ("new", "pending", "live", "ended", "suppressed")
    addresses = {
        (way, kind): [f"{way}-{kind}{number}@known.example" for number in range(each)]
        for way in ways
        for kind in kinds
    }
    for (_way, kind), emails in addresses.items():
        if kind != "new":
            _make_known(kind, emails)
    return {
        way: {kind: [fill_in(email) for email in addresses[way, kind]] for kind in kinds}
        for way, fill_in in ways.items()
    }


def _make_known(kind: str, emails: list[str]) -> None:
    """Readers in one state, asked long enough ago that each may be mailed a confirmation again."""
    import time_machine

    from newsletter.catalogue.models import Condition, Newsletter
    from signup import subscribe, unsubscribe
    from signup.address import normalise
    from signup.confirm import confirm
    from signup.consent import current_texts
    from signup.models import ConsentEntry, SignUp, Subscriber, Subscription, Suppression
    from signup.suppress import suppress

    texts = current_texts("en")
    with time_machine.travel(datetime.now(UTC) - timedelta(days=60)):
        for email in emails:
            address = normalise(email)
            subscribe.request_sign_up(
                address=address,
                newsletters=Newsletter.objects.filter(slug="living-well"),
                conditions=Condition.objects.filter(slug="condition-1"),
                cadence=Subscription.Cadence.WEEKLY,
                consent_texts=texts.values(),
            )
            if kind == "pending":
                continue
            confirm(sign_up=SignUp.objects.get(subscriber__email_key=address.key))
            if kind == "ended":
                unsubscribe.end_all(
                    subscriber=Subscriber.objects.get(email_key=address.key),
                    reason=Subscription.EndedReason.UNSUBSCRIBED,
                    method=ConsentEntry.Method.LINK,
                )
            elif kind == "suppressed":
                suppress(
                    address_key=address.key,
                    reason=Suppression.Reason.COMPLAINT,
                    source="benchmark",
                )


if __name__ == "__main__":
    sys.exit(main())
