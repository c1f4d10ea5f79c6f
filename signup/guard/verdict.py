"""The verdict about one attempt to sign somebody up."""

from datetime import timedelta
from enum import Enum

from signup.guard import attack_mode, counters, domains, proof_of_work
from signup.guard.form_token import FormToken
from signup.guard.limits import limits_for

TOO_FAST = timedelta(seconds=2)
# How much each sign counts towards the alarm. None of them refuses anybody.
TRAPPED, FOREIGN, HASTY, DISPOSABLE = 3, 1, 1, 1


class Verdict(Enum):
    LET_IN = "let in"
    # Not a form of ours, or a trap was sprung: show the form again, everything kept.
    PRESS_AGAIN = "press again"
    # Too many without proof of work: once more with it, or later, everything kept.
    PROVE_FIRST = "prove first"
    # Too much from this network or to this domain: say so, everything kept.
    TOO_MANY = "too many"
    # Too often for this address: answer as ever, do nothing (invariant 13).
    ANSWER_ONLY = "answer only"
    # The part after the @ takes no mail: say so beside the field.
    NO_MAILBOX = "no mailbox"


def judge(
    *,
    address_key: str,
    network: str | None,
    token: FormToken | None,
    trap: str,
    proof: str = "",
) -> Verdict:
    """Decide about one sign-up, from a form, an embed or the API, and count it.

    `network` as from `network_of`; `trap` is the honeypot's field, `proof` the solved challenge.
    A missing, old or used proof refuses nobody: it moves the attempt under the stricter limits.
    What comes out depends on the attempt and on what was counted, never on what is known of the
    address (invariant 13).
    """
    work = proof_of_work.read(proof)
    refused = token is None or bool(trap)
    suspicion = DISPOSABLE if domains.is_disposable(address_key) else 0
    if trap:
        suspicion += TRAPPED
    if token is None:
        suspicion += FOREIGN
    elif work is None and token.age < TOO_FAST:
        # A password manager fills a form in as fast; it only counts towards the alarm.
        suspicion += HASTY
    # What is refused anyway uses up nobody's limits.
    limits = [] if refused else limits_for(address_key=address_key, network=network)
    count = counters.count(limits, work=None if refused else work, suspicion=suspicion)
    if count is not None and count.to_be_told:
        attack_mode.tell(count)
    if refused:
        return Verdict.PRESS_AGAIN
    match count.full if count else None:
        case "address":
            return Verdict.ANSWER_ONLY
        case "unproved" | "unproved_network":
            return Verdict.PROVE_FIRST
        case str():
            return Verdict.TOO_MANY
    if domains.takes_no_mail(address_key.rpartition("@")[2]):
        return Verdict.NO_MAILBOX
    return Verdict.LET_IN
