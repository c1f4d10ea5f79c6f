"""Take away what Wagtail brings for sites made of pages: two groups, and a workflow for pages.

Done once, here, and not after each migration: whoever makes a group called Editors later keeps it.
"""

from django.db import migrations


def clear(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    User = apps.get_model("desk", "User")
    Workflow = apps.get_model("wagtailcore", "Workflow")
    Task = apps.get_model("wagtailcore", "Task")
    for group in Group.objects.filter(name__in=["Editors", "Moderators"]):
        if not User.objects.filter(groups=group).exists():
            group.delete()
    Workflow.objects.filter(name="Moderators approval").delete()
    Task.objects.filter(name="Moderators approval").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("desk", "0002_medical_review"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
        ("wagtailimages", "0027_image_description"),
        ("wagtailusers", "0015_userprofile_keyboard_shortcuts"),
    ]
    operations = [migrations.RunPython(clear, migrations.RunPython.noop)]
