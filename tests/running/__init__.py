"""Real servers and processes that tests start: SMTP, PostgreSQL, workers, the whole stack."""
