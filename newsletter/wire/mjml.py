"""MJML in, HTML for mail programs out."""

import re

import css_inline
import mrml


class MjmlError(ValueError):
    """The MJML cannot become HTML; the message says where."""


_INLINER = css_inline.CSSInliner(
    load_remote_stylesheets=False, keep_at_rules=True, remove_inlined_selectors=True
)

# No web fonts: MJML's own default would make every reader's mail program ask a third party.
_OPTIONS = mrml.RenderOptions(fonts={})

# mrml drops what it does not know without a word, so it is refused here.
_KNOWN = frozenset(
    {
        *("mjml", "mj-head", "mj-title", "mj-preview", "mj-style", "mj-attributes", "mj-all"),
        *("mj-class", "mj-breakpoint", "mj-html-attributes", "mj-selector", "mj-html-attribute"),
        *("mj-body", "mj-wrapper", "mj-section", "mj-column", "mj-group", "mj-raw"),
        *("mj-text", "mj-image", "mj-button", "mj-divider", "mj-spacer", "mj-table"),
    }
)
# MJML's own rules for Outlook, which reads them in the head: on every table and cell they would
# make up a seventh of the mail.
_OWN_STYLE = '<style type="text/css">'
_LEFT_IN_THE_HEAD = '<style type="text/css" data-css-inline="ignore">'
_DELICATE = re.compile(r"[^\t\n\r\x20-\x7e]|\\")
_TAG = re.compile(r"</?(mj[a-z0-9-]*)", re.IGNORECASE)


def to_html(mjml: str) -> str:
    """Render MJML and set its styles inline; at-rules (dark mode, phones) stay in a style element.

    Raises MjmlError for an unknown tag, an unclosed one or anything else that does not parse.
    """
    unknown = sorted({name for name in _TAG.findall(mjml) if name not in _KNOWN})
    if unknown:
        raise MjmlError(f"Unknown MJML tag: {', '.join(unknown)}.")
    try:
        output = mrml.to_html(_as_ascii(mjml), render_options=_OPTIONS)
    except (OSError, ValueError) as error:
        raise MjmlError(f"The MJML does not parse: {error}") from error
    if output.warnings:
        raise MjmlError(f"MJML warnings: {'; '.join(str(warning) for warning in output.warnings)}")
    try:
        html: str = _INLINER.inline(output.content.replace(_OWN_STYLE, _LEFT_IN_THE_HEAD, 1))
    except css_inline.InlineError as error:
        raise MjmlError(f"The styles cannot be set inline: {error}") from error
    return html


def _as_ascii(mjml: str) -> str:
    """Write what is not ASCII as references, which mrml passes through and the inliner reads.

    Inside mj-text mrml prints attributes as Rust's debug format does: a joiner in an emoji or a
    slot's mark would come out as `\\u{200d}`, a backslash doubled.
    """
    return _DELICATE.sub(lambda match: f"&#x{ord(match[0]):X};", mjml)
