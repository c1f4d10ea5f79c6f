"""Whatever an address leads to, asking it harms nobody: not our network, not our memory, not our
time."""

import gzip
import ipaddress
import time

import pytest

from newsletter.web import fetch
from tests.web import site as sites
from tests.web.site import answer, way_to

MB = 1_000_000


@pytest.fixture
def site():
    with sites.site() as server:
        yield server


def get(server, path="/a", *, seconds=5.0, most_bytes=MB, **hosts):
    return fetch.get(
        f"http://example.org{path}",
        headers={"User-Agent": "test"},
        most_bytes=most_bytes,
        seconds=seconds,
        way=way_to(server, **hosts),
    )


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
        *("::ffff:10.0.0.1", "2002:0a00:0001::", "64:ff9b::a00:1", "2001:0:4136:e378::"),
    ],
)
def test_addresses_inside_networks_are_not_public(address):
    assert not fetch.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_addresses_of_the_web_are_public(address):
    assert fetch.is_public(ipaddress.ip_address(address))


def test_a_page_comes_with_its_body_and_where_it_came_from(site):
    site.pages = {"/a": answer(status=302, Location="/b"), "/b": answer(b"words", ETag='"1"')}
    found = get(site)
    assert (found.status, found.body, found.headers["etag"]) == (200, b"words", '"1"')
    assert found.url == "http://example.org/b"
    assert found.moved_to == ""


def test_only_moves_that_are_meant_for_good_are_told(site):
    site.pages = {
        "/a": answer(status=301, Location="/b"),
        "/b": answer(status=302, Location="/c"),
        "/c": answer(status=308, Location="/d"),
        "/d": answer(b"words"),
    }
    assert get(site).moved_to == "http://example.org/b"


def test_a_redirect_into_a_private_network_is_not_followed(site):
    site.pages = {"/a": answer(status=302, Location="http://inside.org/secret")}
    with pytest.raises(fetch.Forbidden, match="inside a network"):
        get(site, inside_org="10.0.0.7")
    assert len(site.asked) == 1


def test_a_redirect_to_a_file_is_not_followed(site):
    site.pages = {"/a": answer(status=302, Location="file:///etc/passwd")}
    with pytest.raises(fetch.Forbidden):
        get(site)


def test_a_circle_ends(site):
    site.pages = {"/a": answer(status=302, Location="/a")}
    with pytest.raises(fetch.Silent, match="circles"):
        get(site)
    assert len(site.asked) == fetch.MAX_REDIRECTS + 1


def test_too_much_is_refused_before_it_has_all_come(site):
    sent = []

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 64_000)
            sent.append(64_000)

    site.pages = {"/a": endless}
    with pytest.raises(fetch.TooLarge):
        get(site)
    # What lies in the sockets' buffers has been sent too.
    assert sum(sent) < 20 * MB


def test_a_small_answer_that_unpacks_to_much_is_refused(site):
    bomb = gzip.compress(b"\0" * 50 * MB)
    assert len(bomb) < MB
    site.pages = {"/a": answer(bomb, Content_Encoding="gzip")}
    with pytest.raises(fetch.TooLarge):
        get(site)


def test_a_packed_answer_is_unpacked(site):
    site.pages = {"/a": answer(gzip.compress(b"words"), Content_Encoding="gzip")}
    assert get(site).body == b"words"


def test_an_answer_that_is_cut_off_is_no_answer(site):
    site.pages = {
        "/a": answer(b"half", Content_Length="8"),
        "/b": answer(gzip.compress(b"words" * 100)[:-9], Content_Encoding="gzip"),
    }
    for path in site.pages:
        with pytest.raises(fetch.Silent, match="cut off"):
            get(site, path)


@pytest.mark.parametrize("begins", ["head", "body"])
def test_a_byte_now_and_then_does_not_stretch_the_deadline(site, begins):
    def drip(handler):
        if begins == "body":
            handler.send_response(200)
            handler.end_headers()
        for letter in b"HTTP/1.1 200 OK, and then some more words follow here":
            handler.wfile.write(bytes([letter]))
            handler.wfile.flush()
            time.sleep(0.2)

    site.pages = {"/a": drip}
    began = time.monotonic()
    with pytest.raises(fetch.Silent, match="too long"):
        get(site, seconds=1.0)
    assert time.monotonic() - began < 4.0


def test_an_encoding_that_nobody_asked_for_is_refused(site):
    site.pages = {"/a": answer(b"words", Content_Encoding="br")}
    with pytest.raises(fetch.Silent, match="encoding"):
        get(site)
