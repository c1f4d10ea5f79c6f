"""Brevo: versions of one message in one call, each with its own content."""

from html import escape
from typing import Any

from anymail.backends import brevo
from anymail.message import AnymailRecipientStatus

# The API writes it itself, and takes none of ours.
_ITS_OWN = "Date"


class EmailBackend(brevo.EmailBackend):
    def build_message_payload(self, message: Any, defaults: dict[str, Any]) -> "Payload":
        return Payload(message, defaults, self)

    def parse_recipient_status(self, response: Any, payload: Any, message: Any) -> dict[str, Any]:
        """anymail's own takes every letter for queued, however many Brevo names."""
        found: dict[str, Any] = super().parse_recipient_status(response, payload, message)
        named = {each.message_id for each in found.values()} - {None}
        if len(named) != len(message.letters):
            unknown = AnymailRecipientStatus(message_id=None, status="unknown")
            return dict.fromkeys(found, unknown)
        return found


class Payload(brevo.BrevoPayload):
    def serialize_json(self, data: Any) -> str:
        if data is self.data:
            self._complete(data)
        return str(super().serialize_json(data))

    def _complete(self, data: dict[str, Any]) -> None:
        letters = {letter.address: letter for letter in self.message.letters}
        if "messageVersions" in data:
            # The default, which no version uses: nobody's own copy, should one fall back to it.
            data["textContent"] = data["subject"]
            if "htmlContent" in data:
                data["htmlContent"] = f"<p>{escape(data['subject'])}</p>"
        for version in data.get("messageVersions", ()):
            letter = letters[version["to"][0]["email"]]
            version["textContent"] = letter.text
            if letter.html:
                version["htmlContent"] = letter.html
            version["headers"].pop(_ITS_OWN, None)
        headers = data.setdefault("headers", {})
        headers.pop(_ITS_OWN, None)
        # The same letters sent again within half an hour are sent once.
        headers["idempotencyKey"] = self.message.idempotency_key
