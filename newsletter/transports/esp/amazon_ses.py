"""Amazon SES: the compiled bytes as they are, one message a call.

Its batches want a template that is stored there. SES puts a Message-ID and a Date of its own in the
place of ours, whichever way a message comes to it.
"""

from typing import Any

from anymail.backends import amazon_ses


class EmailBackend(amazon_ses.EmailBackend):
    def build_message_payload(self, message: Any, defaults: dict[str, Any]) -> "Payload":
        return Payload(message, defaults, self)


class Payload(amazon_ses.AmazonSESV2SendEmailPayload):
    def generate_raw_message(self) -> bytes:
        """Not written anew: what was approved and compiled is what goes."""
        (letter,) = self.message.letters
        return bytes(letter.content)

    def set_track_clicks(self, track_clicks: bool) -> None:
        """SES tracks by configuration set alone; without one it tracks nothing."""

    def set_track_opens(self, track_opens: bool) -> None:
        """As for clicks."""
