"""A publisher's colour replaces the green only where it can be read."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from newsletter.catalogue import brand
from newsletter.catalogue.models import Newsletter, Publisher
from newsletter.catalogue.models.colour import OUR_GREEN, readable_colour

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")


def test_black_on_white_has_the_greatest_contrast() -> None:
    assert brand.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert brand.contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert brand.contrast("#7A858A", "#7A858A") == pytest.approx(1)


def test_our_own_green_passes_its_own_rule() -> None:
    readable_colour(OUR_GREEN)


@pytest.mark.parametrize("colour", ["#7FD1C7", "#FFD23F", "#FFFFFF", "#888888"])
def test_a_colour_too_light_to_read_is_refused_with_its_contrast(colour: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        readable_colour(colour)
    assert "too light to read" in str(refusal.value)


@pytest.mark.parametrize(
    "colour", ["red", "#FFF", "0F5C5C", "#0F5C5C\n", "#0F5C5G", "", "#0F5C5C;}"]
)
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(ValidationError):
        readable_colour(colour)


@given(colours)
def test_every_colour_that_is_let_in_can_be_read_by_day_and_by_night(colour: str) -> None:
    if not brand.readable(colour):
        with pytest.raises(ValueError, match="cannot be read"):
            brand.derive(colour)
        return
    derived = brand.derive(colour)
    for ground in brand.GROUNDS:
        assert brand.contrast(derived.light, ground) >= 4.5
        assert brand.contrast(derived.light_strong, ground) >= 4.5
    for ground in (brand.DARK_GROUND, brand.DARK_PANEL):
        assert brand.contrast(derived.dark, ground) >= 7
        assert brand.contrast(derived.dark_strong, ground) >= 7
    # The button's own words: paper on the colour by day, the dark ground on it by night.
    assert brand.contrast(brand.WHITE, derived.light) >= 4.5
    assert brand.contrast(brand.DARK_GROUND, derived.dark) >= 4.5


@pytest.mark.django_db
def test_forms_refuse_an_unreadable_brand_for_publisher_and_newsletter() -> None:
    for thing in (Publisher(brand_colour="#FFD23F"), Newsletter(brand_colour="#FFD23F")):
        with pytest.raises(ValidationError) as refusal:
            thing.full_clean()
        assert "brand_colour" in refusal.value.message_dict


@pytest.mark.django_db
def test_asking_for_the_publisher_writes_nothing() -> None:
    assert Publisher.current().name == "Wellread"
    assert not Publisher.objects.exists()
    Publisher.objects.create(name="Lakeside Clinic")
    assert Publisher.current().name == "Lakeside Clinic"
