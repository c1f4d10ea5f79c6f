"""Pictures of mails, under a name made of their content: they never change and never go."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from newsletter.rendering import pictures


@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponseBase:
    """The same file for everybody, asked for once: nobody can be told apart by it."""
    found = pictures.NAME.fullmatch(name)
    if found is None:
        raise Http404
    try:
        file = default_storage.open(f"{pictures.FOLDER}/{name}")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(file, content_type=pictures.TYPES[found[1]])
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    # Mail programs on the web show it from their own address.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
