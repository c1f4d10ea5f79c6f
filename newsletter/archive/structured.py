"""What search engines are told about an article (schema.org), in words they know."""

import json

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from newsletter.catalogue.models import Condition, Publisher
from newsletter.editions.models import Article, Issue

# Inside <script> only these could end the element or be taken for markup.
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}

# A condition's texts, in schema.org's words for what a medical page is about.
_ASPECTS = {
    "overview": "Overview",
    "symptoms": "Symptoms",
    "causes": "Causes",
    "risk_factors": "RiskFactors",
    "prevention": "Prevention",
    "when_to_see_a_doctor": "WhenToSeeADoctor",
}


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
        "about": [_condition(each) for each in conditions],
        "isAccessibleForFree": True,
    }
    if article.first_published_at:
        data["datePublished"] = article.first_published_at.date().isoformat()
        changed = article.last_published_at or article.first_published_at
        data["dateModified"] = changed.date().isoformat()
    if article.source_list:
        data["citation"] = article.source_list
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
        "inLanguage": condition.language,
        "isAccessibleForFree": True,
        "aspect": [name for field, name in _ASPECTS.items() if getattr(condition, field)],
        "about": {
            **_condition(condition),
            "alternateName": [
                each.strip() for each in condition.synonyms.split(",") if each.strip()
            ],
        },
    }
    if condition.reviewed_by and condition.reviewed_on:
        data["reviewedBy"] = _person(condition.reviewed_by, "")
        data["lastReviewed"] = condition.reviewed_on.isoformat()
    return as_script(data)


def issue_page(issue: Issue, publisher: Publisher, *, path: str) -> SafeString:
    """A WebPage: what a mail said on its day. Only articles and conditions claim a review.

    `issue` comes from `published.issues`.
    """
    data: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "WebPage",
        "url": settings.BASE_URL + path,
        "name": issue.shown_title,
        "description": issue.shown_preheader,
        "inLanguage": issue.language,
        "datePublished": issue.sent_at.date().isoformat(),
        "isPartOf": {"@type": "Periodical", "name": issue.newsletter.name},
        "publisher": {"@type": "Organization", "name": publisher.name},
        "isAccessibleForFree": True,
    }
    corrected = issue.corrected_at
    if corrected:
        data["dateModified"] = corrected.date().isoformat()
    return as_script(data)


def as_script(data: dict[str, object]) -> SafeString:
    """Return JSON that can stand inside a script element."""
    text = json.dumps(data, ensure_ascii=False)
    return mark_safe(text.translate(_ESCAPES))  # noqa: S308 - escaped just above


def _condition(condition: Condition) -> dict[str, object]:
    about: dict[str, object] = {"@type": "MedicalCondition", "name": condition.name}
    if condition.code:
        about["code"] = {
            "@type": "MedicalCode",
            "codeValue": condition.code,
            "codingSystem": condition.get_code_system_display(),
        }
    return about


def _person(name: str, credentials: str) -> dict[str, str]:
    person = {"@type": "Person", "name": name}
    if credentials:
        person["honorificSuffix"] = credentials
    return person
