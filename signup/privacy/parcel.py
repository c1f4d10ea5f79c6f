"""Everything we hold about a reader as one file to take away (GDPR Art. 15 and 20)."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from signup.models import Subscriber
from signup.privacy.export import export

# What a spreadsheet takes for a formula at the beginning of a cell (standard J8).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def parcel(*, subscriber: Subscriber) -> bytes:
    """Return a zip: everything as JSON, and each list as CSV. Made in memory, kept nowhere."""
    document = export(subscriber=subscriber)
    now = timezone.now()
    stamp = (now.year, now.month, now.day, now.hour, now.minute, now.second)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(document):
            entry = zipfile.ZipInfo(name, stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return `rows` as RFC 4180 has it: CRLF, one heading line, quotes doubled.

    A text that a spreadsheet would run as a formula gets a ' in front (standard J8).
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_cell(column) for column in columns)
    for row in rows:
        writer.writerow(_cell(row.get(column)) for column in columns)
    return out.getvalue()


def _files(document: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    yield "read-me.txt", _read_me().encode()
    everything = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
    yield "everything.json", everything.encode()
    for station, values in document.items():
        single = [
            {"what": name, "value": value}
            for name, value in values.items()
            if not isinstance(value, list)
        ]
        tables = {name: value for name, value in values.items() if isinstance(value, list)}
        for name, rows in {"about_you": single, **tables}.items():
            if rows:
                # The mark at the beginning tells spreadsheets that this is UTF-8.
                yield f"{station}-{name}.csv", as_csv(rows).encode("utf-8-sig")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return _cell(json.dumps(value, ensure_ascii=False))
    if isinstance(value, bool | int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _read_me() -> str:
    return (
        _(
            "This is everything we hold about you.\n\n"
            "everything.json holds all of it, for a program to read.\n"
            "Each .csv file holds one part of it, for a spreadsheet. Where a text begins with a\n"
            "sign that a spreadsheet would calculate with, a ' stands before it.\n"
            "Times are in UTC.\n"
        )
    ).replace("\n", "\r\n")
