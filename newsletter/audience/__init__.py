"""Who may receive this, and why this reader does or does not."""
