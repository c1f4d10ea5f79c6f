"""Mails as they come to a return path, in the shapes that real servers give them."""

TO = "bounce+1-1-aaaaaaaaaaaaaaaaaaaa@bounces.wellread.example"


def mail(*lines: str, top: tuple[str, ...] = (), to: str = TO) -> bytes:
    """A mail with these lines, below what our own server wrote when it put it away."""
    own = top or (
        "Return-Path: <>",
        f"X-Original-To: {to}",
        "Delivered-To: bounces@mail.wellread.example",
        "Received: from mx.example.org by mail.wellread.example; Mon, 23 Nov 2026 03:00:00 +0000",
    )
    return "\r\n".join((*own, *lines, "")).encode()


def status_report(
    *fields: str, action: str = "failed", status: str = "5.1.1", **how: object
) -> bytes:
    """RFC 3464 at its plainest: one reader, this action and status, and further fields."""
    return report(
        "message/delivery-status",
        (
            "Reporting-MTA: dns; mx.example.org",
            "",
            "Final-Recipient: rfc822; ada@example.org",
            f"Action: {action}",
            f"Status: {status}",
            *fields,
        ),
        **how,
    )


def report(kind: str, lines: tuple[str, ...], report_type: str = "", **how: object) -> bytes:
    named = report_type or kind.rpartition("/")[2]
    return mail(
        "From: MAILER-DAEMON@mx.example.org",
        "Subject: Undelivered",
        "Auto-Submitted: auto-replied",
        f'Content-Type: multipart/report; report-type={named}; boundary="=_b"',
        "",
        "--=_b",
        "",
        "Your mail did not arrive: 550 5.7.1 is what somebody might quote here.",
        "--=_b",
        f"Content-Type: {kind}",
        "",
        *lines,
        "",
        "--=_b",
        "Content-Type: text/rfc822-headers",
        "",
        "From: Wellread <hello@wellread.example>",
        "Delivered-To: bounce+1-2-bbbbbbbbbbbbbbbbbbbb@bounces.wellread.example",
        "--=_b--",
        **how,
    )


POSTFIX = mail(
    "Received: by mx.clinic.example (Postfix) id 4F0A11C; Mon, 23 Nov 2026 03:00:00 +0000 (UTC)",
    "Date: Mon, 23 Nov 2026 03:00:00 +0000 (UTC)",
    "From: MAILER-DAEMON@mx.clinic.example (Mail Delivery System)",
    "Subject: Undelivered Mail Returned to Sender",
    f"To: {TO}",
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    "Content-Type: multipart/report; report-type=delivery-status;",
    '\tboundary="3D2A81C.1764/mx.clinic.example"',
    "Content-Transfer-Encoding: 8bit",
    "",
    "This is a MIME-encapsulated message.",
    "",
    "--3D2A81C.1764/mx.clinic.example",
    "Content-Description: Notification",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "<ada@example.org>: host mail.example.org[192.0.2.7] said: 550 5.1.1",
    "    <ada@example.org>: Recipient address rejected: User unknown (in reply to",
    "    RCPT TO command)",
    "",
    "--3D2A81C.1764/mx.clinic.example",
    "Content-Description: Delivery report",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mx.clinic.example",
    "X-Postfix-Queue-ID: 3D2A81C",
    "X-Postfix-Sender: rfc822; sender@wellread.example",
    "Arrival-Date: Mon, 23 Nov 2026 02:59:58 +0000 (UTC)",
    "",
    "Final-Recipient: rfc822; ada@example.org",
    "Original-Recipient: rfc822;ada@example.org",
    "Action: failed",
    "Status: 5.1.1",
    "Remote-MTA: dns; mail.example.org",
    "Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: Recipient address rejected:",
    "    User unknown",
    "",
    "--3D2A81C.1764/mx.clinic.example",
    "Content-Description: Undelivered Message Headers",
    "Content-Type: text/rfc822-headers",
    "",
    "Return-Path: <sender@wellread.example>",
    "To: ada@example.org",
    "Subject: Your week in back pain",
    "",
    "--3D2A81C.1764/mx.clinic.example--",
)

# Writes 5.0.0 whatever it was told.
EXIM = mail(
    "Received: from Debian-exim by smtp.example.net with local (Exim 4.96) id 1abc;",
    "\tMon, 23 Nov 2026 04:00:00 +0100",
    "X-Failed-Recipients: bo@example.net",
    "Auto-Submitted: auto-replied",
    "From: Mail Delivery System <Mailer-Daemon@smtp.example.net>",
    f"To: {TO}",
    "References: <1@wellread.example>",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=1764-eximdsn-99",
    "MIME-Version: 1.0",
    "Subject: Mail delivery failed: returning message to sender",
    "",
    "--1764-eximdsn-99",
    "Content-type: text/plain; charset=us-ascii",
    "",
    "This message was created automatically by mail delivery software.",
    "",
    "--1764-eximdsn-99",
    "Content-type: message/delivery-status",
    "",
    "Reporting-MTA: dns; smtp.example.net",
    "",
    "Action: failed",
    "Final-Recipient: rfc822;bo@example.net",
    "Status: 5.0.0",
    "Remote-MTA: dns; in.example.net",
    "Diagnostic-Code: smtp; 552 5.2.2 Mailbox full",
    "",
    "--1764-eximdsn-99",
    "Content-type: message/rfc822",
    "",
    "Subject: Your week",
    "",
    "Text.",
    "",
    "--1764-eximdsn-99--",
)

# With a part of its own within the first one, and answers' fields that no answer is meant by.
EXCHANGE = mail(
    "Received: from EX01.corp.example (10.0.0.5) by EX02.corp.example with ESMTPS id 15.20.1;",
    " Mon, 23 Nov 2026 03:00:01 +0000",
    "MIME-Version: 1.0",
    "From: <postmaster@corp.example>",
    f"To: <{TO}>",
    "Content-Type: multipart/report; report-type=delivery-status;",
    ' boundary="_3f1c-outer_"',
    "X-MS-Exchange-Message-Is-Ndr:",
    "Content-Language: en-US",
    "In-Reply-To: <1@wellread.example>",
    "References: <1@wellread.example>",
    "Subject: Undeliverable: Your week",
    "Auto-Submitted: auto-replied",
    "",
    "--_3f1c-outer_",
    'Content-Type: multipart/alternative; differences=Content-Type; boundary="_3f1c-outer_in_"',
    "",
    "--_3f1c-outer_in_",
    "Content-Type: text/plain",
    "",
    "Delivery has failed to these recipients or groups: cy@corp.example",
    "",
    "--_3f1c-outer_in_--",
    "",
    "--_3f1c-outer_",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns;EX02.corp.example",
    "Received-From-MTA: dns;mx.clinic.example",
    "Arrival-Date: Mon, 23 Nov 2026 03:00:00 +0000",
    "",
    "Final-Recipient: rfc822;cy@corp.example",
    "Action: failed",
    "Status: 5.1.10",
    "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found",
    "",
    "--_3f1c-outer_",
    "Content-Type: message/rfc822",
    "",
    "Subject: Your week",
    "",
    "--_3f1c-outer_--",
)

GMAIL = mail(
    "Received: by 2002:a05:6402:1234 with SMTP id q6mr1234; Sun, 22 Nov 2026 19:00:00 -0800 (PST)",
    'Content-Type: multipart/report; boundary="000000000000abcdef0612"; '
    "report-type=delivery-status",
    f"To: {TO}",
    "Auto-Submitted: auto-replied",
    "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
    "Subject: Delivery Status Notification (Failure)",
    "X-Failed-Recipients: dee@gmail.example",
    "",
    "--000000000000abcdef0612",
    'Content-Type: multipart/related; boundary="000000000000abcdf10616"',
    "",
    "--000000000000abcdf10616",
    'Content-Type: text/plain; charset="UTF-8"',
    "",
    "** Address not found **",
    "",
    "--000000000000abcdf10616--",
    "--000000000000abcdef0612",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; googlemail.com",
    "Received-From-MTA: dns; sender@wellread.example",
    "Arrival-Date: Sun, 22 Nov 2026 18:59:59 -0800 (PST)",
    "",
    "Final-Recipient: rfc822; dee@gmail.example",
    "Action: failed",
    "Status: 5.1.1",
    "Remote-MTA: dns; gmail-smtp-in.l.example. (192.0.2.26, the server for the domain.)",
    "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.",
    " 550-5.1.1 Please try double-checking the recipient's address.",
    "Last-Attempt-Date: Sun, 22 Nov 2026 19:00:00 -0800 (PST)",
    "",
    "--000000000000abcdef0612",
    "Content-Type: message/rfc822",
    "",
    "Subject: Your week",
    "",
    "--000000000000abcdef0612--",
)

# For people only: no report, no code in a place of its own.
QMAIL = mail(
    "Received: (qmail 4711 invoked for bounce); 23 Nov 2026 03:00:00 -0000",
    "Date: 23 Nov 2026 03:00:00 -0000",
    "From: MAILER-DAEMON@old.example",
    f"To: {TO}",
    "Subject: failure notice",
    "",
    "Hi. This is the qmail-send program at old.example.",
    "I'm afraid I wasn't able to deliver your message to the following addresses.",
    "",
    "<eve@old.example>:",
    "192.0.2.9 does not like recipient.",
    "Remote host said: 550 5.1.1 no such user",
    "",
    "--- Below this line is a copy of the message.",
    "",
    "Subject: Your week",
)

VACATION = mail(
    "From: Fay <fay@example.org>",
    f"To: {TO}",
    "Subject: Out of office: 550 5.1.1 user unknown",
    "Auto-Submitted: auto-replied (vacation)",
    "In-Reply-To: <1@wellread.example>",
    "",
    "I am away. Action: failed. Status: 5.1.1",
)

# RFC 6533: in UTF-8, and in base64 as it may be.
GLOBAL = report(
    "message/global-delivery-status",
    (
        "UmVwb3J0aW5nLU1UQTogZG5zOyBteC5leGFtcGxlLm9yZwoKRmluYWwtUmVjaXBpZW50OiB1dGYt",
        "ODsgasO8cmdlbkBleGFtcGxlLm9yZwpBY3Rpb246IGZhaWxlZApTdGF0dXM6IDUuMi4xCkRpYWdu",
        "b3N0aWMtQ29kZTogc210cDsgNTUwIDUuMi4xIFBvc3RmYWNoIGdlc2NobG9zc2VuCg==",
    ),
).replace(
    b"Content-Type: message/global-delivery-status\r\n",
    b"Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: base64\r\n",
)

EVERY = {
    "postfix": POSTFIX,
    "exim": EXIM,
    "exchange": EXCHANGE,
    "gmail": GMAIL,
    "qmail": QMAIL,
    "vacation": VACATION,
    "global": GLOBAL,
}
