"""How hosts are reached, as `doctor` tells it: by which proxy, with whose certificates, and what refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import APP_NAME
from app.core.build import RELEASES
from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.errors.hub_errors import HubUnreachable, NetworkOff, TokenNotKept
from app.core.settings import Settings
from app.features.error_messages import sentence_for
from app.features.network_routes import (
    ANSWERS,
    BUILT_IN_AND_OWN,
    BUILT_IN_AUTHORITIES,
    BY_PROXY,
    DIRECTLY,
    HOST_ANSWERS,
    NOT_ASKED,
    OWN_AUTHORITIES,
    SCRIPT_FOUND,
    find_routes,
    route_sentences,
)
from app.hub.access import proxy_secret
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_token import HubToken
from tests.helpers.authority import Authority
from tests.helpers.fake_hub import FakeHub
from tests.helpers.office_proxy import OfficeProxy


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    from huggingface_hub import close_session

    with FakeHub() as hub:
        yield hub
        close_session()


@pytest.fixture
def ledger(tmp_path: Path) -> ConnectionLedger:
    return ConnectionLedger(tmp_path / "connections.jsonl")


@pytest.fixture(autouse=True)
def quiet_releases() -> None:
    """A build of a checkout has no update address, so that the Hub is the one host."""
    assert RELEASES.address == ""


def states(settings: Settings, ledger: ConnectionLedger, token: HubToken | None = None) -> list[str]:
    return [route.state for route in find_routes(settings, token or HubToken(), ledger, asks=True).hosts]


def told(settings: Settings, ledger: ConnectionLedger, token: HubToken | None = None, *, asks: bool) -> list[str]:
    return route_sentences(find_routes(settings, token or HubToken(), ledger, asks=asks))


def test_nothing_is_sent_unless_it_is_asked_for(hub: FakeHub, ledger: ConnectionLedger) -> None:
    settings = Settings().changed("network", mirror=hub.url)
    host = hub.url.removeprefix("http://")
    assert told(settings, ledger, asks=False) == [DIRECTLY.format(host=host), NOT_ASKED]
    assert [route.state for route in find_routes(settings, HubToken(), ledger, asks=False).hosts] == [""]
    assert (hub.requests, ledger.connections()) == ([], [])
    assert told(settings, ledger, asks=True) == [DIRECTLY.format(host=host), f"  {HOST_ANSWERS.format(host=host)}"]
    assert len(hub.requests) == len(ledger.connections()) == 1


def test_what_refuses_is_said(hub: FakeHub, ledger: ConnectionLedger, tmp_path: Path) -> None:
    authority, token = Authority(tmp_path), HubToken()
    with OfficeProxy(hub.url, sign_in=("ada", "secret"), authority=authority) as proxy:
        settings = Settings().changed("network", mirror="https://hub.test", proxy=proxy.url)
        way = BY_PROXY.format(host="hub.test", proxy=proxy.host)
        assert told(settings, ledger, asks=True) == [
            way,
            f"  {sentence_for(HubUnreachable('hub.test', 'proxy_sign_in'))}",
        ]
        assert states(settings, ledger) == ["proxy_sign_in"]
        settings = settings.changed("network", proxy_user="ada")
        with pytest.raises(TokenNotKept):
            token.save("secret", proxy_secret(settings))
        refused = sentence_for(HubUnreachable("hub.test", "certificate"))
        assert told(settings, ledger, token, asks=True) == [way, f"  {refused}"]
        assert states(settings, ledger, token) == ["certificate"]
        settings = settings.changed("network", authorities_file=str(authority.path))
        said = told(settings, ledger, token, asks=True)
        answers = f"  {HOST_ANSWERS.format(host='hub.test')}"
        assert said == [way, answers, OWN_AUTHORITIES.format(path=authority.path)]
        assert "secret" not in "".join(said)
        settings = settings.changed("network", certificates="built_in")
        said = told(settings, ledger, token, asks=True)
        assert said == [way, answers, BUILT_IN_AND_OWN.format(path=authority.path, app=APP_NAME)]
    plain = Settings().changed("network", mirror="http://127.0.0.1:1", certificates="built_in")
    assert BUILT_IN_AUTHORITIES.format(app=APP_NAME) in told(plain, ledger, asks=False)
    off = sentence_for(NetworkOff())
    assert told(settings.changed("network", allowed=False), ledger, asks=True)[1] == f"  {off}"
    assert states(settings.changed("network", allowed=False), ledger) == ["network_off"]


def test_what_programs_read_is_the_same_in_every_language(hub: FakeHub, ledger: ConnectionLedger) -> None:
    settings = Settings().changed("network", mirror=hub.url)
    use_catalogue(TextCatalogue("de", {HOST_ANSWERS: ("{host} antwortet.",)}))
    try:
        (route,) = find_routes(settings, HubToken(), ledger, asks=True).hosts
    finally:
        use_catalogue(TextCatalogue())
    assert (route.state, route.answer) == (ANSWERS, f"{route.host} antwortet.")


def test_a_proxy_script_is_named(ledger: ConnectionLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("auto_proxy", "http://office.example/proxy.pac")
    told_now = told(Settings().changed("network", mirror="http://127.0.0.1:1"), ledger, asks=False)
    assert SCRIPT_FOUND.format(script="http://office.example/proxy.pac") in told_now
