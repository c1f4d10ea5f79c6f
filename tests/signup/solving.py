"""The sum as a browser does it, with the library's own solver."""

from typing import Any

import altcha

from signup.guard import proof_of_work


def solved(challenge: dict[str, Any] | None = None) -> str:
    """Return the hidden field's value for `challenge`, or for a new one."""
    asked = altcha.Challenge.from_dict(challenge or proof_of_work.challenge())
    solution = altcha.solve_challenge(asked)
    assert solution is not None
    return altcha.Payload(asked, solution).to_base64()
