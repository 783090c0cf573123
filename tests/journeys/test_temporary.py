"""A temporary chat in the real program: real keys, a real quit, and not a byte of it on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.program import Program, wait_until
from tests.helpers.script import prompts, write_script
from tests.ui.chat.test_temporary import files_with

pytestmark = [pytest.mark.display, pytest.mark.timeout(180)]


def test_what_was_said_in_a_temporary_chat_is_in_no_file_after_quitting(tmp_path: Path) -> None:
    home = tmp_path / "person"
    script = write_script(tmp_path / "script", {"when": "zanzibar", "text": "A zanzibar answer."}, {"text": "Fine."})
    program = Program(home, {"FIRESIDE_ENGINE_SCRIPT": str(script)})
    try:
        program.ask("This one is kept")
        wait_until(lambda: len(program.messages()) == 2 and program.messages()[-1][2] == "complete", "an answer")
        program.press("ctrl+shift+n")
        program.ask("Say zanzibar")
        wait_until(lambda: any("zanzibar" in str(prompt) for prompt in prompts(script)), "the question")
        program.ask("And once more zanzibar")  # taken only when the first answer is there
        program.type("unsent zanzibar")
        assert files_with(b"zanzibar", home) == []
        assert program.quit() == 0
    finally:
        program.kill()
    assert files_with(b"zanzibar", home) == []
    assert files_with(b"this one is kept", home) != [], "the search finds what is kept"
