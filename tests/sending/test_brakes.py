"""Each recipient domain at its own pace: one that asks for patience keeps nobody else waiting."""

from collections import Counter
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from newsletter.sending import brakes
from newsletter.sending.feed import feed
from newsletter.sending.gather import gather
from newsletter.sending.models import Batch, Delivery, DomainLimit
from newsletter.transports import memory
from newsletter.transports.memory import OK, MemoryTransport
from newsletter.transports.values import Outcome, Receipt
from signup.models import Subscriber
from tests.sending.braking import let_pass
from tests.sending.mailings import assert_balanced, planned, run

pytestmark = pytest.mark.django_db

SLOW, OTHER = "slow.example", "quick.example"
TOO_FAST = Receipt(Outcome.TEMPORARY, 421, "4.7.28", "too much mail from you")


@pytest.fixture
def gone(monkeypatch):
    """Redis cannot be reached."""

    class Gone:
        def register_script(self, text):
            return self.eval

        def eval(self, *args, **kwargs):
            raise redis.ConnectionError("gone")

    monkeypatch.setattr(brakes, "client", Gone)


def mailing_to(*domains: str):
    """A mailing to one reader at each of these domains, in their order."""
    mailing = planned(len(domains))
    readers = Subscriber.objects.order_by("pk")
    for number, (reader, domain) in enumerate(zip(readers, domains, strict=True)):
        Subscriber.objects.filter(pk=reader.pk).update(email=f"reader{number}@{domain}")
    return mailing


def sent_by_domain() -> Counter[str]:
    return Counter(brakes.domain_of(one.recipient) for one in memory.outbox)


def limit(domain: str, per_second: float) -> None:
    DomainLimit.objects.create(domain=domain, per_second=per_second)
    brakes.forget()


# --- The bucket ---------------------------------------------------------------------------------


def test_a_domain_that_nobody_limits_gets_everything():
    assert brakes.take({OTHER: 500})[OTHER].messages == 500
    assert brakes.counted([f"a@{OTHER}"]) == {}


def test_a_limit_lets_four_seconds_worth_go_at_once_and_then_says_how_long():
    limit(SLOW, 2.0)

    first, second = (brakes.take({SLOW: 500})[SLOW] for _ in range(2))

    assert first.messages == 8
    assert second.messages == 0
    assert 0 < second.wait <= 0.5


def test_what_was_not_used_is_given_back():
    limit(SLOW, 2.0)
    brakes.take({SLOW: 500})
    brakes.take({SLOW: -5})

    assert brakes.take({SLOW: 500})[SLOW].messages == 5


def test_a_slowed_domain_gets_half_and_recovers_by_a_quarter_a_minute(monkeypatch):
    brakes.slow_down(SLOW, getting=40)
    assert brakes.slowed_domains()[SLOW] == pytest.approx(20, rel=0.01)

    # Answers to what was under way do not halve it again.
    brakes.slow_down(SLOW, getting=40)
    assert brakes.slowed_domains()[SLOW] == pytest.approx(20, rel=0.01)

    let_pass(60)
    assert brakes.slowed_domains()[SLOW] == pytest.approx(25, rel=0.01)
    brakes.slow_down(SLOW, getting=1000)
    assert brakes.slowed_domains()[SLOW] == pytest.approx(12.5, rel=0.01)
    let_pass(20 * 60)
    assert brakes.slowed_domains() == {}


def test_a_domain_is_never_slowed_to_nothing():
    for _ in range(30):
        brakes.slow_down(SLOW, getting=1)
        let_pass(brakes.SETTLES_SECONDS + 1)

    assert brakes.slowed_domains()[SLOW] == pytest.approx(brakes.LEAST, rel=0.05)


def test_another_process_hears_of_it_with_its_next_question():
    brakes.slow_down(SLOW, getting=40)
    brakes.forget()
    assert brakes.counted([f"a@{SLOW}"]) == {}

    brakes.take({})

    assert brakes.counted([f"a@{SLOW}", f"b@{SLOW.upper()}", f"c@{OTHER}"]) == {SLOW: 2}


@pytest.mark.parametrize(
    ("receipt", "asks"),
    [
        (TOO_FAST, True),
        (Receipt(Outcome.TEMPORARY, 451, "4.7.650", "rate limited"), True),
        (Receipt(Outcome.TEMPORARY, 452, "4.2.2", "mailbox full"), False),
        (Receipt(Outcome.OURS, 550, "5.7.1", "blocked"), False),
        (Receipt(Outcome.TEMPORARY, 421, "4.3.2", "closing", about_the_line=True), False),
    ],
)
def test_only_421_and_4_7_about_a_recipient_ask_for_patience(receipt, asks):
    assert brakes.asks_for_patience(receipt) is asks


# --- In a mailing -------------------------------------------------------------------------------


def test_one_slowed_domain_waits_and_all_others_go_on():
    limit(SLOW, 1.0)
    mailing = mailing_to(*[SLOW, OTHER] * 20)

    run()

    assert sent_by_domain() == {OTHER: 20, SLOW: 4}
    waiting = Delivery.objects.filter(state="queued")
    assert waiting.count() == 16
    assert all(row.retry_at and row.attempt == 0 for row in waiting)
    assert_balanced(mailing)


def test_who_waited_goes_together_and_is_written_only_once():
    limit(SLOW, 1.0)
    mailing = mailing_to(*[SLOW, OTHER] * 20)
    run()

    assert gather(timezone.now() + timedelta(seconds=10)) == 16
    batch = Batch.objects.get(domain=SLOW)
    run()

    # Its turn comes when there is something for it; nothing was written to its rows.
    batch.refresh_from_db()
    assert (batch.state, batch.planned) == ("ready", 16)
    assert batch.not_before > timezone.now() + timedelta(seconds=1)
    assert not Delivery.objects.filter(batch=batch, retry_at__isnull=False).exists()
    assert feed(timezone.now()) == []

    while Batch.objects.filter(state="ready").exists():
        let_pass(10)
        Batch.objects.filter(pk=batch.pk).update(not_before=None, fed_at=None)
        before = len(memory.outbox)
        run()
        assert 0 < len(memory.outbox) - before <= 5
    mailing.refresh_from_db()
    assert mailing.state == "ended"
    assert sent_by_domain() == {OTHER: 20, SLOW: 20}
    assert set(Delivery.objects.values_list("attempt", flat=True)) == {1}
    assert_balanced(mailing)


def test_421_slows_that_domain_and_no_other():
    mailing_to(*[SLOW, OTHER] * 10)
    refused = iter([TOO_FAST])

    def answer(envelope):
        return next(refused, OK) if envelope.recipient.endswith(SLOW) else OK

    run(MemoryTransport(answer))

    assert set(brakes.slowed_domains()) == {SLOW}
    assert sent_by_domain()[OTHER] == 10
    assert sent_by_domain()[SLOW] < 10


def test_one_greylisted_reader_does_not_slow_the_domain_but_two_do():
    grey = Receipt(Outcome.TEMPORARY, 451, "4.7.1", "greylisted")
    mailing_to(SLOW, OTHER, OTHER)
    run(MemoryTransport(lambda one: grey))

    assert set(brakes.slowed_domains()) == {OTHER}


@pytest.mark.parametrize(("every", "slowed"), [(10, False), (5, False), (2, True)])
def test_a_domain_that_takes_most_of_what_it_gets_is_not_slowed(every, slowed):
    """Greylisting is about readers. Halved for each of them, a mailing would come to a stop."""
    grey = Receipt(Outcome.TEMPORARY, 451, "4.7.1", "greylisted")
    mailing_to(*[SLOW] * 40)
    answers = iter([OK, OK, *(OK if n % every else grey for n in range(1, 39))])

    run(MemoryTransport(lambda one: next(answers)))

    assert (SLOW in brakes.slowed_domains()) is slowed


def test_a_third_of_a_few_answers_is_chance_and_slows_nobody():
    """Slowed by it, a domain would get fewer still, and be slowed by two of those again."""
    grey = Receipt(Outcome.TEMPORARY, 451, "4.7.1", "greylisted")
    mailing_to(*[SLOW] * 6)
    answers = iter([OK, grey, OK, OK, grey, OK])

    run(MemoryTransport(lambda one: next(answers)))

    assert brakes.slowed_domains() == {}


def test_a_domain_that_is_quick_again_keeps_nobody_waiting():
    brakes.slow_down(SLOW, getting=1)
    mailing_to(*[SLOW] * 6)
    brakes.take({})
    let_pass(60 * 60)
    run()

    assert sent_by_domain() == {SLOW: 6}


# --- Without Redis ------------------------------------------------------------------------------


def test_without_redis_a_limit_is_shared_by_the_machines_cores(gone, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    limit(SLOW, 40.0)

    got = sum(brakes.take({SLOW: 500})[SLOW].messages for _ in range(3))

    # It begins with one, and ten a second is its share.
    assert 1 <= got <= 4
    assert brakes.take({OTHER: 500})[OTHER].messages == 500


def test_without_redis_a_domain_is_slowed_for_this_process(gone):
    mailing_to(*[SLOW, OTHER] * 10)
    refused = iter([TOO_FAST])

    def answer(envelope):
        return next(refused, OK) if envelope.recipient.endswith(SLOW) else OK

    run(MemoryTransport(answer))

    assert sent_by_domain()[OTHER] == 10
    assert sent_by_domain()[SLOW] < 10
    assert brakes.braked() == {SLOW}
