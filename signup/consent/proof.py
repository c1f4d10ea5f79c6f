"""The proof of one reader's consent: who agreed to what, in which words, when, where and how.

For the reader, a court or a regulator (GDPR Art. 7(1)). Read from the ledger alone, and checked
against it at the same moment; by its subject also for a reader who was erased.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from signup.consent.chain import digest_of
from signup.consent.walk import faults_of
from signup.models import ConsentEntry, ConsentSubject, LedgerSeal, Subscriber

Action = ConsentEntry.Action


class NoSuchChain(LookupError):
    """The ledger knows nothing about this reader or subject."""


@dataclass(slots=True, kw_only=True)
class Step:
    """One thing that was said, as its line of the ledger has it."""

    seq: int
    action: str
    at: datetime
    method: str
    form_url: str
    evidence: str
    hash: str


@dataclass(slots=True, kw_only=True)
class Given:
    """One consent, or another basis: how it began, what confirmed it, how it ended."""

    purpose: str
    newsletter: str | None
    basis: str
    wording: str | None
    wording_language: str | None
    wording_version: int | None
    wording_sha256: str | None
    asked: Step | None = None
    confirmed: Step | None = None
    ended: Step | None = None

    @property
    def stands(self) -> bool:
        return self.confirmed is not None and self.ended is None


@dataclass(slots=True, kw_only=True)
class Proof:
    subject: UUID
    address: str | None
    made_at: datetime
    given: list[Given]
    lines: list[Step]
    # What does not hold in this chain, in words; empty for a whole one.
    faults: list[str] = field(default_factory=list)
    sealed_upto: int = 0
    last_seal: int | None = None

    @property
    def is_whole(self) -> bool:
        return not self.faults


def of_reader(subscriber: Subscriber) -> Proof:
    """Return the proof for a reader. Raises NoSuchChain, also for one who was erased."""
    chain = ConsentSubject.objects.filter(subscriber=subscriber).first()
    if chain is None:
        raise NoSuchChain("The ledger holds nothing that is tied to this reader.")
    return _proof(chain, subscriber.email)


def of_subject(subject: UUID) -> Proof:
    """Return the proof for a subject of the ledger, whoever it was. Raises NoSuchChain."""
    chain = ConsentSubject.objects.select_related("subscriber").filter(subject=subject).first()
    if chain is None:
        raise NoSuchChain("The ledger knows no such subject.")
    return _proof(chain, chain.subscriber.email if chain.subscriber else None)


def as_json(proof: Proof) -> dict[str, Any]:
    """Return the proof as values that JSON knows."""
    values: dict[str, Any] = _plain(asdict(proof))
    for shown, given in zip(values["given"], proof.given, strict=True):
        shown["stands"] = given.stands
    values["chain_is_whole"] = proof.is_whole
    return values


def _proof(chain: ConsentSubject, address: str | None) -> Proof:
    entries = list(
        ConsentEntry.objects.filter(subject=chain.subject)
        .select_related("newsletter", "text")
        .order_by("seq")
    )
    seal = LedgerSeal.objects.order_by("-number").first()
    return Proof(
        subject=chain.subject,
        address=address,
        made_at=timezone.now(),
        given=_given(entries),
        lines=[_step(entry) for entry in entries],
        faults=[str(fault) for fault in faults_of(chain.subject)],
        sealed_upto=chain.sealed_seq,
        last_seal=seal.number if seal else None,
    )


def _given(entries: list[ConsentEntry]) -> list[Given]:
    """Put the lines together that belong to one consent. A later one takes the earlier's place."""
    found: list[Given] = []
    # By purpose and newsletter: what was asked and not yet answered, and what stands.
    asked: dict[tuple[str, int | None], Given] = {}
    standing: dict[tuple[str, int | None], Given] = {}
    for entry in entries:
        about = (entry.purpose, entry.newsletter_id)
        if entry.action == Action.GIVEN:
            asked[about] = _begin(entry)
            asked[about].asked = _step(entry)
            found.append(asked[about])
        elif entry.action in ConsentEntry.BASES:
            given = asked.pop(about, None)
            if given is None or given.wording_sha256 != _digest(entry):
                given = _begin(entry)
                found.append(given)
            given.basis = str(Action(entry.action).label)
            given.confirmed = _step(entry)
            if (before := standing.get(about)) is not None:
                before.ended = _step(entry)
            standing[about] = given
        elif entry.action in (Action.WITHDRAWN, Action.EXPIRED, Action.ERASED):
            everything = entry.action == Action.ERASED
            for key in list(standing) if everything else [about]:
                if (ended := standing.pop(key, None)) is not None:
                    ended.ended = _step(entry)
    return found


def _begin(entry: ConsentEntry) -> Given:
    text = entry.text
    return Given(
        purpose=str(entry.get_purpose_display()),
        newsletter=entry.newsletter.name if entry.newsletter else None,
        basis=_("asked, never confirmed"),
        wording=text.wording if text else None,
        wording_language=text.language if text else None,
        wording_version=text.version if text else None,
        wording_sha256=_digest(entry),
    )


def _digest(entry: ConsentEntry) -> str | None:
    return digest_of(entry.text.wording) if entry.text else None


def _step(entry: ConsentEntry) -> Step:
    return Step(
        seq=entry.seq,
        action=str(Action(entry.action).label),
        at=entry.at,
        method=str(ConsentEntry.Method(entry.method).label),
        form_url=entry.form_url,
        evidence=entry.evidence,
        hash=bytes(entry.entry_hash).hex(),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value if value is None or isinstance(value, int) else str(value)
