"""SPF, DKIM and DMARC, asked of a real name server on loopback."""

import base64
import socket
import threading
from io import StringIO

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from newsletter.outcomes.domain_records import Dns, DnsUnreachable, Level, look_at

KEY = base64.b64encode(b"k" * 294).decode()
SHORT_KEY = base64.b64encode(b"k" * 162).decode()


# What of a name's rows in a test's zone stands for which kind of record.
_KINDS = {
    "A": lambda row: row[0].isdigit() and "." in row,
    "AAAA": lambda row: ":" in row,
    "PTR": lambda row: row.endswith("."),
}


@pytest.fixture
def name_server():
    """A name server that knows what the test put into the dict it gets."""
    zone: dict[str, list[str]] = {}
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("127.0.0.1", 0))

    def serve():
        while True:
            packet, asker = line.recvfrom(4096)
            if not packet:
                return
            query = dns.message.from_wire(packet)
            name = query.question[0].name
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.AA
            texts = zone.get(name.to_text(omit_final_dot=True))
            if texts is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif texts and query.question[0].rdtype != dns.rdatatype.TXT:
                kind = dns.rdatatype.to_text(query.question[0].rdtype)
                if of_that_kind := [one for one in texts if _KINDS[kind](one)]:
                    answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *of_that_kind))
            elif texts:
                cut = [
                    " ".join(f'"{t[i : i + 200]}"' for i in range(0, len(t), 200)) for t in texts
                ]
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *cut))
            line.sendto(answer.to_wire(), asker)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    zone_and_port = (zone, line.getsockname()[1])
    yield zone_and_port
    line.sendto(b"", line.getsockname())
    thread.join()
    line.close()


def findings(name_server, domain="news.example", selectors=()):
    _zone, port = name_server
    dns_ = Dns(nameserver="127.0.0.1", port=port, patience=2.0)
    return {one.about: one.level for one in look_at(domain, selectors, dns_)}


GOOD = {
    "news.example": ["v=spf1 include:relay.example -all", "something else"],
    "_dmarc.news.example": ["v=DMARC1; p=reject; rua=mailto:dmarc@news.example"],
    "s1._domainkey.news.example": [f"v=DKIM1; k=rsa; p={KEY}"],
}


def test_a_domain_in_order(name_server):
    name_server[0].update(GOOD)
    assert set(findings(name_server, selectors=["s1"]).values()) == {Level.GOOD}


@pytest.mark.parametrize(
    ("name", "records", "about", "level"),
    [
        ("news.example", None, "SPF", Level.BAD),
        ("news.example", [], "SPF", Level.BAD),
        ("news.example", ["v=spf1 -all", "v=spf1 ~all"], "SPF", Level.BAD),
        ("news.example", ["v=spf1 mx +all"], "SPF", Level.BAD),
        ("news.example", ["v=spf1 mx"], "SPF", Level.WARNING),
        ("news.example", ["v=spf1 redirect=_spf.relay.example"], "SPF", Level.GOOD),
        ("news.example", ["v=spf1 " + "include:a.example " * 11 + "-all"], "SPF", Level.BAD),
        ("news.example", ["v=spf10 -all"], "SPF", Level.BAD),
        ("_dmarc.news.example", None, "DMARC", Level.BAD),
        ("_dmarc.news.example", ["v=DMARC1; p=none"], "DMARC", Level.WARNING),
        ("_dmarc.news.example", ["v=DMARC1; p=maybe"], "DMARC", Level.BAD),
        ("_dmarc.news.example", ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "DMARC", Level.BAD),
        ("s1._domainkey.news.example", None, "DKIM s1", Level.BAD),
        ("s1._domainkey.news.example", ["v=DKIM1; p="], "DKIM s1", Level.BAD),
        ("s1._domainkey.news.example", ["v=DKIM1; p=a*b"], "DKIM s1", Level.BAD),
        ("s1._domainkey.news.example", [f"p={SHORT_KEY}"], "DKIM s1", Level.WARNING),
        ("s1._domainkey.news.example", [f"k=ed25519; p={SHORT_KEY}"], "DKIM s1", Level.GOOD),
    ],
)
def test_what_is_not_in_order(name_server, name, records, about, level):
    zone, _port = name_server
    zone.update(GOOD)
    if records is None:
        del zone[name]
    else:
        zone[name] = records
    assert findings(name_server, selectors=["s1"])[about] == level


def test_a_subdomain_goes_by_the_policy_above_it(name_server):
    name_server[0].update(GOOD)
    assert findings(name_server, domain="mail.news.example")["DMARC"] == Level.GOOD


def test_without_a_selector_nothing_is_said_about_keys(name_server):
    name_server[0].update(GOOD)
    assert findings(name_server)["DKIM"] == Level.UNASKED


def test_a_name_server_that_is_silent_is_not_a_missing_record():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = Dns(nameserver="127.0.0.1", port=silent.getsockname()[1], patience=0.2)
        with pytest.raises(DnsUnreachable):
            resolver.texts("news.example")
        levels = {one.level for one in look_at("news.example", ["s1"], resolver)}
    assert levels == {Level.UNASKED}


def test_a_machine_has_names_and_a_name_has_addresses(name_server):
    zone, port = name_server
    zone["5.113.0.203.in-addr.arpa"] = ["relay.news.example.", "other.news.example."]
    zone["relay.news.example"] = ["203.0.113.5", "2001:db8::5"]
    zone["5." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa"] = ["relay.news.example."]
    dns_ = Dns(nameserver="127.0.0.1", port=port, patience=2.0)
    assert sorted(dns_.names("203.0.113.5")) == ["other.news.example", "relay.news.example"]
    assert dns_.names("2001:db8::5") == ["relay.news.example"]
    assert dns_.names("203.0.113.6") == []
    assert dns_.addresses("relay.news.example", version=4) == ["203.0.113.5"]
    assert dns_.addresses("relay.news.example", version=6) == ["2001:db8::5"]
    assert dns_.addresses("other.news.example", version=4) == []


def check(port: int, *args: str) -> str:
    out = StringIO()
    call_command(
        "check_deliverability", "--nameserver", "127.0.0.1", "--port", str(port), *args, stdout=out
    )
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_asks_spf_of_the_domain_that_bounces_go_to(name_server, settings):
    """The envelope's domain is the one that SPF is about."""
    settings.DEFAULT_FROM_EMAIL = "Wellread <hello@news.example>"
    settings.BOUNCE_DOMAIN = "bounces.example"
    zone, port = name_server
    zone.update(GOOD)
    with pytest.raises(CommandError, match="refused or end in junk"):
        check(port, "--selector", "s1")

    zone["bounces.example"] = ["v=spf1 ip4:192.0.2.1 -all"]

    assert "bounces.example (BOUNCE_DOMAIN, where bounces go)\n  ok: SPF" in check(
        port, "--selector", "s1"
    )


@pytest.mark.django_db
def test_the_command_says_what_is_wrong_and_fails(name_server, settings):
    settings.DEFAULT_FROM_EMAIL = "Wellread <hello@news.example>"
    zone, port = name_server
    zone.update(GOOD)
    assert "ok: DMARC" in check(port, "--selector", "s1")
    del zone["news.example"]
    with pytest.raises(CommandError, match="refused"):
        check(port)


@pytest.mark.django_db
@pytest.mark.parametrize("bad", ["not-an-address", ""])
def test_a_name_server_that_is_no_address_is_refused_in_words(bad):
    with pytest.raises(CommandError):
        call_command("check_deliverability", "--nameserver", bad, stdout=StringIO())
