"""What a run knows of one batch that it has claimed."""

from dataclasses import dataclass, field

from newsletter.sending.claim import Claim
from newsletter.sending.journal import Left
from newsletter.sending.row import Row
from newsletter.transports.values import Outcome, Receipt


@dataclass(slots=True, eq=False)
class Held:
    """A claimed batch of this run."""

    claim: Claim
    # How many of it are on the wire.
    under_way: int = 0
    # Every outcome of this run in the order of its coming, and how many of them the clerk has.
    results: list[tuple[Row, Receipt]] = field(default_factory=list)
    recorded: int = 0
    answered: set[int] = field(default_factory=set)
    # The first place of what was handed over and then not sent after all.
    put_back: int | None = None
    # Nothing is queued behind what was looked at.
    last: bool = False
    # What comes next is a second copy, which goes alone.
    next_goes_alone: bool = False
    # Given to the clerk to be recorded as done.
    finished: bool = False
    # Some of its outcomes could not be written; only the clerk looks at this.
    has_gap: bool = False

    @property
    def is_through(self) -> bool:
        return self.last and not self.under_way and self.put_back is None

    def all_known(self) -> Left:
        left = Left()
        for row, receipt in self.results:
            if receipt.outcome is Outcome.ACCEPTED:
                left.accepted[row.pk] = row.attempt + 1
            elif receipt.outcome is Outcome.UNKNOWN:
                left.unknown[row.pk] = row.attempt + 1
        return left
