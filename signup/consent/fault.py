"""What is wrong with the ledger, and where, in words."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the ledger does not hold. `subject` names nobody; None: all of it."""

    subject: UUID | None
    seq: int | None
    what: str

    def __str__(self) -> str:
        where = "ledger" if self.subject is None else f"subject {self.subject}"
        return f"{where}{'' if self.seq is None else f', entry {self.seq}'}: {self.what}"
