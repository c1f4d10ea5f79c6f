"""How many examples a property is tried with: few each time, many when somebody has the time.

EXAMPLES=50 make test ARGS="tests/signup/test_embed_fuzz.py"      fifty times as many
"""

import os

_TIMES = int(os.environ.get("EXAMPLES", "1"))


def examples(number: int) -> int:
    return number * _TIMES
