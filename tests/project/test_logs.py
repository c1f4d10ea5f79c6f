"""No log line carries a reader's token or address."""

import io
import logging

import pytest
from django.test import Client

from project.logs import MaskingFormatter, mask

pytestmark = pytest.mark.once

TOKEN = "AQAAAAAAAAAq.x7Yp-1_zT"


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (f"GET /confirm/{TOKEN}/ HTTP/1.1", "GET /confirm/…/ HTTP/1.1"),
        (f"Not Found: /unsubscribe/{TOKEN}", "Not Found: /unsubscribe/…"),
        (f'"POST /preferences/{TOKEN}/?x=1"', '"POST /preferences/…/?x=1"'),
        (f"https://a.example/undo/{TOKEN}/", "https://a.example/undo/…/"),
        (f"/unsubscribe/?token={TOKEN}&a=1", "/unsubscribe/?token=…&a=1"),
        ("GET /preferences/ HTTP/1.1", "GET /preferences/ HTTP/1.1"),
        ("GET /conditions/migraine/ 200", "GET /conditions/migraine/ 200"),
        ("refused: anna.b+c@clinic.example.org", "refused: …@clinic.example.org"),
    ],
)
def test_tokens_and_addresses_are_masked(line, masked):
    assert mask(line) == masked


@pytest.mark.django_db
def test_djangos_own_warning_about_a_bad_link_is_masked(client: Client):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(MaskingFormatter("%(message)s"))
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    try:
        client.get(f"/no-such/unsubscribe/{TOKEN}/")
    finally:
        logger.removeHandler(handler)
    assert "Not Found" in stream.getvalue()
    assert TOKEN not in stream.getvalue()


def test_arguments_and_tracebacks_are_masked():
    formatter = MaskingFormatter("%(message)s")
    try:
        raise ValueError(f"/confirm/{TOKEN}/")
    except ValueError:
        import sys

        record = logging.LogRecord(
            "x", logging.ERROR, "", 0, "for %s", ("anna@example.org",), sys.exc_info()
        )
    text = formatter.format(record)
    assert TOKEN not in text
    assert "anna" not in text


def test_every_handler_masks(settings):
    for handler in settings.LOGGING["handlers"].values():
        assert handler["formatter"] == "plain"
    assert settings.LOGGING["formatters"]["plain"]["()"] == "project.logs.MaskingFormatter"


def test_the_access_log_masks_every_field():
    from gunicorn.config import Config

    from project.web import MaskingLogger

    class Answer:
        status, sent, headers = "200 OK", 5, []

    class Request:
        method, uri, path, query, version, headers = "GET", "", "", "", (1, 1), []

    import datetime

    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"/confirm/{TOKEN}/",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH_INFO": f"/confirm/{TOKEN}/",
        "QUERY_STRING": f"token={TOKEN}",
        "HTTP_REFERER": f"https://a.example/confirm/{TOKEN}/",
        "REMOTE_ADDR": "127.0.0.1",
    }
    logger = MaskingLogger(Config())
    atoms = logger.atoms(Answer(), Request(), environ, datetime.timedelta(seconds=1))
    for name in ("r", "U", "q", "f"):
        assert TOKEN not in str(atoms[name]), name
