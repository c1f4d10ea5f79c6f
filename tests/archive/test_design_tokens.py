"""The colours in the style sheets can be read, by day and by night (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from newsletter.catalogue import brand
from newsletter.catalogue.brand import contrast
from newsletter.catalogue.models.colour import OUR_GREEN

CSS = Path(settings.BASE_DIR) / "static" / "css"
SHEETS = sorted(CSS.glob("*.css"))


def tokens(scheme: str) -> dict[str, str]:
    """Return the colour tokens that hold in `scheme`; dark ones override light ones."""
    text = (CSS / "wellread.css").read_text()
    light, dark = re.split(r"@media \(prefers-color-scheme: dark\)", text, maxsplit=1)
    found = dict(re.findall(r"--([a-z-]+):\s*(#[0-9A-Fa-f]{6});", light))
    if scheme == "dark":
        found |= re.findall(r"--([a-z-]+):\s*(#[0-9A-Fa-f]{6});", dark)
    return found


# One row of the design's table: what stands on what, and the contrast that was promised.
PROMISED = {
    "light": [
        ("ink", "paper", 13.8),
        ("ink-soft", "paper", 7.0),
        ("brand", "paper", 7.3),
        ("on-brand", "brand", 7.7),
        ("field-border", "paper", 3.5),
        ("ink", "panel", 12.4),
        ("error", "paper", 6.8),
        ("ink", "emergency", 12.8),
        ("focus-ink", "focus", 10.1),
    ],
    "dark": [
        ("ink", "paper", 14.5),
        ("brand", "paper", 10.0),
        ("error", "paper", 8.7),
        ("focus-ink", "focus", 10.1),
    ],
}

# Every other pair that a page can show; text needs 4.5, borders and rings need 3.
SHOWN = [
    ("ink", "field", 4.5),
    ("ink-soft", "paper", 4.5),
    ("ink-soft", "panel", 4.5),
    ("ink-soft", "field", 4.5),
    ("brand", "field", 4.5),
    ("brand", "panel", 4.5),
    ("brand-strong", "paper", 4.5),
    ("brand-strong", "panel", 4.5),
    ("on-brand", "brand", 4.5),
    ("on-brand", "brand-strong", 4.5),
    ("ink", "panel", 4.5),
    ("ink", "emergency", 4.5),
    ("error", "field", 4.5),
    ("error", "panel", 4.5),
    ("error", "emergency", 4.5),
    ("brand", "emergency", 4.5),
    ("clay", "paper", 4.5),
    ("clay", "field", 4.5),
    ("paper", "error", 4.5),
    ("field-border", "field", 3),
    ("field-border", "panel", 3),
    ("focus-ring", "paper", 3),
    ("focus-ring", "panel", 3),
    ("focus-ring", "field", 3),
]


@pytest.mark.parametrize(
    ("scheme", "front", "ground", "least"),
    [(scheme, *row) for scheme, rows in PROMISED.items() for row in rows],
)
def test_the_promised_contrasts_hold(scheme: str, front: str, ground: str, least: float) -> None:
    colours = tokens(scheme)
    assert contrast(colours[front], colours[ground]) >= least


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "least"), SHOWN)
def test_whatever_stands_on_whatever_can_be_read(
    scheme: str, front: str, ground: str, least: float
) -> None:
    colours = tokens(scheme)
    assert contrast(colours[front], colours[ground]) >= least


def test_the_brand_rule_and_the_style_sheet_mean_the_same_grounds() -> None:
    light, dark = tokens("light"), tokens("dark")
    assert (light["paper"], light["panel"]) == (brand.PAPER, brand.PANEL)
    assert (dark["paper"], dark["panel"]) == (brand.DARK_GROUND, brand.DARK_PANEL)
    assert light["brand"] == OUR_GREEN


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_colours_are_named_once_and_used_by_name(sheet: Path) -> None:
    if sheet.name in ("wellread.css", "print.css"):
        return  # where they are named, and the paper version that renames them
    assert not re.findall(r"#[0-9A-Fa-f]{3,8}\b", sheet.read_text())


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sheets_ask_nobody_else_for_anything(sheet: Path) -> None:
    text = sheet.read_text()
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    for address in re.findall(r'url\("?([^")]+)"?\)', text):
        assert (sheet.parent / address).resolve().is_file(), address


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sheets_work_from_right_to_left_too(sheet: Path) -> None:
    """Sides are named by reading direction: Arabic and Hebrew need no sheet of their own."""
    sides = (
        r"(margin|padding|border)-(left|right)|text-align:\s*(left|right)|(?<![-\w])(left|right):"
    )
    assert not re.search(sides, sheet.read_text())


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_nothing_casts_a_shadow_or_fades(sheet: Path) -> None:
    text = sheet.read_text()
    assert "box-shadow" not in text
    assert "text-shadow" not in text
    assert "gradient(" not in text


def test_type_has_five_sizes() -> None:
    text = (CSS / "wellread.css").read_text()
    sizes = {float(size) * 16 for size in re.findall(r"--size-[a-z]+:\s*([\d.]+)rem", text)}
    assert sizes == {16, 19, 23, 28, 30, 35}


def test_every_font_comes_with_its_licence() -> None:
    fonts = Path(settings.BASE_DIR) / "static" / "fonts"
    for font in fonts.glob("*.woff2"):
        family = re.split(r"-latin", font.name)[0]
        licence = fonts / f"{family}.OFL.txt"
        assert "SIL OPEN FONT LICENSE" in licence.read_text().upper(), font.name
        assert font.stat().st_size < 32_000, font.name
