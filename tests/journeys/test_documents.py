"""A PDF is dropped or attached by keyboard, asked about, and its sentence is seen marked on the page; or summarized.

Real keys, a real drag from another program's window (XDND), the real window and document child.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.attached import LEASE_PAGES, lease_pdf
from tests.helpers.drag_source import SIZE_PX, TITLE
from tests.helpers.program import ROOT, Program, wait_until, xdotool
from tests.helpers.script import prompts, write_script

ANSWER = "The deposit is 2,400 euros, paid back within eight weeks of moving out."
CHIP = (0xFB, 0xED, 0xE6)
"""Behind the name of a page, and behind the zone above which a file is held."""
CHIP_PIXELS = 200
ZONE_PIXELS = 50_000
ASK, SUMMARIZE = 0.25, 0.75
"""Where the two zones are that a drop can go to, as a share of the window's width."""
LEAST_PIXELS = 300


def drop_with_the_mouse(program: Program, path: Path, share: float = ASK) -> None:
    """Dragged out of another window over one of the zones, and let go there."""
    folder = path.parent
    program.focus()
    source = subprocess.Popen([sys.executable, "-m", "tests.helpers.drag_source", str(path)], cwd=ROOT)
    try:
        wait_until(lambda: xdotool("search", "--onlyvisible", "--name", TITLE, check=False), "the file to drag")
        frame = dict(line.split("=") for line in xdotool("getwindowgeometry", "--shell", program.window).split())
        x, y = int(frame["X"]) + int(int(frame["WIDTH"]) * share), int(frame["Y"]) + int(frame["HEIGHT"]) // 2
        xdotool("mousemove", str(SIZE_PX[0] // 2), str(SIZE_PX[1] // 2), "mousedown", "1")
        steps = itertools.cycle((0, 8))

        def is_above() -> bool:
            """The pointer moves until the window says what will happen, there and nowhere else."""
            xdotool("mousemove", str(x + next(steps)), str(y))
            width, _ = window_pixels(program, folder)
            places = [across / width for across, _ in places_of(program, folder, CHIP)]
            return len(places) > ZONE_PIXELS and all(abs(place - share) < 0.25 for place in places)

        wait_until(is_above, "the zone of the drop")
        xdotool("mouseup", "1")
        xdotool("mousemove", "--window", program.window, "2", "2")  # no turn is under the pointer later
        wait_until(lambda: program.rows("SELECT id FROM documents"), "the document to be read")
    finally:
        source.kill()
        source.wait()


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
        drop_with_the_mouse(program, lease_pdf(tmp_path / "lease.pdf"), SUMMARIZE)
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


def marked_pixels(program: Program, folder: Path) -> int:
    """How much of the window is marked: between letters so small the marker's colour is not quite its own."""
    width, pixels = window_pixels(program, folder)
    assert width
    found = 0
    for at in range(0, len(pixels), 3):
        red, green, blue = pixels[at : at + 3]
        found += red > 200 and 150 < green < 245 and red - blue > 50 > red - green
    return found


def colored_pixels(program: Program, folder: Path, color: tuple[int, int, int]) -> int:
    """How many pixels of the window have a colour."""
    return len(places_of(program, folder, color))


def places_of(program: Program, folder: Path, color: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Where the window has a colour, from its left upper corner on."""
    width, pixels = window_pixels(program, folder)
    wanted = bytes(color)
    found = (at // 3 for at in range(0, len(pixels), 3) if pixels[at : at + 3] == wanted)
    return [(at % width, at // width) for at in found]


def window_pixels(program: Program, folder: Path) -> tuple[int, bytes]:
    """The window's width, and its pixels as rows of RGB."""
    picture = folder / "window.ppm"
    subprocess.run(["import", "-window", program.window, "-depth", "8", str(picture)], check=True, timeout=30)
    data = picture.read_bytes()
    return int(data.split(maxsplit=2)[1]), data[data.index(b"\n255\n") + 5 :]
