"""Every finding of preflight is explained in docs/desk.md, and nothing there is invented."""

import re
from pathlib import Path

from django.conf import settings

_CODE = re.compile(r'(?:error|warning)\(\s*"([a-z_]+)"')


def test_each_code_stands_in_the_documents():
    folder = Path(settings.BASE_DIR) / "newsletter" / "approval" / "preflight"
    codes = {code for file in folder.glob("*.py") for code in _CODE.findall(file.read_text())}
    page = (Path(settings.BASE_DIR) / "docs" / "desk.md").read_text()
    table = page.split("## Preflight")[1].split("## A mailing")[0]
    assert codes == set(re.findall(r"`([a-z_]+)`", table))
