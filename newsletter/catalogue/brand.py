"""A publisher's colour in place of ours, and whether it can be read (WCAG 2.2, 1.4.3)."""

from dataclasses import dataclass

PAPER = "#FBF8F3"
PANEL = "#E4EFEA"
WHITE = "#FFFFFF"
GROUNDS = (PAPER, PANEL, WHITE)
DARK_GROUND = "#14191B"
DARK_PANEL = "#1C2B29"
TEXT_CONTRAST = 4.5


@dataclass(frozen=True, slots=True)
class Brand:
    """The colours that follow from one chosen colour, for light and dark grounds."""

    light: str
    light_strong: str
    dark: str
    dark_strong: str


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of that name)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of #RRGGBB, 0 to 1."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable(colour: str) -> bool:
    """Can it be text on paper and panel, and the ground of white text on a button?"""
    return all(contrast(colour, ground) >= TEXT_CONTRAST for ground in GROUNDS)


def derive(colour: str) -> Brand:
    """Return the set for a readable `colour`; raise ValueError for one that is not."""
    if not readable(colour):
        raise ValueError(f"{colour} cannot be read on paper, panel and white.")
    dark = _lighten_until(colour, (DARK_GROUND, DARK_PANEL), 7.0)
    return Brand(
        light=colour.upper(),
        light_strong=mix(colour, "#000000", 0.28),
        dark=dark,
        dark_strong=mix(dark, WHITE, 0.35),
    )


def mix(colour: str, other: str, share: float) -> str:
    """Return `colour` with `share` (0 to 1) of `other` mixed in."""
    mixed = (
        round(mine + (theirs - mine) * share)
        for mine, theirs in zip(_channels(colour), _channels(other), strict=True)
    )
    return "#" + "".join(f"{channel:02X}" for channel in mixed)


def _lighten_until(colour: str, grounds: tuple[str, ...], ratio: float) -> str:
    # White reaches 15 and more on both dark grounds, so one of these steps does.
    steps = (mix(colour, WHITE, step / 20) for step in range(21))
    return next(
        shade for shade in steps if all(contrast(shade, ground) >= ratio for ground in grounds)
    )


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
