"""The whole service on one machine, under one supervisor: what `make run` starts.

python -m project.local
"""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from project import leash
from project.local import environment, valkey
from project.local.environment import Place, Unusable
from project.local.supervisor import Child, StartFailedError, Supervisor, stop_with_make
from project.local.welcome import welcome

MODULE = [sys.executable, "-m"]
CELERY = [*MODULE, "celery", "-A", "project", "--quiet"]


def main() -> int:
    begun = time.monotonic()
    stop_with_make()
    try:
        lock = _only_one(environment.var_dir())
        place = environment.choose_place()
        env = environment.environment(place)
        children = _foundation(place, env)
    except (Unusable, valkey.NoValkey) as error:
        return _refuse(str(error))
    with lock:
        supervisor = Supervisor(environment.ROOT, say=_say)
        try:
            return _serve(supervisor, place, env, children, begun)
        except StartFailedError as error:
            return _refuse(str(error))
        finally:
            supervisor.stop()


def _serve(
    supervisor: Supervisor, place: Place, env: dict[str, str], foundation: list[Child], begun: float
) -> int:
    for child in foundation:
        supervisor.start(child)
    environment.remember(place)
    if supervisor.stopping:
        return 0
    code = _prepare(supervisor, env)
    if code != 0 or supervisor.stopping:
        return code if not supervisor.stopping else 0
    web, *workers = _servers(place, env)
    for child in workers:
        supervisor.start(child)
    supervisor.start(web)
    if not supervisor.stopping:
        text = welcome(
            place.base_url,
            password=env["DEMO_PASSWORD"],
            mailbox="EMAIL_URL" not in _given(),
            seconds=time.monotonic() - begun,
        )
        print(text, flush=True)
        supervisor.run()
    print("\nStopping.", flush=True)
    return 0


def _foundation(place: Place, env: dict[str, str]) -> list[Child]:
    """What the others use: the queue and the mail catcher, unless the shell names its own."""
    found = []
    if "REDIS_URL" not in _given():
        place.valkey.mkdir(exist_ok=True)
        found.append(
            Child(
                "Valkey",
                valkey.command(valkey.find_binary(), place.valkey),
                env,
                ready=lambda: valkey.wait_until_ready(place.valkey, seconds=0.2),
                serves_others=True,
                log=valkey.log_path(place.valkey),
            )
        )
    if "EMAIL_URL" not in _given():
        found.append(
            Child(
                "The mail catcher",
                [*MODULE, "project.local.catcher", str(place.mailbox), str(place.smtp_port)],
                env,
                ready=lambda: not environment.is_free(place.smtp_port),
                serves_others=True,
            )
        )
    return found


def _servers(place: Place, env: dict[str, str]) -> list[Child]:
    address = f"http://127.0.0.1:{place.port}/healthz"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    web = {"WEB_WORKERS": "1", **env}
    return [
        Child(
            "The web server", [*MODULE, "gunicorn", "-c", "python:project.web"], web, ready=answers
        ),
        # Three pools, as in docker-compose: a confirmation never waits for a plan, nor the feeder.
        Child("The prompt worker", _worker("prompt", 1), env, patience=40),
        Child("The control worker", _worker("control", 2), env, patience=40),
        Child("The bulk worker", _worker("bulk", 2), env, patience=40),
        Child("The clock", [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile="], env),
    ]


def _worker(queue: str, processes: int) -> list[str]:
    return [
        *CELERY, "worker", "-Q", queue, "-n", f"{queue}@%h", "-c", str(processes),
        "--without-mingle", "--without-gossip",
    ]  # fmt: skip


def _prepare(supervisor: Supervisor, env: dict[str, str]) -> int:
    """Migrate and, the first time, seed; ends early when told to stop."""
    child = leash.start([*MODULE, "project.local.prepare"], env=env, cwd=environment.ROOT)
    while child.poll() is None and not supervisor.stopping:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.1)
    if child.poll() is None:
        child.terminate()
    return child.wait()


def _only_one(var: Path) -> IO[str]:
    """One supervisor per folder: two would write one queue and one mailbox. Raises Unusable."""
    lock = (var / "run.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise Unusable(
            f"Wellread already runs on {var} (process {lock.read().strip() or 'unknown'}). Stop it "
            "first, or start a second one beside it: make run PORT=8001 VAR_DIR=var2"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _given() -> set[str]:
    return {name for name, value in os.environ.items() if value}


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def _refuse(text: str) -> int:
    print(f"\n{text}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
