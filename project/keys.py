"""Versioned keys as they stand in the environment: `2:hex,1:hex`, newest first."""

from django.core.exceptions import ImproperlyConfigured

MINIMUM_BYTES = 16


def parse_keys(name: str, value: str) -> tuple[tuple[int, bytes], ...]:
    """Parse the keys of the environment variable `name`, newest first.

    The first signs; every one listed still verifies, which is how keys are rotated without
    breaking a link that was mailed years ago.

    Raises ImproperlyConfigured, naming the variable and what is wrong with it.
    """
    keys: list[tuple[int, bytes]] = []
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        version, separator, digits = part.partition(":")
        try:
            number, key = int(version), bytes.fromhex(digits)
        except ValueError:
            number, key = 0, b""
        if not separator or not 1 <= number <= 255 or len(key) < MINIMUM_BYTES:
            raise ImproperlyConfigured(
                f"{name} must look like '1:<hex>' or '2:<hex>,1:<hex>' (newest first), each key at "
                f"least {MINIMUM_BYTES} bytes in hexadecimal and each version from 1 to 255."
            )
        keys.append((number, key))
    if not keys:
        raise ImproperlyConfigured(f"{name} lists no key; it must look like '1:<hex>'.")
    if len({number for number, _ in keys}) != len(keys):
        raise ImproperlyConfigured(f"{name} lists one version twice.")
    return tuple(keys)
