"""What search engines are told about an article (schema.org), in words they know."""

import json

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from newsletter.catalogue.models import Condition, Publisher
from newsletter.editions.models import Article

# Inside <script> only these could end the element or be taken for markup.
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def article_page(
    article: Article, conditions: list[Condition], publisher: Publisher, *, path: str
) -> SafeString:
    """A MedicalWebPage with its author, its reviewer and the dates that a reader can see too."""
    data: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "MedicalWebPage",
        "url": settings.BASE_URL + path,
        "name": article.title,
        "description": article.summary,
        "inLanguage": article.language,
        "author": _person(article.author_name, article.author_credentials),
        "publisher": {"@type": "Organization", "name": publisher.name},
        "medicalAudience": {"@type": "MedicalAudience", "audienceType": "Patient"},
        "about": [{"@type": "MedicalCondition", "name": each.name} for each in conditions],
    }
    if article.first_published_at:
        data["datePublished"] = article.first_published_at.date().isoformat()
    if article.reviewer_name and article.reviewed_on:
        data["reviewedBy"] = _person(article.reviewer_name, article.reviewer_credentials)
        data["lastReviewed"] = article.reviewed_on.isoformat()
    return as_script(data)


def condition_page(condition: Condition, publisher: Publisher, *, path: str) -> SafeString:
    """A MedicalWebPage about one condition."""
    data: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "MedicalWebPage",
        "url": settings.BASE_URL + path,
        "name": condition.name,
        "description": condition.summary,
        "publisher": {"@type": "Organization", "name": publisher.name},
        "medicalAudience": {"@type": "MedicalAudience", "audienceType": "Patient"},
        "about": {
            "@type": "MedicalCondition",
            "name": condition.name,
            "alternateName": [
                each.strip() for each in condition.synonyms.split(",") if each.strip()
            ],
        },
    }
    if condition.reviewed_by and condition.reviewed_on:
        data["reviewedBy"] = _person(condition.reviewed_by, "")
        data["lastReviewed"] = condition.reviewed_on.isoformat()
    return as_script(data)


def as_script(data: dict[str, object]) -> SafeString:
    """Return JSON that can stand inside a script element."""
    text = json.dumps(data, ensure_ascii=False)
    return mark_safe(text.translate(_ESCAPES))  # noqa: S308 - escaped just above


def _person(name: str, credentials: str) -> dict[str, str]:
    person = {"@type": "Person", "name": name}
    if credentials:
        person["honorificSuffix"] = credentials
    return person
