"""The local mail catcher: a real SMTP server that puts every message into the local mailbox.

python -m project.local.catcher FOLDER PORT
"""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from project.local.mailbox.maildir import Mailbox


class Keep:
    """aiosmtpd's handler: it speaks the protocol, this keeps what came."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # It reads one command after the other from a buffer, so groups of them are welcome.
        return [*replies[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", replies[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        try:
            key = self.mailbox.add(envelope.mail_from or "", envelope.rcpt_tos, content)
        except OSError as error:
            return f"452 4.3.1 The local mailbox cannot be written: {error.strerror}"
        return f"250 2.0.0 kept as {key}"


async def serve(mailbox: Mailbox, port: int) -> None:
    """Listen on 127.0.0.1 until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def conversation() -> SMTP:
        return SMTP(
            Keep(mailbox),
            enable_SMTPUTF8=True,
            hostname="mailbox.localhost",
            ident="Wellread's local mailbox",
            data_size_limit=50 * 1024 * 1024,
            loop=loop,
        )

    server = await loop.create_server(conversation, "127.0.0.1", port)
    await stop.wait()
    server.close()


def main() -> None:
    folder, port = sys.argv[1:]
    mailbox = Mailbox(Path(folder))
    mailbox.prepare()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(mailbox, int(port)))


if __name__ == "__main__":
    main()
