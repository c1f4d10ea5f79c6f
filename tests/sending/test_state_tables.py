"""The tables of transitions, over every state and every state."""

import pytest

from newsletter.audience.reasons import Reason
from newsletter.sending.models import Batch, Delivery, Mailing

ALLOWED = {
    Mailing: {
        ("planning", "sending"), ("planning", "cancelled"),
        ("sending", "paused"), ("sending", "cancelled"), ("sending", "ended"),
        ("paused", "sending"), ("paused", "cancelled"),
    },
    Batch: {
        ("ready", "claimed"), ("ready", "done"), ("claimed", "ready"), ("claimed", "done"),
    },
    Delivery: {
        ("queued", "queued"), ("queued", "skipped"), ("queued", "unknown"),
        ("queued", "accepted"), ("queued", "refused"),
        ("unknown", "queued"), ("unknown", "accepted"),
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "origin", "target"),
    [
        (model, origin, target)
        for model in ALLOWED
        for origin in model.State.values
        for target in model.State.values
    ],
)
def test_only_these_steps_exist(model, origin, target):
    assert model(state=origin).may_become(target) == ((origin, target) in ALLOWED[model])


def test_every_reason_of_the_audience_is_one_of_a_skipped_delivery():
    assert {reason.value for reason in Reason} <= set(Delivery.SkipReason.values)
