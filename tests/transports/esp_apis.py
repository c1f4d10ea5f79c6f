"""A local HTTP server that answers as Postmark, Mailgun, Brevo and Amazon SES say they do.

It records each request, and what each recipient would then have in the mailbox: worked out as the
API's documentation says, from the request alone.
"""

import base64
import http.server
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qs

ESPS = ("postmark", "mailgun", "brevo", "amazon_ses")


@dataclass(frozen=True)
class Request:
    esp: str
    headers: dict[str, str]
    body: bytes
    # The body as its API reads it.
    data: Any


@dataclass(frozen=True)
class Arrived:
    """What one recipient got, and who could be seen in its To."""

    to: str
    shown: str
    text: str
    html: str
    headers: dict[str, str]


@dataclass
class EspApis:
    url: str = ""
    # Addresses that each API refuses in its own way.
    refused: set[str] = field(default_factory=set)
    # What to do with the next requests instead of taking them: a status with headers and a body,
    # "drop" (read it all, hang up), "take and drop", "hang".
    next: list[tuple[int, dict[str, str], Any] | str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    at_once: int = 0
    delay: float = 0.0
    busiest: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def settings(self) -> dict[str, Any]:
        return {
            "POSTMARK_SERVER_TOKEN": "token", "POSTMARK_API_URL": f"{self.url}/postmark/",
            "MAILGUN_API_KEY": "key", "MAILGUN_API_URL": f"{self.url}/mailgun/v3",
            "BREVO_API_KEY": "key", "BREVO_API_URL": f"{self.url}/brevo/v3/",
            "RESEND_API_KEY": "key", "RESEND_API_URL": f"{self.url}/resend/",
            "AMAZON_SES_CLIENT_PARAMS": {
                "endpoint_url": self.url, "region_name": "eu-west-1", "aws_access_key_id": "a",
                "aws_secret_access_key": "b",
            },
        }  # fmt: skip

    @property
    def recipients(self) -> list[str]:
        return [arrived.to for arrived in self.arrived]


def start() -> tuple[EspApis, Callable[[], None]]:
    apis = EspApis()

    class Handler(_Handler):
        told = apis

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    apis.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return apis, stop


class _Handler(http.server.BaseHTTPRequestHandler):
    told: EspApis
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        told, body = self.told, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with told.lock:
            told.at_once += 1
            told.busiest = max(told.busiest, told.at_once)
        try:
            self._serve(told, body)
        finally:
            with told.lock:
                told.at_once -= 1

    def _serve(self, told: EspApis, body: bytes) -> None:
        esp, read, take = _API[next(part for part in _API if self.path.startswith(part))]
        data = read(body)
        time.sleep(told.delay)
        with told.lock:
            told.requests.append(Request(esp, dict(self.headers), body, data))
            special = told.next.pop(0) if told.next else None
            if special is None or special == "take and drop":
                status, answer, arrived = take(data, told.refused)
                told.arrived += arrived
            elif isinstance(special, tuple):
                status, headers, answer = special
        if special in ("drop", "take and drop"):
            # RST, as a load balancer that dies.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if special == "hang":
            time.sleep(2)
        octets = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (headers if isinstance(special, tuple) else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)


Taken = tuple[int, Any, list[Arrived]]


def _bare(person: str) -> str:
    return person.rpartition("<")[2].rstrip(">")


def _postmark(data: Any, refused: set[str]) -> Taken:
    """Each message by itself; 200 whatever became of them (API reference, "Send batch emails")."""
    answers, arrived = [], []
    for message in data if isinstance(data, list) else [data]:
        to = _bare(message["To"])
        if to in refused:
            said = f"Found inactive addresses: {to}. Inactive recipients are ones that bounced."
            answers.append({"ErrorCode": 406, "Message": said})
            continue
        if "invalid" in to:
            said = f"Error parsing 'To': Illegal email address '{to}'."
            answers.append({"ErrorCode": 300, "Message": said})
            continue
        answers.append(
            {"ErrorCode": 0, "Message": "OK", "MessageID": f"id-{len(arrived)}", "To": to}
        )
        headers = {each["Name"]: each["Value"] for each in message.get("Headers", [])}
        if headers.pop("X-PM-KeepID", "") != "true":
            headers.pop("Message-ID", None)
        arrived.append(
            Arrived(to, message["To"], message["TextBody"], message.get("HtmlBody", ""), headers)
        )
    if not isinstance(data, list):
        return 200 if arrived else 422, answers[0], arrived
    return (200, answers, arrived) if len(data) <= 500 else (422, {"ErrorCode": 410}, [])


def _mailgun(data: dict[str, list[str]], refused: set[str]) -> Taken:
    """Values at their marks; all recipients shown to all where there are none ("Batch sending")."""
    people = data["to"]
    if any(_bare(to) in refused or "invalid" in to for to in people) or len(people) > 1000:
        return 400, {"message": "'to' parameter is not a valid address. please check"}, []
    values = json.loads(data.get("recipient-variables", ["{}"])[0])
    arrived = []
    for person in people:
        own = values.get(_bare(person), {})

        def put(text: str, own: dict[str, str] = own) -> str:
            if not own:
                return text
            return re.sub(r"%recipient\.([^%]+)%", lambda match: own[match[1]], text)

        headers = {name[2:]: put(value[0]) for name, value in data.items() if name.startswith("h:")}
        shown = person if own or len(people) == 1 else ", ".join(people)
        text, page = (put(data.get(part, [""])[0]) for part in ("text", "html"))
        arrived.append(Arrived(_bare(person), shown, text, page, headers))
    return 200, {"id": "<20261123.1@example.org>", "message": "Queued. Thank you."}, arrived


def _brevo(data: dict[str, Any], refused: set[str]) -> Taken:
    """Versions override the message ("Batch send transactional emails")."""
    versions = data.get("messageVersions") or [{"to": data["to"]}]
    people = [person["email"] for version in versions for person in version["to"]]
    if any(to in refused or "invalid" in to for to in people) or len(versions) > 1000:
        return 400, {"code": "invalid_parameter", "message": "email is not valid in to"}, []
    arrived = [
        Arrived(
            person["email"],
            ", ".join(each["email"] for each in version["to"]),
            version.get("textContent", data.get("textContent", "")),
            version.get("htmlContent", data.get("htmlContent", "")),
            {**data.get("headers", {}), **version.get("headers", {})},
        )
        for version in versions
        for person in version["to"]
    ]
    ids = [f"<{number}@smtp-relay.brevo.example>" for number in range(len(arrived))]
    return 201, {"messageIds": ids} if "messageVersions" in data else {"messageId": ids[0]}, arrived


def _ses(data: dict[str, Any], refused: set[str]) -> Taken:
    """SES API v2, SendEmail with raw content: a Message-ID and a Date of its own."""
    people = data["Destination"]["ToAddresses"]
    if people[0] in refused or "invalid" in people[0]:
        return 400, {"__type": "BadRequestException", "message": "Invalid email address"}, []
    raw = base64.b64decode(data["Content"]["Raw"]["Data"])
    message: Any = message_from_bytes(raw, policy=policy.default)
    text, page = (message.get_body((kind,)) for kind in ("plain", "html"))
    own = {"Message-ID": "<010201@eu-west-1.amazonses.example>"}
    arrived = Arrived(
        people[0],
        ", ".join(people),
        text.get_content().replace("\r\n", "\n"),
        page.get_content().replace("\r\n", "\n") if page else "",
        {**dict(message_from_bytes(raw).items()), **own},
    )
    return 200, {"MessageId": "010201"}, [arrived]


def _resend(data: dict[str, Any], refused: set[str]) -> Taken:
    to = data["to"][0]
    return 200, {"id": "1"}, [Arrived(_bare(to), to, data["text"], data.get("html", ""), {})]


_API: dict[str, tuple[str, Callable[[bytes], Any], Callable[[Any, set[str]], Taken]]] = {
    "/postmark/": ("postmark", json.loads, _postmark),
    "/mailgun/": ("mailgun", lambda body: parse_qs(body.decode()), _mailgun),
    "/brevo/": ("brevo", json.loads, _brevo),
    "/resend/": ("resend", json.loads, _resend),
    "/v2/email/": ("amazon_ses", json.loads, _ses),
}
