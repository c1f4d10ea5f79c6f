#!/usr/bin/env python3
"""Django's command line for Wellread.

Where `make run` has set up an embedded installation and the shell brings no keys of its own, the
commands work on that installation.
"""

import os
import sys
import traceback


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


def for_a_mail_server() -> None:
    """End with 0, or with EX_TEMPFAIL, whatever went wrong and however early.

    With any other number a mail server bounces what it holds: a bounce of a bounce, which goes to
    nobody. So it keeps it, for days, until what is wrong was put right.
    """
    try:
        main()
    except SystemExit as end:
        if end.code not in (0, None):
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
            sys.exit(os.EX_TEMPFAIL)
    except Exception:
        traceback.print_exc()
        sys.exit(os.EX_TEMPFAIL)


if __name__ == "__main__":
    if sys.argv[1:2] == ["take_bounce"]:
        for_a_mail_server()
    else:
        main()
