"""A real mail of ours, signed by a relay, as several receivers hand it out."""

import base64
import hashlib
import textwrap
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.catalogue.models import Newsletter
from newsletter.outcomes import received
from newsletter.outcomes.domain_records import DnsUnreachable, Finding, Level
from newsletter.outcomes.received.dkim import COVERED
from newsletter.outcomes.received.look import Looked
from newsletter.outcomes.received.signature import hash_of_body, parse, signed_octets
from newsletter.rendering.heading_lines import header_lines
from newsletter.wire.headers import format_date
from newsletter.wire.message import boundary_for, compile_message
from newsletter.wire.slots import Slot, mark

DOMAIN = "news.example"
HOST = "www.news.example"
RELAY, ADDRESS = "relay.news.example", "203.0.113.5"
ARRIVED = datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC)
LINK = f"https://{HOST}/unsubscribe/" + "Ab3_-" * 14 + "/"
SIGNED = (*COVERED, "From")

# 512 bits, made for this test alone.
SHORT_KEY = (
    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAJ5sN21T7AL1Vkk6HivucpwxX7I8of7eo8LqRG"
    "Kyh+mVM6bfHdJAx78C8QUDksPn6tRKiGTo0G7kCNcCCS596WkCAwEAAQ=="
)


@dataclass
class FakeDns:
    """Knows what it is told. About a name in `silent` nobody answers."""

    zone: dict[str, list[str]] = field(default_factory=dict)
    pointers: dict[str, list[str]] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    def texts(self, name: str) -> list[str]:
        return self._answer(self.zone, name)

    def names(self, address: str) -> list[str]:
        return self._answer(self.pointers, address)

    def addresses(self, name: str, *, version: int) -> list[str]:
        return [one for one in self._answer(self.hosts, name) if (":" in one) == (version == 6)]

    def _answer(self, rows: dict[str, list[str]], name: str) -> list[str]:
        if name in self.silent:
            raise DnsUnreachable(f"No name server answered about {name}.")
        return rows.get(name, [])


def good_dns() -> FakeDns:
    return FakeDns(
        zone={
            f"s1._domainkey.{DOMAIN}": [record()],
            f"ed._domainkey.{DOMAIN}": [record("ed25519")],
            f"_dmarc.{DOMAIN}": ["v=DMARC1; p=reject"],
        },
        pointers={ADDRESS: [RELAY]},
        hosts={RELAY: [ADDRESS]},
    )


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def record(kind: str = "rsa", bits: int = 2048, tags: str = "") -> str:
    """Return a key's TXT record."""
    if kind == "rsa":
        public = rsa_key(bits).public_key()
        octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        octets = ed25519_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k={kind};{tags} p={base64.b64encode(octets).decode()}"


@cache
def issue() -> bytes:
    """One copy of an issue with the header lines that every issue has."""
    newsletter = Newsletter(
        pk=3,
        kind=Newsletter.Kind.EDITORIAL,
        from_name="Ä clinic",
        from_email=f"hello@{DOMAIN}",
        list_id_label="living-well",
    )
    text = f"Hello,\n\n.a dot  and two blanks\n\n{mark(Slot.UNSUBSCRIBE_URL)}\n"
    html = f'<p>Hello.</p><a href="{mark(Slot.UNSUBSCRIBE_URL)}">Unsubscribe</a>'
    message = compile_message(
        header_lines(newsletter, subject="Three things for your back", campaign="i12"),
        text,
        html,
        boundary=boundary_for(text, html),
    )
    return message.fill(
        {
            Slot.TO: "anna@mailbox.example",
            Slot.DATE: format_date(datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
            Slot.MESSAGE_ID: f"<{'0a' * 18}@{DOMAIN}>",
            Slot.UNSUBSCRIBE_URL: LINK,
            Slot.WITHDRAW_URL: LINK,
            Slot.FIRST_NAME: "Anna",
        }
    )


def sign(
    raw: bytes,
    *,
    domain: str = DOMAIN,
    selector: str = "s1",
    algorithm: str = "rsa-sha256",
    bits: int = 2048,
    headers: tuple[str, ...] = SIGNED,
    canonical: str = "relaxed/relaxed",
    tags: str = "",
) -> bytes:
    """Return the mail with a signature on top, as a relay makes it."""

    def head(body_hash: str, value: str) -> bytes:
        lines = [
            f"DKIM-Signature: v=1; a={algorithm}; c={canonical}; d={domain}; s={selector};{tags}",
            f"h={':'.join(headers)};",
            f"bh={body_hash};",
            "b=" + "\r\n\t ".join(textwrap.wrap(value, 70)),
        ]
        return "\r\n\t".join(lines).encode() + b"\r\n"

    mail = received.read(head("none", "none") + raw)
    body_hash = base64.b64encode(hash_of_body(parse(mail.fields[0]), mail) or b"").decode()
    mail = received.read(head(body_hash, "none") + raw)
    wanted = signed_octets(parse(mail.fields[0]), mail)
    if algorithm == "ed25519-sha256":
        value = ed25519_key().sign(hashlib.sha256(wanted).digest())
    else:
        value = rsa_key(bits).sign(wanted, padding.PKCS1v15(), SHA256())
    return head(body_hash, base64.b64encode(value).decode()) + raw


def by_postfix(raw: bytes, *, results: str = "", giver: str = "", with_: str = "ESMTPS") -> bytes:
    """Postfix with opendkim and opendmarc, Dovecot behind it."""
    results = results or (
        f"dkim=pass (2048-bit key; unprotected) header.d={DOMAIN} header.i=@{DOMAIN}\n"
        f"\theader.b=AbCdEf12; spf=pass (mailfrom; helo={RELAY}) smtp.mailfrom=bounces.{DOMAIN};\n"
        f"\tdmarc=pass (p=reject dis=none) header.from={DOMAIN}"
    )
    giver = giver or f"{RELAY} ({RELAY} [{ADDRESS}])"
    tls = (
        "\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
        "\t key-exchange X25519 server-signature RSA-PSS (2048 bits))\n"
        "\t(No client certificate requested)"
        if with_ == "ESMTPS"
        else ""
    )
    return (
        _crlf(f"""\
Return-Path: <bounce+1-22-0a0a@bounces.{DOMAIN}>
Delivered-To: anna@mailbox.example
Received: from mx.mailbox.example by imap.mailbox.example with LMTP
\tid aBcD; Mon, 23 Nov 2026 08:00:05 +0000
Authentication-Results: mx.mailbox.example; {results}
Received: from {giver}{tls}
\tby mx.mailbox.example (Postfix) with {with_} id 4ABC12345
\tfor <anna@mailbox.example>; Mon, 23 Nov 2026 08:00:04 +0000 (UTC)
""")
        + raw
    )


def by_gmail(raw: bytes) -> bytes:
    return (
        _crlf(f"""\
Delivered-To: anna@gmail.example
Received: by 2002:a05:7208:c185:b0:74:1234:5678 with SMTP id ab12csp12345;
        Mon, 23 Nov 2026 00:00:05 -0800 (PST)
X-Google-Smtp-Source: AGHT+IFake
X-Received: by 2002:a05:600c:4f42:b0:431:1234:5678 with SMTP id 5b1f17b1804b1;
        Mon, 23 Nov 2026 00:00:05 -0800 (PST)
ARC-Authentication-Results: i=1; mx.google.com;
       dkim=fail header.i=@forged.example
Return-Path: <bounce+1-22-0a0a@bounces.{DOMAIN}>
Received: from {RELAY} ({RELAY}. [{ADDRESS}])
        by mx.google.com with ESMTPS id 5b1f17b1804b1-432dac
        for <anna@gmail.example>
        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);
        Mon, 23 Nov 2026 00:00:05 -0800 (PST)
Received-SPF: pass (google.com: domain of bounce+1-22-0a0a@bounces.{DOMAIN} designates
 {ADDRESS} as permitted sender) client-ip={ADDRESS};
Authentication-Results: mx.google.com;
       dkim=pass header.i=@{DOMAIN} header.s=s1 header.b=AbCdEf12;
       spf=pass (google.com: domain of bounce+1-22-0a0a@bounces.{DOMAIN} designates {ADDRESS}
 as permitted sender) smtp.mailfrom="bounce+1-22-0a0a@bounces.{DOMAIN}";
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from={DOMAIN}
""")
        + raw
    )


def by_outlook(raw: bytes) -> bytes:
    """Hops between public addresses of its own, and results without its name."""
    return (
        _crlf(f"""\
Received: from AM0PR01MB1234.eurprd01.prod.outlook.com (2603:10a6:208:fa::40) by
 DB9PR01MB5678.eurprd01.prod.outlook.com with HTTPS; Mon, 23 Nov 2026 08:00:07 +0000
Received: from DU2PR04CA0001.eurprd04.prod.outlook.com (2603:10a6:10:234::8) by
 AM0PR01MB1234.eurprd01.prod.outlook.com (2603:10a6:208:fa::40) with Microsoft SMTP
 Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id
 15.20.8158.24; Mon, 23 Nov 2026 08:00:06 +0000
Received: from DB5EUR01FT001.eop-EUR01.prod.protection.outlook.com
 (2603:10a6:10:234:cafe::8f) by DU2PR04CA0001.outlook.office365.com
 (2603:10a6:10:234::8) with Microsoft SMTP Server (version=TLS1_3,
 cipher=TLS_AES_256_GCM_SHA384) id 15.20.8182.18 via Frontend Transport; Mon,
 23 Nov 2026 08:00:06 +0000
Authentication-Results: spf=pass (sender IP is {ADDRESS})
 smtp.mailfrom=bounces.{DOMAIN}; dkim=pass (signature was verified)
 header.d={DOMAIN};dmarc=pass action=none
 header.from={DOMAIN};compauth=pass reason=100
Received-SPF: Pass (protection.outlook.com: domain of bounces.{DOMAIN} designates
 {ADDRESS} as permitted sender) receiver=protection.outlook.com; client-ip={ADDRESS};
Received: from {RELAY} ({ADDRESS}) by
 DB5EUR01FT001.mail.protection.outlook.com (10.152.4.243) with Microsoft SMTP
 Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.8182.16 via
 Frontend Transport; Mon, 23 Nov 2026 08:00:05 +0000
""")
        + raw
    )


def by_yahoo(raw: bytes) -> bytes:
    return (
        _crlf(f"""\
X-Apparently-To: anna@yahoo.example; Mon, 23 Nov 2026 08:00:05 +0000
Return-Path: <bounce+1-22-0a0a@bounces.{DOMAIN}>
Authentication-Results: atlas-production.v2-mail-prod1-ir2.omega.yahoo.com;
 dkim=pass header.i=@{DOMAIN} header.s=s1;
 spf=pass smtp.mailfrom=bounces.{DOMAIN};
 dmarc=pass(p=REJECT) header.from={DOMAIN};
Received: from {ADDRESS} (EHLO {RELAY})
 by 10.222.141.1 with SMTPs
 (version=TLSv1_3 cipher=TLS_AES_128_GCM_SHA256);
 Mon, 23 Nov 2026 08:00:05 +0000
""")
        + raw
    )


def by_exim(raw: bytes) -> bytes:
    return (
        _crlf(f"""\
Envelope-to: anna@mailbox.example
Delivery-date: Mon, 23 Nov 2026 08:00:05 +0000
Authentication-Results: mx.mailbox.example 1;
\tiprev=pass ({RELAY}) smtp.remote-ip={ADDRESS};
\tspf=pass smtp.mailfrom=bounces.{DOMAIN};
\tdkim=pass header.d={DOMAIN} header.s=s1 header.a=rsa-sha256;
\tdmarc=pass header.from={DOMAIN}
Received: from {RELAY} ([{ADDRESS}])
\tby mx.mailbox.example with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384
\t(Exim 4.98)
\tid 1tEfGh-000000012ab-3cDe
\tfor anna@mailbox.example;
\tMon, 23 Nov 2026 08:00:05 +0000
""")
        + raw
    )


def by_icloud(raw: bytes) -> bytes:
    """A field for each method, each under a name of its own."""
    return (
        _crlf(f"""\
Return-Path: <bounce+1-22-0a0a@bounces.{DOMAIN}>
Received: from p01-icloudmta-smtpin-us-1 by p01-mailgateway-smtp-us-2 (mailgateway 2540B3)
\twith SMTP id 0a0a
\tfor <anna@icloud.example>; Mon, 23 Nov 2026 08:00:05 GMT
Received: from {RELAY} ({RELAY} [{ADDRESS}])
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
\tby p01-icloudmta-smtpin-us-1 (Postfix) with ESMTPS id 1AB2
\tfor <anna@icloud.example>; Mon, 23 Nov 2026 08:00:05 +0000 (UTC)
X-ICL-Score: 3.03
Authentication-Results: bimi.icloud.com; bimi=skipped reason="insufficient dmarc"
Authentication-Results: dmarc.icloud.com; dmarc=pass header.from={DOMAIN}
Authentication-Results: dkim-verifier.icloud.com;
\tdkim=pass (2048-bit key) header.d={DOMAIN} header.i=@{DOMAIN} header.b=XEFkSwVW
Authentication-Results: spf.icloud.com; spf=pass (spf.icloud.com: domain of
\tbounces.{DOMAIN} designates {ADDRESS} as permitted sender) smtp.mailfrom=bounces.{DOMAIN}
""")
        + raw
    )


RECEIVERS = (by_postfix, by_gmail, by_outlook, by_yahoo, by_exim, by_icloud)


def by_relay(raw: bytes) -> bytes:
    """What our own relay writes on top before it signs."""
    return (
        _crlf(f"""\
Received: from wellread (unknown [10.0.0.3])
\tby {RELAY} (Postfix) with ESMTPSA id 9XYZ
\tfor <anna@mailbox.example>; Mon, 23 Nov 2026 08:00:01 +0000 (UTC)
""")
        + raw
    )


def arrived(raw: bytes | None = None) -> bytes:
    """The good mail, signed and taken by Postfix."""
    return by_postfix(sign(by_relay(issue() if raw is None else raw)))


def look(raw: bytes, dns: FakeDns | None = None) -> Looked:
    return received.look_at(
        received.read(raw), ours=[DOMAIN], host=HOST, resolver=dns or good_dns()
    )


def found(raw: bytes, about: str, dns: FakeDns | None = None) -> list[Finding]:
    """Return the findings whose subject begins like that."""
    return [one for one in look(raw, dns).findings if one.about.startswith(about)]


def told(raw: bytes, about: str, dns: FakeDns | None = None) -> tuple[Level, str]:
    """Return the one finding about it."""
    (one,) = (one for one in look(raw, dns).findings if one.about == about)
    return one.level, one.message


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
