"""What names a condition: a line that holds such a word tells something about its reader."""

import re

from newsletter.catalogue.models.condition import Condition


def condition_named_in(text: str) -> str | None:
    """Return the name or synonym of a condition that `text` holds as a word, or None."""
    folded = re.sub(r"[^\w]+", " ", text.replace("-", " "))
    return next(
        (term for term in _terms() if re.search(rf"\b{re.escape(term)}\b", folded, re.IGNORECASE)),
        None,
    )


def _terms() -> list[str]:
    """Longest first, so that the fullest name is quoted."""
    terms: set[str] = set()
    for name, synonyms in Condition.objects.values_list("name", "synonyms"):
        for term in (name, *synonyms.split(",")):
            terms.add(re.sub(r"[^\w]+", " ", term.replace("-", " ")).strip())
    return sorted(terms - {""}, key=lambda term: (-len(term), term))
