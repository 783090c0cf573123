"""A PDF is dropped or attached by keyboard, asked about, and its sentence is seen marked on the page; or summarized.

Real keys, a real drag from another program's window (XDND), the real window and document child.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.helpers.attached import LEASE_PAGES, lease_pdf
from tests.helpers.dragging import SUMMARIZE, drop_with_the_mouse
from tests.helpers.program import AGAIN_S, Program, wait_until, xdotool
from tests.helpers.script import prompts, write_script
from tests.helpers.window_pixels import CHIP, colored_pixels, marked_pixels, places_of

ANSWER = "The deposit is 2,400 euros, paid back within eight weeks of moving out."
CHIP_PIXELS = 200
LEAST_PIXELS = 300


def attach_by_keyboard(program: Program, path: Path) -> None:
    """Through the file dialog: the shortcut, the path, Return."""
    program.press("ctrl+shift+o")
    program.choose_file("Attach files", path)


@pytest.mark.display
@pytest.mark.timeout(180)
@pytest.mark.parametrize("attach", [drop_with_the_mouse, attach_by_keyboard], ids=["dropped", "by keyboard"])
def test_a_document_is_attached_asked_about_and_opened_at_its_sentence(
    tmp_path: Path, attach: Callable[[Program, Path], None]
) -> None:
    script = write_script(tmp_path / "script", {"text": ANSWER})
    lease = lease_pdf(tmp_path / "lease.pdf")
    home = tmp_path / "home-of-the-reader"
    program = Program(home, {"HOME": str(tmp_path), "FIRESIDE_ENGINE_SCRIPT": str(script)})
    try:
        attach(program, lease)
        wait_until(lambda: program.rows("SELECT id FROM attachments WHERE use = 'whole'"), "the document to fit")
        program.type("And the deposit?")
        is_answered = lambda: [state for _, _, state in program.messages()] == ["complete"] * 2  # noqa: E731
        program.press_until(is_answered, "the answer", "Return")
        wait_until(lambda: program.rows("SELECT id FROM messages WHERE sources <> '[]'"), "its sources")
        assert all(words in " ".join(prompts(script)[-1][-1][1].split()) for words in LEASE_PAGES)
        wait_until(lambda: colored_pixels(program, tmp_path, CHIP) > CHIP_PIXELS, "its chip in the window")
        before = marked_pixels(program, tmp_path)
        wait_until(lambda: open_the_source(program, tmp_path, before), "the marked sentence on the page")
        program.press("Escape")
        wait_until(lambda: marked_pixels(program, tmp_path) < before + LEAST_PIXELS / 2, "the chat alone")
        wait_until(lambda: program.quit() == 0, "a clean exit")
    finally:
        program.kill()


@pytest.mark.display
@pytest.mark.timeout(120)
def test_a_document_dropped_on_summarize_waits_there_and_not_in_the_chat(tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", {"text": ANSWER})
    program = Program(tmp_path / "home", {"HOME": str(tmp_path), "FIRESIDE_ENGINE_SCRIPT": str(script)})
    try:
        drop_with_the_mouse(program, lease_pdf(tmp_path / "lease.pdf"), share=SUMMARIZE)
        kept = "SELECT d.name FROM job_documents JOIN documents d ON d.id = document_id"
        assert wait_until(lambda: program.rows(kept), "the document to wait for the summary") == [("lease.pdf",)]
        assert program.rows("SELECT id FROM attachments") == []
        program.press("ctrl+1")
        program.ask("Anything else?")
        wait_until(lambda: [state for _, _, state in program.messages()] == ["complete"] * 2, "the answer in the chat")
        wait_until(lambda: program.quit() == 0, "a clean exit")
    finally:
        program.kill()


def open_the_source(program: Program, folder: Path, before: int) -> bool:
    """A click on the chip, which may have moved since it was seen; whether more is marked than `before`, then.

    That Tab reaches it, too, is tested beside the panel.
    """
    places = places_of(program, folder, CHIP)
    x, y = places[len(places) // 2]
    xdotool("mousemove", "--window", program.window, str(x), str(y))
    xdotool("click", "1")
    with suppress(AssertionError):
        wait_until(lambda: marked_pixels(program, folder) > before + LEAST_PIXELS, "the mark", AGAIN_S)
        return True
    return False
