"""Content and theme in, compiled edition out; an edition and a reader in, a copy out."""
