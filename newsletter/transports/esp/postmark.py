"""Postmark: whole messages in one call, each with an answer of its own."""

from typing import Any

from anymail.backends import postmark
from anymail.exceptions import AnymailRequestsAPIError
from anymail.message import AnymailRecipientStatus

from newsletter.transports.esp.answers import STATUSES
from newsletter.transports.values import Outcome, Receipt, without_addresses

# Postmark's API error codes: what lies with the one address, and what with the hour.
_INVALID, _INACTIVE = 300, 406
_LATER = frozenset({100, 429})


class EmailBackend(postmark.EmailBackend):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Its bulk API answers for the whole call, later, and not for each reader.
        self.use_bulk_api = self.generate_message_id = False

    def build_message_payload(self, message: Any, defaults: dict[str, Any]) -> "Payload":
        return Payload(message, defaults, self)

    def parse_recipient_status(self, response: Any, payload: Any, message: Any) -> dict[str, Any]:
        """anymail's own raises at the first message refused, and the others' answers are lost."""
        answers = self.deserialize_json_response(response, payload, message)
        if not isinstance(answers, list):
            if len(message.letters) > 1:  # the call itself was refused
                raise AnymailRequestsAPIError(
                    "Refused whole", email_message=message, payload=payload, response=response,
                    backend=self,
                )  # fmt: skip
            answers = [answers]
        message.receipts = [_receipt(answer) for answer in answers]
        queued = AnymailRecipientStatus(message_id=None, status="queued")
        return {to.addr_spec: queued for to in payload.to_emails}


class Payload(postmark.PostmarkPayload):
    def __init__(self, message: Any, *args: Any, **kwargs: Any) -> None:
        self._letters = {letter.address: letter for letter in message.letters}
        super().__init__(message, *args, **kwargs)

    def set_extra_headers(self, headers: Any) -> None:
        # Otherwise Postmark puts a Message-ID of its own in the place of ours.
        headers["X-PM-KeepID"] = "true"
        super().set_extra_headers(headers)

    def set_merge_headers(self, merge_headers: dict[str, dict[str, str]]) -> None:
        super().set_merge_headers(
            {to: {**headers, "X-PM-KeepID": "true"} for to, headers in merge_headers.items()}
        )

    def data_for_recipient(self, to: Any) -> dict[str, Any]:
        data: dict[str, Any] = super().data_for_recipient(to)
        letter = self._letters[to.addr_spec]
        data["TextBody"] = letter.text
        if letter.html:
            data["HtmlBody"] = letter.html
        return data


def _receipt(answer: Any) -> Receipt:
    if not isinstance(answer, dict) or not isinstance(answer.get("ErrorCode", 0), int):
        return STATUSES["unknown"]
    code, said = answer.get("ErrorCode", 0), without_addresses(str(answer.get("Message", "")))
    said = " ".join(f"Postmark {code}: {said}".split())[:200]
    if code == 0:
        return STATUSES["sent"] if "MessageID" in answer else STATUSES["unknown"]
    if code == _INACTIVE:
        return Receipt(Outcome.PERMANENT, 550, "5.0.0", said)
    if code == _INVALID and "'To'" in said:
        return Receipt(Outcome.PERMANENT, 550, "5.1.3", said)
    if code in _LATER:
        return Receipt(Outcome.TEMPORARY, 450, "4.3.2", said)
    return Receipt(Outcome.OURS, 550, "5.7.0", said)
