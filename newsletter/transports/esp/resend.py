"""Resend: one message a call, and a call that can be repeated."""

from typing import Any

from anymail.backends import resend


class EmailBackend(resend.EmailBackend):
    def build_message_payload(self, message: Any, defaults: dict[str, Any]) -> Any:
        payload = super().build_message_payload(message, defaults)
        # The same letter sent again within a day is sent once.
        payload.headers["Idempotency-Key"] = message.idempotency_key
        return payload
