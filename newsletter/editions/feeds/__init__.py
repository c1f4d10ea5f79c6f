"""Articles from elsewhere: fetched, read, made into drafts. None goes live by itself."""
