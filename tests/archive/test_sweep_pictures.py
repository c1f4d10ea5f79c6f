"""What no mail shows any more is cleared away, and nothing else ever is."""

import os
import re
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file

from newsletter import tasks
from newsletter.approval.models import Frozen
from newsletter.archive.sweep_pictures import sweep_pictures
from newsletter.catalogue.models import Newsletter
from newsletter.rendering.issue import compile_issue
from newsletter.sending.models import Edition, Mailing
from tests.desk import world
from tests.desk.conftest import desk

__all__ = ["desk"]

YEARS = timedelta(days=3650)
LONG_AGO = timedelta(days=400)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "mail"


def age(path, by=LONG_AGO):
    at = time.time() - by.total_seconds()
    os.utime(path, (at, at))


def drawn(media, name="0" * 40, by=LONG_AGO):
    media.mkdir(exist_ok=True)
    path = media / f"{name}.png"
    path.write_bytes(b"a picture")
    age(path, by)
    return path


def issue_with_picture(desk):
    picture = get_image_model().objects.create(
        title="A path", file=get_test_image_file(size=(640, 320))
    )
    issue = world.issue(desk.newsletter, desk.author)
    issue.body = issue.body.stream_block.to_python(
        [
            {
                "type": "image",
                "value": {"image": picture.pk, "alt_text": "A path", "decorative": False},
            }
        ]
    )
    issue.save()
    issue.save_revision(user=desk.author)
    return issue


def test_a_picture_of_what_was_approved_stays_however_old(desk, media):
    world.approve(issue_with_picture(desk), desk.reviewer)
    shown = list(media.iterdir())
    assert shown
    for path in shown:
        age(path, YEARS)
    forgotten = drawn(media)
    assert sweep_pictures() == [forgotten.name]
    assert sorted(media.iterdir()) == sorted(shown)


def test_an_address_broken_between_two_lines_is_an_address(desk, media):
    """Quoted-printable breaks lines wherever 76 signs are full."""
    approval = world.approve(issue_with_picture(desk), desk.reviewer)
    kept = [drawn(media, letter * 40) for letter in "abcd"]
    breaks = ("=\r\n", "=\n", r"=\r\n", "")
    broken = [
        path.stem[:20] + at + path.stem[20:] + "=2Epng"
        for path, at in zip(kept, breaks, strict=True)
    ]
    Frozen.objects.filter(approval=approval).update(content=" ".join(broken).encode())
    sweep_pictures()
    assert all(path.exists() for path in kept)


def test_what_a_digests_frame_shows_stays(desk, media):
    logo = drawn(media)
    digest = Newsletter.objects.create(
        name="My conditions", slug="mine", kind="digest", from_email="a@example.org"
    )
    mailing = Mailing.objects.create(
        newsletter=digest, kind=Mailing.Kind.DIGEST, dated=timezone.now()
    )
    Edition.objects.create(mailing=mailing, language="en", content=logo.name.encode())
    assert sweep_pictures() == []
    assert logo.exists()


def test_a_draft_draws_its_pictures_anew_whenever_it_is_looked_at(desk, media):
    issue = issue_with_picture(desk)
    compile_issue(issue)
    (picture,) = media.iterdir()
    age(picture)
    compile_issue(issue)
    assert sweep_pictures() == []
    age(picture)
    assert sweep_pictures() == [picture.name]
    html = compile_issue(issue).html
    assert picture.exists()
    assert re.search(re.escape(picture.name), html)


def test_a_picture_that_another_account_wrote_stands_in_nobodys_way(desk, media, monkeypatch):
    issue = issue_with_picture(desk)
    before = compile_issue(issue).html

    def refused(*_args, **_kwargs):
        raise PermissionError

    monkeypatch.setattr("os.utime", refused)
    assert compile_issue(issue).html == before


def test_what_is_young_or_no_picture_of_a_mail_is_left_alone(db, media):
    young = drawn(media, by=timedelta(days=300))
    other = media / "notes.txt"
    other.write_text("mine")
    age(other)
    assert sweep_pictures() == []
    assert young.exists() and other.exists()


def test_nothing_there_is_nothing_to_do(db, media):
    assert sweep_pictures() == []


def test_the_command_says_what_it_would_do_and_then_does_it(db, media):
    picture = drawn(media)
    said = StringIO()
    call_command("sweep_pictures", "--pretend", stdout=said)
    assert picture.name in said.getvalue() and picture.exists()
    call_command("sweep_pictures", stdout=said)
    assert not picture.exists()
    assert said.getvalue().endswith("Deleted: 1.\n")


def test_the_command_refuses_days_in_which_somebody_may_still_look(db):
    with pytest.raises(CommandError, match="At least 30 days"):
        call_command("sweep_pictures", "--days", "7")


def test_a_store_that_is_no_folder_is_left_to_itself(db, settings, media):
    picture = drawn(media)
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    with pytest.raises(CommandError, match="do not lie in a folder"):
        call_command("sweep_pictures")
    tasks.sweep_pictures()
    assert picture.exists()
