"""Rendered content, held still: what is frozen at approval is what is sent, byte for byte."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.approval.models import Approval, Frozen
from newsletter.editions.models import Article, Issue
from newsletter.rendering.fragments import compile_article
from newsletter.rendering.issue import CompiledEdition, compile_issue
from newsletter.wire.message import FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class FrozenForm:
    """One form of the content, not yet stored. `content_hash` is its SHA-256."""

    language: str
    variant: str
    form: Frozen.Form
    format_version: int
    content: bytes

    @property
    def content_hash(self) -> bytes:
        return hashlib.sha256(self.content).digest()


def issue_forms(issue: Issue, edition: CompiledEdition | None = None) -> list[FrozenForm]:
    """Return everything that readers of this issue can get. `edition` saves compiling it twice."""
    edition = edition or compile_issue(issue)
    return [
        FrozenForm(
            language=issue.language,
            variant="",
            form=Frozen.Form.MESSAGE,
            format_version=edition.message.format_version,
            content=edition.message.to_bytes(),
        )
    ]


def article_forms(article: Article) -> list[FrozenForm]:
    """Return an article's place in a digest, in both forms."""
    fragment = compile_article(article)
    return [
        FrozenForm(
            language=article.language,
            variant="",
            form=form,
            format_version=FORMAT_VERSION,
            content=content.encode(),
        )
        for form, content in (
            (Frozen.Form.HTML_FRAGMENT, fragment.html),
            (Frozen.Form.TEXT_FRAGMENT, fragment.text),
        )
    ]


def hash_of(forms: Sequence[FrozenForm | Frozen]) -> bytes:
    """SHA-256 over the forms' names and hashes, in a fixed order."""
    digest = hashlib.sha256()
    for form in sorted(forms, key=lambda form: (form.language, form.variant, str(form.form))):
        digest.update(f"{form.language}|{form.variant}|{form.form}|{form.format_version}|".encode())
        digest.update(bytes(form.content_hash))
    return digest.digest()


def store(approval: Approval, forms: Sequence[FrozenForm]) -> None:
    """Write the forms under `approval`, inside the caller's transaction."""
    Frozen.objects.bulk_create(
        Frozen(
            approval=approval,
            language=form.language,
            variant=form.variant,
            form=form.form,
            format_version=form.format_version,
            content=form.content,
            content_hash=form.content_hash,
        )
        for form in forms
    )


def is_intact(approval: Approval) -> bool:
    """True while what lies frozen is what was signed: nobody edited the rows behind our back."""
    rows = list(approval.frozen.all())
    return (
        bool(rows)
        and all(
            hashlib.sha256(bytes(row.content)).digest() == bytes(row.content_hash) for row in rows
        )
        and hash_of(rows) == bytes(approval.content_hash)
    )
