"""What search engines are told: where a page stands, what it is, who reviewed it and when; and
nothing about any reader."""

import json
import re
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from pytest_django import Settings

from newsletter.archive import sitemap
from newsletter.editions.models import Article, Issue
from tests.archive import published

pytestmark = pytest.mark.usefixtures("site")
HERE = "https://health.example"
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


@pytest.fixture(autouse=True)
def address(settings: Settings) -> None:
    settings.BASE_URL = HERE


def head(visitor: Client, path: str) -> str:
    return visitor.get(path).content.decode().split("</head>")[0]


def data(visitor: Client, path: str) -> dict[str, object]:
    (script,) = re.findall(
        r'<script type="application/ld\+json">(.*?)</script>', head(visitor, path), re.DOTALL
    )
    found = json.loads(script)
    assert isinstance(found, dict)
    return found


def canonical(visitor: Client, path: str) -> list[str]:
    return re.findall(r'<link rel="canonical" href="([^"]*)">', head(visitor, path))


# --- Where a page stands -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "stands"),
    [
        ("/", "/"),
        ("/conditions/?q=back&utm_source=x", "/conditions/"),
        ("/issues/?page=2", "/issues/?page=2"),
        ("/issues/?page=1", "/issues/"),
        ("/issues/?page=<script>", "/issues/"),
        ("/es/conditions/herniated-disk/", "/es/conditions/herniated-disk/"),
        ("/sign-up/?newsletter=living-well", "/sign-up/"),
    ],
)
def test_a_page_names_itself(
    visitor: Client, path: str, stands: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.archive.languages.offered", lambda: ["en", "es"])
    assert canonical(visitor, path) == [HERE + stands]


def test_a_page_names_itself_in_each_language_that_is_offered(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.archive.languages.offered", lambda: ["en", "es"])
    for path in ("/conditions/herniated-disk/", "/es/conditions/herniated-disk/"):
        found = re.findall(r'hreflang="([^"]+)" href="([^"]+)"', head(visitor, path))
        assert ("en", f"{HERE}/en/conditions/herniated-disk/") in found
        assert ("es", f"{HERE}/es/conditions/herniated-disk/") in found
        assert ("x-default", f"{HERE}/conditions/herniated-disk/") in found


@pytest.mark.parametrize(
    "path", ["/nowhere/", "/articles/nowhere/", "/preferences/a-token/", "/unsubscribe/a-token/"]
)
def test_a_page_that_is_nobody_elses_business_names_nothing(visitor: Client, path: str) -> None:
    assert canonical(visitor, path) == []
    assert "hreflang" not in head(visitor, path)


# --- What it is ----------------------------------------------------------------------------------


def test_an_article_tells_of_its_review(visitor: Client) -> None:
    article = Article.objects.latest("pk")
    found = data(visitor, f"/articles/{article.slug}/")
    assert found["@type"] == "MedicalWebPage"
    assert found["lastReviewed"] == "2026-09-01"
    assert found["dateModified"] == "2026-11-16"
    assert found["reviewedBy"] == {
        "@type": "Person",
        "name": "Dr Amina Okafor",
        "honorificSuffix": "neurologist",
    }
    assert found["citation"] == ["Smith J. Walking. 2025.", "National guideline, 2024"]


def test_a_condition_tells_of_its_code_and_of_what_its_page_holds(visitor: Client) -> None:
    published.condition("Coded", slug="coded", code_system="icd10", code="M51.1", symptoms="")
    found = data(visitor, "/conditions/coded/")
    assert found["lastReviewed"] == "2026-09-01"
    assert "Symptoms" not in found["aspect"]  # type: ignore[operator]
    assert found["about"]["code"] == {  # type: ignore[index]
        "@type": "MedicalCode",
        "codeValue": "M51.1",
        "codingSystem": "ICD-10",
    }


def test_an_issue_claims_no_review(visitor: Client) -> None:
    issue = Issue.objects.latest("pk")
    found = data(visitor, f"/issues/{issue.slug}/")
    assert found["@type"] == "WebPage"
    assert found["datePublished"] == "2026-11-16"
    assert not {"reviewedBy", "lastReviewed", "dateModified"} & set(found)


# --- The map -------------------------------------------------------------------------------------


def addresses(visitor: Client, path: str) -> list[str]:
    response = visitor.get(path)
    assert response.status_code == 200, path
    assert response["Content-Type"].startswith("application/xml")
    assert not response.cookies
    return [found.text or "" for found in ElementTree.fromstring(response.content).iter(LOC)]


def test_the_map_names_every_public_page_once_and_each_can_be_opened(visitor: Client) -> None:
    published.article("Draft", live=False, slug="a-draft")
    published.draft_issue("Draft", slug="draft-issue")
    parts = addresses(visitor, "/sitemap.xml")
    pages = [page for part in parts for page in addresses(visitor, part.removeprefix(HERE))]
    assert len(pages) == len(set(pages))
    assert not [page for page in pages if "draft" in page]
    slugs = Article.objects.filter(live=True).values_list("slug", flat=True)
    assert {f"{HERE}/articles/{slug}/" for slug in slugs} <= set(pages)
    for page in pages:
        assert visitor.get(page.removeprefix(HERE)).status_code == 200, page


def test_a_map_too_large_for_one_file_comes_in_parts(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "A_PART", 2)
    parts = [part for part in addresses(visitor, "/sitemap.xml") if "articles" in part]
    assert len(parts) == 2
    held = [addresses(visitor, part.removeprefix(HERE)) for part in parts]
    assert [len(one) for one in held] == [2, 1]
    assert visitor.get("/sitemap-articles-3.xml").status_code == 404


@pytest.mark.parametrize(
    "path", ["/sitemap-articles-0.xml", "/sitemap-readers-1.xml", "/sitemap-pages-2.xml"]
)
def test_no_other_part_is_there(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_a_part_asks_the_database_once_however_much_it_holds(visitor: Client) -> None:
    with CaptureQueriesContext(connection) as few:
        visitor.get("/sitemap-articles-1.xml")
    for number in range(5):
        published.article(f"More {number}")
    with CaptureQueriesContext(connection) as many:
        visitor.get("/sitemap-articles-1.xml")
    assert len(many) == len(few) <= 2


def test_robots_may_not_open_what_carries_a_token(visitor: Client) -> None:
    text = visitor.get("/robots.txt").content.decode()
    assert f"Sitemap: {HERE}/sitemap.xml" in text
    with_token = {
        "/" + address.split("<")[0]
        for address in _addresses(get_resolver().url_patterns)
        if "token" in address
    }
    assert with_token
    for path in with_token:
        assert any(path.startswith(closed) for closed in sitemap.CLOSED), path
    for closed in sitemap.CLOSED:
        # In Spanish too: /es/confirm/…
        assert f"\nDisallow: {closed}\nDisallow: /*{closed}\n" in text


def _addresses(patterns, before=""):
    """Every address below / but the desk's, as urls.py writes it."""
    for each in patterns:
        address = before + str(each.pattern)
        if address.startswith("admin/"):
            continue
        if hasattr(each, "url_patterns"):
            yield from _addresses(each.url_patterns, address)
        else:
            yield address


# --- Nobody who reads ----------------------------------------------------------------------------


def test_the_web_version_leaves_out_what_only_followers_get(visitor: Client) -> None:
    disk = published.condition("Secret topic")
    issue = published.sent_issue(
        "With a part",
        body=[
            ("rich_text", "<p>For everybody.</p>"),
            (
                "only_for",
                {
                    "conditions": [disk],
                    "content": [("rich_text", "<p>For followers alone.</p>")],
                },
            ),
            ("rich_text", "<p>Goodbye to all.</p>"),
        ],
    )
    mail = visitor.get(f"/issues/{issue.slug}/mail/").content.decode()
    assert "For everybody." in mail and "Goodbye to all." in mail
    assert "For followers alone." not in mail
    assert not re.search("[\ue000-\ue002]", mail)


def test_feeds_answer_that_nothing_has_changed(visitor: Client) -> None:
    path = "/feeds/conditions/herniated-disk/"
    first = visitor.get(path)
    again = visitor.get(path, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    published.article("New", *_disks())
    assert visitor.get(path, headers={"if-none-match": first["ETag"]}).status_code == 200


def _disks():
    from newsletter.catalogue.models import Condition

    return Condition.objects.filter(slug="herniated-disk")


def test_everybody_gets_the_same_feed_and_the_same_mail(visitor: Client) -> None:
    """No identifier of a reader: whatever two visitors send along, they get the same bytes."""
    issue = Issue.objects.latest("pk")
    other = Client(headers={"accept-language": "en", "user-agent": "other"})
    other.cookies["sessionid"] = "somebody"
    for path in ("/feeds/living-well/", f"/issues/{issue.slug}/mail/", "/sitemap-issues-1.xml"):
        one = visitor.get(path)
        two = other.get(f"{path}?subscriber=7&token=abc")
        assert one.content == two.content
        assert b"token" not in one.content
