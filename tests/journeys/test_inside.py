"""A person who looks inside: asks, sees how sure the model was, and lets the answer go on elsewhere; with real keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.settings import ChatDefaults, Settings, save_settings
from tests.helpers.program import Program, wait_until
from tests.helpers.window_pixels import colored_pixels, wait_for_end, window_pixels

DOUBTED, LEAST_PIXELS = (0xF4, 0xD5, 0xAE), 1_000
"""Behind tokens of which the model was not sure; more than the legend has of it."""
pytestmark = [pytest.mark.display, pytest.mark.model, pytest.mark.timeout(180)]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """Short answers that are always the same."""
    home = tmp_path / "person"
    save_settings(home / "config" / "settings.json", Settings(chat=ChatDefaults(temperature=0, max_tokens=24)))
    running = Program(home)
    yield running
    running.kill()


def test_another_token_gives_a_second_version_of_the_answer(program: Program, starter: Path, tmp_path: Path) -> None:
    program.ask("Why is the sky blue?")
    wait_until(lambda: [state for _, _, state in program.messages()][1:] == ["complete"], "the answer")
    wait_for_end(program, tmp_path)  # what is being written is not read again
    program.press("ctrl+i", "Right", "Tab", "space")  # probabilities, and there the button that reads the answer again
    wait_until(lambda: are_all_tokens_there(program, tmp_path), "its tokens")
    program.press("Home", "Right", "Right", "Return", "Return")  # the third, what else could have come, the first of it
    wait_until(lambda: [state for _, _, state in program.messages()][2:] == ["complete"], "a second version")
    (_, first, _), (role, second, _) = program.messages()[1:]
    assert role == "assistant"
    assert second.split()[:2] == first.split()[:2]
    assert second.split()[2] != first.split()[2]
    parents = program.rows("SELECT DISTINCT parent_id FROM messages WHERE role = 'assistant'")
    assert len(parents) == 1, "they are versions of one answer"
    program.press("Escape")
    program.ask("Thanks")
    wait_until(lambda: len(program.messages()) == 5, "the chat to have the keyboard again")
    assert program.quit() == 0


def are_all_tokens_there(program: Program, folder: Path) -> bool:
    """Whether the panel has coloured tokens, and two looks at the window show the same."""
    first = window_pixels(program, folder)
    return colored_pixels(program, folder, DOUBTED) > LEAST_PIXELS and window_pixels(program, folder) == first
