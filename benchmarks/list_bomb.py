"""A list bomb at full scale: 10,000 sign-ups for 50 victims from 500 addresses, in a minute.

    python -m benchmarks.list_bomb [--sign-ups 10000] [--victims 50] [--addresses 500]

PostgreSQL, gunicorn with two workers, limits as they stand in production. Meanwhile readers load
the home page, and others sign up with a browser that does its sum. Then everything that is owed is
really mailed, and counted by recipient. Ends with 1 when a victim gets a second mail, a page fails,
a reader with a browser is turned away, or staff are not told. Figures: var/bench/list_bomb.json.

A machine too slow or too busy for all of them in a minute takes them all the same;
`within_a_minute` then says so.
"""

import argparse
import os
import resource
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.posting import post_all
from benchmarks.signup import ROOM, filled_in, make_catalogue, web
from benchmarks.stage import ROOT, stage, table, write

A_MINUTE = 60
LIMITS_STAND = ("SIGN_UPS_PER_DOMAIN", "SIGN_UPS_PER_HOUR", "SIGN_UP_ALARM_PER_MINUTE")
READERS = 40
# A machine that cannot take them all in a minute takes them all the same.
LONGEST = 900


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.list_bomb")
    parser.add_argument("--sign-ups", type=int, default=10_000)
    parser.add_argument("--victims", type=int, default=50)
    parser.add_argument("--addresses", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60, help="how long readers come")
    chosen = parser.parse_args()
    fine = 1 <= chosen.victims <= chosen.sign_ups <= 1_000_000 and 1 <= chosen.addresses <= 50_000
    if not fine:
        parser.error("--sign-ups is 1 to 1000000, at least --victims; --addresses 1 to 50000")
    os.environ.update({name: value for name, value in ROOM.items() if name not in LIMITS_STAND})
    with stage("postgres"):
        make_catalogue()
        with web() as port:
            bomb = [
                filled_in(
                    f"victim{number % chosen.victims}@victims.example",
                    proved=False,
                    network=_address(number % chosen.addresses),
                )
                for number in range(chosen.sign_ups)
            ]
            pages, watch = _watch(port, chosen.seconds)
            readers = _readers_in_between(port, chosen.seconds)
            before = _children_cpu()
            answers = post_all(port, bomb, clients=16, seconds=LONGEST)
            clients_cpu = _children_cpu() - before
            watch.join()
            readers.thread.join()
            before = _children_cpu()
        result = {
            "lasted_seconds": round(answers.lasted, 1),
            "within_a_minute": answers.lasted <= A_MINUTE,
            # What it costs either side, whatever else the machine does meanwhile.
            "web_cpu_seconds": round(_children_cpu() - before, 1),
            "clients_cpu_seconds": round(clients_cpu, 1),
            **answers.figures(),
            **_outcome(chosen.victims),
            "pages": pages.figures(),
            "readers_with_script": dict(readers.statuses),
        }
    faults = _faults(result, chosen.sign_ups)
    print(table([(name.replace("_", " "), str(value)) for name, value in result.items()]))
    print(f"\nWritten to {write('list_bomb', {**result, 'faults': faults}).relative_to(ROOT)}")
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _address(number: int) -> str:
    """One address in a network of its own: the attacker's best case."""
    return f"45.{number // 250}.{number % 250}.7"


def _children_cpu() -> float:
    """CPU seconds of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Pages:
    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.failed = 0

    def figures(self) -> dict[str, Any]:
        ordered = sorted(self.seconds) or [0.0]
        return {
            "loaded": len(self.seconds),
            "failed": self.failed,
            "p50_ms": round(ordered[len(ordered) // 2] * 1000, 1),
            "slowest_ms": round(ordered[-1] * 1000, 1),
        }


def _watch(port: int, seconds: float) -> tuple[_Pages, threading.Thread]:
    """Load the home page twice a second, as readers do."""
    pages = _Pages()

    def look() -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begun = time.monotonic()
            try:
                with urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                    answer.read()
                pages.seconds.append(time.monotonic() - begun)
            except OSError:
                pages.failed += 1
            time.sleep(0.5)

    thread = threading.Thread(target=look)
    thread.start()
    return pages, thread


class _Readers:
    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.thread = threading.Thread()


def _readers_in_between(port: int, seconds: float) -> _Readers:
    """Readers, each in a network of their own, whose browsers do their sum."""
    readers = _Readers()
    ready = [
        filled_in(f"reader{number}@readers.example", network=f"89.7.{number}.7")
        for number in range(READERS)
    ]

    def sign_up() -> None:
        from benchmarks.posting import Line

        with Line(port) as line:
            for octets in ready:
                readers.statuses[str(line.send(octets))] += 1
                time.sleep(seconds / READERS / 2)

    readers.thread = threading.Thread(target=sign_up)
    readers.thread.start()
    return readers


def _outcome(victims: int) -> dict[str, Any]:
    from signup.models import SignUpAlarm

    mails = _send_everything()
    to_victims = [n for to, n in mails.items() if to.endswith("@victims.example")]
    log = (Path(os.environ["VAR_DIR"]) / "web.log").read_text(errors="replace")
    return {
        "victims": victims,
        "victims_mailed": len(to_victims),
        "most_mails_to_a_victim": max(to_victims, default=0),
        "readers_mailed": sum(to.endswith("@readers.example") for to in mails),
        "alarms": SignUpAlarm.objects.count(),
        "staff_told_in_the_log": "attack mode has begun" in log,
        "staff_told_on_the_desk": _desk_tells(),
        "log_kilobytes": len(log) // 1_000,
    }


def _send_everything() -> Counter[str]:
    """Send what is owed, as the worker does, into memory; return address → mails."""
    from newsletter.transports import memory
    from signup.mail import send_system_mail
    from signup.models import SystemMail

    for pk in SystemMail.objects.order_by("pk").values_list("pk", flat=True):
        send_system_mail(pk)
    return Counter(envelope.recipient for envelope in memory.outbox)


def _desk_tells() -> bool:
    """Whether the desk's first page shows staff that somebody attacks the form."""
    from django.conf import settings
    from django.test import Client
    from django.urls import reverse

    from newsletter.desk.models import User

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.STAFF_SECOND_FACTOR = "optional"
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    page = client.get(reverse("wagtailadmin_home"))
    return page.status_code == 200 and b"attacks-title" in page.content


def _faults(result: dict[str, Any], sign_ups: int) -> list[str]:
    found = []
    if result["most_mails_to_a_victim"] > 1:
        found.append("a victim got more than one mail")
    if result["requests"] != sign_ups:
        found.append("not all of them were sent")
    if set(result["statuses"]) - {"302", "429"}:
        found.append(f"answers that are no answers: {result['statuses']}")
    if result["pages"]["failed"] or not result["pages"]["loaded"]:
        found.append("the site did not stay up")
    if result["readers_with_script"] != {"302": READERS} or result["readers_mailed"] != READERS:
        found.append("readers were turned away")
    told = ("alarms", "staff_told_in_the_log", "staff_told_on_the_desk")
    if not all(result[where] for where in told):
        found.append("staff were not told")
    return found


if __name__ == "__main__":
    sys.exit(main())
