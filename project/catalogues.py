"""Translations: locale/<language>/LC_MESSAGES/django.po in, the .mo that gettext reads out.

Only the .po files are kept in the repository. Every process looks at its start whether a .mo is
missing or older than its .po, and writes it. That needs no program but Python, so a clone, a test
run, the image and a publisher who mends a sentence all go the same way (docs/adr/0010).
"""

import ast
import os
import re
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MAGIC = 0x950412DE  # GNU gettext's, little-endian
_KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d+)\])?)\s+(".*")\s*\Z')


class BadCatalogue(ValueError):
    """A .po file that cannot be read; the message names the file and the line."""


@dataclass
class Entry:
    """One message of a .po file. `strings` holds one text for each plural form."""

    msgid: str = ""
    plural: str | None = None
    context: str | None = None
    fuzzy: bool = False
    strings: dict[int, str] = field(default_factory=dict)

    @property
    def is_translated(self) -> bool:
        return not self.fuzzy and bool(self.strings) and all(self.strings.values())

    def key(self) -> str:
        """As gettext files it: context, then the msgid, then its plural."""
        key = self.msgid if self.context is None else f"{self.context}\x04{self.msgid}"
        return key if self.plural is None else f"{key}\x00{self.plural}"

    def value(self) -> str:
        return "\x00".join(self.strings[number] for number in sorted(self.strings))


def compile_all(folder: Path) -> list[Path]:
    """Write every .mo under `folder` that is missing or older than its .po; return those."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        _put(target, compiled(read(source)))
        written.append(target)
    return written


def read(source: Path) -> list[Entry]:
    """Return the entries of a .po file, the header (an empty msgid) among them."""
    entries = list(_entries(source))
    keys = [entry.key() for entry in entries]
    for twice in {key for key in keys if keys.count(key) > 1}:
        raise BadCatalogue(f"{source}: {twice!r} stands there twice.")
    return entries


def compiled(entries: list[Entry]) -> bytes:
    """Return a .mo file: a table of sorted keys, one of values, then the texts themselves."""
    used = sorted(
        (entry.key().encode(), entry.value().encode()) for entry in entries if entry.is_translated
    )
    start = 7 * 4
    offset = start + 16 * len(used)
    keys: list[tuple[int, int]] = []
    values: list[tuple[int, int]] = []
    texts = b""
    for table, column in ((keys, 0), (values, 1)):
        for pair in used:
            table.append((len(pair[column]), offset + len(texts)))
            texts += pair[column] + b"\0"
    head = struct.pack("<7I", _MAGIC, 0, len(used), start, start + 8 * len(used), 0, offset)
    numbers = [number for pair in (*keys, *values) for number in pair]
    return head + struct.pack(f"<{len(numbers)}I", *numbers) + texts


def _entries(source: Path) -> Iterator[Entry]:
    entry, place = Entry(), ""
    for number, raw in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if line.startswith("#"):
            if place.startswith("msgstr"):
                yield entry
                entry, place = Entry(), ""
            entry.fuzzy = entry.fuzzy or (line.startswith("#,") and "fuzzy" in line)
        elif line.startswith('"') and place:
            _add(entry, place, _text(line, source, number))
        elif found := _KEYWORD.fullmatch(line):
            word = found[1]
            if place.startswith("msgstr") and not word.startswith("msgstr"):
                yield entry
                entry = Entry()
            place = word
            _add(entry, place, _text(found[3], source, number))
        elif line:
            raise BadCatalogue(f"{source}, line {number}: not a line of a catalogue: {line}")
    if place:
        yield entry


def _add(entry: Entry, place: str, text: str) -> None:
    if place == "msgid":
        entry.msgid += text
    elif place == "msgid_plural":
        entry.plural = (entry.plural or "") + text
    elif place == "msgctxt":
        entry.context = (entry.context or "") + text
    else:
        form = int(place[7:-1]) if "[" in place else 0
        entry.strings[form] = entry.strings.get(form, "") + text


def _text(quoted: str, source: Path, number: int) -> str:
    try:
        text = ast.literal_eval(quoted)
    except (ValueError, SyntaxError) as error:
        raise BadCatalogue(f"{source}, line {number}: a quotation mark is missing.") from error
    return str(text)


def _put(target: Path, content: bytes) -> None:
    """Whole or not at all: several processes start at once."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".mo-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
