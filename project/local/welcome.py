"""What `make run` prints once everything is up."""

STAFF = (
    ("author", "writes articles and issues"),
    ("reviewer", "signs off what is medically sound"),
    ("sender", "sends, schedules, pauses"),
    ("admin", "sees to people and settings"),
)


def welcome(base_url: str, *, password: str, mailbox: bool, seconds: float) -> str:
    """Return the text: addresses, logins, and five things to try."""
    staff = "\n".join(f"    {name:<10}{what}" for name, what in STAFF)
    mail = f"{base_url}/mailbox/" if mailbox else "leaves by EMAIL_URL"
    where_mail = "in the mailbox" if mailbox else "in your mail"
    return f"""
Wellread is ready ({seconds:.0f} s).

  Readers   {base_url}/
  Staff     {base_url}/admin/
  Mailbox   {mail}

  Staff logins, all with the password {password}
{staff}

  Five things to try
    1. Sign up: {base_url}/conditions/herniated-disk/ with any address at example.org,
       then open the confirmation {where_mail} and press its button.
    2. As author open Issues in /admin/, change the draft and watch its preview.
    3. As reviewer approve that draft; as sender send it and watch the progress.
    4. Open what arrived {where_mail}: HTML, text, headers and source.
    5. Unsubscribe by the link in that mail. Then change your mind.

  Stop with Ctrl-C. Everything is kept in var/ for the next start; delete that folder to begin anew.
"""
