"""`transcribe` in the terminal: text, JSON and subtitles; what is no recording, and a model that does not hear."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.script import write_script
from tests.helpers.sounds import spoken, write_sound
from tests.helpers.terminal import fireside, only_json


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "talk.wav", spoken((2.0, 1.0), (1.0, 0.0)))


def scripted(tmp_path: Path, *, hears: bool = True) -> dict[str, str]:
    script = write_script(tmp_path / "script", {"text": "Good morning. It is late."}, load={"hears": hears})
    return {"FIRESIDE_ENGINE_SCRIPT": str(script)}


def test_what_is_said_is_printed_with_its_times_and_kept_as_subtitles(
    fresh_home: Path, recording: Path, tmp_path: Path
) -> None:
    environment, out = scripted(tmp_path), tmp_path / "talk.srt"
    plain = fireside("transcribe", str(recording), "--model", "m.gguf", environment=environment)
    assert (plain.returncode, plain.stdout) == (0, "0:00  Good morning.\n0:01  It is late.\n")
    told = fireside(
        "transcribe", str(recording), "--model", "m.gguf", "--json", "-o", str(out), environment=environment
    )
    body = only_json(told)
    assert [segment["text"] for segment in body["segments"]] == ["Good morning.", "It is late."]
    assert set(body["segments"][0]) == {"start_s", "end_s", "text"}
    assert body["seconds"] == body["segments"][-1]["end_s"]
    assert out.read_text("utf-8").startswith("1\n00:00:00,000 --> 00:00:01,")


def test_what_cannot_be_heard_is_a_sentence(fresh_home: Path, recording: Path, tmp_path: Path) -> None:
    environment = scripted(tmp_path, hears=False)
    deaf = fireside("transcribe", str(recording), "--model", "m.gguf", environment=environment)
    assert (deaf.returncode, deaf.stdout) == (1, "")
    assert "hears no sound" in deaf.stderr
    text = tmp_path / "a.txt"
    text.write_text("a text", "utf-8")
    assert "no recording" in fireside("transcribe", str(text), environment=environment).stderr
    assert "There is no file" in fireside("transcribe", str(tmp_path / "x.wav"), environment=environment).stderr
    assert fireside("transcribe", str(recording), "-o", "a.doc", environment=environment).returncode == 2
    assert "is a recording" in fireside("read", str(recording)).stderr
