"""Kill the worker again and again while it sends, and count what became of every reader.

    python -m benchmarks.faults [--readers 2000] [--kills 5] [--database sqlite|postgres]

Ends with 1 when a reader was lost, or got two without being a re-sent unknown.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.stage import ROOT, stage, table, write

LEASE = 3
UNKNOWN_AFTER = 2
LONGEST = 240


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.faults")
    parser.add_argument("--readers", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="postgres")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if not 1 <= chosen.readers <= 100_000 or not 0 <= chosen.kills <= 50:
        parser.error("--readers is 1 to 100000, --kills 0 to 50")
    os.environ["SENDING_LEASE_SECONDS"] = str(LEASE)
    os.environ["SENDING_UNKNOWN_AFTER_SECONDS"] = str(UNKNOWN_AFTER)
    with stage(chosen.database):
        result = kill_and_count(chosen.readers, chosen.kills, random.Random(chosen.seed))
    result = {"database": chosen.database, **result}
    print(table([(name.replace("_", " "), str(value)) for name, value in result.items()]))
    print(f"\nWritten to {write('faults', result).relative_to(ROOT)}")
    return 1 if result["lost"] or result["doubled_without_reason"] else 0


def kill_and_count(readers: int, kills: int, dice: random.Random) -> dict[str, Any]:
    from newsletter import tasks
    from newsletter.management import test_mailing
    from tests.running.processes import start_worker
    from tests.running.smtp import SmtpCatcher

    mailing = test_mailing.make(readers)
    # Where the kills fall: somewhere in each stretch of the mailing, at the luck of the dice.
    at = sorted(dice.randrange(1, readers) for _ in range(kills))
    number = 0
    with SmtpCatcher(delay=0.001) as relay:
        environment = {
            **os.environ,
            "EMAIL_URL": f"{relay.url}?timeout=20",
            # The worker says when it is ready, at this level.
            "LOG_LEVEL": "INFO",
        }

        def worker() -> Any:
            nonlocal number
            number += 1
            log = Path(os.environ["VAR_DIR"]) / f"worker{number}.log"
            return start_worker("bulk", name=f"worker{number}", log=log, env=environment)

        begun = time.monotonic()
        running = worker()
        while True:
            tasks.feed()
            tasks.recover()
            mailing.refresh_from_db()
            if mailing.ended_at is not None:
                break
            if time.monotonic() - begun > LONGEST:
                running.kill()
                sys.exit(f"Not at an end after {LONGEST} s: {mailing.state}\n{running.output}")
            if at and len(relay.messages) >= at[0]:
                at.pop(0)
                running.kill()
                running = worker()
            time.sleep(0.05)
        seconds = time.monotonic() - begun
        running.stop()
        return {"kills": kills - len(at), **_count(mailing, relay), "seconds": round(seconds, 1)}


def _count(mailing: Any, relay: Any) -> dict[str, Any]:
    from newsletter.sending.balance import counts, recount
    from newsletter.sending.models import Delivery

    deliveries = Delivery.objects.filter(mailing=mailing)
    planned = set(deliveries.values_list("subscriber__email", flat=True))
    resent = set(deliveries.filter(resent=True).values_list("subscriber__email", flat=True))
    copies = Counter(relay.recipients)
    twice = {reader for reader, number in copies.items() if number > 1}
    explained = {
        reader
        for reader in twice & resent
        if copies[reader] == 2 and len({caught.content for caught in relay.to(reader)}) == 1
    }
    kept = counts(mailing)
    return {
        "readers": len(planned),
        "lost": len(planned - set(copies)),
        "got_two_as_resent_unknown": len(explained),
        "doubled_without_reason": len(twice - explained),
        "were_unknown": len(resent),
        "accepted": kept.accepted,
        "balances": kept == recount(mailing) and kept.open == 0,
    }


if __name__ == "__main__":
    sys.exit(main())
