"""The drawings in static/art/: an SVG for pages and a PNG for mails of each."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from newsletter.management.demo import content

ART = Path(settings.BASE_DIR) / "static" / "art"
PLACES = {"home", "welcome", "check-inbox", "goodbye", "empty"}
# Ink, paper, sage, clay and their tints, and nothing that a publisher's leaflet would not have.
COLOURS = {
    "#1F2A2E",
    "#FBF8F3",
    "#E4EFEA",
    "#9DBFB0",
    "#5F8F80",
    "#B4512D",
    "#E9C3B0",
    "#F7E2D5",
    "#DFAF92",
    "#A96F50",
    "#CFD7D4",
}

each_drawing = pytest.mark.parametrize("svg", sorted(ART.glob("*.svg")), ids=lambda path: path.stem)


def test_every_piece_of_content_and_every_place_has_its_drawing() -> None:
    wanted = {one.fields["artwork"] for one in (*content.conditions(), *content.articles())}
    assert {one.slug for one in content.conditions()} <= wanted
    for name in wanted | PLACES:
        assert (ART / f"{name}.svg").is_file(), name
        assert (ART / f"{name}.png").is_file(), name


@each_drawing
def test_a_drawing_keeps_to_the_house_colours_and_holds_no_script_or_link(svg: Path) -> None:
    text = svg.read_text(encoding="utf-8")
    assert set(re.findall(r"#[0-9A-Fa-f]{6}\b", text)) <= COLOURS
    root = ElementTree.fromstring(text)
    assert root.get("viewBox") == "0 0 600 300"
    names = {element.tag.partition("}")[2] for element in root.iter()}
    assert names <= {"svg", "g", "path", "rect", "circle", "ellipse"}
    assert "href" not in text


@each_drawing
def test_a_drawing_for_mail_is_small_and_sharp(svg: Path) -> None:
    png = svg.with_suffix(".png")
    assert png.stat().st_size < 60_000
    with Image.open(png) as image:
        assert image.size == (1200, 600)
        assert image.mode == "P"
