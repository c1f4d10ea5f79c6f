"""The SMTP engine alone, beside Django's backend and smtplib, and over a distance.

    python -m benchmarks.engine [--messages 5000] [--runs 5] [--lines 8]

Each way hands over the same 26 kB multipart message, in turns within one run. The CPU time is the
sender's own (user and system): it hardly depends on what else the machine does, the rate does.
The engine's and smtplib's messages are ready for the wire; Django's are EmailMultiAlternatives.
"""

import argparse
import contextlib
import os
import re
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.sink import sink
from benchmarks.stage import ROOT, table, write
from project import leash

ROUND_TRIP = 20.0  # milliseconds
CONNECTIONS = 10
SENDER = "bounce+1-123456-0123456789abcdef0123@bounces.wellread.example"
PARAGRAPH = "Drink enough, and ask your doctor before you change what you take. "
# (messages a second, µs of CPU a message)
Figures = tuple[float, float]


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.engine")
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--lines", type=int, default=8)
    chosen = parser.parse_args()
    if not 100 <= chosen.messages <= 200_000 or not 1 <= chosen.runs <= 50:
        parser.error("--messages is 100 to 200000, --runs 1 to 50")
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    django.setup()
    near(chosen.messages, chosen.runs, chosen.lines)
    far(chosen.runs)
    return 0


# --- Beside the others ----------------------------------------------------------------------------


def near(messages: int, runs: int, lines: int) -> None:
    """Measure all ways in turns, into Postfix's sink (where it is installed) and into ours."""
    content = compiled()
    few = max(100, messages // 10)
    ways: list[tuple[str, int, Callable[[int, int], Figures]]] = [
        ("wellread", messages, lambda port, count: engine(port, count, content, lines)),
        ("smtplib, same bytes", few, lambda port, count: by_smtplib(port, count, content)),
        ("Django send_messages", few // 2, by_django),
    ]
    limit = _program("smtp-source")
    result: dict[str, Any] = {"message_octets": len(content), "lines": lines, "sinks": {}}
    rows: list[tuple[str, ...]] = [("sink", "way", "messages/s", "lowest–highest", "CPU µs")]
    with contextlib.ExitStack() as stack:
        kind, port = stack.enter_context(sink())
        sinks = {"quick sink": stack.enter_context(_running("benchmarks.quick_sink"))}
        if kind == "smtp-sink":
            sinks = {kind: port, **sinks}
        else:
            print("Postfix's smtp-sink is not installed (apt-get install postfix, which need not")
            print("be started): measured into the project's own sink alone.")
        for name, at in sinks.items():
            found: dict[str, list[Figures]] = {}
            for _ in range(runs):
                for way, count, measured in ways:
                    found.setdefault(way, []).append(measured(at, count))
                if limit:
                    found.setdefault("smtp-source", []).append(
                        by_smtp_source(limit, at, messages, lines, len(content))
                    )
            result["sinks"][name] = {way: _spread(figures) for way, figures in found.items()}
            for way, figures in result["sinks"][name].items():
                low, high = figures["messages_per_second_spread"]
                rows.append(
                    (name, way, str(figures["messages_per_second"]), f"{low}–{high}",
                     str(figures["cpu_us_per_message"]))
                )  # fmt: skip
    print(table(rows))
    print(f"\nWritten to {write('engine', result).relative_to(ROOT)}\n")


def _spread(figures: list[Figures]) -> dict[str, Any]:
    rates = sorted(rate for rate, _ in figures)
    used = sorted(cpu for _, cpu in figures)
    return {
        "messages_per_second": round(statistics.median(rates)),
        "messages_per_second_spread": [round(rates[0]), round(rates[-1])],
        "cpu_us_per_message": round(statistics.median(used), 1),
        "cpu_us_spread": [round(used[0], 1), round(used[-1], 1)],
    }


def compiled() -> bytes:
    """Return one copy of a 26 kB multipart message, as the line makes them."""
    from newsletter.wire.message import boundary_for, compile_message

    text = PARAGRAPH * 90
    html = f"<html><body>{''.join(f'<p>{PARAGRAPH}</p>' for _ in range(250))}</body></html>"
    headers = [
        ("From", "Wellread <hello@wellread.example>"),
        ("To", "reader@readers.example"),
        ("Subject", "Living well with migraine"),
        ("Message-ID", "<1.2.3@wellread.example>"),
        ("List-Unsubscribe", "<https://wellread.example/unsubscribe/0123456789abcdef/>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]
    return compile_message(headers, text, html, boundary=boundary_for(text, html)).fill({})


def engine(port: int, count: int, content: bytes, lines: int, *, options: str = "") -> Figures:
    """Send `count` messages by our own engine, after some that open its lines."""
    from newsletter.transports.protocol import Outgoing
    from newsletter.transports.relay import Relay
    from newsletter.transports.smtp import SmtpTransport
    from newsletter.transports.values import Envelope, Outcome

    transport = SmtpTransport(Relay.from_url(f"smtp://127.0.0.1:{port}?lines={lines}{options}"))

    def outgoing(messages: int) -> Iterator[Outgoing]:
        for number in range(messages):
            recipient = f"reader{number}@readers.example"
            yield Outgoing(number, Envelope.of_compiled(SENDER, recipient, content))

    for _ in transport.send(outgoing(lines * 20)):
        pass
    begun, cpu = time.monotonic(), time.process_time()
    answers = list(transport.send(outgoing(count)))
    seconds, used = time.monotonic() - begun, time.process_time() - cpu
    transport.close()
    refused = [receipt for _, receipt in answers if receipt.outcome is not Outcome.ACCEPTED]
    if refused or len(answers) != count:
        sys.exit(f"{len(refused)} of {count} messages were not taken: {refused[:1]}")
    return count / seconds, used / count * 1e6


def by_smtplib(port: int, count: int, content: bytes) -> Figures:
    """Send the same bytes by the standard library, over one connection."""
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        begun, cpu = time.monotonic(), time.process_time()
        for number in range(count):
            smtp.sendmail(SENDER, [f"reader{number}@readers.example"], content)
        seconds, used = time.monotonic() - begun, time.process_time() - cpu
    return count / seconds, used / count * 1e6


def by_django(port: int, count: int) -> Figures:
    """Send as a Django project does: EmailMultiAlternatives, by its SMTP backend."""
    from django.core.mail import EmailMultiAlternatives, get_connection

    html = f"<html><body>{''.join(f'<p>{PARAGRAPH}</p>' for _ in range(250))}</body></html>"
    messages = []
    for number in range(count):
        message = EmailMultiAlternatives(
            "Living well with migraine", PARAGRAPH * 90, "Wellread <hello@wellread.example>",
            [f"reader{number}@readers.example"],
            headers={"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        )  # fmt: skip
        message.attach_alternative(html, "text/html")
        messages.append(message)
    connection = get_connection(
        "django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port,
        use_tls=False, username="", password="",
    )  # fmt: skip
    begun, cpu = time.monotonic(), time.process_time()
    sent = connection.send_messages(messages)
    seconds, used = time.monotonic() - begun, time.process_time() - cpu
    if sent != count:
        sys.exit(f"Django sent {sent} of {count} messages.")
    return count / seconds, used / count * 1e6


def by_smtp_source(program: str, port: int, count: int, lines: int, octets: int) -> Figures:
    """Postfix's load generator, written in C: without PIPELINING, but with nothing to keep."""
    before, begun = os.times(), time.monotonic()
    subprocess.run(
        [program, "-s", str(lines), "-m", str(count), "-l", str(octets), "-d",
         f"127.0.0.1:{port}"],
        check=True, stdout=subprocess.DEVNULL, timeout=600,
    )  # fmt: skip
    seconds, after = time.monotonic() - begun, os.times()
    used = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return count / seconds, used / count * 1e6


# --- Over a distance ------------------------------------------------------------------------------


def far(runs: int) -> None:
    """Measure with a delaying proxy between: a round trip limits each connection."""
    content = compiled()
    possible = CONNECTIONS / (ROUND_TRIP / 1000)
    with (
        _running("benchmarks.quick_sink") as port,
        _running("benchmarks.distance", str(port), str(ROUND_TRIP)) as away,
    ):
        ours = [engine(away, 3000, content, CONNECTIONS) for _ in range(runs)]
        lockstep = [
            engine(away, 300, content, CONNECTIONS, options="&pipelining=no") for _ in range(runs)
        ]
        peers = [by_smtplib(away, 30, content) for _ in range(runs)]
    figures = _spread(ours)
    result = {
        "rtt_ms": ROUND_TRIP,
        "connections": CONNECTIONS,
        **figures,
        "share_of_connections_by_rtt": round(figures["messages_per_second"] / possible, 3),
        "without_pipelining_messages_per_second": _spread(lockstep)["messages_per_second"],
        "smtplib_1_connection_messages_per_second": _spread(peers)["messages_per_second"],
        "message_octets": len(content),
    }
    rows = [("over 20 ms, 10 connections", "messages/s")]
    rows += [
        ("connections ÷ round trip", str(round(possible))),
        ("wellread", str(result["messages_per_second"])),
        ("wellread without PIPELINING", str(result["without_pipelining_messages_per_second"])),
        ("smtplib, each connection", str(result["smtplib_1_connection_messages_per_second"])),
    ]
    print(table(rows))
    print(f"\nWritten to {write('latency', result).relative_to(ROOT)}")


@contextlib.contextmanager
def _running(module: str, *arguments: str) -> Iterator[int]:
    """Run a module of ours that serves a port, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = leash.start(
        [sys.executable, "-m", module, str(port), *arguments], env=dict(os.environ), cwd=ROOT
    )
    try:
        deadline = time.monotonic() + 10
        while True:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), 1) as line,
            ):
                if re.match(rb"220", line.recv(100)):
                    break
            if time.monotonic() > deadline:
                raise RuntimeError(f"{module} did not start.")
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait(10)


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


if __name__ == "__main__":
    sys.exit(main())
