"""The embedded installation's own keys, ports and folder."""

import json
import os
import socket

import pytest

from project.local import environment, valkey
from project.local.environment import Place, Unusable

pytestmark = pytest.mark.once


def test_keys_are_made_once_and_are_private(tmp_path):
    first = environment.keys(tmp_path)
    assert environment.keys(tmp_path) == first
    assert (tmp_path / "keys.env").stat().st_mode & 0o777 == 0o600
    assert len(set(first.values())) == len(first)


def test_two_installations_have_nothing_in_common(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = environment.keys(tmp_path / "a"), environment.keys(tmp_path / "b")
    assert all(one[name] != other[name] for name in one)


def test_damaged_keys_are_never_replaced_silently(tmp_path):
    environment.keys(tmp_path)
    path = tmp_path / "keys.env"
    path.write_text("SECRET_KEY=x\n")
    with pytest.raises(Unusable, match=r"keys\.env lacks .*TOKEN_KEYS"):
        environment.keys(tmp_path)
    assert path.read_text() == "SECRET_KEY=x\n"


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "80 80", "８０"])
def test_an_impossible_port_is_refused(port, monkeypatch):
    monkeypatch.setenv("PORT", port)
    with pytest.raises(Unusable, match="PORT must be a number"):
        environment.choose_place()


def test_a_taken_port_is_refused_with_another_to_take(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(Unusable, match=f"Port {port} is taken.*PORT={port + 1}"):
            environment.choose_place()


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "file" / "var"))
    with pytest.raises(Unusable, match="cannot be written"):
        environment.var_dir()


def test_a_long_folder_gets_a_short_socket(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    path = valkey.socket_path(deep)
    assert len(os.fsencode(path)) <= valkey.LONGEST_SOCKET_PATH
    assert valkey.socket_path(deep) == path
    assert valkey.socket_path(deep / "other") != path


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    with pytest.raises(valkey.NoValkey, match="belongs to somebody else"):
        valkey.command(tmp_path / "binary", deep)


def test_the_shells_own_values_win(tmp_path, monkeypatch):
    monkeypatch.setenv("EMAIL_URL", "smtp://relay.example.org:25")
    monkeypatch.setenv("BASE_URL", "")
    found = environment.environment(Place(tmp_path, 8001, 2526))
    assert found["EMAIL_URL"] == "smtp://relay.example.org:25"
    assert found["BASE_URL"] == "http://127.0.0.1:8001"


@pytest.mark.parametrize(("relay", "asked"), [("", False), ("smtp://relay.example.org:25", True)])
def test_a_from_domain_has_to_be_proven_only_where_mail_leaves(tmp_path, monkeypatch, relay, asked):
    monkeypatch.delenv("PROVE_SENDER_DOMAINS", raising=False)
    monkeypatch.setenv("EMAIL_URL", relay)
    found = environment.environment(Place(tmp_path, 8000, 2525))
    assert found.get("PROVE_SENDER_DOMAINS", "true") == ("true" if asked else "false")


def test_manage_py_adopts_the_installation_of_this_folder(tmp_path, monkeypatch):
    for name in (
        "SECRET_KEY",
        "TOKEN_KEYS",
        "LEDGER_KEYS",
        "SUPPRESSION_KEYS",
        "FACTOR_KEYS",
        "EMAIL_URL",
    ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    environment.adopt()
    assert "SECRET_KEY" not in os.environ
    environment.remember(Place(tmp_path, 8001, 2526))
    environment.adopt()
    assert os.environ["SECRET_KEY"] == environment.keys(tmp_path)["SECRET_KEY"]
    assert os.environ["EMAIL_URL"].startswith("smtp://127.0.0.1:2526")


def test_manage_py_leaves_a_configured_shell_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.delenv("EMBEDDED")
    (tmp_path / "place.json").write_text(json.dumps({"port": 1, "smtp_port": 2}))
    environment.adopt()
    assert "EMBEDDED" not in os.environ
