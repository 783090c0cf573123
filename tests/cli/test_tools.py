"""`tools score` in the terminal, as a process with the scripted engine."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from app.cli.tools import HEADS, NOTHING_KEPT, UNDER_HALF
from app.core.errors.model_errors import ModelMissing
from app.core.errors.request_errors import ChatUnavailable
from app.core.paths import AppPaths
from app.features.error_messages import sentence_for
from app.features.tool_calls import NO_TOOL_FITS, CallWay
from app.features.tools.score_requests import score_requests
from app.features.tools.tool_scores import COUNTS, ToolScores
from tests.helpers import warm
from tests.helpers.script import write_script
from tests.helpers.terminal import ROOT, command, fireside, only_json

TIMER = '{"name": "set_timer", "arguments": {"minutes": 7}}'


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "scripted.gguf"
    path.write_bytes(b"GGUF")
    return path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of an engine that knows one call, and otherwise says that no tool fits."""
    script = write_script(tmp_path / "engine", {"when": "Eggs", "text": TIMER}, {"text": NO_TOOL_FITS})
    return {"FIRESIDE_ENGINE_SCRIPT": str(script)}


def test_json_is_one_object_with_the_fixed_fields(model: Path, environment: dict[str, str]) -> None:
    result = fireside("tools", "score", "--model", str(model), "--json", environment=environment)
    body = only_json(result)
    assert (result.returncode, list(body)) == (0, ["requests", "ways", "best"])
    assert (body["requests"], body["best"]) == (24, "free")
    assert body["ways"] == [
        {
            "way": name,
            "valid": 24,
            "right_tool": 9,
            "right_arguments": 9,
            "valid_but_wrong": 0,
            "called_without_need": 0,
        }
        for name in ("free", "lazy", "strict")
    ]
    score = ToolScores(AppPaths.from_environment().cache).find_score(model)
    assert score is not None, "it is kept for this model"
    assert (score.best, score.right_tool, score.is_under_half) == (CallWay.FREE, 9, True)


def test_people_get_a_table_the_best_way_and_a_warning(model: Path, environment: dict[str, str]) -> None:
    result = fireside("tools", "score", "--model", str(model), environment=environment)
    assert result.returncode == 0, result.stderr
    first, head, *ways, best, warning = result.stdout.splitlines()
    assert first.startswith(model.name)
    assert head.split() == " ".join(HEADS[name] for name in COUNTS).split()
    assert [line.split()[-5:] for line in ways] == [["24", "9", "9", "0", "0"]] * 3
    assert "9 of 24" in best
    assert warning == UNDER_HALF


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    result = fireside("tools", "score", "--model", str(tmp_path / "none.gguf"))
    assert (result.returncode, result.stdout) == (1, "")
    assert sentence_for(ModelMissing(str(tmp_path / "none.gguf"))).text in result.stderr


def test_a_model_that_does_not_chat_is_one_sentence(tmp_path: Path, model: Path) -> None:
    script = write_script(tmp_path / "engine", load={"can_chat": False})
    result = fireside(
        "tools", "score", "--model", str(model), "--json", environment={"FIRESIDE_ENGINE_SCRIPT": str(script)}
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert sentence_for(ChatUnavailable(str(model))).text in result.stderr


def test_what_is_interrupted_is_neither_printed_nor_kept(tmp_path: Path, model: Path) -> None:
    last = score_requests()[-1].text
    script = write_script(
        tmp_path / "engine", {"when": last, "held_after": 0, "until": "never"}, {"text": NO_TOOL_FITS}
    )
    with warm.Process(
        command(["tools", "score", "--model", str(model), "--json"]),
        cwd=ROOT,
        env=os.environ | {"FIRESIDE_ENGINE_SCRIPT": str(script)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as program:
        assert program.stderr is not None
        while " of 72" not in (line := program.stderr.readline()):
            assert line, "it ended too early"
        program.send_signal(signal.SIGINT)
        out, told = program.communicate(timeout=60)
    assert (program.returncode, out) == (130, "")
    assert NOTHING_KEPT.split("{", maxsplit=1)[0] in told
    assert ToolScores(AppPaths.from_environment().cache).find_score(model) is None
