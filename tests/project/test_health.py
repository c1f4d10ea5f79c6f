"""/healthz, /readyz and /metrics."""

import pytest
from django.test import Client

from project import health
from tests.running.processes import ROOT


@pytest.fixture
def client() -> Client:
    return Client(SERVER_NAME="localhost")


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)


def test_healthz_answers_without_asking_the_database(client: Client):
    # No database mark: a query would fail this test.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "Cookie" not in answer.headers.get("Vary", "")


@pytest.mark.django_db
def test_readyz_is_ready_when_everything_is_there(client: Client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "migrations": "ok", "redis": "ok"}


@pytest.mark.django_db
def test_readyz_is_not_ready_without_the_queue(client: Client, settings):
    settings.REDIS_URL = "unix:///no/such.sock"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["redis"] == "does not answer"


@pytest.mark.django_db
def test_readyz_is_not_ready_while_a_migration_is_missing(client: Client):
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="outcomes").delete()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "migrate" in answer.json()["migrations"]


def test_readyz_is_not_ready_without_the_database(client: Client, monkeypatch):
    from django.db import OperationalError

    def fails() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(health.connection, "cursor", fails)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "does not answer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_nothing_but_get_and_head_is_answered(client: Client, path):
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_metrics_count_what_is_waiting(client: Client, valkey):
    valkey.rpush("bulk", "task")
    # As kombu names what goes in its turn.
    valkey.rpush("bulk\x06\x163", "task")
    text = client.get("/metrics").content.decode()
    assert 'wellread_queue_length{queue="bulk"} 2' in text
    assert 'wellread_deliveries{state="open"} 0' in text
    assert "# TYPE wellread_mailings gauge" in text
    for line in text.splitlines():
        assert line.startswith("#") or line.rpartition(" ")[2].isdigit()


@pytest.mark.django_db
def test_metrics_need_the_token_where_there_is_one(client: Client, settings):
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer é"}).status_code == 403
    right = client.get("/metrics", headers={"Authorization": "Bearer a-long-token"})
    assert right.status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "from_afar",
    [
        {"REMOTE_ADDR": "203.0.113.9"},
        {"HTTP_X_FORWARDED_FOR": "203.0.113.9"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_FORWARDED": "for=203.0.113.9"},
        {"SERVER_NAME": "news.clinic.org"},
    ],
)
def test_metrics_without_a_token_are_for_this_machine_alone(client: Client, from_afar, settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert client.get("/metrics", **from_afar).status_code == 403


@pytest.mark.django_db
def test_metrics_stay_up_without_the_queue(client: Client, settings):
    settings.REDIS_URL = "unix:///no/such.sock"
    assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "code"), [([], 0), (["healthz"], 0), (["readyz"], 1), (["nothing"], 1)]
)
def test_the_containers_probe_tells_by_its_exit_code(arguments, code):
    """A stand-in that is healthy and not ready."""
    import http.server
    import subprocess
    import sys
    import threading

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response({"/healthz": 200, "/readyz": 503}.get(self.path, 404))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = subprocess.run(
            [sys.executable, "-I", ROOT / "project" / "probe.py", *arguments],
            env={"WEB_BIND": f"0.0.0.0:{server.server_port}"},
            capture_output=True, check=False,
        )  # fmt: skip
    finally:
        server.shutdown()
    assert done.returncode == code


def test_the_clocks_probe_wants_a_recent_tick(tmp_path):
    import os
    import subprocess
    import sys

    def probe() -> int:
        script = ROOT / "project" / "probe.py"
        command = [sys.executable, "-I", script, "beat"]
        return subprocess.run(command, env={"TMPDIR": str(tmp_path)}, check=False).returncode

    assert probe() == 1
    (tmp_path / "wellread-beat").touch()
    assert probe() == 0
    os.utime(tmp_path / "wellread-beat", (0, 0))
    assert probe() == 1
