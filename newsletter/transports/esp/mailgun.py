"""Mailgun: one message with the readers' own values beside it, for up to a thousand of them.

It puts a value wherever the message says `%recipient.name%`. Without values for each of them it
would show all recipients to all; every letter has at least its Message-ID there.
"""

from typing import Any

from anymail.backends import mailgun
from django.core.exceptions import ImproperlyConfigured

from newsletter.transports.esp.letters import Letter
from newsletter.transports.esp.shared import shared


class EmailBackend(mailgun.EmailBackend):
    def raise_for_status(self, response: Any, payload: Any, message: Any) -> None:
        # Answered with 200 wherever it has no API. As an answer to a call it would leave every
        # reader unknown, of whom none was sent anything.
        if response.status_code == 200 and "Mailgun Magnificent API" in response.text:
            raise ImproperlyConfigured(
                "Mailgun has no API at this address: look at ANYMAIL_MAILGUN_API_URL and "
                "ANYMAIL_MAILGUN_SENDER_DOMAIN."
            )
        super().raise_for_status(response, payload, message)

    def build_message_payload(self, message: Any, defaults: dict[str, Any]) -> Any:
        letters: list[Letter] = message.letters
        if len(letters) > 1:
            text = shared([letter.text for letter in letters], "t")
            html = shared([letter.html for letter in letters], "h")
            message.body = text.template
            if letters[0].html:
                message.alternatives = [(html.template, "text/html")]
            message.merge_data = {
                letter.address: text.values[at] | html.values[at]
                for at, letter in enumerate(letters)
            }
        return super().build_message_payload(message, defaults)
