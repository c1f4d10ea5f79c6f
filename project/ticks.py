"""What the beat asks for, and how often."""

from celery.schedules import crontab

# Every tick is harmless twice, so two beats do no harm (docs/reliability.md). A tick that finds
# no worker for a while is not owed: it expires instead of piling up.
TICKS = {
    "feed": {"task": "newsletter.tasks.feed", "schedule": 1.0, "options": {"expires": 5}},
    "recover": {"task": "newsletter.tasks.recover", "schedule": 5.0, "options": {"expires": 15}},
    "watch": {"task": "newsletter.tasks.watch", "schedule": 30.0, "options": {"expires": 60}},
    "start-scheduled": {
        "task": "newsletter.tasks.start_scheduled",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "run-digests": {
        "task": "newsletter.tasks.run_digests",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "watch-digests": {
        "task": "newsletter.tasks.watch_digests",
        "schedule": 300.0,
        "options": {"expires": 600},
    },
    "react-to-outcomes": {
        "task": "newsletter.tasks.react_to_outcomes",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "read-bounces": {
        "task": "newsletter.tasks.read_bounces",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "check-links": {
        "task": "newsletter.tasks.check_links",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "check-sender-domains": {
        "task": "newsletter.tasks.check_sender_domains",
        "schedule": crontab(hour="*/6", minute="25"),
        "options": {"expires": 3_600},
    },
    "send-review-summaries": {
        "task": "newsletter.tasks.send_review_summaries",
        # Each hour; which hour of which day it is in the service's own zone is the verb's to say.
        "schedule": crontab(minute="5"),
        "options": {"expires": 1_800},
    },
    "sweep-pictures": {
        "task": "newsletter.tasks.sweep_pictures",
        "schedule": crontab(day_of_week="0", hour="4", minute="45"),
        "options": {"expires": 3_600},
    },
    "fetch-feeds": {
        "task": "newsletter.tasks.fetch_feeds",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "sweep-system-mail": {
        "task": "signup.tasks.sweep_system_mail",
        "schedule": 15.0,
        "options": {"expires": 60},
    },
    "tell-of-attacks": {
        "task": "newsletter.tasks.tell_of_attacks",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "seal-ledger": {
        "task": "signup.tasks.seal_ledger",
        "schedule": crontab(hour="3", minute="20"),
        "options": {"expires": 3_600},
    },
    "expire-consents": {
        "task": "signup.tasks.expire_consents",
        "schedule": crontab(hour="4", minute="10"),
        "options": {"expires": 3_600},
    },
    "ask-anew": {
        "task": "signup.tasks.ask_anew",
        "schedule": 15.0,
        "options": {"expires": 60},
    },
    "purge-sign-ups": {
        "task": "signup.tasks.purge_sign_ups",
        # By the clock, not by an interval: that would begin anew with every restart.
        "schedule": crontab(hour="3", minute="40"),
        "options": {"expires": 3_600},
    },
}
