"""Before the servers start: the database as the code expects it, demo content at the first start.

python -m project.local.prepare
"""

import os
import sys
import time
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management.base import BaseCommand, SystemCheckError
    from django.db import OperationalError

    try:
        django.setup()
        BaseCommand().check()
        _migrate()
        _seed()
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")
    except SystemCheckError as error:
        sys.exit(f"{error}")
    except OperationalError as error:
        sys.exit(f"The database cannot be used: {error}")


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        print(f"  preparing the database ({len(plan)} steps)", flush=True)
        call_command("migrate", interactive=False, verbosity=0)


def _seed() -> None:
    """Once: who deleted the demo's content does not get it back at the next start."""
    from django.conf import settings
    from django.core.management import call_command

    seeded = Path(settings.VAR_DIR) / "seeded"
    if seeded.exists():
        return
    print("  writing the demo's content", flush=True)
    begun = time.monotonic()
    call_command("seed_demo", verbosity=0)
    seeded.write_text(
        "The demo's content was written here. Without this file it is written again.\n"
    )
    print(f"  written in {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
