"""How old must one be to read it with ease, and which sentences stand in the way."""

from newsletter.approval.reading.measure import Reading, measure

__all__ = ["Reading", "measure"]
