"""Looking for somebody in everything that a running system has written, however it is encoded."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from quopri import encodestring
from typing import Any
from urllib.parse import quote


class Traces:
    """The forms in which one address, or its unique part before the @, may stand in octets."""

    def __init__(self, address: str) -> None:
        local = address.partition("@")[0]
        plain = {address, local, address.replace("@", "\\u0040")}
        escaped = {quote(address, safe=""), quote(quote(address, safe=""), safe="")}
        octets = {word.lower().encode() for word in plain | escaped}
        octets |= {encodestring(address.encode(), quotetabs=True).lower()}
        octets |= {address.replace("@", "=40").lower().encode()}
        octets |= {word.encode("utf-16-le") for word in (address, local)}
        # Other letters have other codes, and the key's spelling differs from the typed one.
        spellings = {address, address.lower(), local, local.lower()}
        octets |= {spelling.encode().hex().encode() for spelling in spellings}
        self._caseless = frozenset(form.lower() for form in octets)
        self._exact = frozenset(
            form for spelling in spellings for form in _in_base64(spelling.encode())
        )

    def in_octets(self, content: bytes) -> list[bytes]:
        """Return the forms that stand in `content`."""
        lowered = content.lower()
        found = [form for form in self._caseless if form in lowered]
        return found + [form for form in self._exact if form in content]

    def in_rows(self, table: str, rows: Iterable[dict[str, Any]]) -> list[tuple[str, bytes]]:
        """Return table and form of each hit. Values are looked at as text and as octets."""
        return [
            (table, form)
            for row in rows
            for value in row.values()
            for form in self.in_octets(_as_octets(value))
        ]

    def in_files(self, folder: Path, *, but: str) -> list[tuple[str, bytes]]:
        """Return file and form of each hit under `folder`; the folder named `but` is left out."""
        return [
            (str(path.relative_to(folder)), form)
            for path in files_under(folder, but=but)
            for form in self.in_octets(_read(path))
        ]

    def in_valkey(self, valkey: Any) -> list[tuple[bytes, bytes]]:
        """Return key and form of each hit, in every database of the server."""
        return [
            (key, form)
            for key, content in everything_in(valkey)
            for form in self.in_octets(key + b"\0" + content)
        ]


def files_under(folder: Path, *, but: str) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and but not in path.relative_to(folder).parts:
            yield path


def everything_in(valkey: Any) -> Iterator[tuple[bytes, bytes]]:
    """Yield every key with all that it holds, as clients read it and as the server keeps it."""
    for key in list(valkey.scan_iter(count=1_000)):
        kind = valkey.type(key)
        read = {
            b"string": lambda key: [valkey.get(key) or b""],
            b"list": lambda key: valkey.lrange(key, 0, -1),
            b"hash": lambda key: [part for pair in valkey.hgetall(key).items() for part in pair],
            b"set": lambda key: list(valkey.smembers(key)),
            b"zset": lambda key: valkey.zrange(key, 0, -1),
            b"stream": lambda key: [repr(valkey.xrange(key)).encode()],
            b"none": lambda key: [],  # gone since it was listed
        }[kind]
        yield key, b"\0".join([*read(key), valkey.dump(key) or b""])


def _in_base64(octets: bytes) -> Iterator[bytes]:
    """The three ways in which these octets can stand inside a longer text in base64."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + octets).rstrip(b"=")
        # The first letters and the last hold bits of what stands around.
        inner = encoded[(before * 8 + 5) // 6 : -1]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def _as_octets(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return str(value).encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""  # a process has removed it since
