"""The sum for a browser to do while its reader fills in the form (signup.guard.proof_of_work)."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from signup.guard import proof_of_work


@require_safe
def challenge(request: HttpRequest) -> JsonResponse:
    """A new challenge. Nothing is kept of who asked; it is good for half an hour, once."""
    response = JsonResponse(proof_of_work.challenge())
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
