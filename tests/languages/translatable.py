"""What a reader can meet in our templates and code, and whether a catalogue has it."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.conf import settings
from django.template import engines
from django.template.base import NodeList
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(settings.BASE_DIR)
# What readers never see: the staff's own pages, and commands.
STAFF = ("templates/desk", "templates/wagtailadmin", "signup/management", "signup/migrations")
CODE = (
    "signup",
    "newsletter/archive",
    "newsletter/rendering",
    "newsletter/sending/privacy.py",
    "newsletter/outcomes/privacy.py",
)
_CALLS = {"_", "gettext", "gettext_lazy", "pgettext", "ngettext"}


def templates() -> list[Path]:
    found = [path for path in sorted((ROOT / "templates").rglob("*")) if path.is_file()]
    return [path for path in found if not relative(path).startswith(STAFF)]


def modules() -> list[Path]:
    found: list[Path] = []
    for place in CODE:
        path = ROOT / place
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [path for path in found if not relative(path).startswith(STAFF)]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def in_template(path: Path) -> Iterator[str]:
    """Every message that the template asks the catalogue for."""
    template = engines["django"].get_template(relative(path).removeprefix("templates/"))
    nodes: NodeList = template.template.nodelist
    for node in nodes.get_nodes_by_type(TranslateNode):
        variable = node.filter_expression.var
        if isinstance(variable, str):
            yield variable
        elif getattr(variable, "literal", None) is not None:
            yield str(variable.literal)
    for node in nodes.get_nodes_by_type(BlockTranslateNode):
        message, _variables = node.render_token_list(node.singular)
        yield message.replace("%%", "%")


def in_code(path: Path) -> Iterator[str]:
    """Every literal message that the module asks the catalogue for."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        first = node.args[0] if node.args else None
        if (
            node.func.id in _CALLS
            and isinstance(first, ast.Constant)
            and isinstance(first.value, str)
        ):
            yield first.value


def untranslatable_text(path: Path) -> list[str]:
    """Words that stand in a template as they are, so that no catalogue could change them."""
    source = path.read_text()
    for pattern in (
        r"\{% block page_class %\}.*?\{% endblock %\}",
        r"\{% comment %\}.*?\{% endcomment %\}",
        r"\{% blocktranslate.*?\{% endblocktranslate %\}",
        r"\{#.*?#\}",
        r"\{%.*?%\}",
        r"\{\{.*?\}\}",
    ):
        source = re.sub(pattern, "", source, flags=re.DOTALL)
    reader = _Words()
    reader.feed(source)
    return [text for text in reader.found if re.search(r"[^\W\d_]{2,}", text)]


class _Words(HTMLParser):
    """Text and the attributes that are read out, but no styles and no scripts."""

    _READ_OUT = {"alt", "title", "placeholder", "aria-label", "label", "content"}
    _SILENT = {"style", "script", "mj-style"}

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        values = dict(attrs)
        if tag == "meta" and values.get("name") != "description":
            return
        # The trap for machines is hidden from everybody who could read.
        if values.get("class") == "not-for-people":
            self._silent += 1
        self.found += [value for name, value in attrs if name in self._READ_OUT and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT or (tag == "div" and self._silent):
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data.strip())
