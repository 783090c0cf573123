"""Check for updates: what is believed, what is not, and that each of these has a sentence of its own."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app import __version__
from app.core.build import RELEASES
from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import HubUnreachable, NetworkOff, ReleaseRefused
from app.core.settings import Settings
from app.features.error_messages import sentence_for
from app.features.updates import MOST_BYTES, ReleaseStanding, ReleaseUpdates, version_precedence
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.network import Network
from tests.helpers.release_host import FILE, PIECE, ReleaseHost, facts, release_host

ORDER = (
    *("0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"),
    *("1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "10.0.0"),
)
"""The last eight of semver.org's own example, and numbers that are not text."""


class Asker:
    """The program's side: settings, a ledger, and the check."""

    def __init__(self, host: ReleaseHost, folder: Path) -> None:
        self.host, self.ledger, self.settings = host, ConnectionLedger(folder / "connections.jsonl"), Settings()
        self.home = host.home

    def check(self) -> Any:
        endpoint = f"http://{self.host.netloc}"
        network = Network(lambda: NetworkAccess(self.settings.network.allowed, endpoint, "", ""), self.ledger)
        return ReleaseUpdates(self.home, network, lambda: self.settings, self.change).check()

    def change(self, section: str, **values: Any) -> None:
        self.settings = self.settings.changed(section, **values)

    def problem(self) -> tuple[str, str]:
        """The class and the reason of what a check ends with."""
        with pytest.raises(AppError) as caught:
            self.check()
        sentence = sentence_for(caught.value)
        assert self.host.netloc in sentence.text or isinstance(caught.value, NetworkOff)
        return type(caught.value).__name__, getattr(caught.value, "reason", "")


@pytest.fixture
def host() -> Iterator[ReleaseHost]:
    with release_host() as made:
        yield made


@pytest.fixture
def asker(host: ReleaseHost, tmp_path: Path) -> Asker:
    return Asker(host, tmp_path)


def test_a_newer_release_is_told_with_its_notes_and_page(host: ReleaseHost, asker: Asker) -> None:
    host.release(facts())
    release = asker.check()
    assert (release.version, release.standing) == ("9.1.0", ReleaseStanding.NEWER)
    assert (release.page, release.notes) == ("https://fireside.example/9.1.0", "Faster.\n<b>Not bold</b>")
    assert host.asked == [FILE, f"{FILE}.sig"]
    assert {(each.host, each.why) for each in asker.ledger.connections()} == {("127.0.0.1", "updates")}
    assert all("authorization" not in sent and "cookie" not in sent for sent in host.headers)


@pytest.mark.parametrize(
    ("version", "standing"), [(__version__, ReleaseStanding.SAME), ("0.0.1-beta", ReleaseStanding.OLDER)]
)
def test_the_same_and_an_older_release_are_no_news(
    host: ReleaseHost, asker: Asker, version: str, standing: ReleaseStanding
) -> None:
    host.release(facts(version))
    assert asker.check().standing is standing


def test_the_order_of_semantic_versions() -> None:
    keys = [version_precedence(version) for version in ORDER]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert version_precedence("1.0.0+build.5") == version_precedence("1.0.0")


@pytest.mark.parametrize(
    "version", ["1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0 ", "", "1.0.0-a..b", "9" * 20 + ".0.0"]
)
def test_what_is_no_semantic_version(version: str) -> None:
    with pytest.raises(ValueError, match="semantic"):
        version_precedence(version)


def test_a_wrong_signature_is_not_believed(host: ReleaseHost, asker: Asker) -> None:
    host.release(facts(), Ed25519PrivateKey.generate())
    assert asker.problem() == ("ReleaseRefused", "signature")
    host.release(facts())
    host.answer(FILE, json.dumps(facts(notes="Other words.")).encode())  # under the signature of the first
    assert asker.problem() == ("ReleaseRefused", "signature")
    host.answer(f"{FILE}.sig", b"no base64 at all")
    assert asker.problem() == ("ReleaseRefused", "signature")
    assert asker.settings.updates.newest_issued_s == 0


def test_an_old_file_shown_again_is_not_believed(host: ReleaseHost, asker: Asker) -> None:
    host.release(facts("9.2.0", issued="2026-12-24T12:00:00Z"))
    asker.check()
    host.release(facts("9.1.0"))  # signed, a month before
    assert asker.problem() == ("ReleaseRefused", "replayed")
    host.release(facts("9.1.1", issued="2026-12-24T13:00:00+00:00"))  # a release that was taken back
    assert asker.check().version == "9.1.1"


@pytest.mark.parametrize(
    "said",
    [
        b"{",
        b"[]",
        b"[" * 30_000,
        facts(program="other"),
        facts(format=2),
        facts(version="newest"),
        facts(version=9),
        facts(page="http://fireside.example/"),
        facts(page="javascript:alert(1)"),
        facts(page="https://"),
        facts(notes=["Faster."]),
        facts(issued="yesterday"),
        facts(issued="2026-11-27T12:00:00"),
    ],
)
def test_a_signed_file_of_another_form_is_said_to_be_one(host: ReleaseHost, asker: Asker, said: Any) -> None:
    host.release(said)
    assert asker.problem() == ("ReleaseRefused", "unreadable")


def test_a_page_in_place_of_the_file_is_told_as_such(host: ReleaseHost, asker: Asker) -> None:
    for kind in ("text/html; charset=utf-8", "application/json"):
        host.answer(FILE, b"\n <!doctype html><title>Welcome to the hotel</title>", kind=kind)
        assert asker.problem() == ("HubUnreachable", "captive_portal")


def test_of_a_gigabyte_little_is_taken_in(host: ReleaseHost, asker: Asker) -> None:
    host.answer(FILE, PIECE, times=10**9 // len(PIECE))
    assert asker.problem() == ("ReleaseRefused", "too_long")
    assert max(each.bytes for each in asker.ledger.connections()) < 4 * MOST_BYTES
    assert host.sent_bytes < 10**8  # the rest of it never left


def test_a_file_that_is_not_there(host: ReleaseHost, asker: Asker) -> None:
    assert asker.problem() == ("ReleaseRefused", "missing")
    host.answer(FILE, b"busy", status=503)
    assert asker.problem() == ("HubUnreachable", "server")


def test_nothing_is_asked_while_the_network_is_off(host: ReleaseHost, asker: Asker) -> None:
    asker.change("network", allowed=False)
    assert asker.problem() == ("NetworkOff", "")
    assert host.asked == []
    assert asker.ledger.connections() == []


def test_no_host_is_told(asker: Asker) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    asker.home = replace(asker.home, address=f"http://127.0.0.1:{port}/newest.json")
    with pytest.raises(HubUnreachable) as caught:
        asker.check()
    assert caught.value.reason == "refused"


def test_while_no_home_is_decided_there_is_no_host() -> None:
    def never(*_: object, **__: object) -> Any:
        raise AssertionError

    assert ReleaseUpdates(replace(RELEASES, address=""), never, never, never).host == ""  # type: ignore[arg-type]
    assert bool(RELEASES.address) == bool(RELEASES.key)


@pytest.mark.parametrize("reason", ["missing", "too_long", "signature", "unreadable", "replayed"])
def test_every_refusal_reads_differently(reason: str) -> None:
    text = sentence_for(ReleaseRefused("fireside.example", reason)).text
    assert "fireside.example" in text
    assert text != sentence_for(ReleaseRefused("fireside.example", "a reason nobody knows")).text
