"""Bad values of the environment are refused in one line that says what to write."""

import os
import runpy
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.env import Env
from project.keys import parse_keys
from tests.running.processes import ROOT

pytestmark = pytest.mark.once

BAD = {
    "DEBUG": ["maybe", "2", "yes please"],
    "EMBEDDED": ["perhaps"],
    "BASE_URL": ["news.example.org", "ftp://x.example", "https://", "https://a.example/path",
                 "https://u:p@a.example", "https://a.example:99999", "https://[::1"],
    "DATABASE_URL": ["mysql://x/y", "nonsense", "postgres://host", "sqlite:", "://"],
    "REDIS_URL": ["http://x", "localhost:6379", "redis://"],
    "SECRET_KEY": ["", "   "],
    "TOKEN_KEYS": ["", "abc", "1:xyz", "1:00", "0:" + "11" * 32, "256:" + "11" * 32,
                   "1:" + "11" * 32 + ",1:" + "22" * 32, "1:" + "11" * 32 + ";2:" + "22" * 32],
    "LEDGER_KEYS": ["", "1"],
    "SUPPRESSION_KEYS": ["", ","],
    "FACTOR_KEYS": ["", "1:00"],
    "TIME_ZONE": ["Mars/Olympus", "../../etc/passwd", "Europe"],
    "LANGUAGE_CODE": ["xx", "english"],
    "LOG_LEVEL": ["LOUD", "info"],
    "SENDING_RATE": ["fast", "-1", "nan", "inf"],
    "SENDING_LEASE_SECONDS": ["2 min"],
    "DATABASE_CONN_MAX_AGE": ["1.5"],
    "SECURE_SSL_REDIRECT": ["sometimes"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_bad_value_is_named_with_what_may_stand_there(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    if name == "SECURE_SSL_REDIRECT":
        monkeypatch.setenv("BASE_URL", "https://a.example")
    if name == "DATABASE_CONN_MAX_AGE":
        monkeypatch.setenv("DATABASE_URL", "postgres://u@h/n")
    with pytest.raises(ImproperlyConfigured, match=name) as refused:
        runpy.run_path(str(ROOT / "project" / "settings.py"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "command"), [("DEBUG", "maybe", "check"), ("TIME_ZONE", "Mars", "migrate")]
)
def test_manage_py_says_it_without_a_traceback(name, value, command):
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        env={**os.environ, name: value}, cwd=ROOT, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode != 0
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_value_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("X", "  ")
    env = Env()
    assert env.text("X", default="usual") == "usual"
    assert env.flag("X", default=True) is True
    assert env.words("X", default=["a"]) == ["a"]
    assert env.whole("X", default=3) == 3
    assert not env.given("X")


def test_good_values_are_read(monkeypatch):
    env = Env()
    for value in ("1", "true", "YES", "on"):
        monkeypatch.setenv("X", value)
        assert env.flag("X") is True
    monkeypatch.setenv("X", " a.example , b.example,")
    assert env.words("X", default=[]) == ["a.example", "b.example"]
    monkeypatch.setenv("X", "https://news.example.org:8443/")
    assert env.origin("X", default="") == "https://news.example.org:8443"


def test_the_name_of_an_origin_is_written_in_ascii(monkeypatch):
    """As List-Unsubscribe takes it, and as browsers say it in Host and Origin."""
    monkeypatch.setenv("X", "https://news.Bücher.example:8443/")
    assert Env().origin("X", default="") == "https://news.xn--bcher-kva.example:8443"
    monkeypatch.setenv("X", "https://bücher..example")
    with pytest.raises(ImproperlyConfigured, match="X"):
        Env().origin("X", default="")


def test_a_socket_folder_may_stand_in_the_database_url(monkeypatch):
    monkeypatch.setenv("X", "postgres://me@%2Frun%2Fpostgresql/news")
    found = Env().database("X", default="")
    assert (found["HOST"], found["NAME"]) == ("/run/postgresql", "news")


def test_a_password_with_signs_is_decoded(monkeypatch):
    monkeypatch.setenv("X", "postgres://me:p%40ss%2Fword@db:5433/news?sslmode=require")
    found = Env().database("X", default="")
    assert found["PASSWORD"] == "p@ss/word"
    assert found["OPTIONS"]["sslmode"] == "require"


def test_keys_are_listed_newest_first():
    keys = parse_keys("K", f"2:{'22' * 32}, 1:{'11' * 32}")
    assert [version for version, _ in keys] == [2, 1]


@pytest.mark.parametrize("value", ["1:" + "11" * 15, "1", ":" + "11" * 32, "a:" + "11" * 32])
def test_keys_that_are_short_or_odd_are_refused(value):
    with pytest.raises(ImproperlyConfigured, match="K must look like"):
        parse_keys("K", value)
