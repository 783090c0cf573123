"""A person who looks inside: asks, sees how sure the model was, and lets the answer go on elsewhere; with real keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.settings import Chat, Settings, save_settings
from tests.helpers.program import Program, wait_until

pytestmark = [pytest.mark.display, pytest.mark.model, pytest.mark.timeout(180)]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """Short answers that are always the same."""
    home = tmp_path / "person"
    save_settings(home / "config" / "settings.json", Settings(chat=Chat(temperature=0, max_tokens=24)))
    running = Program(home)
    yield running
    running.kill()


def test_another_token_gives_a_second_version_of_the_answer(program: Program, starter: Path) -> None:
    program.ask("Why is the sky blue?")
    wait_until(lambda: [state for _, _, state in program.messages()][1:] == ["complete"], "the answer", 60)
    program.press("ctrl+i", "Right", "Tab", "space")  # probabilities, and there the button that reads the answer again

    def try_once() -> bool:
        """The third token, what else could have come, and the first of those; before the tokens are there: nothing."""
        if len(program.messages()) == 2:
            program.press("Home", "Right", "Right", "Return", "Return")
        return len(program.messages()) == 3

    wait_until(try_once, "a second version", 60)
    wait_until(lambda: program.messages()[-1][2] == "complete", "the end of it", 60)
    (_, first, _), (role, second, _) = program.messages()[1:]
    assert role == "assistant"
    same = first.split()[:1]  # of keys that come while the tokens do, one may be lost: then it is the second token
    assert second.split()[:1] == same
    assert second != first
    parents = program.rows("SELECT DISTINCT parent_id FROM messages WHERE role = 'assistant'")
    assert len(parents) == 1, "they are versions of one answer"

    def asks_again() -> bool:
        """Keys of a try that was not needed may have opened a menu: then Escape closes only that."""
        if len(program.messages()) == 3:
            program.press("Escape")
            program.ask("Thanks")
        return len(program.messages()) >= 5

    wait_until(asks_again, "the chat has the keyboard again", 60)
    assert program.quit() == 0
