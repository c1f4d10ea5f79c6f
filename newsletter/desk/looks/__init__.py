"""Looking at a mail before it goes: in every form, as one reader gets it, and with colleagues."""
