"""A PDF is attached by keyboard, asked about, and its sentence is seen marked on the page; all with real keys."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.helpers.attached import LEASE_PAGES, lease_pdf
from tests.helpers.program import Program, wait_until
from tests.helpers.script import prompts, write_script

ANSWER = "The deposit is 2,400 euros, paid back within eight weeks of moving out."
MARK = (0xFB, 0xE3, 0xA6)
"""The marker's colour in the light scheme."""
LEAST_PIXELS = 300
STEPS_BACK = 11
"""From the message field: model, tab, list, foot of the column, the five actions of the answer, its source."""


@pytest.mark.display
@pytest.mark.timeout(180)
def test_a_document_is_attached_asked_about_and_opened_at_its_sentence(tmp_path: Path) -> None:
    script = write_script(tmp_path / "script", {"text": ANSWER})
    lease = lease_pdf(tmp_path / "lease.pdf")
    home = tmp_path / "home-of-the-reader"
    program = Program(home, {"HOME": str(tmp_path), "FIRESIDE_ENGINE_SCRIPT": str(script)})
    try:
        attach_by_keyboard(program, lease)
        wait_until(lambda: program.rows("SELECT id FROM attachments WHERE use = 'whole'"), "the document to fit")
        program.type("And the deposit?")

        def is_answered() -> bool:
            program.press("Return")
            return any(state == "complete" and role == "assistant" for role, _, state in program.messages())

        wait_until(is_answered, "the answer")
        wait_until(lambda: program.rows("SELECT id FROM messages WHERE sources <> '[]'"), "its sources")
        assert all(words in " ".join(prompts(script)[-1][-1][1].split()) for words in LEASE_PAGES)
        assert marked_pixels(program, tmp_path) == 0
        open_the_source(program)
        wait_until(lambda: marked_pixels(program, tmp_path) > LEAST_PIXELS, "the marked sentence on the page")
        program.press("Escape")
        wait_until(lambda: marked_pixels(program, tmp_path) == 0, "the chat alone")
        wait_until(lambda: program.quit() == 0, "a clean exit")
    finally:
        program.kill()


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


def open_the_source(program: Program) -> None:
    """Back from the message field over the answer's actions to its source, and Space."""
    program.press(*["shift+Tab"] * STEPS_BACK, "space")


def marked_pixels(program: Program, folder: Path) -> int:
    """How many pixels of the window have the marker's colour."""
    picture = folder / "window.ppm"
    subprocess.run(["import", "-window", program.window, "-depth", "8", str(picture)], check=True, timeout=30)
    data = picture.read_bytes()
    pixels = data[data.index(b"\n255\n") + 5 :]
    wanted = bytes(MARK)
    return sum(1 for at in range(0, len(pixels), 3) if pixels[at : at + 3] == wanted)
