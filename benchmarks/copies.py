"""What a copy costs: µs of CPU for a 26 kB message with 13 slots, and for its parts.

    python -m benchmarks.copies [--copies 20000] [--rounds 7]

No database and no relay: an approved message in memory, readers in memory, bytes out. CPU time of
this process, the best round, because whatever else runs on the machine can only add to it.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from benchmarks.stage import table, write
from tests import environment  # noqa: F401  # keys and folders, before Django reads its settings

SIZE = 26_000
# docs/performance.md: a message of SIZE, from a reader's row to the bytes for the wire.
REACH_US = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.copies")
    parser.add_argument("--copies", type=int, default=20_000, help="in one round")
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    if not (100 <= chosen.copies <= 1_000_000 and 1 <= chosen.rounds <= 99):
        parser.error("--copies is 100 to 1000000, --rounds 1 to 99")
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    import django

    django.setup()
    result = measure(chosen.copies, chosen.rounds)
    write("copies", result)
    rows = [(name.replace("_", " "), f"{result['us'][name]:.2f}") for name in result["us"]]
    print(f"{result['octets']} octets, {result['slots']} slots\n{table([('', 'µs'), *rows])}")
    return 0 if result["us"]["whole_copy"] <= REACH_US else 1


def measure(copies: int, rounds: int) -> dict[str, Any]:
    from newsletter.rendering.copies import IssueCopies, ReaderRow, Stamp, message_ids
    from newsletter.wire.headers import format_recipient
    from signup.tokens import Purpose, lasting_signer

    message = compiled()
    stamp = Stamp(1, datetime(2026, 11, 23, 7, 0, tzinfo=UTC), b"sixteen bytes it", 1)
    make = IssueCopies(message, stamp).copy
    sign, message_id = lasting_signer(Purpose.UNSUBSCRIBE), message_ids(stamp, "news.example.org")
    readers = [
        ReaderRow(number, f"reader{number}@readers.example", "Anna", number + 5)
        for number in range(copies)
    ]

    def best(each: Callable[[Any], object], of: Iterable[Any] = readers) -> float:
        taken = list(of)
        times = []
        for _ in range(rounds):
            begun = time.process_time()
            for one in taken:
                each(one)
            times.append(time.process_time() - begun)
        return round(min(times) / len(taken) * 1e6, 2)

    return {
        "octets": len(make(readers[0])),
        "slots": sum(not isinstance(piece, bytes) for piece in message.pieces),
        "copies": copies,
        "rounds": rounds,
        "us": {
            "whole_copy": best(make),
            "of_which_two_links": round(2 * best(lambda reader: sign(reader.subscription_id)), 2),
            "of_which_message_id": best(lambda reader: message_id(reader.subscriber_id)),
            "of_which_to": best(lambda one: format_recipient(one.first_name, one.email)),
            "whole_copy_of_an_awkward_name": best(
                make, [reader._replace(first_name="Zoë O'Brien <b>") for reader in readers]
            ),
        },
    }


def compiled() -> Any:
    """A message of SIZE with every slot that an issue has, some of them twice."""
    from newsletter.catalogue.models import Newsletter
    from newsletter.rendering.heading_lines import header_lines
    from newsletter.wire.message import boundary_for, compile_message
    from newsletter.wire.slots import Slot, mark

    newsletter = Newsletter(
        pk=1, name="Living well", kind=Newsletter.Kind.EDITORIAL, from_name="Back Clinic",
        from_email="hello@news.example.org", list_id_label="living-well",
    )  # fmt: skip
    name, leave = mark(Slot.FIRST_NAME, "there"), mark(Slot.UNSUBSCRIBE_URL)
    withdraw, reason = mark(Slot.WITHDRAW_URL), mark(Slot.REASON, "You asked for this mail.")
    line = "Short walks help a sore back more than resting in bed does.\n"
    text = f"Hello {name},\n\n{line * 80}\n{reason}\n{leave}\n{withdraw}\n"
    head, foot = f'<a href="{leave}">End</a>\n<h1>Hello {name}</h1>\n', f"<p>{reason}</p>\n"
    foot += f'<a href="{leave}">End</a> <a href="{withdraw}">Withdraw</a>\n'
    html = head + f"<p>{line}</p>\n" * ((SIZE - len(text) - 2500) // (len(line) + 8)) + foot
    return compile_message(
        header_lines(newsletter, subject="Three things that help", campaign="i1"),
        text,
        html,
        boundary=boundary_for(text, html),
    )


if __name__ == "__main__":
    sys.exit(main())
