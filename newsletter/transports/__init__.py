"""How mail leaves: by SMTP, through an ESP's API, or into memory in tests. A leaf."""
