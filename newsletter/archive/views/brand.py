"""A publisher's own colour, as the few tokens that it replaces."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.catalogue import brand
from newsletter.catalogue.models import Publisher
from newsletter.catalogue.models.colour import OUR_GREEN


@cache_control(public=True, max_age=3600)
@require_safe
def brand_css(request: HttpRequest) -> HttpResponse:
    """A colour that cannot be read never reaches a reader, however it came into the database."""
    chosen = Publisher.current().brand_colour
    colours = brand.derive(chosen if brand.readable(chosen) else OUR_GREEN)
    return HttpResponse(
        f":root{{--brand:{colours.light};--brand-strong:{colours.light_strong}}}\n"
        "@media (prefers-color-scheme:dark){"
        f":root{{--brand:{colours.dark};--brand-strong:{colours.dark_strong}}}}}\n",
        content_type="text/css; charset=utf-8",
    )
