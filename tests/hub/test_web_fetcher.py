"""Pages of the web over real HTTP: public addresses only, one host at a time, and never too much or too long."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app import APP_ID
from app.core.errors.hub_errors import HubBusy, HubUnreachable, NetworkOff
from app.core.errors.tool_errors import WebPageRefused
from app.core.events import CancelToken
from app.core.settings import Settings
from app.hub import web_fetcher
from app.hub.connection_ledger import ConnectionLedger
from app.hub.web_fetcher import WHY, WebAddress, WebFetcher, WebPage, is_public, parse_address
from tests.helpers.authority import Authority
from tests.helpers.fake_site import FakeSite, SitePage, resolve_here

ON = Settings().changed("tools", web=True)
PAGE = SitePage(b"<title>Kilns</title><p>The kiln is hot.</p>")


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with FakeSite({"site.test/": PAGE, "site.test/a": PAGE, "other.test/": PAGE}) as found:
        yield found


@pytest.fixture
def ledger(tmp_path: Path) -> ConnectionLedger:
    return ConnectionLedger(tmp_path / "connections.jsonl")


Fetch = Callable[..., WebPage]


@pytest.fixture
def fetch(site: FakeSite, ledger: ConnectionLedger) -> Fetch:
    """Fetches a page of the sites here, or any address; 127.0.0.1 alone counts as public."""

    def fetch_page(page: str, settings: Settings = ON, cancel: CancelToken | None = None, **options: object) -> WebPage:
        deadline_s = float(options.pop("deadline_s", 20.0))  # type: ignore[arg-type]
        fetcher = WebFetcher(
            lambda: settings,
            ledger,
            resolve=resolve_here,
            is_allowed=lambda address: address == "127.0.0.1",
            deadline_s=deadline_s,
        )
        address = parse_address(page if "://" in page else site.address(page))
        assert address is not None
        return fetcher.fetch_page(address, cancel or CancelToken(), **options)  # type: ignore[arg-type]

    return fetch_page


def refusal_of(fetch: Fetch, page: str, **options: object) -> str:
    with pytest.raises(WebPageRefused) as refused:
        fetch(page, **options)
    return refused.value.reason


def test_a_page_is_fetched_and_stands_in_the_ledger(fetch: Fetch, site: FakeSite, ledger: ConnectionLedger) -> None:
    page = fetch("site.test/a?q=1#part")
    assert (page.content, page.media_type, page.moved_to) == (PAGE.body, "text/html", None)
    assert site.requests == ["site.test/a?q=1"]
    (connection,) = ledger.connections()
    assert (connection.host, connection.why, connection.status) == ("site.test", WHY, 200)
    assert connection.bytes == len(PAGE.body)
    (headers,) = site.headers
    assert headers["Host"] == site.host("site.test"), "the name, whatever address was connected to"
    assert headers["User-Agent"].startswith(APP_ID)
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        ON.changed("network", allowed=False),
        ON.changed("network", internet=False),
    ],
)
def test_without_the_switches_nothing_leaves(
    fetch: Fetch, site: FakeSite, ledger: ConnectionLedger, settings: Settings
) -> None:
    with pytest.raises(NetworkOff):
        fetch("site.test/a", settings)
    assert (site.requests, ledger.connections()) == ([], [])


def test_redirects_are_followed_on_one_host_only(fetch: Fetch, site: FakeSite) -> None:
    site.redirect("site.test/old", "/a", 301)
    site.redirect("site.test/away", site.address("other.test/"))
    assert fetch("site.test/old").content == PAGE.body
    page = fetch("site.test/away")
    assert page.moved_to == WebAddress(site.address("other.test/"), site.host("other.test"))
    assert "other.test/" not in site.requests, "nothing was asked of the other host"


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://site.test/", "http://user@site.test/", "http://[::1"])
def test_redirects_to_what_is_no_web_page_are_refused(fetch: Fetch, site: FakeSite, to: str) -> None:
    site.redirect("site.test/odd", to)
    assert refusal_of(fetch, "site.test/odd") == "moved"


def test_redirects_without_end_are_refused(fetch: Fetch, site: FakeSite) -> None:
    site.redirect("site.test/round", "/round")
    assert refusal_of(fetch, "site.test/round") == "circles"
    assert len(site.requests) == web_fetcher.MOST_REDIRECTS


def test_a_name_that_leads_inside_is_refused(fetch: Fetch, site: FakeSite, ledger: ConnectionLedger) -> None:
    assert refusal_of(fetch, "http://inside.example/") == "not_public"
    assert ledger.connections() == []
    assert fetch("site.test/a", is_own=True).content, "what the person named may be anywhere"


def test_a_name_is_looked_up_once_and_held_to(site: FakeSite, ledger: ConnectionLedger) -> None:
    """A name that leads elsewhere the second time (DNS rebinding) is not asked for a second time."""
    answers = [["127.0.0.1"], ["192.168.0.7"]]
    fetcher = WebFetcher(
        lambda: ON, ledger, resolve=lambda *_: answers.pop(0), is_allowed=lambda address: address == "127.0.0.1"
    )
    address = parse_address(site.address("site.test/a"))
    assert address is not None
    assert fetcher.fetch_page(address, CancelToken()).content == PAGE.body
    assert len(answers) == 1


def test_of_several_addresses_the_next_is_tried(site: FakeSite, ledger: ConnectionLedger) -> None:
    fetcher = WebFetcher(lambda: ON, ledger, resolve=lambda *_: ["127.0.0.2", "127.0.0.1"], is_allowed=bool)
    address = parse_address(site.address("site.test/a"))
    assert address is not None
    assert fetcher.fetch_page(address, CancelToken()).content == PAGE.body


@pytest.mark.parametrize(("name", "is_right"), [("site.test", True), ("other.test", False), ("127.0.0.1", False)])
def test_certificates_are_held_against_the_name(
    tmp_path: Path, ledger: ConnectionLedger, monkeypatch: pytest.MonkeyPatch, name: str, is_right: bool
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    secure = FakeSite({"site.test/": PAGE})
    secure.be_secure(*authority.certificate(name))
    with secure:
        fetcher = WebFetcher(lambda: ON, ledger, resolve=resolve_here, is_allowed=bool)
        address = parse_address(secure.address("site.test/").replace("http:", "https:"))
        assert address is not None
        if is_right:
            assert fetcher.fetch_page(address, CancelToken()).content == PAGE.body
        else:
            with pytest.raises(HubUnreachable) as refused:
                fetcher.fetch_page(address, CancelToken())
            assert (refused.value.reason, secure.requests) == ("tls", [])


def test_what_is_too_long_is_refused(fetch: Fetch, site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_fetcher, "MOST_BYTES", 100_000)
    site.pages["site.test/endless"] = SitePage(bytes(10_000), is_endless=True)
    packed = gzip.compress(bytes(200_000))
    site.pages["site.test/bomb"] = SitePage(packed, headers={"Content-Encoding": "gzip"})
    assert refusal_of(fetch, "site.test/endless") == "too_long"
    assert refusal_of(fetch, "site.test/bomb") == "too_long"


def test_a_packed_page_is_unpacked(fetch: Fetch, site: FakeSite) -> None:
    site.pages["site.test/packed"] = replace(PAGE, body=gzip.compress(PAGE.body), headers={"Content-Encoding": "gzip"})
    assert fetch("site.test/packed").content == PAGE.body


def test_a_slow_site_and_stop_end_the_wait(fetch: Fetch, site: FakeSite) -> None:
    site.pages["site.test/held"] = SitePage(is_held=True)
    with pytest.raises(HubUnreachable) as slow:
        fetch("site.test/held", deadline_s=0.2)
    assert slow.value.reason == "timeout"
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(HubUnreachable):
        fetch("site.test/held", cancel=cancel)
    site.released.set()


def test_the_type_is_asked_about_before_the_content_comes(fetch: Fetch, site: FakeSite) -> None:
    site.pages["site.test/film.bin"] = SitePage(bytes(1000), "Video/MP4; codecs=x", is_endless=True)
    told: list[tuple[str, str]] = []

    def accepts(*kind: str) -> bool:
        told.append(kind)  # type: ignore[arg-type]
        return False

    assert refusal_of(fetch, "site.test/film.bin", accepts=accepts) == "type"
    assert told == [("video/mp4", "/film.bin")]


@pytest.mark.parametrize(("status", "reason"), [(404, "missing"), (403, "status"), (304, "status")])
def test_statuses_are_told(fetch: Fetch, site: FakeSite, status: int, reason: str) -> None:
    site.pages["site.test/s"] = SitePage(b"", status=status)
    assert refusal_of(fetch, "site.test/s") == reason


def test_busy_and_broken_sites_are_told(fetch: Fetch, site: FakeSite) -> None:
    site.pages |= {"site.test/busy": SitePage(status=429), "site.test/broken": SitePage(status=500)}
    with pytest.raises(HubBusy):
        fetch("site.test/busy")
    with pytest.raises(HubUnreachable) as broken:
        fetch("site.test/broken")
    assert (broken.value.reason, broken.value.host) == ("server", site.host("site.test"))
    with pytest.raises(HubUnreachable) as unknown:
        fetch("http://nowhere.example/")
    assert unknown.value.reason == "offline"


@pytest.mark.parametrize(
    ("written", "text", "host"),
    [
        ("HTTPS://Example.com", "https://example.com/", "example.com"),
        (" example.com/a b?q=ä#x ", "https://example.com/a%20b?q=%C3%A4", "example.com"),
        ("http://example.com:80/%41", "http://example.com/%41", "example.com"),
        ("https://example.com.:8443/", "https://example.com:8443/", "example.com:8443"),
        ("https://g\u043eogle.com/", "https://xn--gogle-jye.com/", "xn--gogle-jye.com"),
    ],
)
def test_addresses_are_shown_as_they_are_asked(written: str, text: str, host: str) -> None:
    found = parse_address(written)
    assert found == WebAddress(text, host)
    assert parse_address(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "ftp://a.de/", "file:///etc/passwd", "javascript:alert(1)", "https://", "https://me:secret@a.de/",
     "https://a..b/", "https://a.de:99999/", "https://a.de/\x00", "https://a.de/\u202e", "https://a.de/" + "a" * 2000],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_none(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "10.1.1.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1",
     "ff0e::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "localhost", ""],
)  # fmt: skip
def test_addresses_that_are_not_public_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)
