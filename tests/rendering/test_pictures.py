"""Pictures and drawings in a mail: whole addresses, words where needed, sharp and small."""

import hashlib
import random
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.images import ImageFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from wagtail.images import get_image_model
from wagtail.images.forms import get_image_form
from wagtail.images.tests.utils import get_test_image_file

from newsletter.catalogue.models import Newsletter
from newsletter.rendering import pictures, teaser
from newsletter.rendering.issue import compile_issue
from tests.rendering import samples
from tests.rendering.reading import Outline

pytestmark = [pytest.mark.once, pytest.mark.django_db]


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


# --- Kept for ever, under a name made of the content ------------------------------------------


def address_in_mail(picture: Any) -> str:
    image, _text = mail_with(picture, alt="A walk", decorative=False)
    return image["src"].removeprefix("https://news.example.org")


def test_a_picture_is_served_for_ever_and_never_asked_for_again(picture: Any) -> None:
    address = address_in_mail(picture)
    answer = Client().get(address)
    assert answer.status_code == 200 and answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert not answer.cookies
    content = b"".join(answer.streaming_content)
    assert hashlib.sha256(content).hexdigest()[:40] in address


def test_a_sent_mails_picture_outlives_its_deletion(picture: Any) -> None:
    address = address_in_mail(picture)
    picture.delete()
    assert Client().get(address).status_code == 200


def test_another_picture_under_the_same_title_has_another_address(picture: Any) -> None:
    address = address_in_mail(picture)
    file = get_test_image_file(colour="black", size=(1600, 800))
    other = get_image_model().objects.create(title="A walk", file=file)
    Newsletter.objects.all().delete()
    assert address_in_mail(other) != address


@pytest.mark.parametrize("name", ["x.png", "../settings.py", "0" * 40 + ".svg", "0" * 40 + ".png"])
def test_nothing_else_is_served_there(name: str) -> None:
    assert Client().get(f"/pictures/{name}").status_code == 404


def test_a_photograph_of_twenty_megabytes_is_made_small(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    photo = Image.frombytes("RGB", (3600, 2400), random.Random(1).randbytes(3600 * 2400 * 3))
    written = BytesIO()
    photo.save(written, "JPEG", quality=97)
    assert 12_000_000 < len(written.getvalue()) < 20 * 1024 * 1024
    stored = get_image_model().objects.create(
        title="Noise", file=ImageFile(BytesIO(written.getvalue()), name="noise.jpg")
    )
    mail_with(stored, alt="Noise", decorative=False)
    (kept,) = (tmp_path / "mail").iterdir()
    assert kept.suffix == ".jpg" and kept.stat().st_size < 1_200_000


def test_a_photograph_saved_as_png_goes_out_as_jpeg(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    written = BytesIO()
    noise = random.Random(2).randbytes(1200 * 600 * 3)
    Image.frombytes("RGB", (1200, 600), noise).save(written, "PNG")
    stored = get_image_model().objects.create(
        title="Noise", file=ImageFile(BytesIO(written.getvalue()), name="noise.png")
    )
    image, _text = mail_with(stored, alt="Noise", decorative=False)
    assert image["src"].endswith(".jpg")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize("name", ["drawing.svg", "drawing.png"])
def test_an_svg_is_refused_whatever_it_is_called(name: str) -> None:
    form = get_image_form(get_image_model())(
        {"title": "Drawing", "collection": 1}, {"file": SimpleUploadedFile(name, SVG)}
    )
    assert not form.is_valid() and "file" in form.errors
