"""Feeds, conditions and documents to try them with."""

from typing import Any

from newsletter.catalogue.models import Condition
from newsletter.editions.models import Feed, FeedRule


def condition(name: str) -> Condition:
    return Condition.objects.create(
        name=name,
        slug=name.lower().replace(" ", "-"),
        group="Back and joints",
        summary=f"About {name}.",
        emergency_signs="",
    )


def feed(*, conditions=(), rules=(), **changes: Any) -> Feed:
    values = {
        "name": "Clinic news",
        "url": "http://example.org/feed",
        "author_name": "Example Clinic",
        "author_credentials": "Press office",
        "take": Feed.Take.TEXT,
    }
    made = Feed(**{**values, **changes})
    made.conditions = list(conditions)
    made.rules = [
        FeedRule(words=words, where=where, condition=about) for words, where, about in rules
    ]
    made.save()
    return made


def item(
    number: int = 1,
    *,
    title: str = "",
    text: str = "",
    guid: str = "",
    link: str = "",
    category: str = "",
    date: str = "Fri, 20 Nov 2026 08:00:00 GMT",
) -> str:
    title = title or f"Walking helps, part {number}"
    text = text or (
        f"&lt;p&gt;Number {number}: ten minutes of walking, twice a day, ease most back pain "
        "within some weeks.&lt;/p&gt;"
    )
    return (
        f"<item><title>{title}</title><link>{link or f'https://clinic.example/{number}'}</link>"
        f"<guid>{guid or f'n-{number}'}</guid><pubDate>{date}</pubDate>"
        f"<category>{category}</category><description>{text}</description></item>"
    )


def rss(*items: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>News</title>'
        f"<link>https://clinic.example/</link>{''.join(items)}</channel></rss>"
    ).encode()


ATOM = b"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><id>urn:feed</id>
<updated>2026-11-20T08:00:00Z</updated>
<entry><title>Knees &amp; stairs</title><id>urn:one</id>
<link rel="alternate" href="/knees?utm_source=feed"/>
<updated>2026-11-20T08:00:00Z</updated><author><name>Dr Ada Lund</name></author>
<category term="Knee"/><summary>Climb slowly.</summary>
<content type="html">&lt;h2&gt;Slowly&lt;/h2&gt;&lt;p&gt;Hold the
&lt;a href="rail"&gt;rail&lt;/a&gt;.&lt;/p&gt;</content></entry></feed>"""

JSON = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [
 {"id": 7, "url": "https://clinic.example/seven", "title": "Sit < 30 minutes",
  "content_html": "<p>Stand up <b>often</b>.</p>", "tags": ["Back"],
  "date_published": "2026-11-20T08:00:00+01:00", "authors": [{"name": "Dr Ada Lund"}]},
 {"id": "8", "content_text": "Just words.\\n\\nAnd more <words>.", "date_published": "soon"},
 "nonsense", {"id": "9"}]}"""
