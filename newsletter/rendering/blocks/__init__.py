"""A body's blocks, each through its own pair of templates in templates/emails/blocks/."""

from dataclasses import replace

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from wagtail.blocks import StreamValue

from newsletter.rendering import plain
from newsletter.rendering.blocks import articles, care, pictures, support, words
from newsletter.rendering.blocks.page import Page, Prepare, Rendered
from newsletter.rendering.look import Look
from newsletter.wire.slots import stretch_marks

__all__ = ["Page", "Rendered", "render"]

_PREPARE: dict[str, Prepare] = {
    **words.PREPARE,
    **pictures.PREPARE,
    **articles.PREPARE,
    **care.PREPARE,
    **support.PREPARE,
}


def render(body: StreamValue, look: Look, page: Page | None = None) -> Rendered:
    """Render every block; headings come out in order whatever the blocks' order is."""
    page = page or Page(look)
    mjml: list[str] = []
    text: list[str] = []
    for block in body:
        if block.block_type == "only_for":
            one = _for_followers(block.value, page)
        else:
            one = _render_one(block.block_type, block.value, page)
        mjml.append(one.mjml)
        text.append(one.text)
    # Each piece comes from a template that escapes what people wrote.
    return Rendered(mark_safe("".join(mjml)), "".join(text))  # noqa: S308


def _render_one(kind: str, value: object, page: Page) -> Rendered:
    prepared = _PREPARE[kind](value, page)
    if prepared is None:
        return Rendered(SafeString(), "")
    context = {**page.look.context(), "level": page.level, **prepared}
    name = f"emails/blocks/{kind}"
    mjml = render_to_string(f"{name}.mjml", context)
    text = plain.tidy(render_to_string(f"{name}.txt", context))
    if kind == "heading":
        page.under_heading = True
    # A blank line under each block, but none for a picture that says nothing in text.
    return Rendered(mjml, text + "\n" if text.strip() else "")


def _for_followers(value: dict, page: Page) -> Rendered:  # type: ignore[type-arg]
    """Render a part between the marks that cut it out of the copies of everybody else."""
    followed = [condition for condition in value["conditions"] if condition is not None]
    inside = replace(page, in_stretch=True)
    content = render(value["content"], page.look, inside)
    if not followed or not content.mjml:
        return Rendered(SafeString(), "")
    begin, end = stretch_marks(condition.pk for condition in followed)
    context = {
        **page.look.context(),
        "because": care.because(followed),
        "content": content,
        "begin": mark_safe(begin),  # noqa: S308 - marks are ours, and no markup
        "end": mark_safe(end),  # noqa: S308
    }
    mjml = render_to_string("emails/blocks/only_for.mjml", context)
    text = plain.tidy(render_to_string("emails/blocks/only_for.txt", context))
    return Rendered(mjml, f"{begin}{text}\n{end}")
