"""A model is found and fetched by keyboard; the program is killed in the middle, and the rest comes by itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.helpers.fake_hub import FakeHub, variant_of
from tests.helpers.program import WAIT_S, Program, is_gone, wait_until
from tests.helpers.script import write_script

REPO, FILE = "hearth/Variant-GGUF", "Variant-Q8_0.gguf"
SPEED_BYTES_PER_S = 40_000_000


@pytest.mark.display
@pytest.mark.timeout(180)
def test_a_download_survives_the_death_of_the_program(tmp_path: Path, starter: Path) -> None:
    script = write_script(tmp_path / "script", {"say": "hello"})
    model = variant_of(starter, tmp_path)
    home = tmp_path / "home-of-the-killed"
    with FakeHub() as hub:
        hub.add(REPO, {FILE: model, "README.md": b"# Variant"}, tags=["gguf", "license:apache-2.0"])
        hub.bytes_per_s, hub.never_ends = SPEED_BYTES_PER_S, True
        environment = {"HF_ENDPOINT": hub.url, "HOME": str(tmp_path), "FIRESIDE_ENGINE_SCRIPT": str(script)}
        program = Program(home, environment)
        try:
            program.press("ctrl+m")
            program.type("variant")
            hub.wait_for(lambda: bool(hub.seen("hub", path="search=variant")), WAIT_S)
            fetch_the_first_result(program, hub)
            hub.wait_for(lambda: hub.sent_of("/blob/") > model.stat().st_size // 4, WAIT_S)
            children = program.children()
        finally:
            program.kill()
        wait_until(lambda: all(is_gone(pid) for pid in children), "the children to leave")
        hub.never_ends = False
        target = home / "data" / "models" / REPO / FILE
        part = target.with_name(FILE + ".part")
        here = part.stat().st_size
        assert 0 < here < model.stat().st_size
        again = Program(home, environment)
        try:
            wait_until(target.is_file, "the rest of the file")
            wait_until(lambda: again.quit() == 0, "a clean exit")
        finally:
            again.kill()
        assert hub.seen("storage", "GET")[-1].range_start == here
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    assert hashlib.sha256(target.read_bytes()).hexdigest() == sha256
    assert not part.exists()
    sidecar = json.loads(target.with_name(FILE + ".json").read_text("utf-8"))
    assert (sidecar["repo"], sidecar["sha256"]) == (REPO, sha256)
    ledger = (home / "data" / "connections.jsonl").read_text("utf-8")
    reasons = {json.loads(line)["why"] for line in ledger.splitlines()}
    assert {"search", "repository", "card", "memory estimate", f"download {REPO}/{FILE}"} <= reasons


def fetch_the_first_result(program: Program, hub: FakeHub) -> None:
    """Return goes from the field to the results, and opens the first; Ctrl+Return downloads."""
    is_open = lambda: hub.seen("hub", path=f"/api/models/{REPO}")  # noqa: E731
    program.press_until(is_open, "the repository", "Return", again_s=0.5)
    program.press_until(lambda: program.rows("SELECT id FROM jobs"), "the download", "ctrl+Return")
