"""The one door to the network: the switch, the ledger, proxy, the token's border and keyring, deadlines, situations."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import InitError, PasswordDeleteError, PasswordSetError

from app import APP_ID, __version__
from app.core.child import CHECKOUT
from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import (
    AccessGated,
    FileNotOnHub,
    HubBusy,
    HubUnreachable,
    NetworkOff,
    RepositoryMissing,
    TokenNotKept,
    TokenRefused,
)
from app.core.events import CancelToken
from app.hub.access import NetworkAccess, wait_of
from app.hub.connection_ledger import ConnectionLedger, HubConnection
from app.hub.hub_token import HubToken
from app.hub.network import Network, http_client, import_client
from tests.helpers.fake_hub import FakeHub

REPO = "someone/Tiny-GGUF"
FILE = "tiny-Q4_K_M.gguf"
CONTENT = bytes(200_000)
OPENED: list[str] = []
"""What opened or asked for a socket, as Python's own audit tells it."""

sys.addaudithook(
    lambda event, _: (
        OPENED.append(event)
        if event in ("socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.sendto")
        else None
    )
)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """A Hub with one repository."""
    from huggingface_hub import close_session

    with FakeHub() as hub:
        hub.add(REPO, {FILE: CONTENT, "README.md": b"# Tiny"})
        yield hub
        close_session()


@pytest.fixture
def ledger(tmp_path: Path) -> ConnectionLedger:
    """An own one."""
    return ConnectionLedger(tmp_path / "folder" / "connections.jsonl")


Open = Callable[..., Network]


@pytest.fixture
def network(hub: FakeHub, ledger: ConnectionLedger) -> Open:
    """A network with this access; to the fake Hub unless something else is said."""

    def make(**access: Any) -> Network:
        return Network(lambda: NetworkAccess(**{"endpoint": hub.url} | access), ledger)

    return make


def info(network: Network, repo: str = REPO, **how: Any) -> Any:
    """Asks for a repository."""
    return network.call("look", lambda api: api.model_info(repo, files_metadata=True), repo=repo, **how)


def situation(network: Network, **how: Any) -> Any:
    """What asking for a repository ends with."""
    with pytest.raises(AppError) as caught:
        info(network, **how)
    return caught.value


def closed_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# The switch


def test_no_socket_is_opened_while_the_network_is_off(network: Open, ledger: ConnectionLedger) -> None:
    off = network(allowed=False)
    threading.Event()
    OPENED.clear()
    with pytest.raises(NetworkOff):
        info(off)
    with pytest.raises(NetworkOff), off.visit("a transfer"):
        pass
    assert OPENED == []
    assert ledger.connections() == []


def test_no_socket_is_opened_outside_a_visit(network: Open) -> None:
    from huggingface_hub import HfApi

    on = network()
    info(on)
    OPENED.clear()
    with pytest.raises(NetworkOff):
        http_client().get(on.access().endpoint)
    with pytest.raises(NetworkOff):
        HfApi(endpoint=on.access().endpoint).model_info(REPO)
    assert OPENED == []


def test_the_guard_sees_what_does_open_one(network: Open) -> None:
    OPENED.clear()
    info(network())
    assert {"socket.__new__", "socket.connect"} <= set(OPENED)


def test_importing_the_hub_opens_nothing_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "sys.addaudithook(lambda event, _: event.startswith('socket.') and sys.exit(event))\n"
        "import app.hub.network, app.hub.access, app.hub.access, app.hub.protocol, app.hub.download, app.hub.part\n"
        "heavy = {'huggingface_hub', 'httpx2', 'keyring', 'filelock'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert done.stderr == "\n"


# The ledger


def test_each_connection_is_noted_with_host_reason_and_bytes(network: Open, ledger: ConnectionLedger) -> None:
    before_s = time.time()
    info(network())
    (connection,) = ledger.connections()
    assert (connection.host, connection.why, connection.status) == ("127.0.0.1", "look", 200)
    assert connection.bytes > 100
    assert before_s <= connection.at <= time.time()


def test_a_connection_that_fails_is_noted_too(network: Open, ledger: ConnectionLedger) -> None:
    situation(network(endpoint=f"http://127.0.0.1:{closed_port()}"))
    assert [(each.status, each.bytes) for each in ledger.connections()] == [(0, 0)]


def test_the_newest_come_first_and_what_is_no_connection_is_passed_over(ledger: ConnectionLedger) -> None:
    first, second = ledger.begin("one", "a"), ledger.begin("two", "b")
    with ledger.path.open("ab") as file:
        file.write(b'\xff\xfe\n[]\n{"id": 1}\nnull\n{"broken": \n')
    ledger.update_connection(first, received_bytes=5, status=200)
    assert [(each.host, each.bytes) for each in ledger.connections()] == [("two", 0), ("one", 5)]
    assert ledger.connections(1) == [second]
    assert ConnectionLedger(ledger.path.with_name("none")).connections() == []


def test_several_processes_may_write_at_once(ledger: ConnectionLedger) -> None:
    code = (
        "import sys, pathlib; from app.hub.connection_ledger import ConnectionLedger\n"
        f"ledger = ConnectionLedger(pathlib.Path({str(ledger.path)!r}))\n"
        "for number in range(200):\n"
        "    ledger.update_connection(ledger.begin('host', 'why'), received_bytes=number, status=200)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code], cwd=CHECKOUT) for _ in range(3)]
    assert [each.wait(30) for each in writers] == [0, 0, 0]
    lines = ledger.path.read_text("utf-8").splitlines()
    assert len([HubConnection(**json.loads(line)) for line in lines]) == 1200
    assert len(ledger.connections(10_000)) == 600


def test_a_ledger_that_cannot_be_written_stops_nothing(network: Open, hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "folder").write_bytes(b"")
    assert info(network()).id == REPO


# The token's border


def test_the_token_goes_to_the_hub_only(network: Open, hub: FakeHub) -> None:
    on = network(token="hf_secret")
    info(on)
    with on.visit("a transfer"):
        headers = {"Authorization": "Bearer hf_secret"}
        assert http_client().get(f"{hub.url}/{REPO}/resolve/main/{FILE}", headers=headers).content == CONTENT
        http_client().get(f"{hub.storage_url}/elsewhere", headers=headers)
    assert {each.headers.get("authorization") for each in hub.seen("hub")} == {"Bearer hf_secret"}
    assert {each.headers.get("authorization") for each in hub.seen("storage")} == {None}
    assert "hf_secret" not in repr(on.access())


@pytest.mark.parametrize("endpoint", ["http://hub.test:80", "http://Hübe.test"])
def test_the_token_goes_to_the_hub_however_its_address_is_written(network: Open, hub: FakeHub, endpoint: str) -> None:
    info(network(endpoint=endpoint, proxy=hub.url, token="hf_secret"))
    assert [each.headers.get("authorization") for each in hub.seen()] == ["Bearer hf_secret"]


def test_without_a_token_none_is_sent(network: Open, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody")
    info(network())
    assert [each.headers.get("authorization") for each in hub.seen()] == [None]


def test_who_we_are_is_said_and_no_more(network: Open, hub: FakeHub) -> None:
    info(network())
    (request,) = hub.seen()
    assert request.headers["user-agent"] == f"{APP_ID}/{__version__}"
    assert set(request.headers) <= {"host", "accept", "accept-encoding", "connection", "user-agent"}


# Proxies: the fake Hub answers as one, too


def test_the_proxy_of_the_settings_is_used(network: Open, hub: FakeHub) -> None:
    assert info(network(endpoint="http://hub.test", proxy=hub.url)).id == REPO
    assert hub.seen()[0].path.startswith("http://hub.test/api/models/")


def test_the_proxy_of_the_system_is_used_where_it_should_be(
    network: Open, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", hub.url.removeprefix("http://"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    info(network(endpoint="http://hub.test"))
    info(network())
    assert [each.path.startswith("http://hub.test/") for each in hub.seen()] == [True, False]


def test_a_proxy_is_not_asked_for_this_computer(network: Open) -> None:
    assert info(network(proxy=f"http://127.0.0.1:{closed_port()}")).id == REPO


def test_a_proxys_port_that_is_none_asks_no_other_program(network: Open, hub: FakeHub) -> None:
    beyond = f"http://127.0.0.1:{urlsplit(hub.url).port + 2**16}"  # type: ignore[operator]
    assert situation(network(endpoint="http://hub.test", proxy=beyond)).reason == "proxy"
    assert hub.seen() == []


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "nonsense://x", "http://127.0.0.1:99999", "http://"])
def test_a_proxy_that_cannot_be_used_is_told(network: Open, proxy: str) -> None:
    assert situation(network(endpoint="http://hub.test", proxy=proxy)).reason == "proxy"


def test_a_proxy_that_is_not_there_is_told(network: Open) -> None:
    proxy = f"http://127.0.0.1:{closed_port()}"
    assert situation(network(endpoint="http://hub.test", proxy=proxy)).reason == "proxy"
    assert situation(network(endpoint="https://hub.test", proxy=proxy)).reason == "proxy"


def test_a_proxy_that_refuses_is_told(network: Open, hub: FakeHub) -> None:
    assert situation(network(endpoint="https://hub.test", proxy=hub.url)).reason == "proxy"  # it knows no CONNECT


# Deadlines


@pytest.mark.parametrize("kind", ["slow", "trickle"])
def test_an_answer_that_does_not_come_is_given_up(network: Open, hub: FakeHub, kind: str) -> None:
    hub.fail(kind, server="hub", bytes_per_s=10)
    hub.repos[REPO].facts["filler"] = "x" * 100
    if kind == "trickle":
        hub.add(REPO, {"README.md": b"x" * 9000})
    work = (
        (lambda api: api.model_info(REPO))
        if kind == "slow"
        else (lambda _: http_client().get(f"{hub.url}/{REPO}/resolve/a/README.md"))
    )
    with pytest.raises(HubUnreachable) as caught:
        network().call("look", work, deadline_s=0.3)
    assert caught.value.reason == "timeout"
    hub.heal()


def test_a_cancelled_call_ends_at_once(network: Open, hub: FakeHub) -> None:
    hub.fail("slow", server="hub")
    cancel = CancelToken()
    threading.Timer(0.1, cancel.cancel).start()
    situation(network(), cancel=cancel)
    hub.heal()


def test_the_library_does_not_try_past_the_deadline(network: Open, hub: FakeHub) -> None:
    """It would try a list five times, with pauses."""
    hub.fail("refuse_connection", server="hub", times=-1)
    with pytest.raises(HubUnreachable):
        network().call("search", lambda api: list(api.list_models(limit=1)), deadline_s=0.5)
    assert len(hub.seen()) == 1


# Situations


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, {"Retry-After": "7"}, (HubBusy, 7)),
        (429, {}, (HubBusy, 0)),
        (500, {}, (HubUnreachable, "server")),
        (503, {}, (HubUnreachable, "server")),
        (511, {}, (HubUnreachable, "captive_portal")),
        (403, {}, (AccessGated, False)),
        (404, {}, (HubUnreachable, "garbage")),
        (404, {"X-Error-Code": "EntryNotFound"}, (FileNotOnHub, "")),
        (404, {"X-Error-Code": "RevisionNotFound"}, (RepositoryMissing, REPO)),
        (401, {"X-Error-Code": "GatedRepo"}, (AccessGated, False)),
        (400, {}, (HubUnreachable, "garbage")),
    ],
)
def test_a_status_is_told_as_a_situation(
    network: Open, hub: FakeHub, status: int, headers: dict[str, str], expected: tuple[type[AppError], Any]
) -> None:
    hub.fail("status", server="hub", status=status, headers=headers, times=-1)
    error = situation(network())
    kind, value = expected
    assert type(error) is kind
    fields = {HubBusy: "wait_s", HubUnreachable: "reason", AccessGated: "has_token", FileNotOnHub: "file"}
    assert getattr(error, fields.get(kind, "repo")) == value
    assert len(hub.seen()) == 1


def test_a_missing_and_a_private_repository_look_alike(network: Open, hub: FakeHub) -> None:
    hub.add("someone/Secret", {FILE: CONTENT}, private=True, open_to=("hf_friend",))
    for repo in ("someone/Secret", "no/one", "not a name"):
        with pytest.raises(RepositoryMissing) as caught:
            info(network(), repo)
        assert caught.value.repo == repo
    assert info(network(token="hf_friend"), "someone/Secret").id == "someone/Secret"
    with pytest.raises(RepositoryMissing):
        info(network(token="hf_other"), "someone/Secret")


def test_a_token_that_is_not_taken_is_told(network: Open, hub: FakeHub) -> None:
    hub.require_token = "hf_new"
    assert type(situation(network(token="hf_old"))) is TokenRefused


def test_a_gated_file_asks_for_consent(network: Open, hub: FakeHub) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    hub.add(REPO, {FILE: CONTENT}, gated="auto", open_to=("hf_friend",))
    url = hf_hub_url(REPO, FILE, endpoint=hub.url)
    for token, has_token in (("", False), ("hf_other", True)):
        with pytest.raises(AccessGated) as caught:
            network(token=token).call("look", lambda api: get_hf_file_metadata(url, token=api.token), repo=REPO)
        assert (caught.value.repo, caught.value.has_token) == (REPO, has_token)


def test_pages_and_nonsense_are_told(network: Open, hub: FakeHub) -> None:
    hub.fail("html", server="hub")
    assert situation(network()).reason == "captive_portal"
    for body in (b"", b"{", b"[1, 2]", b"\xff\xfe", b'"text"', b"[" * 100_000):
        hub.fail("status", server="hub", status=200, body=body, headers={"Content-Type": "application/json"})
        assert situation(network()).reason == "garbage"


@cache
def small_and_huge(window_bits: int) -> bytes:
    """100 MB, compressed."""
    return zlib.compress(b"0" * 100_000_000, 9, window_bits)


@pytest.mark.parametrize(
    ("encoding", "status", "expected"),
    [
        ("gzip", 404, RepositoryMissing),
        ("gzip, gzip", 404, RepositoryMissing),
        ("deflate", 403, AccessGated),
        ("gzip", 200, HubUnreachable),
    ],
)
def test_a_small_answer_that_unpacks_to_a_huge_one_is_cut(
    network: Open, hub: FakeHub, encoding: str, status: int, expected: type[AppError]
) -> None:
    headers = {"X-Error-Code": "RevisionNotFound"} if status == 404 else {}
    body = small_and_huge(zlib.MAX_WBITS + (16 if "gzip" in encoding else 0))
    if encoding == "gzip, gzip":
        body = gzip.compress(body)
    hub.fail("status", server="hub", status=status, body=body, headers=headers | {"Content-Encoding": encoding})
    import_client()
    tracemalloc.start()
    try:
        assert type(situation(network())) is expected
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_a_packed_answer_is_read(network: Open, hub: FakeHub) -> None:
    body = json.dumps({"id": REPO, "siblings": []}).encode()
    for encoding, packed in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body)), ("identity", body)):
        hub.fail("status", server="hub", status=200, body=packed, headers={"Content-Encoding": encoding})
        assert info(network()).id == REPO
    hub.fail("status", server="hub", status=200, body=body, headers={"Content-Encoding": "br"})
    assert situation(network()).reason == "garbage"
    hub.fail("status", server="hub", status=200, body=gzip.compress(body)[:-20], headers={"Content-Encoding": "gzip"})
    assert situation(network()).reason in ("garbage", "server")


def test_a_connection_that_fails_says_why(network: Open, hub: FakeHub) -> None:
    assert situation(network(endpoint=f"http://127.0.0.1:{closed_port()}")).reason == "refused"
    assert situation(network(endpoint=hub.url.replace("http:", "https:"))).reason == "tls"
    hub.fail("refuse_connection", server="hub")
    assert situation(network()).reason == "server"
    assert situation(network(endpoint="http://no-such-host.invalid")).reason == "offline"


def test_a_defect_of_ours_is_not_told_as_the_networks(network: Open) -> None:
    class Defect(Exception):
        pass

    def work(_: object) -> None:
        raise Defect

    with pytest.raises(Defect):
        network().call("look", work)


def test_a_patient_visit_gets_failures_as_they_are(network: Open, hub: FakeHub) -> None:
    hub.fail("status", server="hub", status=503, method="")
    with network().visit("a transfer"):
        assert http_client().get(hub.url).status_code == 503
        hub.fail("refuse_connection", server="hub")
        with pytest.raises(httpx2.TransportError):
            http_client().get(hub.url)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, 0),
        ({"Retry-After": "12"}, 12),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"RateLimit": '"api";r=0;t=55'}, 55),
        ({"RateLimit": '"api"; r=0; t=55'}, 55),
        ({"RateLimit": '"api";r=10;t=55'}, 0),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "3"}, 3),
    ],
)
def test_how_long_to_wait_is_read_from_either_header(headers: dict[str, str], wait_s: int) -> None:
    assert wait_of(httpx2.Response(429, headers=headers)) == wait_s


# The token in the keyring


class Drawer(KeyringBackend):
    """A keyring in memory; `broken` is raised by every use. Nobody gets it who was not given it."""

    priority = -1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.broken: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        self._work()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._work()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._work()
        if (service, username) not in self.kept:
            raise PasswordDeleteError
        del self.kept[service, username]

    def _work(self) -> None:
        if self.broken:
            raise self.broken


@pytest.fixture
def drawer(monkeypatch: pytest.MonkeyPatch) -> Drawer:
    """The system's keyring for a test."""
    monkeypatch.setattr("keyring.core._keyring_backend", None)
    drawer = Drawer()
    keyring.set_keyring(drawer)
    return drawer


def test_the_token_is_kept_in_the_keyring(drawer: Drawer) -> None:
    assert HubToken().load() == ""
    HubToken().save("  hf_mine\n")
    assert drawer.kept == {(APP_ID, "huggingface.co"): "hf_mine"}
    assert HubToken().load() == "hf_mine"


def test_each_host_has_its_own(drawer: Drawer) -> None:
    HubToken().save("hf_mine")
    HubToken().save("hf_other", "mirror.example")
    assert (HubToken().load(), HubToken().load("mirror.example"), HubToken().load("else.example")) == (
        "hf_mine",
        "hf_other",
        "",
    )


def test_an_empty_token_forgets_it(drawer: Drawer) -> None:
    token = HubToken()
    token.save("hf_mine")
    token.save("")
    token.save("")
    assert drawer.kept == {}
    assert token.load() == HubToken().load() == ""


@pytest.mark.parametrize("problem", [InitError(), PasswordSetError("locked"), OSError(), RuntimeError("no D-Bus")])
def test_without_a_keyring_the_token_holds_until_the_end(drawer: Drawer, problem: Exception) -> None:
    drawer.broken = problem
    token = HubToken()
    with pytest.raises(TokenNotKept):
        token.save("hf_mine")
    assert token.load() == "hf_mine"
    assert HubToken().load() == ""
    token.save("")
    assert token.load() == ""
