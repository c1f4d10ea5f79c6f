"""Why a reader gets no copy. The words are also those of a skipped delivery."""

from enum import StrEnum


class Reason(StrEnum):
    NOT_LIVE = "not_live"
    NO_CONSENT = "no_consent"
    SUPPRESSED = "suppressed"
    PAUSED = "paused"
    ERASED = "erased"
    NOT_TOLD = "not_told"
