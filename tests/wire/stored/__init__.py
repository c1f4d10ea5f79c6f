"""A message of each format that was ever stored, and the copy that it gives."""
