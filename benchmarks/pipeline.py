"""The whole pipeline, claim → SMTP → recorded, beside Django's own send_messages.

    python -m benchmarks.pipeline [--readers 5000] [--runs 3] [--database postgres|sqlite]

Both hand the same message to the same sink, in the same run. Django's side gets its messages
ready-made as EmailMultiAlternatives and keeps no books at all.
"""

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.sink import sink
from benchmarks.stage import ROOT, stage, table, write

PEER_MESSAGES = 500


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.pipeline")
    parser.add_argument("--readers", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="postgres")
    chosen = parser.parse_args()
    if not 1 <= chosen.readers <= 1_000_000 or not 1 <= chosen.runs <= 20:
        parser.error("--readers is 1 to 1000000, --runs 1 to 20")
    with stage(chosen.database), sink() as (kind, port):
        result = measure(chosen.readers, chosen.runs, port)
    result = {"database": chosen.database, "sink": kind, **result}
    show(result)
    print(f"\nWritten to {write('pipeline', result).relative_to(ROOT)}")
    return 0


def measure(readers: int, runs: int, port: int) -> dict[str, Any]:
    from django.conf import settings

    from newsletter.management import test_mailing

    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    newsletter = test_mailing.make_newsletter()
    test_mailing.make_readers(newsletter, readers)
    ours_one = [_ours(readers, processes=1) for _ in range(runs)]
    ours_two = [_ours(readers, processes=2) for _ in range(runs)]
    size, peer = 0, []
    for _ in range(runs):
        size, figures = _peer(newsletter, port)
        peer.append(figures)
    return {
        "message_octets": size,
        "readers": readers,
        "wellread_1_process": _spread(ours_one),
        "wellread_2_processes": _spread(ours_two),
        "planning": _spread([(run[2], 0.0, 0.0) for run in ours_one])["messages_per_second"],
        "django_send_messages": _spread(peer),
    }


def _spread(runs: list[tuple[float, float, float]]) -> dict[str, Any]:
    rates = sorted(run[0] for run in runs)
    return {
        "messages_per_second": {
            "median": round(statistics.median(rates)),
            "lowest": round(rates[0]),
            "highest": round(rates[-1]),
        },
        "sender_cpu_us": round(statistics.median(run[1] for run in runs), 1),
    }


def _ours(readers: int, *, processes: int) -> tuple[float, float, float]:
    """Return (messages a second, sender CPU in µs a message, readers planned a second)."""
    from newsletter.management import test_mailing
    from newsletter.sending.balance import counts
    from newsletter.sending.models import Batch
    from newsletter.sending.recover import recover

    begun = time.monotonic()
    issue_to_plan = test_mailing.make_approved_issue(test_mailing.make_newsletter())
    from newsletter.sending import plan

    issue, approval = issue_to_plan
    mailing = plan.plan_issue(issue=issue, approval=approval, by=None)
    begun = time.monotonic()
    mailing = plan.resume(mailing)
    planned_rate = readers / (time.monotonic() - begun)
    batches = list(Batch.objects.filter(mailing=mailing).values_list("pk", flat=True))
    begun = time.monotonic()
    cpu = _in_children(processes, lambda: _deliver_all(batches))
    seconds = time.monotonic() - begun
    recover()
    found = counts(mailing)
    if found.accepted != readers:
        sys.exit(f"Not everything went out: {found}")
    return readers / seconds, cpu / readers * 1e6, planned_rate


def _deliver_all(batches: list[int]) -> None:
    from newsletter.sending.claim import claim
    from newsletter.sending.deliver import deliver
    from newsletter.transports.select import bulk_transport

    transport = bulk_transport(health=False)
    # Whoever claims a batch first has it, as with real workers.
    for batch in batches:
        taken = claim(batch, f"bench:{os.getpid()}")
        if taken:
            deliver(taken, transport)


def _in_children(number: int, work: Callable[[], None]) -> float:
    """Run `work` in forked processes; return the CPU seconds that they used."""
    from django.db import connections

    connections.close_all()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    children = []
    for _ in range(number):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work()
                code = 0
            finally:
                connections.close_all()
                os._exit(code)
        children.append(child)
    for child in children:
        if os.waitpid(child, 0)[1]:
            sys.exit("A sender failed.")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _peer(newsletter: Any, port: int) -> tuple[int, tuple[float, float, float]]:
    from django.core.mail import EmailMultiAlternatives, get_connection

    from newsletter.management import test_mailing
    from newsletter.rendering.issue import compile_issue

    issue, _ = test_mailing.make_approved_issue(newsletter)
    edition = compile_issue(issue)
    messages = []
    for number in range(PEER_MESSAGES):
        message = EmailMultiAlternatives(
            subject=issue.subject,
            body=edition.text,
            from_email=newsletter.from_email,
            to=[f"reader{number}@readers.example"],
            headers={
                "List-Unsubscribe": f"<https://wellread.example/unsubscribe/{number}/>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        )
        message.attach_alternative(edition.html, "text/html")
        messages.append(message)
    size = len(messages[0].message().as_bytes())
    connection = get_connection(
        "django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port,
        use_tls=False, username="", password="",
    )  # fmt: skip
    begun, cpu = time.monotonic(), time.process_time()
    connection.send_messages(messages)
    seconds, used = time.monotonic() - begun, time.process_time() - cpu
    return size, (PEER_MESSAGES / seconds, used / PEER_MESSAGES * 1e6, 0.0)


def show(result: dict[str, Any]) -> None:
    rows: list[tuple[str, ...]] = [("", "messages/s", "lowest–highest", "sender CPU µs")]
    for name in ("wellread_1_process", "wellread_2_processes", "django_send_messages"):
        figures = result[name]
        rate = figures["messages_per_second"]
        rows.append(
            (
                name.replace("_", " "),
                str(rate["median"]),
                f"{rate['lowest']}–{rate['highest']}",
                str(figures["sender_cpu_us"]),
            )
        )
    print(
        f"{result['message_octets']} octets, {result['readers']} readers, {result['database']}, "
        f"{result['sink']}\n{table(rows)}\nplanning: {result['planning']['median']} readers/s"
    )


if __name__ == "__main__":
    sys.exit(main())
