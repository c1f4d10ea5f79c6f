"""Which worker pool takes a task; without a line here it is the control pool.

prompt: somebody waits for it. bulk: mail, and whatever waits for other people's servers, so that
the short tasks of control, which keep mail moving, never stand behind them.
"""

ROUTES = {
    "newsletter.tasks.deliver_batch": {"queue": "bulk"},
    "newsletter.tasks.check_links": {"queue": "bulk"},
    "newsletter.tasks.check_sender_domains": {"queue": "bulk"},
    "newsletter.tasks.sweep_pictures": {"queue": "bulk"},
    "signup.tasks.send_system_mails": {"queue": "prompt"},
    "newsletter.tasks.mail_new_password": {"queue": "prompt"},
    "newsletter.tasks.tell_of_attacks": {"queue": "prompt"},
    "newsletter.tasks.fetch_feed": {"queue": "bulk"},
    "newsletter.tasks.plan_alert": {"queue": "prompt"},
}

# kombu looks for unacknowledged tasks this often; the visibility timeout stands above the
# longest task (CELERY_TASK_TIME_LIMIT), which check wellread.E009 watches.
TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_throttle": 1,
    "unacked_restore_interval": 3,
    "queue_order_strategy": "priority",
}
