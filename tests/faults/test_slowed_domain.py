"""A recipient domain that wants less mail at a time, while a real worker sends to it and others."""

from collections import Counter

import pytest

from newsletter.sending import brakes
from newsletter.sending.balance import counts
from newsletter.sending.models import Delivery
from signup.models import Subscriber
from tests.faults.line import (
    Line,
    assert_nobody_lost,
    assert_twice_only_as_resent_unknown,
)
from tests.running.processes import wait_until
from tests.sending.braking import let_pass

# Its statements run on both databases in tests/sending/test_brakes.py.
pytestmark = [pytest.mark.processes, pytest.mark.once]

SLOW = "slow.example"


def test_it_alone_is_slowed_and_it_comes_back(line: Line):
    mailing = line.plan(readers=400)
    # Every fourth reader, so that the first chunk has some of them.
    slow = list(
        Delivery.objects.filter(mailing=mailing, place__in=range(0, 400, 4)).values_list(
            "subscriber", flat=True
        )
    )
    for reader in slow:
        Subscriber.objects.filter(pk=reader).update(email=f"reader{reader}@{SLOW}")
    # A message is tried over other lines at first: 421 may as well be about a worn out one.
    said = 8
    line.relay.refuse("RCPT", "421 4.7.28 too much mail from you", when=f"@{SLOW}>", times=said)

    def accepted() -> Counter[bool]:
        return Counter(brakes.domain_of(one) == SLOW for one in line.relay.recipients)

    with line.beats():
        line.worker(SENDING_RETRY_SECONDS="1", SENDING_LINE_PAUSE_SECONDS="0.5")
        wait_until(lambda: accepted()[False] == 300, seconds=120, about="all the others")

        # The others did not wait for it, and its own mail goes on at the rate that is left to it.
        slowed = brakes.slowed_domains()
        assert set(slowed) == {SLOW}
        first, last = line.relay.messages[0].begun, line.relay.messages[-1].begun
        in_time = slowed[SLOW] * (last - first + brakes.BURST_SECONDS)
        # What was checked before the answer came goes out unhindered: two chunks.
        assert accepted()[True] <= in_time + 20
        assert accepted()[True] < 100, "nothing was left to be slowed"
        assert counts(mailing).open >= 1

        # An hour later it is forgotten, and who is left gets theirs like anybody.
        let_pass(3600)
        line.wait_for_end(mailing)

    assert brakes.slowed_domains() == {}
    assert accepted() == {False: 300, True: 100}
    assert_nobody_lost(line.relay, mailing)
    assert assert_twice_only_as_resent_unknown(line.relay, mailing) == 0
    # To wait for one's turn is no attempt: only who was told 421 has more than one.
    tries = Counter(Delivery.objects.filter(mailing=mailing).values_list("attempt", flat=True))
    assert 400 - said <= tries[1] < 400
