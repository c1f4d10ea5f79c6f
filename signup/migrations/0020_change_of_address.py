"""A reader's change of address, the day's one question to an address, and why somebody left."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("signup", "0011_consent_guards")]

    operations = [
        migrations.CreateModel(
            name="AddressChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("email_key", models.CharField(max_length=254)),
                ("old_email", models.EmailField(blank=True, max_length=254)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="address_changes",
                        to="signup.subscriber",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Asked",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address_hash", models.BinaryField(max_length=33, unique=True)),
                ("at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Parting",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("too_many", "too many e-mails"),
                            ("not_for_me", "not what I hoped for"),
                            ("no_longer", "the topic no longer concerns me"),
                            ("hard_to_read", "hard to read or to understand"),
                            ("never_asked", "I did not sign up for this"),
                            ("other", "something else"),
                        ],
                        max_length=20,
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField()),
                (
                    "subscription",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parting",
                        to="signup.subscription",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="subscriber",
            name="address_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="systemmail",
            name="address_change",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="signup.addresschange",
            ),
        ),
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
                ],
                max_length=20,
            ),
        ),
    ]
