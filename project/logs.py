"""What never stands in a log: a reader's token, a reader's address."""

import logging
import re

# Every public path that carries a token, whatever follows it.
_TOKEN = re.compile(
    r"/(confirm|unsubscribe|preferences|undo|welcome|goodbye|new-address|withdraw|keep|stop|invitation)/(?![/?\s\"'])[^/?\s\"'<>]+"
)
# Wagtail's link for a new password: account and token follow each other.
_RESET = re.compile(r"(/password_reset/confirm/)[^/?\s\"'<>]+/(?!set-password)[^/?\s\"'<>]+")
_TOKEN_PARAMETER = re.compile(r"((?:^|[?&\s])(?:token|t|undo)=)[^&\s\"'<>]+")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_`{|}~-]+@(?=[A-Za-z0-9-]+\.[A-Za-z0-9-.]+)")


def mask(text: str) -> str:
    """Return `text` with tokens and the local parts of addresses replaced by dots."""
    text = _RESET.sub(r"\1…/…", text)
    text = _TOKEN.sub(r"/\1/…", text)
    text = _TOKEN_PARAMETER.sub(r"\1…", text)
    return _ADDRESS.sub("…@", text)


class MaskingFormatter(logging.Formatter):
    """Masks the finished line, so that arguments and tracebacks are covered too."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))
