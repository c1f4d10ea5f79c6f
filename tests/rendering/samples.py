"""A rich issue, a digest and their readers, unsaved where that will do. Medical wording is real."""

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from wagtail.rich_text import RichText

from newsletter.catalogue.models import Condition, HelpLine, Newsletter, Publisher
from newsletter.editions.models import Article, Issue
from newsletter.rendering.copies import DigestCopies, Extras, ReaderRow, Stamp
from newsletter.rendering.digest import compile_shell
from newsletter.rendering.digest_body import DigestBody, Frame
from newsletter.rendering.fragments import (
    compile_article,
    condition_heading,
    section_end,
    split_at_token,
)
from signup import section_links

DATED = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)

ANNA = ReaderRow(7, "anna@example.org", "Anna", 70)


def stamp(mailing_id: int = 1, **changes: Any) -> Stamp:
    return Stamp(mailing_id, DATED, b"salt of a mailing", 1)._replace(**changes)


def publisher() -> Publisher:
    return Publisher.objects.create(
        name="St Elena Back Clinic",
        postal_address="12 Harbour Road\n1050 Exampletown",
        contact_email="hello@news.example.org",
    )


def newsletter(**changes: Any) -> Newsletter:
    values: dict[str, Any] = {
        "name": "Living well",
        "slug": "living-well",
        "kind": Newsletter.Kind.EDITORIAL,
        "promise": "One mail a week.",
        "from_name": "St Elena Back Clinic",
        "from_email": "hello@news.example.org",
        "list_id_label": "living-well",
    }
    return Newsletter.objects.create(**{**values, **changes})


def digest_newsletter() -> Newsletter:
    return newsletter(
        name="My conditions",
        slug="my-conditions",
        kind=Newsletter.Kind.DIGEST,
        list_id_label="my-conditions",
    )


def condition(name: str = "Herniated disk", slug: str = "herniated-disk") -> Condition:
    return Condition.objects.create(
        name=name, slug=slug, group="Back and joints", summary="A disk that presses on a nerve."
    )


def article(**changes: Any) -> Article:
    values: dict[str, Any] = {
        "title": "Walking helps more than resting",
        "slug": "walking-helps",
        "kind": Article.Kind.RESEARCH,
        "summary": "Two days in bed are enough. Then short walks ease most back pain sooner.",
        "author_name": "Dr Ines Okafor",
        "author_credentials": "Physiotherapist",
        "reviewer_name": "Dr Paul Lindqvist",
        "reviewer_credentials": "Neurosurgeon",
        "reviewed_on": date(2026, 11, 3),
        "body": [],
        "artwork": "stretch-break",
    }
    return Article.objects.create(**{**values, **changes})


def issue_of(magazine: Newsletter, body: list[Any], **changes: Any) -> Issue:
    values: dict[str, Any] = {
        "pk": 12,
        "newsletter": magazine,
        "title": "Your back in winter",
        "slug": "your-back-in-winter",
        "subject": "Three things that help a sore back",
        "preheader": "Short walks, a warm room, and when to see somebody.",
        "body": body,
    }
    return Issue(**{**values, **changes})


def rich_issue() -> Issue:
    """One of every block that needs no stored picture."""
    publisher()
    card = article()
    return issue_of(
        newsletter(),
        [
            (
                "rich_text",
                RichText(
                    "<p>Cold days make many backs stiff. That is <b>unpleasant, and rarely "
                    "dangerous</b>. This week we show what helps, and what you can leave out.</p>"
                    '<p>New here? Read <a href="/conditions/herniated-disk/">what a herniated disk '
                    "is</a> first.</p>"
                ),
            ),
            ("article_card", {"article": card, "lead": "", "show_artwork": True}),
            ("heading", "What you can do, {first_name|dear reader}"),
            (
                "rich_text",
                RichText(
                    "<ul><li>Walk for ten minutes, three times a day. Flat ground is best.</li>"
                    "<li>Warm the sore place for twenty minutes.</li><li>Get up from your chair "
                    "every half hour, even if it is only to look out of the window.</li></ul>"
                    "<h3>At night</h3><p>Lie on your side with a pillow between your knees.</p>"
                ),
            ),
            (
                "key_facts",
                {
                    "title": "Key facts",
                    "facts": [
                        "Most herniated disks ease within three months.",
                        "Nine in ten people need no operation.",
                        "Staying active is safe for most.",
                    ],
                },
            ),
            (
                "quote",
                {
                    "text": "I was afraid to move. Moving was what helped.",
                    "attribution": "Maria, 68, reader",
                },
            ),
            (
                "callout",
                {
                    "title": "Pain tablets",
                    "text": RichText(
                        "<p>Ask your pharmacist before you take tablets for more than three days, "
                        "above all if you take others.</p>"
                    ),
                },
            ),
            ("button", {"text": "Read the winter guide", "url": "/articles/walking-helps/"}),
            ("divider", None),
            (
                "emergency",
                {
                    "title": "Get emergency help at once if you have",
                    "signs": [
                        "numbness between your legs or around your back passage",
                        "new trouble with passing water or opening your bowels",
                        "weakness in a leg that is getting worse",
                    ],
                    "number": "",
                },
            ),
        ],
    )


def full_issue(magazine: Newsletter | None = None, **changes: Any) -> Issue:
    """The rich issue with the blocks that need conditions, and those that ask for something."""
    issue = rich_issue()
    sleep = condition("Sleep problems", "sleep-problems")
    HelpLine.objects.create(
        condition=sleep, name="Night line", number="116 123", hours="Day and night, free of charge."
    )
    other = article(
        title="Waking at three: what to do",
        slug="waking-at-three",
        summary="Get up, keep the light low, and go back to bed when you are tired.",
        first_published_at=DATED,
        language=changes.get("language", "en"),
    )
    other.conditions.set([sleep])
    other.save()
    column = {"picture": None, "link_text": "", "url": ""}
    ours = {"url": "/conditions/"}
    body = [
        *(
            (block.block_type, block.value)
            for block in issue.body
            if block.block_type != "emergency"
        ),
        (
            "two_columns",
            {
                "first": {
                    **column,
                    "title": "In the morning",
                    "text": RichText("<p>Stretch before you get up.</p>"),
                    "link_text": "See how",
                    "url": "/articles/walking-helps/",
                },
                "second": {
                    **column,
                    "title": "In the evening",
                    "text": RichText("<p>A warm bath loosens the back.</p>"),
                },
            },
        ),
        ("newest_articles", {"title": "New on our website", "conditions": [sleep], "count": 3}),
        (
            "only_for",
            {
                "conditions": [sleep],
                "content": [("rich_text", RichText("<p>Your bedroom: 18 degrees will do.</p>"))],
            },
        ),
        (
            "emergency",
            {
                "title": "Get emergency help at once if you have",
                "signs": ["numbness between your legs"],
                "condition": sleep,
                "number": "",
            },
        ),
        (
            "correction",
            {
                "was_wrong": "We wrote that ten tablets a day are safe.",
                "is_right": "No more than eight tablets of 500 mg in a day.",
                "to_do": "If you took more, call your pharmacist today.",
            },
        ),
        ("feedback", {"question": "Was this useful to you?"}),
        (
            "publication",
            {
                **ours,
                "cover": None,
                "title": "Back care at work",
                "text": "Sixteen pages with drawings.",
                "price": "Free",
                "button_text": "Order it",
            },
        ),
        (
            "appeal",
            {
                **ours,
                "title": "Help us print it in large type",
                "text": "Twelve euros pay for ten leaflets.",
                "button_text": "Give",
            },
        ),
        (
            "sponsor",
            {
                "name": "Example Shoes",
                "logo": None,
                "text": "Soft soles for long walks.",
                "link_text": "Look at the shoes",
                "url": "https://shoes.example/",
            },
        ),
    ]
    return issue_of(magazine or issue.newsletter, body, **changes)


class DigestSample(NamedTuple):
    copies: DigestCopies
    articles: list[int]
    follows: set[int]


def digest_copies() -> DigestSample:
    """Two conditions, three articles: about the first, the second and again the first."""
    publisher()
    magazine = digest_newsletter()
    disk, sleep = condition(), condition("Sleep problems", "sleep-problems")
    first = article()
    second = article(
        title="Waking at three: what to do",
        slug="waking-at-three",
        summary="Get up, keep the light low, and go back to bed when you are tired.",
        reviewer_name="",
        reviewed_on=None,
    )
    third = article(
        title="When an operation is worth it",
        slug="operation",
        summary="Surgery relieves leg pain faster. After two years most people are equally well.",
    )
    frames = {
        each.pk: Frame(
            each.name,
            condition_heading(each, "en").encoded(),
            split_at_token(section_end(each, "en")),
        )
        for each in (disk, sleep)
    }
    copies = DigestCopies(
        compile_shell(magazine, "en"),
        stamp(3),
        language="en",
        body=DigestBody(
            articles={each.pk: compile_article(each).encoded() for each in (first, second, third)},
            conditions={first.pk: [disk.pk], second.pk: [sleep.pk], third.pk: [disk.pk]},
            frames=frames,
            sign=section_links.signer(),
        ),
    )
    return DigestSample(copies, [first.pk, second.pk, third.pk], {disk.pk, sleep.pk})


def digest_copy(reader: ReaderRow = ANNA, **changes: Any) -> bytes:
    """One reader's digest."""
    sample = digest_copies()
    values: dict[str, Any] = {
        "article_ids": sample.articles,
        "follows": sample.follows,
        "extras": Extras(next_digest=date(2026, 11, 30)),
    }
    return sample.copies.copy(reader, **{**values, **changes})


def rich_article() -> Article:
    publisher()
    return article(
        sources="Journal of Examples, 2025\nNational guideline on back pain, 2024",
        body=[
            ("heading", "What was found"),
            (
                "rich_text",
                RichText("<p>People who walked were back at work <b>nine days</b> earlier.</p>"),
            ),
            ("key_facts", {"title": "Key facts", "facts": ["Ten minutes are enough to begin."]}),
            (
                "callout",
                {"title": "How sure is this?", "text": RichText("<p>Quite sure: 12 trials.</p>")},
            ),
        ],
    )
