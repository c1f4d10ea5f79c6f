"""What became of every reader: the books beside what the relay has."""

from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.faults.relay import Relay

# A reader who left may still get what was checked before: for so many seconds (invariant 4).
GRACE = 1.0


@dataclass
class Verdict:
    """Readers, each counted once under each heading."""

    planned: int = 0
    accepted: int = 0
    refused: int = 0
    skipped: int = 0
    # Unknown, and not to be sent again: shown to staff as that.
    unknown_for_good: int = 0
    # Who should have got the issue, and has nothing.
    lost: int = 0
    # Who has more than one, and how many second copies were sent on purpose.
    doubled: int = 0
    resent_unknown: int = 0
    # Of the doubled: not as a re-sent unknown, or more than two; other bytes or Message-ID.
    doubled_without_reason: int = 0
    doubled_with_other_bytes: int = 0
    # What the books say and the relay does not have, or the other way round.
    falsely_accepted: int = 0
    mailed_though_refused_or_skipped: int = 0
    mailed_after_unsubscribe: int = 0
    balance_looked_at: int = 0
    out_of_balance: int = 0
    ended: bool = False
    # Promises of the scenario itself that were not kept.
    troubles: list[str] = field(default_factory=list)

    @property
    def promises_broken(self) -> list[str]:
        found = list(self.troubles)
        for name in (
            "lost", "doubled_without_reason", "doubled_with_other_bytes", "falsely_accepted",
            "mailed_though_refused_or_skipped", "mailed_after_unsubscribe", "out_of_balance",
        ):  # fmt: skip
            if number := getattr(self, name):
                found.append(f"{name.replace('_', ' ')}: {number}")
        if self.doubled > self.resent_unknown:
            found.append(f"{self.doubled} doubled, but {self.resent_unknown} unknown sent again")
        if not self.ended:
            found.append("the mailing did not come to its end")
        return found

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "promises_broken": self.promises_broken}


def judge(mailing: Any, relay: Relay, left_at: dict[str, float]) -> Verdict:
    """`left_at`: when each reader who unsubscribed had the answer, on the steady clock."""
    from newsletter.sending.balance import counts, recount
    from newsletter.sending.models import Delivery

    mailing.refresh_from_db()
    kept = counts(mailing)
    found = Verdict(
        kept.planned, kept.accepted, kept.refused, kept.skipped, ended=mailing.ended_at is not None
    )
    found.balance_looked_at = 1
    found.out_of_balance = int(kept != recount(mailing) or kept.open != 0)
    copies = relay.by_reader()
    rows = Delivery.objects.filter(mailing=mailing).values_list(
        "subscriber__email", "state", "resent"
    )
    for reader, state, resent in rows.iterator(chunk_size=5000):
        got = copies.pop(reader or "", [])
        found.resent_unknown += resent
        found.unknown_for_good += state == Delivery.State.UNKNOWN
        if state in (Delivery.State.REFUSED, Delivery.State.SKIPPED):
            found.mailed_though_refused_or_skipped += bool(got)
        elif not got:
            # Who left while their copy was unknown is owed nothing more.
            found.lost += reader not in left_at
            found.falsely_accepted += state == Delivery.State.ACCEPTED
        if len(got) > 1:
            found.doubled += 1
            found.doubled_without_reason += not resent or len(got) > 2
            same = len({(one.message_id, one.digest) for one in got}) == 1
            found.doubled_with_other_bytes += not (same and got[0].message_id)
        if reader in left_at:
            found.mailed_after_unsubscribe += any(one.at > left_at[reader] + GRACE for one in got)
    if copies:
        found.troubles.append(f"{len(copies)} who were not planned were mailed")
    return found
