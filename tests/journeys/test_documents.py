"""A PDF is dropped or attached by keyboard, asked about, and its sentence is seen marked on the page; or summarized.

Real keys, a real drag from another program's window (XDND), the real window and document child.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.attached import LEASE_PAGES, lease_pdf
from tests.helpers.dragging import SUMMARIZE, drop_with_the_mouse
from tests.helpers.program import Program, wait_until, xdotool
from tests.helpers.script import prompts, write_script
from tests.helpers.window_pixels import CHIP, colored_pixels, marked_pixels, places_of

ANSWER = "The deposit is 2,400 euros, paid back within eight weeks of moving out."
CHIP_PIXELS = 200
LEAST_PIXELS = 300


def attach_by_keyboard(program: Program, path: Path) -> None:
    """Through the file dialog: the shortcut, the path, Return."""
    program.press("ctrl+shift+o")
    wait_until(lambda: dialogs(program), "the file dialog")
    subprocess.run(["xdotool", "type", "--delay", "1", str(path)], check=True, timeout=30)
    subprocess.run(["xdotool", "key", "Return"], check=True, timeout=30)
    wait_until(lambda: not dialogs(program), "the dialog to close")


def dialogs(program: Program) -> list[str]:
    """The program's windows that ask for files."""
    pid = str(program.process.pid)
    done = subprocess.run(
        ["xdotool", "search", "--all", "--onlyvisible", "--pid", pid, "--name", "Attach files"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return done.stdout.split()


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

        def is_answered() -> bool:
            program.press("Return")
            return any(state == "complete" and role == "assistant" for role, _, state in program.messages())

        wait_until(is_answered, "the answer")
        wait_until(lambda: program.rows("SELECT id FROM messages WHERE sources <> '[]'"), "its sources")
        assert all(words in " ".join(prompts(script)[-1][-1][1].split()) for words in LEASE_PAGES)
        wait_until(lambda: colored_pixels(program, tmp_path, CHIP) > CHIP_PIXELS, "its chip in the window")
        before = marked_pixels(program, tmp_path)
        open_the_source(program, tmp_path)
        wait_until(lambda: marked_pixels(program, tmp_path) > before + LEAST_PIXELS, "the marked sentence on the page")
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


def open_the_source(program: Program, folder: Path) -> None:
    """A click on the chip; that Tab reaches it, too, is tested beside the panel."""
    places = places_of(program, folder, CHIP)
    x, y = places[len(places) // 2]
    xdotool("mousemove", "--window", program.window, str(x), str(y))
    xdotool("click", "1")
