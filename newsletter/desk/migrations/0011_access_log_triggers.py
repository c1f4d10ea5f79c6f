"""The access log is append-only: triggers refuse every change, as they do for the ledger."""

from django.db import migrations

TABLE = "desk_accessentry"

POSTGRESQL = [
    """
    CREATE FUNCTION desk_access_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The access log is append-only: % is refused.', TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    *[
        f"CREATE TRIGGER access_log_no_{verb} BEFORE {verb.upper()} ON {TABLE} "
        f"FOR EACH {'STATEMENT' if verb == 'truncate' else 'ROW'} "
        "EXECUTE FUNCTION desk_access_log_refuse()"
        for verb in ("update", "delete", "truncate")
    ],
]
SQLITE = [
    f"CREATE TRIGGER access_log_no_{verb} BEFORE {verb.upper()} ON {TABLE} "
    f"BEGIN SELECT RAISE(ABORT, 'The access log is append-only: {verb} is refused.'); END"
    for verb in ("update", "delete")
]


def install(apps, schema_editor):
    statements = {"postgresql": POSTGRESQL, "sqlite": SQLITE}.get(schema_editor.connection.vendor)
    if statements is None:
        raise NotImplementedError("The access log can be guarded on PostgreSQL and SQLite only.")
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            for verb in ("update", "delete", "truncate"):
                cursor.execute(f"DROP TRIGGER IF EXISTS access_log_no_{verb} ON {TABLE}")
            cursor.execute("DROP FUNCTION IF EXISTS desk_access_log_refuse()")
        else:
            for verb in ("update", "delete"):
                cursor.execute(f"DROP TRIGGER IF EXISTS access_log_no_{verb}")


class Migration(migrations.Migration):
    dependencies = [("desk", "0010_access_log")]

    operations = [migrations.RunPython(install, remove)]
