"""Readers who leave in the middle of a mailing, each by the POST that a mail program makes."""

import http.client
import threading
import time
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from benchmarks.faults.ground import persistently
from benchmarks.faults.play import Play

CLICKERS = 8
# So many are chosen at a time, and half of them from what workers hold just now.
AT_ONCE = 100


def leave(it: Play, url: str, number: int) -> dict[str, float]:
    """Let `number` readers leave who have not been mailed yet, those first whose turn is next.

    Returns when each of them had the answer, on the steady clock.
    """
    answered: dict[str, float] = {}
    clicks: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
    faults: list[str] = []
    host = urlsplit(url).netloc

    def click() -> None:
        while (one := clicks.get()) is not None:
            reader, path = one
            # One for each, as from so many mail programs.
            connection = http.client.HTTPConnection(host, timeout=30)
            connection.request(
                "POST", path, "List-Unsubscribe=One-Click",
                {"Content-Type": "application/x-www-form-urlencoded"},
            )  # fmt: skip
            answer = connection.getresponse()
            answer.read()
            connection.close()
            if answer.status == 200:
                answered[reader] = time.monotonic()
            else:
                faults.append(f"{reader}: {answer.status}")

    clickers = [threading.Thread(target=click, daemon=True) for _ in range(CLICKERS)]
    for clicker in clickers:
        clicker.start()
    chosen: set[str] = set()
    while len(chosen) < number and not it.has_ended():
        for reader, path in _next_to_be_mailed(it, min(AT_ONCE, number - len(chosen)), chosen):
            chosen.add(reader)
            clicks.put((reader, path))
        while clicks.qsize() > AT_ONCE // 4 and not it.has_ended():
            it.watch()
    _let_go(clicks, it)
    for _ in clickers:
        clicks.put(None)
    for clicker in clickers:
        clicker.join(30)
    it.expect(not faults, f"who left was not answered 200: {faults[:3]}")
    return answered


def _let_go(clicks: "SimpleQueue[tuple[str, str] | None]", it: Play) -> None:
    """Nobody clicks any more once the mailing is over: that would prove nothing."""
    while it.has_ended():
        try:
            clicks.get_nowait()
        except Empty:
            return


def _next_to_be_mailed(it: Play, number: int, chosen: set[str]) -> list[tuple[str, str]]:
    from django.urls import reverse

    from newsletter.sending.models import Batch, Delivery
    from signup import tokens
    from signup.models import Subscription

    batches = Batch.objects.filter(mailing=it.mailing).order_by("pk")

    def look() -> list[tuple[int, str | None]]:
        held = list(batches.filter(state=Batch.State.CLAIMED).values_list("pk", flat=True))
        others = list(batches.filter(state=Batch.State.READY).values_list("pk", flat=True)[:8])
        queued = Delivery.objects.filter(state=Delivery.State.QUEUED).values_list(
            "subscriber", "subscriber__email"
        )
        # Of what a worker holds the last ones: the first are gone before anybody can click.
        found = list(queued.filter(batch__in=held).order_by("-place")[: number // 2])
        found += queued.filter(batch__in=others).order_by("place")[: 4 * number : 4]
        return [one for one in found if one[1] not in chosen][:number]

    readers = {reader: email for reader, email in persistently(look) if email is not None}
    subscriptions = Subscription.objects.filter(
        newsletter=it.mailing.newsletter, subscriber__in=readers
    ).values_list("subscriber", "pk")
    return [
        (readers[subscriber], reverse("signup:unsubscribe", args=[tokens.unsubscribe_token(pk)]))
        for subscriber, pk in persistently(lambda: list(subscriptions))
    ]
