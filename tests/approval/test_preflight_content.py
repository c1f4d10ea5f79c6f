"""Pictures, colours, language, sponsors, emergencies, reviews, audience and domain."""

import importlib
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.images import ImageFile
from django.utils import timezone
from PIL import Image as Pillow
from wagtail.images import get_image_model

from newsletter.approval import preflight, sender_domains
from newsletter.approval.preflight import reach
from newsletter.catalogue.models import Publisher
from newsletter.editions.models import Article
from newsletter.outcomes.domain_records import DnsUnreachable
from newsletter.outcomes.sender_domains import look_at_all
from newsletter.rendering.issue import compile_issue
from tests.desk import world


@pytest.fixture
def issue(desk):
    return world.issue(desk.newsletter, desk.author)


@pytest.fixture
def showing(desk):
    def make(*body, **changes):
        return world.issue(desk.newsletter, desk.author, body=list(body), **changes)

    return make


def found(issue, *codes, edition=None):
    return [f for f in preflight.check(issue, edition=edition) if f.code in codes]


def with_html(issue, html):
    edition = compile_issue(issue)
    return replace(edition, html=edition.html.replace("</body>", html + "</body>"))


# --- Pictures ------------------------------------------------------------------------------------


@pytest.fixture
def picture(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path

    def make(width, height, *, noise=False):
        drawing = Pillow.effect_noise((width, height), 100) if noise else None
        drawing = (drawing or Pillow.new("L", (width, height), 200)).convert("RGB")
        file = io.BytesIO()
        drawing.save(file, "PNG")
        return get_image_model().objects.create(
            title="A walk", file=ImageFile(io.BytesIO(file.getvalue()), name="walk.png")
        )

    return make


def shown(image, **changes):
    return ("image", {"image": image.pk, "alt_text": "A path", "decorative": False, **changes})


@pytest.mark.parametrize(
    ("size", "code"),
    [((1200, 800), None), ((120, 90), "image_narrow"), ((300, 900), "image_tall")],
)
def test_the_measures_of_a_picture(showing, picture, size, code):
    issue = showing(*[_raw(shown(picture(*size)))])
    assert [f.code for f in found(issue, "image_narrow", "image_tall")] == ([code] if code else [])


def test_a_heavy_picture_is_weighed_as_readers_fetch_it(showing, picture, monkeypatch):
    from newsletter.approval.preflight import images

    issue = showing(_raw(shown(picture(1200, 1200, noise=True))))
    assert found(issue, "image_heavy", "image_too_heavy")
    monkeypatch.setattr(images, "HEAVY_TOGETHER", 100)
    assert found(issue, "images_heavy")
    plain = showing(_raw(shown(picture(1200, 1200))))
    assert not found(plain, "image_heavy", "image_too_heavy")


@pytest.mark.parametrize(
    ("alt", "code"),
    [
        ("IMG_2041.jpg", "alt_file_name"),
        ("foto 3", "alt_file_name"),
        ("Picture of a path by the sea", "alt_wordy"),
        ("A path by the sea", None),
    ],
)
def test_the_words_for_a_picture(issue, alt, code):
    edition = with_html(issue, f'<img src="https://example.org/x.png" alt="{alt}">')
    codes = [f.code for f in found(issue, "alt_file_name", "alt_wordy", edition=edition)]
    assert codes == ([code] if code else [])


def _raw(block):
    kind, value = block
    return {"type": kind, "value": value, "id": "33333333-3333-4333-8333-333333333333"}


@pytest.fixture(autouse=True)
def _raw_bodies(monkeypatch):
    """Blocks given as raw data become a body as the editor would store it."""
    import json

    made = world.issue

    def issue(letter, by=None, **changes):
        body = changes.get("body")
        if body and isinstance(body[0], dict):
            changes["body"] = json.dumps(body)
        return made(letter, by, **changes)

    monkeypatch.setattr(world, "issue", issue)


# --- Colours -------------------------------------------------------------------------------------


def test_our_own_mail_can_be_seen(issue):
    assert found(issue, "contrast_low") == []


@pytest.mark.parametrize(
    ("html", "faint"),
    [
        ('<p style="color:#999999;background:#ffffff">Pale</p>', True),
        ('<p style="color:#999;font-size:28px">Pale and large</p>', True),
        ('<p style="color:#767676;background-color:#FFF">Just enough</p>', False),
        (
            '<table><tr><td bgcolor="#0F5C5C" style="color:#ffffff">On green</td></tr></table>',
            False,
        ),
        ('<div style="background:#1F2A2E"><p style="color:#4A575C">Dark on dark</p></div>', True),
        ('<div style="display:none;color:#fff">Unseen</div>', False),
    ],
)
def test_words_that_are_hard_to_see_are_stopped(issue, html, faint):
    assert bool(found(issue, "contrast_low", edition=with_html(issue, html))) is faint


# --- Language ------------------------------------------------------------------------------------

SPANISH = (
    "Caminar un poco cada día es lo mejor para la espalda. No hace falta que sea mucho: con diez "
    "minutos por la mañana y otros diez por la tarde se nota una mejora en pocas semanas. Si el "
    "dolor va a más, llama a tu médico y cuéntale qué te pasa y desde cuándo."
)


def test_a_text_in_another_language_than_it_says_is_doubted(showing):
    body = ("rich_text", f"<p>{SPANISH}</p>")
    (finding,) = found(showing(body), "language_doubtful")
    assert "Spanish" in finding.message
    assert not found(showing(body, language="es"), "language_doubtful")


def test_a_document_without_its_language_is_stopped(issue):
    edition = compile_issue(issue)
    bare = replace(edition, html=edition.html.replace(' lang="en"', ""))
    assert found(issue, "language_missing", edition=bare)
    assert not found(issue, "language_missing")


def test_text_for_scholars_is_a_warning_that_lists_its_sentences(showing):
    sentence = (
        "Multidisciplinary rehabilitation incorporating psychological interventions considerably "
        "ameliorates functional limitations associated with chronic radiculopathy. "
    )
    (finding,) = found(showing(("rich_text", f"<p>{sentence * 6}</p>")), "reading_age")
    assert finding.level == "warning"
    assert len(finding.details) == 6


def test_an_article_in_another_language_is_a_warning(desk, showing):
    article = world.published_article(desk.author, desk.reviewer, language="es")
    issue = showing(*world.body(article))
    assert found(issue, "article_language")


# --- Care ----------------------------------------------------------------------------------------

EMERGENCY = ("emergency", {"title": "Get help", "signs": ["Numb legs"], "number": ""})
SPONSOR = (
    "sponsor",
    {
        "name": "Acme",
        "logo": None,
        "text": "Shoes.",
        "link_text": "Acme's shoes",
        "url": "https://example.org/shoes",
    },
)
TEXT = ("rich_text", "<p>Walk a little.</p>")


@pytest.fixture
def policy(desk):
    Publisher.objects.update(endorsement_policy_url="https://example.org/sponsors/")


@pytest.mark.parametrize(
    ("body", "beside"),
    [
        ((EMERGENCY, SPONSOR), True),
        ((SPONSOR, EMERGENCY), True),
        ((EMERGENCY, ("divider", None), SPONSOR), True),
        ((EMERGENCY, ("heading", "More"), SPONSOR), True),
        ((EMERGENCY, TEXT, SPONSOR), False),
        ((TEXT, SPONSOR), False),
    ],
)
def test_nothing_paid_stands_beside_an_emergency(policy, showing, body, beside):
    issue = showing(*body)
    findings = found(issue, "sponsor_beside_emergency")
    assert bool(findings) is beside
    if beside:
        sponsor = next(child for child in issue.body if child.block_type == "sponsor")
        assert findings[0].block == sponsor.id


def test_a_sponsor_needs_rules_for_sponsors(showing):
    assert found(showing(TEXT, SPONSOR), "sponsor_policy_missing")


def test_a_sponsor_whose_label_a_theme_lost_is_stopped(policy, showing, monkeypatch):
    issue = showing(TEXT, SPONSOR)
    assert not found(issue, "sponsor_unlabelled")
    check = importlib.import_module("newsletter.approval.preflight.check")
    whole = check.parts_of

    def unlabelled(thing):
        return [replace(part, text=part.text.replace("Advertisement", "")) for part in whole(thing)]

    monkeypatch.setattr(check, "parts_of", unlabelled)
    assert found(issue, "sponsor_unlabelled")


def test_an_article_that_speaks_of_symptoms_needs_the_box(desk, showing):
    article = world.published_article(desk.author, desk.reviewer)
    issue = showing(*world.body(article))
    assert not found(issue, "emergency_box_missing", "emergency_box_wanted")
    Article.objects.update(concerns_symptoms=True)
    (finding,) = found(issue, "emergency_box_missing")
    assert finding.level == "error"
    assert not found(showing(*world.body(article), EMERGENCY), "emergency_box_missing")


def test_words_that_point_to_symptoms_ask_for_the_box(showing):
    issue = showing(("rich_text", "<p>Which symptoms matter?</p>"))
    (finding,) = found(issue, "emergency_box_wanted")
    assert (finding.level, finding.block) == ("warning", issue.body[0].id)


# --- Reviews -------------------------------------------------------------------------------------


def test_an_article_changed_past_its_approval_is_stopped(desk, showing):
    article = world.published_article(desk.author, desk.reviewer)
    issue = showing(*world.body(article))
    assert not found(issue, "review_older")
    article.summary = "Take two tablets instead."
    article.save()
    (finding,) = found(issue, "review_older")
    assert finding.block == issue.body[1].id


def test_a_review_older_than_the_words_it_vouches_for_is_stopped(desk):
    article = world.published_article(desk.author, desk.reviewer)
    draft = article.get_latest_revision_as_object()
    draft.summary = "Something else is true now."

    def codes():
        return {f.code for f in preflight.check_article(draft)}

    assert "review_older" in codes()
    draft.reviewed_on = timezone.localdate()
    assert "review_older" not in codes()


# --- Audience and domain -------------------------------------------------------------------------


def test_an_audience_that_doubled_in_a_week_is_asked_about(desk, issue, monkeypatch):
    monkeypatch.setattr(reach, "FEWEST_SUDDEN", 4)
    desk.newsletter.subscriptions.update(live_at=timezone.now() - timedelta(days=60))
    assert not found(issue, "audience_large")
    for _ in range(4):
        world.reader(desk.newsletter)
    (finding,) = found(issue, "audience_large")
    assert finding.level == "warning" and "4" in finding.message
    for _ in range(3):
        desk.newsletter.subscriptions.filter(pk=world.reader(desk.newsletter).pk).update(
            live_at=timezone.now() - timedelta(days=9)
        )
    assert not found(issue, "audience_large")


class _Zone:
    def __init__(self, **records):
        self.records = {name.replace("__", "."): value for name, value in records.items()}
        self.down = False

    def texts(self, name):
        if self.down:
            raise DnsUnreachable("No name server answered.")
        return self.records.get(name, [])


def test_a_domain_that_proves_nothing_is_stopped_with_the_records_to_copy(issue, settings):
    settings.DKIM_SELECTORS = ["spring"]
    settings.EMAIL_URL = "smtp://relay.example.net:587"
    assert not found(issue, "domain_unproven")
    assert look_at_all(_Zone()) == 1
    (finding,) = found(issue, "domain_unproven")
    assert finding.level == "error"
    assert 'news.example.org. IN TXT "v=spf1 a:relay.example.net -all"' in finding.details
    assert any(line.startswith("_dmarc.news.example.org.") for line in finding.details)
    assert any(line.startswith("spring._domainkey.") for line in finding.details)


def test_a_domain_in_order_has_no_finding_and_silence_changes_nothing(issue, settings):
    settings.DKIM_SELECTORS = []
    zone = _Zone()
    zone.records = {
        "news.example.org": ["v=spf1 mx -all"],
        "_dmarc.news.example.org": ["v=DMARC1; p=none"],
    }
    look_at_all(zone)
    (finding,) = found(issue, "domain_unproven", "domain_weak")
    assert finding.code == "domain_weak"
    zone.records["_dmarc.news.example.org"] = ["v=DMARC1; p=reject"]
    look_at_all(zone)
    assert not found(issue, "domain_unproven", "domain_weak")
    zone.down = True
    assert look_at_all(zone) == 0
    assert not found(issue, "domain_unproven", "domain_weak")


def test_where_mail_stays_on_this_machine_no_domain_has_to_prove_anything(issue, settings):
    """The demo's own domain exists nowhere. What was found while mail did leave counts no more."""
    look_at_all(_Zone())
    assert found(issue, "domain_unproven")

    settings.PROVE_SENDER_DOMAINS = False

    assert not found(issue, "domain_unproven", "domain_weak")
    assert look_at_all(_Zone()) == 0


def test_each_sending_domain_is_asked_about_once(desk):
    world.newsletter(slug="second", list_id_label="second", from_email="x@NEWS.example.org")
    assert sender_domains.domains() == ["news.example.org"]
