"""Links in a draft: what they say, whom they follow, and whether they are there. Nothing is asked
in a request, and no link leads the task into a private network."""

import http.server
import ipaddress
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.approval import preflight
from newsletter.approval.links import fetch, looking
from newsletter.approval.models import LinkCheck
from newsletter.approval.preflight.links import tracking_parameters
from newsletter.web.fetch import MAX_REDIRECTS, Way
from tests.desk import world

pytestmark = pytest.mark.once

Verdict = LinkCheck.Verdict


@pytest.fixture
def linked(desk):
    def make(*links):
        text = "".join(f'<p>See <a href="{url}">{words}</a></p>' for url, words in links)
        return world.issue(desk.newsletter, desk.author, body=[("rich_text", text)])

    return make


def found(issue, *codes):
    return [finding for finding in preflight.check(issue) if finding.code in codes]


@pytest.mark.parametrize(
    "words", ["click here", "Here", "Read more…", "haz clic aquí", "https://example.org/knee"]
)
def test_a_link_says_where_it_leads(linked, words):
    issue = linked(("https://example.org/knee", words))
    (finding,) = found(issue, "link_text")
    assert finding.level == "error"
    assert finding.block == issue.body[0].id
    assert found(linked(("https://example.org/knee", "The knee guide")), "link_text") == []


def test_a_link_without_words_is_stopped(linked):
    assert found(linked(("https://example.org/knee", " ")), "link_empty")


def test_the_same_words_lead_to_one_page(linked):
    two = linked(("https://example.org/a", "The guide"), ("https://example.org/b", "The guide"))
    assert found(two, "link_ambiguous")
    one = linked(("https://example.org/a", "The guide"), ("https://example.org/a/", "The guide"))
    assert not found(one, "link_ambiguous")


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("https://example.org/?utm_source=mail&page=2", ["utm_source"]),
        ("https://example.org/?MC_EID=abc", ["MC_EID"]),
        ("https://example.org/?gclid=1&fbclid=2", ["gclid", "fbclid"]),
        ("https://example.org/?r=maria%40example.org", ["r"]),
        ("https://example.org/#utm_medium=email", ["utm_medium"]),
        ("https://example.org/?page=2&lang=en", []),
        ("https://example.org/a_very_utm_like_path", []),
    ],
)
def test_what_follows_a_reader_is_named(linked, address, names):
    assert tracking_parameters(address) == names
    issue = linked((address.replace("&", "&amp;"), "The guide"))
    assert bool(found(issue, "tracking_parameter")) is bool(names)


def test_preflight_asks_nobody(linked, monkeypatch):
    monkeypatch.setattr("socket.socket", lambda *_, **__: pytest.fail("went out"))
    issue = linked(("https://example.org/knee", "The knee guide"))
    assert not found(issue, "link_gone", "link_silent")


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.GONE, "link_gone"),
        (Verdict.SILENT, "link_silent"),
        (Verdict.FORBIDDEN, "link_forbidden"),
        (Verdict.FINE, None),
        (Verdict.GUARDED, None),
    ],
)
def test_what_the_task_found_is_said_at_the_block(linked, verdict, code):
    issue = linked(("https://example.org/knee", "The knee guide"))
    assert looking.want(preflight.linked_from(issue)) == 1
    LinkCheck.objects.update(verdict=verdict, status=404, checked_at=timezone.now())
    codes = {f.code: f.block for f in preflight.check(issue) if f.code.startswith("link_")}
    assert codes == ({code: issue.body[0].id} if code else {})


def test_pages_of_our_own_are_looked_up_and_not_fetched(linked, settings):
    here = settings.BASE_URL
    issue = linked((f"{here}/articles/no-such-article/", "Our article"), (f"{here}/nowhere/", "It"))
    assert len(found(issue, "link_gone")) == 2
    assert preflight.linked_from(issue) == []
    assert not found(linked((f"{here}/conditions/", "All conditions")), "link_gone")


@pytest.mark.parametrize("path", ["issues/never", "sign-up/for/never", "feeds/conditions/never"])
def test_pages_of_our_own_that_stand_for_nothing_are_gone(linked, settings, path):
    issue = linked((f"{settings.BASE_URL}/{path}/", "What we wrote"))
    assert found(issue, "link_gone")


def test_a_link_to_what_is_not_published_yet_is_gone(desk, linked, settings):
    article = world.article(desk.author)
    type(article).objects.filter(pk=article.pk).update(live=False)
    issue = linked((f"{settings.BASE_URL}/articles/{article.slug}/", "How to lift"))
    assert found(issue, "link_gone")


# --- The task ------------------------------------------------------------------------------------


class _Page(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.server.asked.append((self.command, self.path, self.headers["Host"]))
        status, location = self.server.pages.get(self.path, (404, ""))
        if status == 405 and self.command == "GET":
            status = 200
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.end_headers()

    do_GET = do_HEAD  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    server.pages, server.asked = {}, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


LOOPBACK = ipaddress.ip_address("127.0.0.1")


def way(site, **hosts):
    """All names are the loopback server, save those given; only its address may be asked."""
    table = {name.replace("_", "."): [ipaddress.ip_address(one)] for name, one in hosts.items()}
    return Way(
        resolve=lambda host, patience: table.get(host, [LOOPBACK]),
        allowed=lambda address: address == LOOPBACK,
        ports={"http": site.server_port},
    )


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.FINE),
        (404, Verdict.GONE),
        (410, Verdict.GONE),
        (403, Verdict.GUARDED),
        (429, Verdict.GUARDED),
        (500, Verdict.SILENT),
        (405, Verdict.FINE),
    ],
)
def test_an_answer_is_judged(site, status, verdict):
    site.pages["/page"] = (status, "")
    assert fetch.ask("http://example.org/page", way=way(site)).verdict == verdict


def test_redirects_are_followed_and_each_is_resolved_anew(site):
    site.pages = {"/a": (301, "/b"), "/b": (302, "http://other.org/c"), "/c": (200, "")}
    assert fetch.ask("http://example.org/a", way=way(site)).verdict == Verdict.FINE
    assert [path for _method, path, _host in site.asked] == ["/a", "/b", "/c"]


def test_a_redirect_into_a_private_network_is_not_followed(site):
    site.pages = {"/a": (302, "http://inside.org/secret")}
    answer = fetch.ask("http://example.org/a", way=way(site, inside_org="10.0.0.7"))
    assert answer.verdict == Verdict.FORBIDDEN
    assert [path for _method, path, _host in site.asked] == ["/a"]


def test_a_circle_ends(site):
    site.pages = {"/a": (302, "/a")}
    assert fetch.ask("http://example.org/a", way=way(site)).verdict == Verdict.SILENT
    assert len(site.asked) == MAX_REDIRECTS + 1


def test_a_name_that_changes_its_answer_gains_nothing(site):
    """DNS rebinding: public when we look, private when one connects. We connect to what we saw."""
    answers = iter([[LOOPBACK], [ipaddress.ip_address("169.254.169.254")]])
    site.pages = {"/a": (200, "")}
    turning = Way(
        resolve=lambda host, patience: next(answers),
        allowed=lambda address: address == LOOPBACK,
        ports={"http": site.server_port},
    )
    assert fetch.ask("http://turning.org/a", way=turning).verdict == Verdict.FINE
    assert site.asked == [("HEAD", "/a", "turning.org")]
    assert fetch.ask("http://turning.org/a", way=turning).verdict == Verdict.FORBIDDEN
    assert len(site.asked) == 1


def test_one_private_address_among_public_ones_is_enough_to_refuse(site):
    both = Way(
        resolve=lambda host, patience: [LOOPBACK, ipaddress.ip_address("192.168.1.1")],
        allowed=lambda address: address == LOOPBACK,
        ports={"http": site.server_port},
    )
    assert fetch.ask("http://example.org/a", way=both).verdict == Verdict.FORBIDDEN
    assert site.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://name:word@example.org/",
        "http://example.org:22/",
        "http://[::1]/",
        "http://127.0.0.1/",
        "http://localhost:99999/",
        "http://example.org/" + "a" * 3000,
    ],
)
def test_other_ways_are_not_gone(url):
    assert fetch.ask(url).verdict in (Verdict.FORBIDDEN, Verdict.SILENT)


def test_the_deadline_holds_over_all_hops(site):
    site.pages = {"/a": (302, "/a")}
    clock = iter(range(0, 1000, 5))
    answer = fetch.ask("http://example.org/a", way=way(site), now=lambda: next(clock))
    assert answer.verdict == Verdict.SILENT
    assert len(site.asked) <= 1


def test_the_task_tries_what_is_wanted_and_not_what_it_knows(db, site):
    site.pages = {"/a": (200, "")}
    looking.want(["http://example.org/a", "http://example.org/b"])
    looking.look_at_some(way=way(site))
    rows = {row.url[-1]: row.verdict for row in LinkCheck.objects.all()}
    assert rows == {"a": "fine", "b": "gone"}
    site.asked.clear()
    assert looking.want(["http://example.org/a"]) == 0
    assert not looking.look_at_some(way=way(site))
    assert site.asked == []
    LinkCheck.objects.update(checked_at=timezone.now() - timedelta(days=2))
    assert looking.want(["http://example.org/a"]) == 1


def test_a_row_that_another_task_has_is_left_to_it(db, site):
    looking.want(["http://example.org/a"])
    LinkCheck.objects.update(claimed_at=timezone.now())
    looking.look_at_some(way=way(site))
    assert site.asked == []


def test_one_host_is_not_asked_for_everything_at_once(db, site):
    looking.want([f"http://example.org/{n}" for n in range(20)])
    assert looking.look_at_some(way=way(site))
    assert len({path for _m, path, _h in site.asked}) == looking.PER_HOST


def test_what_nobody_wants_any_more_is_forgotten(db):
    looking.want(["http://example.org/a"])
    LinkCheck.objects.update(wanted_at=timezone.now() - timedelta(days=31))
    assert looking.forget() == 1
