"""The list of suggested models against a Hub: agreement, every kind of difference in a sentence, and no network."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors.hub_errors import RepositoryMissing
from app.features.error_messages import sentence_for
from app.hub.access import NetworkAccess
from app.hub.catalog import CatalogEntry
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_search import HubSearch
from app.hub.network import Network
from tests.helpers.fake_hub import FakeHub

ROOT = Path(__file__).resolve().parents[2]
CONTENT = b"GGUF" + bytes(20_000)
ENTRY = CatalogEntry(
    id="m",
    name="Model M",
    sentence="Does things.",
    repo="a/m",
    file="m-Q4_K_M.gguf",
    size_bytes=len(CONTENT),
    license="Apache-2.0",
    tier_gb=4,
    tasks=("chat",),
    sha256_prefix=hashlib.sha256(CONTENT).hexdigest()[:8],
)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as running:
        running.add("a/m", {"m-Q4_K_M.gguf": CONTENT}, tags=["gguf", "license:apache-2.0"])
        yield running


def check(hub: FakeHub, tmp_path: Path, *entries: CatalogEntry) -> int:
    import check_catalog

    network = Network(lambda: NetworkAccess(endpoint=hub.url), ConnectionLedger(tmp_path / "connections.jsonl"))
    return check_catalog.check(entries, HubSearch(network))


def test_a_list_that_agrees_is_fine(hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(hub, tmp_path, ENTRY, dataclasses.replace(ENTRY, file="", sha256_prefix="")) == 0
    assert capsys.readouterr().out == "The list agrees with the Hub.\n"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file": "gone.gguf"}, "Model M (a/m): there is no file gone.gguf any more."),
        ({"size_bytes": 7}, f"m-Q4_K_M.gguf has {len(CONTENT):,} bytes; the list says 7."),
        ({"sha256_prefix": "00000000"}, "was uploaded anew, now at commit 5f1c2d3e: its sha256 begins with"),
        ({"license": "MIT"}, "the licence is apache-2.0; the list says MIT."),
        ({"repo": "a/gone"}, sentence_for(RepositoryMissing("a/gone")).text),
        ({"file": "", "size_bytes": 7}, "no file has the 7 bytes that the list says."),
    ],
    ids=["file", "size", "sha256", "licence", "repository", "no name"],
)
def test_each_difference_is_a_sentence(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], words: str
) -> None:
    assert check(hub, tmp_path, dataclasses.replace(ENTRY, **changes)) == 1  # type: ignore[arg-type]
    assert words in capsys.readouterr().out


def test_consent_that_is_asked_for_now_is_a_difference(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repos["a/m"].gated = "manual"
    assert check(hub, tmp_path, ENTRY) == 1
    assert "consent" in capsys.readouterr().out


def test_without_a_network_nothing_is_compared_and_nothing_fails() -> None:
    with FakeHub() as gone:
        address = gone.url
    done = subprocess.run(
        [sys.executable, ROOT / "packaging" / "check_catalog.py"],
        env=os.environ | {"HF_ENDPOINT": address},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The comparison ended at Qwen3.5 0.8B. 127.0.0.1")


def test_the_whole_list_is_asked_for_where_there_is_a_network(hub: FakeHub) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "packaging" / "check_catalog.py"],
        env=os.environ | {"HF_ENDPOINT": hub.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 18)
    assert sentence_for(RepositoryMissing("tencent/Hy-MT2-7B-GGUF")).text in done.stdout
