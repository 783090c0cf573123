"""`transcribe` in the terminal: text, JSON and subtitles; what is no recording, and a model that does not hear."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from app.cli.transcribe import KEPT_SO_FAR
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.request_errors import MediaRefused
from app.features.error_messages import sentence_for
from tests.helpers import warm
from tests.helpers.program import wait_until
from tests.helpers.script import prompts, write_script
from tests.helpers.sounds import spoken, write_sound
from tests.helpers.terminal import ROOT, command, fireside, only_json
from tests.helpers.tiny_eyes import make_ear


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "talk.wav", spoken((2.0, 1.0), (1.0, 0.0)))


def scripted(tmp_path: Path, *, hears: bool = True) -> dict[str, str]:
    script = write_script(tmp_path / "script", {"text": "Good morning. It is late."}, load={"hears": hears})
    return {"FIRESIDE_ENGINE_SCRIPT": str(script)}


def test_what_is_said_is_printed_with_its_times_and_kept_as_subtitles(
    fresh_home: Path, recording: Path, starter: Path, tmp_path: Path
) -> None:
    """By the file beside the model through which it hears."""
    environment, out = scripted(tmp_path), tmp_path / "talk.srt"
    model, ear = tmp_path / starter.name, tmp_path / f"mmproj-{starter.name}"
    model.symlink_to(starter)
    make_ear(starter, ear)
    plain = fireside("transcribe", str(recording), "--model", str(model), environment=environment)
    assert (plain.returncode, plain.stdout) == (0, "0:00  Good morning.\n0:01  It is late.\n")
    assert f'"projector":"{ear}"' in (tmp_path / "script" / "prompts.jsonl").read_text("utf-8")
    told = fireside(
        "transcribe", str(recording), "--model", "m.gguf", "--json", "-o", str(out), environment=environment
    )
    body = only_json(told)
    assert [segment["text"] for segment in body["segments"]] == ["Good morning.", "It is late."]
    assert set(body["segments"][0]) == {"start_s", "end_s", "text"}
    assert body["seconds"] == body["segments"][-1]["end_s"]
    assert out.read_text("utf-8").startswith("1\n00:00:00,000 --> 00:00:01,")


def test_broken_off_by_ctrl_c_it_goes_on_from_what_was_heard(fresh_home: Path, tmp_path: Path) -> None:
    talk = write_sound(tmp_path / "talk.wav", spoken((20.0, 1.0), (60.0, 0.0), (10.0, 1.0)), 8000)
    first, second = {"text": "We meet on Tuesday.", "times": 1}, {"text": "Bring keys.", "held_after": 1, "until": "go"}
    script = write_script(tmp_path / "script", first, second, load={"hears": True})
    environment = {"FIRESIDE_ENGINE_SCRIPT": str(script)}
    arguments = ("transcribe", str(talk), "--model", "m.gguf")
    with warm.Process(
        command(arguments), cwd=ROOT, env=os.environ | environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as program:  # fmt: skip
        wait_until(lambda: len(prompts(script)) == 2, "the second piece")
        program.send_signal(signal.SIGINT)
        out, said = program.communicate(timeout=60)
    assert (program.returncode, out) == (130, "")
    assert said.endswith(f"{KEPT_SO_FAR.format(name='talk.wav')}\n")
    (script.parent / "go").touch()
    again = fireside(*arguments, environment=environment)
    assert again.stdout.splitlines() == ["0:00  We meet on Tuesday.", "1:19  Bring keys."]
    assert len(prompts(script)) == 3
    anew = fireside(*arguments, environment=environment)
    assert anew.stdout.startswith("0:00  Bring keys."), "what has been printed is not kept"


def reason(path: Path, name: str) -> str:
    """What is said of a file that cannot be read."""
    return sentence_for(DocumentUnreadable(str(path), name)).text


def test_what_cannot_be_heard_is_a_sentence(fresh_home: Path, recording: Path, tmp_path: Path) -> None:
    environment = scripted(tmp_path, hears=False)
    deaf = fireside("transcribe", str(recording), "--model", "m.gguf", environment=environment)
    assert (deaf.returncode, deaf.stdout) == (1, "")
    assert sentence_for(MediaRefused(str(recording), "sound", "deaf")).text in deaf.stderr
    text = tmp_path / "a.txt"
    text.write_text("a text", "utf-8")
    assert reason(text, "not_sound") in fireside("transcribe", str(text), environment=environment).stderr
    gone = tmp_path / "x.wav"
    assert reason(gone, "missing") in fireside("transcribe", str(gone), environment=environment).stderr
    assert fireside("transcribe", str(recording), "-o", "a.doc", environment=environment).returncode == 2
    assert reason(recording, "sound") in fireside("read", str(recording)).stderr
