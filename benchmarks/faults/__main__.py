"""Things are killed while they send, and every reader is accounted for: `make faults`.

    python -m benchmarks.faults [--readers 50000] [--kills 100] [--only killed,relay] [--seed 1]

Real beats, workers, web processes, Valkey, PostgreSQL and PgBouncer on this machine; a relay that
writes down what it takes before it says so. Ends with a table and with 1 when a promise was broken.
"""

import argparse
import random
import shutil
import sys
import time
import traceback
from typing import Any

from benchmarks.faults.crew import KILLS
from benchmarks.faults.ground import Ground, ground
from benchmarks.faults.play import TooLong
from benchmarks.faults.scenarios import SCENARIOS, Sizes
from benchmarks.faults.verdict import Verdict
from benchmarks.stage import RESULTS, ROOT, table, write
from tests.running.pgbouncer import NoPgBouncer

_SUMS = ("lost", "doubled", "resent_unknown", "mailed_after_unsubscribe", "unknown_for_good")


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.faults")
    parser.add_argument("--readers", type=int, default=50_000, help="of the large mailings")
    parser.add_argument("--few", type=int, default=5_000, help="readers of the others")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--leavers", type=int, default=500)
    parser.add_argument("--away", type=float, default=60, help="seconds without a relay")
    parser.add_argument("--patience", type=float, default=1, help="longer, on a busy machine")
    parser.add_argument("--only", default=",".join(SCENARIOS), help=", ".join(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    names = chosen.only.split(",")
    if unknown := set(names) - set(SCENARIOS):
        parser.error(f"--only knows {', '.join(SCENARIOS)}; not {', '.join(sorted(unknown))}")
    if not (100 <= chosen.few <= 100_000 and 100 <= chosen.readers <= 1_000_000):
        parser.error("--few is 100 to 100000, --readers 100 to 1000000")
    sizes = Sizes(
        chosen.readers, chosen.kills, chosen.few, chosen.leavers, chosen.away, chosen.patience
    )
    begun = time.monotonic()
    with ground() as stands:
        found = {}
        for name in names:
            found[name] = _run(stands, name, sizes, random.Random(f"{chosen.seed} {name}"))
            print(_line(name, found[name]), flush=True)
    result = {
        "kills": sum(_kills(one["done"]) for one in found.values()),
        **{name: sum(one[name] for one in found.values()) for name in _SUMS},
        "balance_holds": not any(one["out_of_balance"] for one in found.values()),
        "promises_broken": [
            f"{name}: {what}" for name, one in found.items() for what in one["promises_broken"]
        ],
        "seed": chosen.seed,
        "seconds": round(time.monotonic() - begun),
        "scenarios": found,
    }
    print(f"\n{_table(found)}\n")
    for broken in result["promises_broken"]:
        print(f"BROKEN  {broken}")
    print(f"Written to {write('faults', result).relative_to(ROOT)}")
    return 1 if result["promises_broken"] else 0


def _run(stands: Ground, name: str, sizes: Sizes, dice: random.Random) -> dict[str, Any]:
    begun = time.monotonic()
    done: dict[str, int] = {}
    try:
        with SCENARIOS[name](stands, sizes, dice) as it:
            verdict, done = it.verdict(), it.done
    except (TooLong, NoPgBouncer) as error:
        verdict = Verdict(troubles=[str(error)])
    except Exception as error:
        # The other scenarios have something to say all the same.
        traceback.print_exc()
        verdict = Verdict(troubles=[repr(error)])
    found = {"done": done, **verdict.as_json(), "seconds": round(time.monotonic() - begun, 1)}
    if verdict.promises_broken and (stands.folder / name).exists():
        # Else they are gone with the run.
        kept = RESULTS / "faults" / name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(stands.folder / name, kept)
        found["logs"] = str(kept.relative_to(ROOT))
    return found


def _kills(done: dict[str, int]) -> int:
    """Processes that were killed or told to stop."""
    return sum(number for what, number in done.items() if what in KILLS)


def _line(name: str, one: dict[str, Any]) -> str:
    what = ", ".join(f"{number} {what}" for what, number in one["done"].items())
    state = "; ".join(one["promises_broken"]) or "all promises kept"
    counted = f"{one['lost']} lost, {one['doubled']} doubled, {one['resent_unknown']} sent again"
    return f"{name}: {what}. {counted}, {one['seconds']} s, {state}."


def _table(found: dict[str, dict[str, Any]]) -> str:
    head = (
        "", "readers", "accepted", "skipped", "lost", "doubled", "unknown re-sent",
        "other bytes", "mailed after leaving", "balance looked at / off", "seconds",
    )  # fmt: skip
    rows: list[tuple[str, ...]] = [head]
    for name, one in found.items():
        values = (
            one["planned"], one["accepted"], one["skipped"], one["lost"], one["doubled"],
            one["resent_unknown"], one["doubled_with_other_bytes"], one["mailed_after_unsubscribe"],
            f"{one['balance_looked_at']} / {one['out_of_balance']}", one["seconds"],
        )  # fmt: skip
        rows.append((name, *map(str, values)))
    return table(rows)


if __name__ == "__main__":
    sys.exit(main())
