"""The Celery application. Queues are pools: prompt, control and bulk never wait for each other."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("wellread")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["signup", "newsletter"])
