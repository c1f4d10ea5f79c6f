"""After it has gone out: what was wrong is corrected, or taken back."""
