"""What is looked at before an issue may be approved and sent. Each finding says what to do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.approval import preflight
from newsletter.approval.preflight.inbox_line import shouts
from newsletter.catalogue.models import Publisher
from newsletter.rendering.issue import compile_issue
from tests.desk import world


@pytest.fixture
def issue(desk):
    return world.issue(desk.newsletter, desk.author)


def codes(issue, edition=None):
    return {(f.code, str(f.level)) for f in preflight.check(issue, edition=edition)}


def with_html(issue, html):
    edition = compile_issue(issue)
    return replace(edition, html=edition.html.replace("</body>", html + "</body>"))


def test_a_complete_issue_has_no_findings(issue):
    assert preflight.check(issue) == []


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        ({"subject": " "}, "subject_missing", "error"),
        ({"subject": "x" * 71}, "subject_long", "warning"),
        ({"preheader": ""}, "preheader_missing", "error"),
        ({"preheader": "Too short"}, "preheader_short", "warning"),
        ({"preheader": "Ten minutes that help your back"}, "preheader_repeats", "warning"),
        ({"subject": "READ THIS NOW"}, "shouting", "error"),
        ({"subject": "Read this now!!"}, "shouting", "error"),
        ({"body": []}, "body_empty", "error"),
        ({"subject": "Dear {first_name|friend}"}, "merge_tag_unknown", "error"),
        ({"greeting": "Dear {surname|friend},"}, "merge_tag_unknown", "error"),
        ({"body": [("rich_text", "<p>Hi *|FNAME|*</p>")]}, "merge_tag_unknown", "error"),
    ],
)
def test_what_the_author_can_mend_in_the_form(issue, change, code, level):
    for name, value in change.items():
        setattr(issue, name, value)
    findings = [f for f in preflight.check(issue) if f.code == code]
    assert [str(f.level) for f in findings] == [level]
    assert findings[0].anchor in {"subject", "preheader", "greeting", "body"}
    assert findings[0].message.endswith(".")


@pytest.mark.parametrize(
    ("text", "loud"),
    [
        ("ADHD and sleep", False),
        ("What an MRI shows", False),
        ("COPD", False),
        ("Your back: what an MRI, a CT and an X-ray show", False),
        ("LAST CHANCE", True),
        ("Please READ CAREFULLY today", True),
        ("Really?!", True),
        ("Good news!", False),
    ],
)
def test_abbreviations_do_not_shout(text, loud):
    assert shouts(text) is loud


def test_a_mail_without_unsubscribe_link_is_stopped(issue):
    edition = compile_issue(issue)
    bare = replace(edition, html="<h1>x</h1>", text=edition.text)
    assert ("unsubscribe_missing", "error") in codes(issue, bare)
    bare = replace(edition, text="Nothing here")
    assert ("unsubscribe_missing", "error") in codes(issue, bare)


def test_a_publisher_without_postal_address_is_stopped(issue):
    Publisher.objects.update(postal_address="")
    assert ("postal_address_missing", "error") in codes(issue)


def test_a_postal_address_that_the_mail_does_not_show_is_stopped(issue):
    edition = compile_issue(issue)
    hidden = replace(edition, text=edition.text.replace("12 Harbour Road", ""))
    assert ("postal_address_not_shown", "error") in codes(issue, hidden)


def test_a_mail_that_does_not_say_whom_to_call_is_stopped(issue):
    edition = compile_issue(issue)
    hidden = replace(edition, text=edition.text.replace("112", ""))
    assert ("emergency_missing", "error") in codes(issue, hidden)


def test_an_image_without_alternative_text_is_stopped(issue):
    found = codes(issue, with_html(issue, '<img src="https://example.org/back.png">'))
    assert ("alt_missing", "error") in found
    decorative = with_html(issue, '<img src="https://example.org/back.png" alt="">')
    assert ("alt_missing", "error") not in codes(issue, decorative)


def test_headings_that_skip_a_level_are_stopped(issue):
    assert ("heading_order", "error") in codes(issue, with_html(issue, "<h4>Deep</h4>"))
    assert ("heading_order", "error") not in codes(issue, with_html(issue, "<h2>Next</h2>"))


def test_an_empty_heading_is_stopped(issue):
    assert ("heading_empty", "error") in codes(issue, with_html(issue, "<h2> </h2>"))


@pytest.mark.parametrize(
    ("size", "code", "level"), [(65_000, "large", "warning"), (101_000, "too_large", "error")]
)
def test_a_mail_that_gmail_would_cut_is_stopped(issue, size, code, level):
    text = "<p>" + "word " * (size // 5) + "</p>"
    edition = replace(compile_issue(issue), html=compile_issue(issue).html + text)
    found = {pair for pair in codes(issue, edition) if pair[0] in ("large", "too_large")}
    assert found == {(code, level)}


def test_an_article_that_is_not_published_is_stopped(desk):
    article = world.article(desk.author)
    issue = world.issue(desk.newsletter, desk.author, body=world.body(article))
    assert ("article_not_live", "error") in codes(issue)


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        ({"reviewer_name": ""}, "review_missing", "error"),
        ({"reviewed_on": None}, "review_missing", "error"),
        ({"reviewed_on": timedelta(days=3)}, "review_in_future", "error"),
        ({"review_due": timedelta(days=-1)}, "review_overdue", "error"),
        ({"review_due": None}, "review_due_missing", "warning"),
        ({"author_name": ""}, "author_missing", "error"),
    ],
)
def test_every_article_shown_has_a_review_that_holds(desk, change, code, level):
    article = world.published_article(desk.author, desk.reviewer)
    issue = world.issue(desk.newsletter, desk.author, body=world.body(article))
    assert preflight.check(issue) == []
    for name, value in change.items():
        today = timezone.localdate()
        setattr(article, name, today + value if isinstance(value, timedelta) else value)
    article.save()

    assert (code, level) in codes(issue)
    assert (code, level) in {(f.code, str(f.level)) for f in preflight.check_article(article)}


def test_a_review_that_is_due_today_still_holds(desk):
    article = world.published_article(desk.author, desk.reviewer)
    article.review_due = timezone.localdate()
    article.save()
    issue = world.issue(desk.newsletter, desk.author, body=world.body(article))
    assert preflight.check(issue) == []


def test_a_newsletter_without_readers_is_only_a_warning(desk, issue):
    desk.newsletter.subscriptions.all().delete()
    assert codes(issue) == {("audience_empty", "warning")}


@pytest.fixture
def sensitive(desk, settings):
    settings.EMAIL_URL = "memory:"
    desk.newsletter.sensitive = True
    desk.newsletter.save()
    world.condition()
    return world.issue(desk.newsletter, desk.author)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("subject", "Living with a herniated disk"),
        ("preheader", "What helps against a SLIPPED DISC, and what does not."),
    ],
)
def test_a_sensitive_newsletters_inbox_line_names_no_condition(sensitive, field, text):
    setattr(sensitive, field, text)
    (finding,) = [f for f in preflight.check(sensitive) if f.code == "not_neutral"]
    assert finding.level == preflight.Level.ERROR
    assert finding.anchor == field


def test_a_part_of_a_word_names_no_condition(sensitive):
    world.condition("Acne")
    sensitive.subject = "Macneil's advice for the week"
    assert not [f for f in preflight.check(sensitive) if f.code == "not_neutral"]


def test_a_sensitive_newsletter_needs_a_way_out_for_health_data(sensitive, settings):
    settings.EMAIL_URL = "smtp://relay.example.org:25"
    assert ("transport_not_allowed", "error") in codes(sensitive)


def test_other_newsletters_may_name_conditions(desk, issue):
    world.condition()
    issue.subject = "Living with a herniated disk"
    assert preflight.check(issue) == []


def test_errors_come_first(issue):
    issue.subject, issue.preheader = "x" * 100, ""
    levels = [str(f.level) for f in preflight.check(issue)]
    assert levels == sorted(levels)
