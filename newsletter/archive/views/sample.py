"""What a reader would get, to be seen before signing up."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from newsletter.archive import samples
from newsletter.archive.mail_frame import mail_frame


@require_safe
def sample(request: HttpRequest) -> HttpResponse:
    """Show one newsletter's sample: the one asked for, or the first that has any."""
    newsletters = samples.newsletters_with_samples()
    wanted = request.GET.get("newsletter")
    chosen = next((each for each in newsletters if each.slug == wanted), None)
    if chosen is None and newsletters:
        chosen = newsletters[0]
    return render(
        request,
        "archive/sample.html",
        {
            "newsletters": newsletters,
            "chosen": chosen,
            "sample": samples.sample_of(chosen) if chosen else None,
        },
    )


@mail_frame
@require_safe
def sample_mail(request: HttpRequest, slug: str) -> HttpResponse:
    """The sample as a document of its own, for the frame."""
    newsletters = samples.newsletters_with_samples()
    chosen = next((each for each in newsletters if each.slug == slug), None)
    found = samples.sample_of(chosen) if chosen else None
    if found is None:
        raise Http404
    return HttpResponse(found.html)
