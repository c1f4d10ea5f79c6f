"""How our mails are worded, read off their templates."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from signup.models import SystemMail


@pytest.mark.parametrize("kind", SystemMail.Kind.values)
def test_every_sentence_begins_as_a_sentence_does(kind: str) -> None:
    templates = Path(settings.BASE_DIR) / "templates" / "emails" / "system"
    for ending in ("txt", "mjml"):
        text = (templates / f"{kind}.{ending}").read_text()
        said = re.findall(r'{% translate "([^"]+)', text)
        said += re.findall(r"{% blocktranslate[^%]*%}([^{]+)", text)
        assert said
        assert not [words for words in said if words[0].islower()], (kind, ending)
