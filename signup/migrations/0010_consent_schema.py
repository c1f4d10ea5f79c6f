"""Drafts and approvals of wordings, seals, legal bases of their own, terms, asking anew.

SQLite rebuilds a table that is altered and drops its triggers: so they are taken off here and put
back by 0011_consent_guards.
"""

from importlib import import_module

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

ACTIONS = [
    ("given", "given"),
    ("confirmed", "confirmed"),
    ("withdrawn", "withdrawn"),
    ("imported", "imported with evidence"),
    ("soft_opt_in", "soft opt-in after a sale"),
    ("expired", "expired"),
    ("erased", "erased"),
    ("tombstone", "older lines removed"),
]
METHODS = [
    ("form", "sign-up form"),
    ("confirmation", "button behind the confirmation mail"),
    ("preferences", "preferences page"),
    ("link", "link in a mail"),
    ("one_click", "one-click unsubscribe (RFC 8058)"),
    ("undo", "undo button"),
    ("complaint", "complaint"),
    ("bounce", "bounce"),
    ("staff", "staff"),
    ("command", "management command"),
    ("renewal", "button behind the mail that asked anew"),
    ("sale", "address given at a sale"),
    ("import", "import"),
    ("term", "the time stated for it had passed"),
]
GUARDS = {
    "consent_entry_no_update": "signup_consententry",
    "consent_entry_no_delete": "signup_consententry",
    "consent_text_no_update": "signup_consenttext",
    "consent_text_no_delete": "signup_consenttext",
    "consent_subject_no_delete": "signup_consentsubject",
    "consent_subject_no_rewind": "signup_consentsubject",
}


def unguard(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        for name, table in GUARDS.items():
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def guard_as_before(apps, schema_editor):
    before = import_module("signup.migrations.0002_ledger_triggers")
    connection = schema_editor.connection
    statements = before.POSTGRESQL if connection.vendor == "postgresql" else before.SQLITE
    with connection.cursor() as cursor:
        for statement in statements:
            if statement.startswith("CREATE TRIGGER") and "TRUNCATE" not in statement:
                cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0001_initial"),
        ("signup", "0002_ledger_triggers"),
    ]

    operations = [
        migrations.RunPython(unguard, guard_as_before),
        migrations.AddField(
            model_name="consenttext",
            name="approved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="consenttext",
            name="approved_by",
            field=models.CharField(blank=True, max_length=150),
        ),
        migrations.AddField(
            model_name="consenttext",
            name="drafted_by",
            field=models.CharField(blank=True, max_length=150),
        ),
        migrations.AddField(
            model_name="consentsubject",
            name="sealed_seq",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="consententry",
            name="action",
            field=models.CharField(choices=ACTIONS, max_length=20),
        ),
        migrations.AlterField(
            model_name="consententry",
            name="method",
            field=models.CharField(choices=METHODS, max_length=20),
        ),
        migrations.AddConstraint(
            model_name="consententry",
            constraint=models.CheckConstraint(
                condition=~Q(action__in=["soft_opt_in", "imported"]) | ~Q(evidence=""),
                name="basis_has_evidence",
            ),
        ),
        migrations.CreateModel(
            name="ConsentTerm",
            fields=[
                (
                    "newsletter",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="catalogue.newsletter",
                    ),
                ),
                (
                    "days",
                    models.PositiveIntegerField(
                        help_text="0: it never expires by itself.",
                        validators=[django.core.validators.MaxValueValidator(3660)],
                        verbose_name="days",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LedgerSeal",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("made_at", models.DateTimeField()),
                ("chains", models.PositiveIntegerField()),
                ("file_hash", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="Renewal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("closed", "closed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("begun_by", models.CharField(max_length=150)),
                ("begun_at", models.DateTimeField()),
                ("answer_by", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("asked_upto", models.BigIntegerField(default=0)),
                (
                    "newsletter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="renewals",
                        to="catalogue.newsletter",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(state="open"), fields=("newsletter",), name="one_open_renewal"
                    ),
                    models.CheckConstraint(
                        condition=Q(answer_by__gt=F("begun_at")), name="renewal_leaves_time"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RenewalQuestion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("mailed_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("expired_at", models.DateTimeField(null=True)),
                (
                    "mail",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="renewal_question",
                        to="signup.systemmail",
                    ),
                ),
                (
                    "renewal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questions",
                        to="signup.renewal",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="signup.subscription",
                    ),
                ),
                (
                    "text",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="signup.consenttext",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("renewal", "subscription"), name="one_question_per_renewal"
                    )
                ],
            },
        ),
    ]
