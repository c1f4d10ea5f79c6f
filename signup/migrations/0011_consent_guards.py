"""The ledger's triggers once more: drafts of wordings may change, and one retention may remove.

A line goes only when both hold: this very transaction has named its subject as the one whose time
has passed (PostgreSQL: the setting `wellread.retention`, gone with the transaction; SQLite: a row in
a table of guards), and a later line of that subject is a tombstone. Nobody makes a tombstone that
holds without the key outside the database.
"""

from django.db import migrations, models
from django.db.models import F

TABLES = {
    "consent_entry_no_update": "signup_consententry",
    "consent_entry_no_delete": "signup_consententry",
    "consent_text_no_update": "signup_consenttext",
    "consent_text_no_delete": "signup_consenttext",
    "consent_subject_no_delete": "signup_consentsubject",
    "consent_subject_no_rewind": "signup_consentsubject",
}

POSTGRESQL = [
    """
    CREATE FUNCTION signup_ledger_only_retention() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('wellread.retention', true) = OLD.subject::text AND EXISTS (
            SELECT 1 FROM signup_consententry later WHERE later.subject = OLD.subject
            AND later.seq > OLD.seq AND later.action = 'tombstone'
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'The consent ledger is append-only: DELETE is refused.'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    "CREATE TRIGGER consent_entry_no_update BEFORE UPDATE ON signup_consententry "
    "FOR EACH ROW EXECUTE FUNCTION signup_ledger_refuse()",
    "CREATE TRIGGER consent_entry_no_delete BEFORE DELETE ON signup_consententry "
    "FOR EACH ROW EXECUTE FUNCTION signup_ledger_only_retention()",
    "CREATE TRIGGER consent_text_no_update BEFORE UPDATE ON signup_consenttext "
    "FOR EACH ROW WHEN (OLD.approved_at IS NOT NULL) EXECUTE FUNCTION signup_ledger_refuse()",
    "CREATE TRIGGER consent_text_no_delete BEFORE DELETE ON signup_consenttext "
    "FOR EACH ROW WHEN (OLD.approved_at IS NOT NULL) EXECUTE FUNCTION signup_ledger_refuse()",
    "CREATE TRIGGER consent_subject_no_delete BEFORE DELETE ON signup_consentsubject "
    "FOR EACH ROW EXECUTE FUNCTION signup_ledger_refuse()",
    "CREATE TRIGGER consent_subject_no_rewind BEFORE UPDATE ON signup_consentsubject "
    "FOR EACH ROW EXECUTE FUNCTION signup_ledger_no_rewind()",
]


def _refuse(what: str) -> str:
    return f"BEGIN SELECT RAISE(ABORT, 'The consent ledger is append-only: {what}'); END"


SQLITE = [
    "CREATE TABLE signup_ledger_retention (subject char(32) NOT NULL PRIMARY KEY)",
    "CREATE TRIGGER consent_entry_no_update BEFORE UPDATE ON signup_consententry "
    + _refuse("update is refused."),
    "CREATE TRIGGER consent_entry_no_delete BEFORE DELETE ON signup_consententry WHEN NOT EXISTS ("  # noqa: S608
    "SELECT 1 FROM signup_ledger_retention named JOIN signup_consententry later "
    "ON later.subject = named.subject WHERE named.subject = OLD.subject "
    "AND later.seq > OLD.seq AND later.action = 'tombstone') " + _refuse("delete is refused."),
    "CREATE TRIGGER consent_text_no_update BEFORE UPDATE ON signup_consenttext "
    "WHEN OLD.approved_at IS NOT NULL " + _refuse("update is refused."),
    "CREATE TRIGGER consent_text_no_delete BEFORE DELETE ON signup_consenttext "
    "WHEN OLD.approved_at IS NOT NULL " + _refuse("delete is refused."),
    "CREATE TRIGGER consent_subject_no_delete BEFORE DELETE ON signup_consentsubject "
    + _refuse("delete is refused."),
    "CREATE TRIGGER consent_subject_no_rewind BEFORE UPDATE ON signup_consentsubject "
    "WHEN NEW.head_seq < OLD.head_seq OR NEW.subject <> OLD.subject "
    "OR (NEW.head_seq = OLD.head_seq AND NEW.head_hash <> OLD.head_hash) "
    + _refuse("its head only moves on."),
]


def approve_what_was_shown(apps, schema_editor):
    """Every wording so far was shown as soon as it was written."""
    apps.get_model("signup", "ConsentText").objects.filter(approved_at__isnull=True).update(
        approved_at=F("created_at"), approved_by="installation"
    )


def guard(apps, schema_editor):
    connection = schema_editor.connection
    statements = {"postgresql": POSTGRESQL, "sqlite": SQLITE}[connection.vendor]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def unguard(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        for name, table in TABLES.items():
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS signup_ledger_only_retention()")
        else:
            cursor.execute("DROP TABLE IF EXISTS signup_ledger_retention")


class Migration(migrations.Migration):
    dependencies = [("signup", "0010_consent_schema")]

    operations = [
        migrations.RunPython(approve_what_was_shown, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="consenttext",
            constraint=models.UniqueConstraint(
                condition=models.Q(approved_at__isnull=True),
                fields=("purpose", "language"),
                name="one_draft_per_wording",
            ),
        ),
        migrations.RunPython(guard, unguard),
    ]
