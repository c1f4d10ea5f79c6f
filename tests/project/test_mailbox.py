"""The local mailbox: a real SMTP catcher in front, a Maildir behind, pages to look at it."""

import mailbox as stdlib_mailbox
import smtplib
import socket
import sys
from email.message import EmailMessage

import pytest
from django.test import Client

from project.local.mailbox.maildir import Mailbox
from tests.running import processes
from tests.running.processes import wait_until
from tests.running.stack import free_port

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def a_mail(to: str = "anna@example.org", subject: str = "Grüße", html: bool = True) -> bytes:
    message = EmailMessage()
    message["From"] = "Living well <hello@wellread.example>"
    message["To"] = to
    message["Subject"] = subject
    message["List-Unsubscribe"] = "<http://127.0.0.1:8000/unsubscribe/abc/>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Read https://example.org/a?b=1&c=2\n\n.a line with a dot\n")
    if html:
        message.add_alternative(
            "<!doctype html><html><head><title>x</title></head>"
            "<body><script>steal()</script><img src='https://tracker.example/p.gif'></body></html>",
            subtype="html",
        )
    return message.as_bytes().replace(b"\n", b"\r\n")


@pytest.fixture
def box(settings, tmp_path) -> Mailbox:
    settings.VAR_DIR = tmp_path
    found = Mailbox(tmp_path / "mailbox")
    found.prepare()
    return found


@pytest.fixture
def catcher(box, tmp_path):
    port = free_port()
    running = processes.start(
        "catcher",
        [sys.executable, "-m", "project.local.catcher", str(box.folder), str(port)],
        log=tmp_path / "catcher.log",
        env={"PATH": "/usr/bin"},
    )

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers)
    yield port
    running.stop()
    assert "Traceback" not in running.output


# --- Kept on disk ---


def test_a_mail_sent_by_smtp_is_kept_byte_for_byte(catcher, box):
    content = a_mail()
    with smtplib.SMTP("127.0.0.1", catcher) as client:
        client.sendmail("bounce+1@wellread.example", ["anna@example.org"], content)
    (entry,) = box.entries()
    assert (entry.recipient, entry.subject) == ("anna@example.org", "Grüße")
    assert box.read(entry.key) == ("bounce+1@wellread.example", "anna@example.org", content)


def test_any_mail_program_reads_the_maildir(catcher, box):
    with smtplib.SMTP("127.0.0.1", catcher) as client:
        client.sendmail("a@example.org", ["b@example.org"], a_mail(subject="One"))
    (message,) = stdlib_mailbox.Maildir(str(box.folder))
    assert message["Subject"] == "One"
    assert message["Delivered-To"] == "b@example.org"


def test_pipelined_groups_of_commands_are_taken(catcher, box):
    group = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<%d@example.org>\r\nDATA\r\n"
    with socket.create_connection(("127.0.0.1", catcher)) as line:
        replies = line.makefile("rb")
        replies.readline()
        line.sendall(b"EHLO me\r\n")
        offered = b""
        while not offered.startswith(b"250 "):
            offered = replies.readline()
            if b"PIPELINING" in offered:
                break
        assert b"PIPELINING" in offered
        line.sendall(group % 0)
        for number in range(1, 50):
            line.sendall(b"Subject: x\r\n\r\nbody\r\n.\r\n" + group % number)
        line.sendall(b"Subject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n")
        replies.read()
    assert [entry.recipient for entry in box.entries()] == [
        f"{number}@example.org" for number in reversed(range(50))
    ]


def test_the_list_is_made_anew_when_it_does_not_fit_the_messages(box):
    for number in range(3):
        box.add("a@example.org", [f"{number}@example.org"], a_mail())
    before = list(box.entries())
    box.index.write_bytes(b"half a li")
    assert list(box.entries()) == []
    box.prepare()
    assert [entry.key for entry in box.entries()] == [entry.key for entry in before]
    assert [entry.recipient for entry in box.entries()] == [entry.recipient for entry in before]


@pytest.mark.parametrize("key", ["../keys.env", "*", "", ".", "a/b", "nothing.1.wellread", "a\x00"])
def test_a_key_leads_nowhere_but_to_a_mail(box, key):
    box.add("a@example.org", ["b@example.org"], a_mail())
    with pytest.raises(KeyError):
        box.read(key)


# --- Shown ---


def test_the_list_is_newest_first_and_searched_by_recipient_and_subject(box, client: Client):
    box.add("a@example.org", ["anna@example.org"], a_mail(subject="First"))
    box.add("a@example.org", ["bert@example.org"], a_mail(subject="Second"))
    page = client.get("/mailbox/").content.decode()
    assert page.index("Second") < page.index("First")
    page = client.get("/mailbox/?q=ANNA@").content.decode()
    assert "First" in page
    assert "Second" not in page
    assert "Second" in client.get("/mailbox/?q=seco").content.decode()
    assert "No mail for" in client.get("/mailbox/?q=nobody").content.decode()


def test_thousands_of_mails_come_in_pages(box, client: Client):
    lines = [
        f"{number:016d}.1_1.wellread\ta@example.org\tr{number}@example.org\tMail {number}\t900\n"
        for number in range(5_000)
    ]
    box.index.write_text("".join(lines))
    page = client.get("/mailbox/").content.decode()
    assert "5,000 mails" in page
    assert "Page 1 of 100" in page
    assert "r4999@" in page
    for odd in ("0", "-1", "abc", "99999", ""):
        assert client.get(f"/mailbox/?page={odd}").status_code == 200


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("html", "<iframe"),
        ("html&width=375", "screen-375"),
        ("text", "https://example.org/a?b=1&amp;c=2"),
        ("headers", "List-Unsubscribe=One-Click"),
        ("source", "Content-Type: multipart/alternative"),
    ],
)
def test_one_mail_shows_its_parts(box, client: Client, view, shown):
    key = box.add("a@example.org", ["anna@example.org"], a_mail())
    page = client.get(f"/mailbox/{key}/?view={view}").content.decode()
    assert shown in page
    assert "Grüße" in page


def test_reading_a_mail_loads_nothing_remote_and_runs_nothing(box, client: Client):
    key = box.add("a@example.org", ["anna@example.org"], a_mail())
    answer = client.get(f"/mailbox/{key}/html/")
    policy = answer.headers["Content-Security-Policy"]
    for directive in ("default-src 'none'", "form-action 'none'", "sandbox"):
        assert directive in policy
    assert "http:" not in policy
    assert "allow-scripts" not in policy
    page = client.get(f"/mailbox/{key}/").content.decode()
    assert "sandbox=" in page
    assert "allow-scripts" not in page
    assert "tracker.example" not in page


def test_a_mail_without_html_opens_as_text(box, client: Client):
    key = box.add("a@example.org", ["anna@example.org"], a_mail(html=False))
    assert "a line with a dot" in client.get(f"/mailbox/{key}/").content.decode()
    assert "no HTML part" in client.get(f"/mailbox/{key}/?view=html").content.decode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"no headers at all",
        b"Subject: =?x-none?q?broken?=\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n",
        b"Content-Type: text/html; charset=nonsense\r\n\r\n<p>\xe4</p>",
        b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\n%%%",
        b"From: " + b"<" * 2000 + b"\r\n\r\n",
    ],
)
@pytest.mark.parametrize("view", ["html", "text", "headers", "source"])
def test_broken_mail_is_shown_as_far_as_it_goes(box, client: Client, content, view):
    key = box.add("", ["anna@example.org"], content)
    assert client.get("/mailbox/").status_code == 200
    assert client.get(f"/mailbox/{key}/?view={view}").status_code == 200
    assert client.get(f"/mailbox/{key}/html/").status_code == 200


@pytest.mark.parametrize("query", ["?view=nonsense", "?view=html&width=1"])
def test_an_unknown_view_is_not_found(box, client: Client, query):
    key = box.add("a@example.org", ["anna@example.org"], a_mail())
    assert client.get(f"/mailbox/{key}/{query}").status_code == 404


def test_a_mail_that_is_gone_is_not_found(box, client: Client):
    assert client.get("/mailbox/0000000000000001.1_1.wellread/").status_code == 404


def test_one_click_is_offered_only_for_links_of_this_site(box, client: Client):
    own = box.add("a@example.org", ["anna@example.org"], a_mail())
    foreign = a_mail().replace(b"127.0.0.1:8000", b"elsewhere.example")
    other = box.add("a@example.org", ["anna@example.org"], foreign)
    assert 'value="One-Click"' in client.get(f"/mailbox/{own}/").content.decode()
    assert 'value="One-Click"' not in client.get(f"/mailbox/{other}/").content.decode()


def test_emptying_takes_a_post_with_a_csrf_token(box):
    box.add("a@example.org", ["anna@example.org"], a_mail())
    client = Client(enforce_csrf_checks=True)
    assert client.get("/mailbox/empty/").status_code == 405
    assert client.post("/mailbox/empty/").status_code == 403
    assert len(list(box.entries())) == 1
    assert Client().post("/mailbox/empty/").status_code == 302
    assert list(box.entries()) == []
