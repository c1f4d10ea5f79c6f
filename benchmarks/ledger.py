"""How long `verify_ledger` takes over a million lines, and how much memory.

    python -m benchmarks.ledger [--lines 1000000]

PostgreSQL. Readers with five lines each, hashed and sealed as the service does it, each with a live
subscription and a consent for health that rest on them. The command runs in a process of its own,
over a tenth of the lines and then over all: its memory must not grow with them. A line that is
then changed in the last chain must be found. Not part of `make bench`: filling takes minutes.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from benchmarks.stage import ROOT, stage, table, write

EACH = 5  # lines of one reader
# So much more memory may ten times the lines take: the allocator's, not the ledger's.
GROWTH_MB = 25
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.ledger")
    parser.add_argument("--lines", type=int, default=1_000_000)
    chosen = parser.parse_args()
    if not 1_000 <= chosen.lines <= 20_000_000:
        parser.error("--lines is 1,000 to 20,000,000")
    readers, few = chosen.lines // EACH, chosen.lines // EACH // 10
    with stage("postgres"):
        from signup.consent import seals

        fill(0, few)
        _sealed(seals)
        tenth = verify(few * EACH)
        fill(few, readers)
        sealing = _sealed(seals)
        whole = verify(readers * EACH)
        found = _a_changed_line_is_found(readers)
    grown = whole["peak_megabytes"] - tenth["peak_megabytes"]
    result = {
        "database": "postgres",
        **whole,
        "a_tenth": tenth,
        "memory_is_flat": grown <= GROWTH_MB,
        "sealing_seconds": sealing,
        "changed_line_found": found,
    }
    print(table([(name.replace("_", " "), str(value)) for name, value in result.items()]))
    print(f"\nWritten to {write('ledger', result).relative_to(ROOT)}")
    return 0 if result["memory_is_flat"] and found and whole["holds"] else 1


def verify(lines: int) -> dict[str, Any]:
    """Run the command as staff do; return seconds, CPU and the most memory it had."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.ledger_peak"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    lasted = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = int(done.stderr.rpartition("peak kilobytes: ")[2].split()[0]) / 1_000
    return {
        "lines": lines,
        "holds": done.returncode == 0 and "The ledger holds" in done.stdout,
        "seconds": round(lasted, 1),
        "cpu_seconds": round(cpu, 1),
        "cpu_us_a_line": round(cpu / lines * 1e6, 1),
        "peak_megabytes": round(peak),
    }


def _sealed(seals: Any) -> float:
    began = time.perf_counter()
    assert seals.seal() is not None
    return round(time.perf_counter() - began, 1)


def _a_changed_line_is_found(readers: int) -> bool:
    """One letter in the very last chain, past the triggers."""
    from django.db import connection

    from signup import consent

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE signup_consententry DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE signup_consententry SET evidence = 'x' WHERE subject = %s AND seq = 3",
            [_subject(readers - 1)],
        )
        cursor.execute("ALTER TABLE signup_consententry ENABLE TRIGGER USER")
    found = [(fault.subject, fault.seq) for fault in consent.verify()]
    return found == [(_subject(readers - 1), 3)]


def fill(first: int, last: int) -> None:
    """Write the chains of the readers `first` to `last`, their rows and their subscriptions."""
    from django.db import connection

    from newsletter.catalogue.models import Newsletter
    from signup.consent import current_texts

    texts = current_texts("en")  # before the copying, which keeps the connection to itself
    newsletter = Newsletter.objects.filter(slug="living-well").first() or Newsletter.objects.create(
        name="Living well", slug="living-well", promise="One mail a week.", from_name="Wellread",
        from_email="news@wellread.example", list_id_label="living-well",
    )  # fmt: skip
    began = time.perf_counter()
    with connection.cursor() as cursor:
        for copied, rows in (
            (_SUBSCRIBERS, _subscribers(first, last)),
            (_SUBJECTS, _subjects(first, last)),
            (_ENTRIES, _entries(first, last, newsletter.pk, texts)),
        ):
            with cursor.copy(copied) as copy:
                for row in rows:
                    copy.write_row(row)
        for statement in _RESTING:
            cursor.execute(statement, [newsletter.pk] * statement.count("%s"))
        cursor.execute("VACUUM ANALYZE")
    print(f"{(last - first) * EACH:,} lines written in {time.perf_counter() - began:.0f} s")


def _subscribers(first: int, last: int) -> Iterator[tuple[Any, ...]]:
    for number in range(first, last):
        address = f"reader{number}@example.org"
        yield (number + 1, address, address, b"\1" + sha256(address.encode()).digest(),
               "", "en", "UTC", False, _BEGAN)  # fmt: skip


def _subjects(first: int, last: int) -> Iterator[tuple[Any, ...]]:
    """Heads come first in the database, as in life; their hashes from the same lines."""
    for number in range(first, last):
        yield (_subject(number), number + 1, 0, b"", 0)


def _entries(
    first: int, last: int, newsletter: int, texts: Mapping[Any, Any]
) -> Iterator[tuple[Any, ...]]:
    """Both consents given and confirmed, and one that was taken back."""
    from django.conf import settings

    from signup.consent.chain import FIRST, Line, digest_of

    mail, health = texts["mail"], texts["health"]
    measured = texts["measurement"]
    version, key = settings.LEDGER_KEYS[0]
    form = "https://wellread.example/sign-up/"
    said = (
        ("given", "mail", newsletter, mail, "form"),
        ("given", "health", None, health, "form"),
        ("confirmed", "mail", newsletter, mail, "confirmation"),
        ("confirmed", "health", None, health, "confirmation"),
        ("withdrawn", "measurement", None, measured, "preferences"),
    )
    digests = {text.pk: digest_of(text.wording) for text in (mail, health, measured)}
    for number in range(first, last):
        previous = FIRST
        for place, (action, purpose, about, text, method) in enumerate(said, 1):
            line = Line(
                subject=_subject(number), seq=place, action=action, purpose=purpose,
                newsletter_id=about, text_id=text.pk, method=method, form_url=form, evidence="",
                at=_BEGAN + timedelta(seconds=number), key_version=version,
                previous_hash=previous, entry_hash=b"",
            )  # fmt: skip
            previous = line.hash(key, digests[text.pk])
            yield (*line[:-1], previous)


def _subject(number: int) -> UUID:
    return UUID(bytes=sha256(b"benchmark %d" % number).digest()[:16])


_SUBSCRIBERS = """COPY signup_subscriber (id, email, email_key, address_hash, first_name, language,
    timezone, text_only, created_at) FROM STDIN"""
_SUBJECTS = """COPY signup_consentsubject (subject, subscriber_id, head_seq, head_hash, sealed_seq)
    FROM STDIN"""
_ENTRIES = """COPY signup_consententry (subject, seq, action, purpose, newsletter_id, text_id,
    method, form_url, evidence, at, key_version, previous_hash, entry_hash) FROM STDIN"""
_RESTING = (
    """UPDATE signup_consentsubject head SET head_seq = last.seq, head_hash = last.entry_hash
    FROM signup_consententry last
    WHERE last.subject = head.subject AND last.action = 'withdrawn' AND head.head_seq = 0""",
    """UPDATE signup_subscriber reader SET health_consent_id = entry.id
    FROM signup_consententry entry JOIN signup_consentsubject head ON head.subject = entry.subject
    WHERE head.subscriber_id = reader.id AND entry.action = 'confirmed'
    AND entry.purpose = 'health' AND reader.health_consent_id IS NULL""",
    """INSERT INTO signup_subscription (subscriber_id, newsletter_id, state, ended_reason,
        consent_id, cadence, weekday, hour, created_at, live_at)
    SELECT head.subscriber_id, %s, 'live', '', entry.id, 'weekly', 0, 8, now(), now()
    FROM signup_consententry entry JOIN signup_consentsubject head ON head.subject = entry.subject
    WHERE entry.action = 'confirmed' AND entry.purpose = 'mail'
    ON CONFLICT DO NOTHING""",
)


if __name__ == "__main__":
    raise SystemExit(main())
