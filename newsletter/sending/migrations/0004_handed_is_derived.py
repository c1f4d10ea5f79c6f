"""A delivery is written once, when its outcome is known: *handed* is what is queued, in a claimed
batch, in front of `handed_upto`. And the next batch to be claimed is found by an index."""

from django.db import migrations, models
from django.db.models import F


def queue_what_is_handed(apps, schema_editor):
    # Its batch is claimed and its mark stands behind it, so it means the same as before.
    deliveries = apps.get_model("sending", "Delivery").objects.filter(state="handed")
    deliveries.update(state="queued", attempt=F("attempt") - 1)


class Migration(migrations.Migration):
    dependencies = [("sending", "0003_mailing_stamp")]

    operations = [
        migrations.RunPython(queue_what_is_handed, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "queued"),
                    ("accepted", "accepted"),
                    ("refused", "refused"),
                    ("skipped", "skipped"),
                    ("unknown", "unknown"),
                ],
                default="queued",
                max_length=10,
            ),
        ),
        migrations.RemoveIndex(model_name="batch", name="sending_bat_mailing_67b24a_idx"),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["mailing", "state", "id"], name="sending_batch_next"),
        ),
    ]
