"""Pictures and drawings in a mail: whole addresses, words where needed, sharp and small."""

from pathlib import Path
from typing import Any

import pytest
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file

from newsletter.rendering import pictures, teaser
from newsletter.rendering.issue import compile_issue
from tests.rendering import samples
from tests.rendering.reading import Outline

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(settings: Any, tmp_path: Path) -> Any:
    settings.MEDIA_ROOT = tmp_path
    return get_image_model().objects.create(
        title="A walk", file=get_test_image_file(size=(1600, 800))
    )


def mail_with(picture: Any, *, alt: str, decorative: bool) -> tuple[dict[str, str], str]:
    value = {"image": picture.pk, "alt_text": alt, "decorative": decorative}
    issue = samples.issue_of(samples.newsletter(), [])
    issue.body = issue.body.stream_block.to_python([{"type": "image", "value": value}])
    compiled = compile_issue(issue)
    (image,) = Outline(compiled.html).of("img")
    return image, compiled.text


def test_a_picture_has_its_words_in_both_parts(picture: Any) -> None:
    image, text = mail_with(picture, alt='Two people & a "dog" 🐕', decorative=False)
    assert image["alt"] == 'Two people & a "dog" 🐕'
    assert image["src"].startswith("https://news.example.org/pictures/")
    assert image["width"] == "552"
    assert '[Picture: Two people & a "dog" 🐕]' in text


def test_a_decorative_picture_is_passed_over(picture: Any) -> None:
    image, text = mail_with(picture, alt="left from before", decorative=True)
    assert image["alt"] == "" and "Picture" not in text


def test_a_picture_is_never_sent_larger_than_sharp_screens_need(picture: Any) -> None:
    mail_with(picture, alt="", decorative=True)
    assert picture.renditions.get().width == 1104


def test_a_logo_stands_in_the_masthead_with_the_publishers_name(picture: Any) -> None:
    samples.publisher()
    html = compile_issue(samples.issue_of(samples.newsletter(logo=picture), [])).html
    (logo,) = Outline(html).of("img")
    assert logo["alt"] == "St Elena Back Clinic" and logo["width"] == "96"


@pytest.mark.parametrize("name", ["", "../secret", "a/b", "a.png", "x y", "<b>"])
def test_a_drawings_name_is_only_a_name(name: str) -> None:
    assert teaser.artwork_url(name) == ""


def test_a_drawing_that_we_do_not_have_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "drawing", lambda path: "")
    html = compile_issue(samples.rich_issue()).html
    assert not Outline(html).of("img")
