"""An issue that begins with what stood in another one, or in a template. A draft like any other."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils.translation import gettext as _

from newsletter.editions.models import Issue, IssueTemplate
from newsletter.editions.models.naming import slug_for

# What only makes sense in the issue that it stood in.
LEFT_OUT = frozenset({"correction"})


@transaction.atomic
def duplicate(*, issue: Issue, by: AbstractUser) -> Issue:
    """Make a draft that says what the newest draft of `issue` says. No approval comes with it."""
    content: Issue = issue.get_latest_revision_as_object()
    title = _("%(title)s (copy)") % {"title": content.title[:140]}
    return _draft(content, title=title, by=by)


@transaction.atomic
def from_template(*, template: IssueTemplate, by: AbstractUser) -> Issue:
    """Make a draft that begins with the template."""
    return _draft(template, title=template.name, by=by)


@transaction.atomic
def save_as_template(*, issue: Issue, name: str, by: AbstractUser) -> IssueTemplate:
    """Keep the newest draft's subject, greeting and blocks under `name`; one of that name for the
    same newsletter is replaced."""
    content: Issue = issue.get_latest_revision_as_object()
    template, _made = IssueTemplate.objects.update_or_create(
        newsletter=content.newsletter,
        name=name,
        defaults={
            "language": content.language,
            "subject": content.subject,
            "preheader": content.preheader,
            "greeting": content.greeting,
            "body": _blocks(content),
            "made_by_id": by.pk,
        },
    )
    return template


def _draft(content: Issue | IssueTemplate, *, title: str, by: AbstractUser) -> Issue:
    issue = Issue(
        newsletter=content.newsletter,
        title=title,
        language=content.language,
        subject=content.subject,
        preheader=content.preheader,
        greeting=content.greeting,
        live=False,
    )
    issue.body = _blocks(content)
    issue.slug = slug_for(issue)
    issue.save()
    # A template may have gaps, which the editor and preflight name.
    issue.save_revision(user=by, clean=False)
    return issue


def _blocks(content: Issue | IssueTemplate) -> Any:
    """The blocks with numbers of their own: notes of a review hang on a block's number."""
    raw = [
        {"type": block["type"], "value": block["value"]}
        for block in content.body.raw_data
        if block["type"] not in LEFT_OUT
    ]
    return content.body.stream_block.to_python(raw)
