"""What a safety alert says, frozen at the first signature and compared at the second."""

import hashlib
from collections.abc import Iterable, Sequence

from django.conf import settings

from newsletter.approval.sign_off import valid_article_approval
from newsletter.catalogue.models import Newsletter
from newsletter.editions.models import Article
from newsletter.rendering.alert import compile_alert
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.models import AlertForm, Edition, SafetyAlert
from newsletter.sending.stored import read_back
from newsletter.wire.message import FORMAT_VERSION, CompiledMessage


def make_forms(alert: SafetyAlert) -> list[AlertForm]:
    """Compile the alert for each digest newsletter and language, not stored.

    In each language the article's approved translation, or else as it was written.
    """
    newsletters = Newsletter.objects.filter(kind=Newsletter.Kind.DIGEST).order_by("pk")
    versions = _versions(alert.article)
    return [
        _form(alert, newsletter, language, versions)
        for newsletter in newsletters
        for language, _name in settings.LANGUAGES
    ]


def hash_of(forms: Iterable[AlertForm]) -> bytes:
    """SHA-256 over all forms' names and hashes, in a fixed order."""
    digest = hashlib.sha256()
    for form in sorted(forms, key=lambda form: (form.newsletter_id, form.language)):
        digest.update(f"{form.newsletter_id}|{form.language}|{form.format_version}|".encode())
        digest.update(bytes(form.content_hash))
    return digest.digest()


def load(edition: Edition, alert: SafetyAlert) -> CompiledMessage:
    """Return what was signed, and make sure that it still is that (invariant 16).

    Raises ContentDamaged, or NewerContent when this worker is too old for it.
    """
    content = bytes(edition.content)
    signed: Sequence[AlertForm] = list(alert.forms.defer("content"))
    known = {bytes(form.content_hash) for form in signed}
    if hashlib.sha256(content).digest() not in known or hash_of(signed) != bytes(
        alert.content_hash or b""
    ):
        raise ContentDamaged("The alert is not what was signed. Recall it and mark it anew.")
    return read_back(content)


def _versions(article: Article) -> dict[str, Article]:
    """Return the article and its translations that may go out, by language."""
    translations = article.translations.filter(live=True).order_by("pk")
    approved = [one for one in translations if valid_article_approval(one) is not None]
    return {article.language: article} | {
        one.language: one for one in approved if one.language != article.language
    }


def _form(
    alert: SafetyAlert, newsletter: Newsletter, language: str, versions: dict[str, Article]
) -> AlertForm:
    wanted = (language, language.partition("-")[0], newsletter.language)
    article = next((versions[one] for one in wanted if one in versions), alert.article)
    content = compile_alert(
        newsletter,
        article,
        language=language,
        advice=alert.advice,
        correction=alert.is_correction,
    ).to_bytes()
    return AlertForm(
        alert=alert,
        newsletter=newsletter,
        language=language,
        format_version=FORMAT_VERSION,
        content=content,
        content_hash=hashlib.sha256(content).digest(),
    )
