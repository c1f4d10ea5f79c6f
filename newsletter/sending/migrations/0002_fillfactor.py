"""Room in each page for the two updates that a delivery gets, so that PostgreSQL makes them in
place (HOT) and touches no index."""

from django.db import migrations


def set_fillfactor(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE sending_delivery SET (fillfactor = 70)")


def reset_fillfactor(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE sending_delivery RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("sending", "0001_initial")]

    operations = [migrations.RunPython(set_fillfactor, reset_fillfactor, elidable=False)]
