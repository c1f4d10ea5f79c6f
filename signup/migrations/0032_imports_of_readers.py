"""A note to readers who were brought in: a choice only, so no table is altered."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("signup", "0031_embed_form"),
    ]

    operations = [
        migrations.AlterField(
            model_name="systemmail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("confirm", "confirm a sign-up"),
                    ("add", "add a choice to a live subscription"),
                    ("preferences", "fresh link to the preferences"),
                    ("renewal", "question whether a newsletter is still wanted"),
                    ("address", "confirm a new address"),
                    ("moved", "note to the address that was left"),
                    ("brought_in", "note where an imported address came from"),
                ],
                max_length=20,
            ),
        ),
    ]
