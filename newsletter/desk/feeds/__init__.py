"""Feeds at the desk: where they are looked after, and who is told when one dies."""
