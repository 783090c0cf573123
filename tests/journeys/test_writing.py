"""A page in the real window, with real keys and the starter: alternatives, undo, a continuation stopped, a restart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.settings import Settings, WritingSettings, save_settings
from tests.helpers.program import Program, wait_until
from tests.helpers.window_pixels import ACCENT, places_of, window_pixels
from tests.journeys.test_summaries import title_of

pytestmark = [pytest.mark.display, pytest.mark.model, pytest.mark.timeout(240)]
BEGINNING = "Deep learning is"
FOOT_PX = 76
"""In which Continue stands, with the status line."""


def page(program: Program) -> tuple[str, list[list[int]]]:
    """What is stored of the page, and which of it the model wrote."""
    rows = program.rows("SELECT text, written FROM pages WHERE deleted_at IS NULL")
    return (rows[0][0], json.loads(rows[0][1])) if rows else ("", [])


def wait_for_text(program: Program, wanted: object, what: str) -> str:
    """The text of the page, once it is so, or another than it was."""
    wait_until(lambda: wanted(page(program)[0]) if callable(wanted) else page(program)[0] == wanted, what)
    return page(program)[0]


def has_cards_that_are_complete(program: Program, folder: Path) -> bool:
    """Whether a card has the keyboard, and neither Continue nor Stop can be pressed."""
    width, pixels = window_pixels(program, folder)
    height = len(pixels) // 3 // width
    rows = [row for _, row in places_of(program, folder, ACCENT)]
    return sum(height // 2 < row < height - FOOT_PX for row in rows) > 400 and not any(
        row > height - FOOT_PX for row in rows
    )


def test_a_page_is_begun_continued_taken_back_stopped_and_comes_back(tmp_path: Path, starter: Path) -> None:
    home = tmp_path / "person"
    save_settings(home / "config" / "settings.json", Settings(writing=WritingSettings(max_tokens=30, count=3)))
    program = Program(home)
    try:
        program.press("ctrl+4")
        program.type(BEGINNING)
        wait_for_text(program, BEGINNING, "what was typed")

        program.press("ctrl+Return")
        wait_until(lambda: has_cards_that_are_complete(program, tmp_path), "three alternatives")
        assert page(program)[0] == BEGINNING
        program.press("2")
        chosen = wait_for_text(program, lambda text: text != BEGINNING, "the second one in the page")
        assert chosen.startswith(BEGINNING)
        assert page(program)[1] == [[len(BEGINNING), len(chosen)]]
        program.press("ctrl+z")
        wait_for_text(program, BEGINNING, "it to be taken back")

        program.press("Tab", "Tab", "space")  # Continue, then how
        program.press("ctrl+a")
        program.type("600")
        program.press("Tab", "Tab", "space", "Escape")  # one instead of three
        options = "SELECT options FROM pages"
        wait_until(lambda: '"count": 1, ' in program.rows(options)[0][0], "one at a time")
        assert '"max_tokens": 600' in program.rows(options)[0][0]
        # The model may end a text before it is long; then it is asked to go on.
        program.press_until(lambda: len(page(program)[0]) > 200, "a longer text", "ctrl+Return", again_s=20)
        program.press("Escape")
        stopped = wait_for_text(program, lambda text: len(text) > 200, "it to stop")
        program.type(" The end.")
        written = wait_for_text(program, lambda text: text.endswith(" The end."), "what was typed behind it")
        assert written.startswith(stopped), "what has come stays"
        assert len(written) < 2500, "it was stopped"
        before = page(program)
        assert program.quit() == 0
    finally:
        program.kill()

    program = Program(home)
    try:
        assert page(program) == before
        wait_until(lambda: title_of(program).startswith(BEGINNING), "the tab, which is built after the window is seen")
        program.type(" Again.")
        wait_for_text(program, f"{written} Again.", "the page that was open, with the keyboard at its end")
        program.press("ctrl+z")
        wait_for_text(program, written, "what was typed now to be taken back")
        program.press("ctrl+z")
        before_it = (BEGINNING, written.removesuffix(" The end."))  # as quickly as the machine typed
        wait_for_text(program, lambda text: text in before_it, "the last change of the earlier run to be taken back")
        assert program.quit() == 0
    finally:
        program.kill()
