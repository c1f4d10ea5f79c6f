"""What is kept about a reader: shown, exported, erased, and not kept for longer than needed."""
