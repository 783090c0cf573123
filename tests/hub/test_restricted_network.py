"""A company's network: a proxy with a password, and an authority that looks into what passes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import CertificateUnreadable, TokenNotKept
from app.core.events import CancelToken
from app.core.settings import Settings
from app.features.error_messages import sentence_for
from app.hub import door
from app.hub.access import NetworkAccess, access_of, access_to, proxy_secret
from app.hub.connection_ledger import BUILT_IN, OWN, SYSTEM, SYSTEM_AND_OWN, ConnectionLedger
from app.hub.hub_token import HubToken
from app.hub.network import Network
from app.hub.protocol import Done, Job
from app.hub.running_fetch import fetch_download
from tests.helpers.authority import Authority
from tests.helpers.fake_hub import FakeHub
from tests.helpers.office_proxy import OfficeProxy

REPO, FILE = "someone/Tiny-GGUF", "tiny-Q4_K_M.gguf"
CONTENT = bytes(range(256)) * 40
SIGN_IN = ("ada", "p:ss@word/ é")


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    from huggingface_hub import close_session

    with FakeHub() as hub:
        hub.add(REPO, {FILE: CONTENT})
        yield hub
        close_session()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def ledger(tmp_path: Path) -> ConnectionLedger:
    return ConnectionLedger(tmp_path / "connections.jsonl")


@pytest.fixture
def token() -> HubToken:
    """Without a keyring, it keeps a password while it lives."""
    return HubToken()


Ask = Callable[..., Any]


@pytest.fixture
def ask(ledger: ConnectionLedger, token: HubToken) -> Ask:
    """Asks the Hub at `mirror` with these settings of the network, and a password for the proxy."""

    def make(mirror: str, password: str = "", **network: Any) -> Any:
        settings = Settings().changed("network", mirror=mirror, **network)
        if password:
            with pytest.raises(TokenNotKept):
                token.save(password, proxy_secret(settings))
        return Network(lambda: access_of(settings, token), ledger).call(
            "repository", lambda api: api.model_info(REPO).id, repo=REPO
        )

    return make


def refused(ask: Ask, mirror: str, password: str = "", **network: Any) -> AppError:
    with pytest.raises(AppError) as caught:
        ask(mirror, password, **network)
    return caught.value


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_asks_gets_name_and_password(
    ask: Ask, hub: FakeHub, authority: Authority, ledger: ConnectionLedger, scheme: str
) -> None:
    here = f"{scheme}://hub.test"
    with OfficeProxy(hub.url, sign_in=SIGN_IN, authority=authority) as proxy:
        own = {"proxy": proxy.url, "authorities_file": str(authority.path)}
        asked = refused(ask, here, **own)
        assert sentence_for(asked) == sentence_for(type(asked)("hub.test", "proxy_sign_in"))
        assert sentence_for(asked).action == "network"
        wrong = refused(ask, here, "another", proxy_user=SIGN_IN[0], **own)
        assert getattr(wrong, "reason", "") == "proxy_password"
        assert proxy.hosts == []
        assert ask(here, SIGN_IN[1], proxy_user=SIGN_IN[0], **own) == REPO
        assert proxy.hosts == ["hub.test"]
    assert {connection.proxy for connection in ledger.connections()} == {proxy.host}
    kept = ledger.path.read_text("utf-8") + repr(wrong) + str(sentence_for(wrong))
    assert not [secret for secret in (SIGN_IN[1], "p%3Ass", "another") if secret in kept]


def test_an_authority_that_looks_into_tls_is_refused_until_it_is_chosen(
    ask: Ask, hub: FakeHub, authority: Authority, ledger: ConnectionLedger
) -> None:
    with OfficeProxy(hub.url, authority=authority) as proxy:
        error = refused(ask, "https://hub.test", proxy=proxy.url)
        assert getattr(error, "reason", "") == "certificate"
        assert "Certificates" in sentence_for(error).text
        assert hub.seen() == []
        assert ask("https://hub.test", proxy=proxy.url, authorities_file=str(authority.path)) == REPO
        assert getattr(refused(ask, "https://hub.test", proxy=proxy.url), "reason", "") == "certificate"
    assert [connection.trusted for connection in ledger.connections()] == [SYSTEM, SYSTEM_AND_OWN, SYSTEM]


def test_built_in_certificates_leave_out_what_the_system_trusts(
    ask: Ask, hub: FakeHub, authority: Authority, ledger: ConnectionLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))  # as if an administrator had added it to the system's
    here = "https://hub.test"
    with OfficeProxy(hub.url, authority=authority) as proxy:
        assert ask(here, proxy=proxy.url) == REPO
        error = refused(ask, here, proxy=proxy.url, certificates=BUILT_IN)
        assert getattr(error, "reason", "") == "certificate"
        own = {"certificates": BUILT_IN, "authorities_file": str(authority.path)}
        assert ask(here, proxy=proxy.url, **own) == REPO
    trusted = [connection.trusted for connection in ledger.connections()]
    assert trusted == [f"{BUILT_IN}+{OWN}", BUILT_IN, SYSTEM]


def test_a_request_finds_its_proxy_once_and_reads_authorities_only_after_they_changed(
    ask: Ask, hub: FakeHub, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, opened, asked = tmp_path / "office.pem", list[Path](), list[str]()
    file.write_bytes(authority.path.read_bytes())
    with OfficeProxy(hub.url, authority=authority) as proxy:
        settings = {"proxy": proxy.url, "authorities_file": str(file)}
        ask("https://hub.test", **settings)
        open_path, find_proxy = Path.open, door.proxy_for

        def note_open(path: Path, *rest: Any, **options: Any) -> Any:
            opened.extend([path] if path == file else [])
            return open_path(path, *rest, **options)

        def note_proxy(url: str, access: NetworkAccess) -> str:
            asked.append(url)
            return find_proxy(url, access)

        monkeypatch.setattr(Path, "open", note_open)
        monkeypatch.setattr(door, "proxy_for", note_proxy)
        ask("https://hub.test", **settings)
        assert (len(asked), opened) == (1, [])
        # Another one of the same size, dated as the one before.
        status, other = file.stat(), Authority(tmp_path)
        file.write_bytes(other.path.read_bytes().ljust(status.st_size))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        opened.clear()
        assert getattr(refused(ask, "https://hub.test", **settings), "reason", "") == "certificate"
        assert opened == [file]


def test_a_file_that_holds_no_authority_is_told(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for name in ("empty.pem", "gone.pem"):
        error = refused(ask, "https://hub.test", authorities_file=str(tmp_path / name))
        assert isinstance(error, CertificateUnreadable)


def test_a_download_goes_through_proxy_and_authority(
    hub: FakeHub, authority: Authority, token: HubToken, ledger: ConnectionLedger, tmp_path: Path
) -> None:
    with OfficeProxy(hub.url, sign_in=SIGN_IN, authority=authority) as proxy:
        settings = Settings().changed(
            "network",
            mirror="https://hub.test",
            proxy=proxy.url,
            proxy_user=SIGN_IN[0],
            authorities_file=str(authority.path),
        )
        with pytest.raises(TokenNotKept):
            token.save(SIGN_IN[1], proxy_secret(settings))
        job = Job(REPO, "main", FILE, str(tmp_path / "models"), access_of(settings, token), str(ledger.path))
        *_, done = fetch_download(job, folder=tmp_path / "work", cancel=CancelToken())
        assert isinstance(done, Done)
        assert Path(done.path).read_bytes() == CONTENT
        assert "hub.test" in proxy.hosts
        # Nothing that waiting mends, so it isn't tried again and again.
        with pytest.raises(AppError) as caught:
            job = Job(REPO, "main", FILE, str(tmp_path / "other"), access_of(settings, HubToken()), str(ledger.path))
            list(fetch_download(job, folder=tmp_path / "work", cancel=CancelToken()))
    assert getattr(caught.value, "reason", "") == "proxy_password"
    assert SIGN_IN[1] not in "".join(
        path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.suffix in (".json", ".jsonl", ".log")
    )


def test_a_password_is_read_only_for_what_goes_through_the_proxy(token: HubToken) -> None:
    settings = Settings().changed("network", proxy="http://proxy.example:3128", proxy_user="ada")
    with pytest.raises(TokenNotKept):
        token.save("secret", proxy_secret(settings))
    assert access_to("https://example.com", settings, token).proxy == "http://ada:secret@proxy.example:3128"
    off = settings.changed("network", allowed=False)
    for address, now in (("http://192.168.0.7:8000/v1", settings), ("https://example.com", off)):
        assert access_to(address, now, token).proxy == "http://proxy.example:3128"
    assert "secret" not in repr(access_to("https://example.com", settings, token))
