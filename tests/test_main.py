"""The one entrance: what is for the window, what for a command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import __main__ as entrance


@pytest.mark.parametrize(
    ("arguments", "is_window"),
    [
        ([], True),
        (["model.gguf"], True),  # the window says what is wrong with it
        (["a.pdf", "folder"], True),
        (["./chat"], True),
        (["chat"], False),
        (["folder", "chat"], True),
        (["file:///nowhere/a%20b.pdf"], True),
        ([os.fsdecode(b"\xffodd.txt")], True),
        (["--summarize", "a.pdf"], True),
        (["--translate"], True),
        (["summarize", "a.pdf"], False),
        (["nowhere.pdf"], False),
        (["a.pdf", "nowhere.pdf"], False),
        (["--version"], False),
        (["-h"], False),
    ],
)
def test_files_are_for_the_window_and_commands_go_before_them(
    arguments: list[str], is_window: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.pdf", "chat", os.fsdecode(b"\xffodd.txt")):
        Path(name).touch()
    Path("folder").mkdir()
    assert entrance._wants_window(arguments) == is_window


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ([], ["chat"]),
        (["m.gguf"], ["chat", "--model", "m.gguf"]),
        (["--summarize", "a.pdf"], ["summarize", "a.pdf"]),
        (["a.pdf"], []),
    ],
)
def test_without_a_display_there_is_a_command_or_a_sentence(
    arguments: list[str], command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert entrance._without_window(arguments) == command
    assert ("display" in capsys.readouterr().err) == (arguments[:1] != ["--summarize"])
