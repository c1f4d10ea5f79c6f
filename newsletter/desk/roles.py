"""Who may do what at the desk, and the workflow that everything goes through.

Composing, approving and sending are three permissions, so that no single person can put medical
content in front of thousands alone. Groups can be changed by an administrator afterwards; what
stands here is added again after each migration, and nothing is ever taken away.
"""

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from wagtail.models import (
    Collection,
    GroupCollectionPermission,
    Workflow,
    WorkflowContentType,
    WorkflowTask,
)
from wagtail.snippets.models import create_extra_permissions

from newsletter.desk.models import MedicalReview
from newsletter.editions.models import Article, Issue

AUTHORS = "Authors"
REVIEWERS = "Medical reviewers"
SENDERS = "Senders"
ADMINISTRATORS = "Administrators"
DATA_PROTECTION = "Data protection"

WORKFLOW = "Medical review"

_APPS = ("auth", "desk", "catalogue", "editions", "approval", "sending", "signup", "wagtailimages")

_COMPOSE = (
    "editions.add_issue",
    "editions.change_issue",
    "editions.view_issue",
    "editions.add_article",
    "editions.change_article",
    "editions.view_article",
    # Feeds bring drafts, and nothing else.
    "editions.add_feed",
    "editions.change_feed",
)
_READ = (
    "editions.view_issue",
    "editions.view_article",
    "catalogue.view_condition",
    "catalogue.view_newsletter",
)

ROLES: dict[str, tuple[str, ...]] = {
    AUTHORS: (*_COMPOSE, *_READ, "sending.mark_alert"),
    REVIEWERS: (
        *_READ,
        "approval.approve_issue",
        "sending.mark_alert",
        # Wagtail publishes in the reviewer's name when the review is done; the same permission
        # lets a reviewer take an article with a mistake off the site at once.
        "editions.publish_issue",
        "editions.publish_article",
        # Condition pages have no drafts: what is saved is what readers see.
        "catalogue.add_condition",
        "catalogue.change_condition",
    ),
    SENDERS: (*_READ, "sending.send_issue", "sending.view_mailing"),
    ADMINISTRATORS: (
        *_COMPOSE,
        *_READ,
        "editions.delete_issue",
        "editions.delete_article",
        "editions.delete_feed",
        "editions.lock_issue",
        "editions.unlock_issue",
        "editions.lock_article",
        "editions.unlock_article",
        "catalogue.add_condition",
        "catalogue.change_condition",
        "catalogue.delete_condition",
        "catalogue.add_newsletter",
        "catalogue.change_newsletter",
        "catalogue.change_publisher",
        "catalogue.add_publicwords",
        "catalogue.change_publicwords",
        "catalogue.delete_publicwords",
        "signup.add_embedform",
        "signup.change_embedform",
        "signup.delete_embedform",
        "sending.send_issue",
        "sending.view_mailing",
        "sending.mark_alert",
        "sending.add_domainlimit",
        "sending.change_domainlimit",
        "sending.delete_domainlimit",
        "sending.add_warmup",
        "sending.change_warmup",
        "sending.delete_warmup",
        "desk.add_user",
        "desk.change_user",
        "desk.delete_user",
        "auth.add_group",
        "auth.change_group",
        "auth.delete_group",
        # Who reads us and what became of the mail; not what it says about anybody's health.
        "desk.view_readers",
        "desk.view_access_log",
    ),
    DATA_PROTECTION: (
        *_READ,
        "sending.view_mailing",
        # Whom an alert did not reach tells what they follow.
        "sending.view_unreached",
        "desk.view_readers",
        "desk.view_reader_conditions",
        "desk.export_reader",
        "desk.erase_reader",
        "desk.import_readers",
        "desk.view_access_log",
        "signup.change_consenttext",
        "signup.add_renewal",
    ),
}
_IMAGES: dict[str, tuple[str, ...]] = {
    AUTHORS: ("add_image", "change_image", "choose_image"),
    REVIEWERS: ("choose_image",),
    ADMINISTRATORS: ("add_image", "change_image", "choose_image"),
}


def after_migrate(*, using: str, **_: Any) -> None:
    """Receiver of post_migrate: a plain migrate leaves the desk ready for its first log-in."""
    needed = {
        "auth_permission",
        "wagtailcore_workflow",
        "desk_medicalreview",
        "wagtailimages_image",
    }
    # A migrate that stopped half-way has not got so far.
    if needed <= set(connections[using].introspection.table_names()):
        ensure_roles(using=using)


def ensure_roles(*, using: str = "default") -> None:
    """Make groups, permissions and the workflow where they are missing. Safe to repeat."""
    with transaction.atomic(using=using):
        for label in _APPS:
            # Django makes an app's permissions after that app; ours comes before some of them.
            create_permissions(apps.get_app_config(label), verbosity=0, using=using)
        # Publish, lock and unlock, which only Wagtail knows.
        create_extra_permissions(apps.get_app_config("wagtailsnippets"), using=using)
        _access_permission()
        for name, permissions in ROLES.items():
            group, _created = Group.objects.get_or_create(name=name)
            group.permissions.add(
                *[_permission(full) for full in ("wagtailadmin.access_admin", *permissions)]
            )
        _image_permissions()
        _workflow()


def _permission(full_name: str) -> Permission:
    app_label, codename = full_name.split(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)


def _access_permission() -> None:
    """Wagtail makes this in a migration only, so that a flushed database is without it."""
    content_type, _created = ContentType.objects.get_or_create(
        app_label="wagtailadmin", model="admin"
    )
    Permission.objects.get_or_create(
        content_type=content_type,
        codename="access_admin",
        defaults={"name": "Can access Wagtail admin"},
    )


def _image_permissions() -> None:
    root = Collection.get_first_root_node() or Collection.add_root(name="Root")
    for name, codenames in _IMAGES.items():
        for codename in codenames:
            GroupCollectionPermission.objects.get_or_create(
                group=Group.objects.get(name=name),
                collection=root,
                permission=_permission(f"wagtailimages.{codename}"),
            )


def _workflow() -> None:
    """The workflow, its one task, and what goes through it."""
    task = MedicalReview.objects.filter(active=True).order_by("pk").first()
    if task is None:
        task = MedicalReview.objects.create(name=WORKFLOW)
    workflow = Workflow.objects.filter(workflow_tasks__task=task, active=True).first()
    if workflow is None:
        workflow = Workflow.objects.create(name=WORKFLOW)
        WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=0)
    for model in (Issue, Article):
        WorkflowContentType.objects.get_or_create(
            content_type=ContentType.objects.get_for_model(model), defaults={"workflow": workflow}
        )
