"""Forms that stand on other web sites."""

from django.db import migrations, models

import signup.models.embed_form


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0010_public_words"),
        ("signup", "0030_guard_alarm"),
    ]

    operations = [
        migrations.CreateModel(
            name="EmbedForm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=signup.models.embed_form.new_public_id,
                        editable=False,
                        max_length=16,
                        unique=True,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="For you: where the form stands.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                (
                    "language",
                    models.CharField(default="en", max_length=10, verbose_name="language"),
                ),
                (
                    "return_pages",
                    models.TextField(
                        blank=True,
                        help_text="One exact address a line, beginning with https://. Nobody is led anywhere else, and only scripts of these sites may use the API. Empty: our own page.",
                        validators=[signup.models.embed_form.check_return_pages],
                        verbose_name="pages to return to",
                    ),
                ),
                (
                    "is_open",
                    models.BooleanField(
                        default=True,
                        help_text="A closed form takes nobody in.",
                        verbose_name="open",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "conditions",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="catalogue.condition",
                        verbose_name="conditions",
                    ),
                ),
                (
                    "newsletters",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="catalogue.newsletter",
                        verbose_name="newsletters",
                    ),
                ),
            ],
            options={
                "verbose_name": "form for other web sites",
                "verbose_name_plural": "forms for other web sites",
                "ordering": ["name"],
            },
        ),
    ]
