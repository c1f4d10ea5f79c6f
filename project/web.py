"""gunicorn's settings, for `make run` and for the container: gunicorn -c python:project.web"""

import gc
import os

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.http.wsgi import Response
from gunicorn.workers.base import Worker

from project import leash
from project.logs import mask


class MaskingLogger(Logger):
    """gunicorn's access log without the tokens that stand in readers' links."""

    def atoms(
        self, resp: Response, req: Request, environ: dict[str, object], request_time: object
    ) -> dict[str, object]:
        found = super().atoms(resp, req, environ, request_time)
        return {
            name: mask(value) if isinstance(value, str) else value for name, value in found.items()
        }


def post_fork(server: Arbiter, worker: Worker) -> None:
    leash.die_with_parent()


def post_worker_init(worker: Worker) -> None:
    """Look for garbage among what requests leave, not in the whole application.

    Otherwise every look would go through some hundred thousand objects that never go, and an
    answer would wait for it.
    """
    gc.collect()
    gc.freeze()


wsgi_app = "project.wsgi:application"
bind = os.environ.get("WEB_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS") or 2)
threads = int(os.environ.get("WEB_THREADS") or 8)
timeout = 60
graceful_timeout = 10
# Long-lived workers are replaced now and then, not all at once.
max_requests = 20_000
max_requests_jitter = 2_000
control_socket_disable = True
logger_class = MaskingLogger
accesslog = "-" if os.environ.get("WEB_ACCESS_LOG") else None
loglevel = "warning"
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1"
