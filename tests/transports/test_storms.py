"""Random trouble: every outcome is held against what the relay has in its book."""

import random
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.running.examples import examples
from tests.transports.pretended_relay import Fault, Script
from tests.transports.table import LOCKSTEP, OFFER, Split, run

ANSWERS = [
    b"250 ok", b"250-a\r\n250 b", b"421 4.7.0 enough", b"450 4.2.1 later", b"451 later",
    b"452 4.3.1 full", b"550 5.1.1 no", b"550-5.7.1 no\r\n550 5.7.1 way", b"554 no",
    b"503 5.5.1 what",
]  # fmt: skip


def storm(seed: int, trouble: float) -> Script:
    chance = random.Random(seed)

    def script(step: str, text: str) -> bytes | Fault | None:
        if chance.random() > trouble:
            return None
        if chance.random() < 0.25:
            return Fault.COMMIT_AND_DROP if chance.random() < 0.5 else Fault.DROP
        answer = chance.choice(ANSWERS)
        # What a relay may say to content; to DATA, 250 would be out of step and is garbage.
        return None if answer.startswith(b"250") and step == "DATA" else answer

    return script


def torn(seed: int) -> Split:
    chance = random.Random(seed)

    def split(octets: bytes) -> Iterator[bytes]:
        cuts = sorted({0, len(octets), *(chance.randint(0, len(octets)) for _ in range(3))})
        return (octets[start:end] for start, end in pairwise(cuts))

    return split


@settings(max_examples=examples(400), deadline=None)
@given(
    seed=st.integers(0, 2**32),
    trouble=st.sampled_from([0.02, 0.1, 0.3, 0.7]),
    pipelining=st.booleans(),
    eager=st.booleans(),
    hears=st.none() | st.integers(0, 4000),
    says=st.none() | st.integers(0, 1000),
)
def test_no_storm_makes_us_lie(seed, trouble, pipelining, eager, hears, says):
    readers = [f"reader{number}@example.org" for number in range(8)]

    run(
        storm(seed, trouble),
        readers=readers,
        eager=eager,
        offer=OFFER if pipelining else LOCKSTEP,
        split=torn(seed),
        hears=hears,
        says=says,
    )
