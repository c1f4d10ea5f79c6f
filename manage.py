#!/usr/bin/env python3
"""Django's command line for Wellread.

Where `make run` has set up an embedded installation and the shell brings no keys of its own, the
commands work on that installation.
"""

import os
import sys


def main() -> None:
    from project.local import environment

    environment.adopt()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
