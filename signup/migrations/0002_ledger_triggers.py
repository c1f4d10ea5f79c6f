"""Triggers that refuse every change to the ledger, on both databases.

They guard against a mistake in our own code and against a hand in the database. Whoever may drop
triggers can still do harm; that shows in the chain (signup.consent.verify).
"""

from django.db import migrations

POSTGRESQL = [
    """
    CREATE FUNCTION signup_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The consent ledger is append-only: % on % is refused.',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE FUNCTION signup_ledger_no_rewind() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.head_seq < OLD.head_seq OR NEW.subject <> OLD.subject
            OR (NEW.head_seq = OLD.head_seq AND NEW.head_hash <> OLD.head_hash) THEN
            RAISE EXCEPTION 'The consent ledger is append-only: its head only moves on.'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    *[
        f"CREATE TRIGGER {name}_no_{verb} BEFORE {verb.upper()} ON signup_{table} "
        "FOR EACH ROW EXECUTE FUNCTION signup_ledger_refuse()"
        for name, table in (("consent_entry", "consententry"), ("consent_text", "consenttext"))
        for verb in ("update", "delete")
    ],
    "CREATE TRIGGER consent_subject_no_delete BEFORE DELETE ON signup_consentsubject "
    "FOR EACH ROW EXECUTE FUNCTION signup_ledger_refuse()",
    "CREATE TRIGGER consent_subject_no_rewind BEFORE UPDATE ON signup_consentsubject "
    "FOR EACH ROW EXECUTE FUNCTION signup_ledger_no_rewind()",
    *[
        f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON signup_{table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION signup_ledger_refuse()"
        for name, table in (
            ("consent_entry", "consententry"),
            ("consent_text", "consenttext"),
            ("consent_subject", "consentsubject"),
        )
    ],
]

TABLES = {
    "consent_entry": "signup_consententry",
    "consent_text": "signup_consenttext",
    "consent_subject": "signup_consentsubject",
}

SQLITE = [
    *[
        f"CREATE TRIGGER {name}_no_{verb} BEFORE {verb.upper()} ON {TABLES[name]} "
        f"BEGIN SELECT RAISE(ABORT, 'The consent ledger is append-only: {verb} is refused.'); END"
        for name, verb in (
            ("consent_entry", "update"),
            ("consent_entry", "delete"),
            ("consent_text", "update"),
            ("consent_text", "delete"),
            ("consent_subject", "delete"),
        )
    ],
    "CREATE TRIGGER consent_subject_no_rewind BEFORE UPDATE ON signup_consentsubject "
    "WHEN NEW.head_seq < OLD.head_seq OR NEW.subject <> OLD.subject "
    "OR (NEW.head_seq = OLD.head_seq AND NEW.head_hash <> OLD.head_hash) "
    "BEGIN SELECT RAISE(ABORT, 'The consent ledger is append-only: its head only moves on.'); END",
]

NAMES = [
    ("consent_entry_no_update", "consent_entry"),
    ("consent_entry_no_delete", "consent_entry"),
    ("consent_text_no_update", "consent_text"),
    ("consent_text_no_delete", "consent_text"),
    ("consent_subject_no_delete", "consent_subject"),
    ("consent_subject_no_rewind", "consent_subject"),
]
TRUNCATE_NAMES = [(f"{name}_no_truncate", name) for name in TABLES]


def install(apps, schema_editor):
    connection = schema_editor.connection
    statements = {"postgresql": POSTGRESQL, "sqlite": SQLITE}.get(connection.vendor)
    if statements is None:
        raise NotImplementedError(
            f"The ledger cannot be guarded on {connection.vendor}: use PostgreSQL or SQLite."
        )
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for trigger, name in NAMES + TRUNCATE_NAMES:
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger} ON {TABLES[name]}")
            cursor.execute("DROP FUNCTION IF EXISTS signup_ledger_refuse()")
            cursor.execute("DROP FUNCTION IF EXISTS signup_ledger_no_rewind()")
        else:
            for trigger, _ in NAMES:
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}")


class Migration(migrations.Migration):
    dependencies = [("signup", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
