"""A permission to bring readers in from a file."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("desk", "0021_log_breaches_and_imports"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="accessentry",
            options={
                "default_permissions": (),
                "permissions": [
                    ("view_access_log", "Can see who looked at readers' data"),
                    ("view_readers", "Can see readers and their subscriptions"),
                    ("view_reader_conditions", "Can see which conditions a reader follows"),
                    ("export_reader", "Can export everything about a reader"),
                    ("erase_reader", "Can erase a reader"),
                    ("import_readers", "Can bring readers in from a file"),
                ],
                "verbose_name": "access to reader data",
            },
        ),
    ]
