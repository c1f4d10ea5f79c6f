"""Which worker pool takes a task; without a line here it is the control pool.

prompt: somebody waits for it. bulk: mail, and whatever waits for other people's servers, so that
the short tasks of control, which keep mail moving, never stand behind them.
"""

from kombu.transport.redis import PRIORITY_STEPS, Channel

# Lower goes first. In bulk that is only a mailing's first batch (newsletter.tasks.feed), so that
# no backlog of another one is in its way.
_IN_ITS_TURN = 3
_BULK = {"queue": "bulk", "priority": _IN_ITS_TURN}

ROUTES = {
    "newsletter.tasks.deliver_batch": _BULK,
    "newsletter.tasks.check_links": _BULK,
    "newsletter.tasks.check_sender_domains": _BULK,
    "newsletter.tasks.read_bounces": _BULK,
    "newsletter.tasks.sweep_pictures": _BULK,
    "signup.tasks.send_system_mails": {"queue": "prompt"},
    "newsletter.tasks.mail_new_password": {"queue": "prompt"},
    "newsletter.tasks.tell_of_attacks": {"queue": "prompt"},
    "newsletter.tasks.fetch_feed": _BULK,
    "newsletter.tasks.plan_alert": {"queue": "prompt"},
}


def lists_of(queue: str) -> list[str]:
    """Return the names in Redis under which the tasks of a queue wait, one for each priority."""
    return [f"{queue}{Channel.sep}{step}" if step else queue for step in PRIORITY_STEPS]


# kombu looks for unacknowledged tasks this often; the visibility timeout stands above the
# longest task (CELERY_TASK_TIME_LIMIT), which check wellread.E009 watches.
TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_throttle": 1,
    "unacked_restore_interval": 3,
    "queue_order_strategy": "priority",
}
