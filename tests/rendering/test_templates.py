"""The mail templates themselves, those of system mail too."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from newsletter.editions.blocks import ArticleBody, IssueBody

FOLDER = Path(settings.BASE_DIR) / "templates" / "emails"
MJML = sorted(FOLDER.rglob("*.mjml"))
TEXT = sorted(FOLDER.rglob("*.txt"))
# mrml drops what it does not know without a word (lessons.md).
KNOWN_TAGS = {
    *("mjml", "mj-head", "mj-title", "mj-preview", "mj-attributes", "mj-all", "mj-class"),
    *("mj-style", "mj-raw", "mj-body", "mj-section", "mj-column", "mj-wrapper", "mj-group"),
    *("mj-text", "mj-image", "mj-button", "mj-divider", "mj-spacer", "mj-table"),
}


@pytest.mark.parametrize("path", MJML, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_template_uses_only_tags_that_mrml_knows(path: Path) -> None:
    source = path.read_text()
    assert set(re.findall(r"</?(mj[\w-]*)", source)) <= KNOWN_TAGS
    assert "http://" not in source and "https://" not in source


@pytest.mark.parametrize("path", MJML, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_template_never_switches_escaping_off(path: Path) -> None:
    source = path.read_text()
    assert "|safe" not in source and "autoescape" not in source


@pytest.mark.parametrize(
    "path",
    # System mail's own tests look at what its letters say.
    [path for path in TEXT if path.name != "sans.txt" and path.parent.name != "system"],
    ids=lambda path: str(path.relative_to(FOLDER)),
)
def test_a_text_template_does_not_write_html(path: Path) -> None:
    source = path.read_text()
    assert "autoescape off" in source
    assert not re.search(r"<[a-z]", source)


def test_every_block_has_both_its_templates() -> None:
    names = {*IssueBody().child_blocks, *ArticleBody().child_blocks}
    for name in names:
        assert (FOLDER / "blocks" / f"{name}.mjml").exists()
        assert (FOLDER / "blocks" / f"{name}.txt").exists()
