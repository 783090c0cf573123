"""What is seen in the real window: its pixels, and where it has a colour."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.helpers.program import Program, wait_until

CHIP = (0xFB, 0xED, 0xE6)
"""Behind the name of a page, and behind the zone above which a file is held."""
ACCENT = (0xB2, 0x3F, 0x12)
"""Behind the one button that is to be pressed next, Stop among them; around what has the keyboard."""
STOP_PIXELS = 700


def wait_for_end(program: Program, folder: Path) -> None:
    """Until the window has the end of an answer, too, which is stored a moment before: Stop is gone."""
    wait_until(lambda: colored_pixels(program, folder, ACCENT) < STOP_PIXELS, "the answer's end in the window")


def marked_pixels(program: Program, folder: Path) -> int:
    """How much of the window is marked: between letters so small the marker's colour is not quite its own.

    It is yellower than the edges of what has the keyboard.
    """
    width, pixels = window_pixels(program, folder)
    assert width
    found = 0
    for at in range(0, len(pixels), 3):
        red, green, blue = pixels[at : at + 3]
        found += red > 200 and 150 < green < 245 and red - blue > 50 and red - green < 35
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


def words_at_the_foot(program: Program, folder: Path, rows: int, gap_px: int = 10) -> list[int]:
    """How wide each stretch of words in the lowest rows is, from left to right, in pixels.

    A stretch ends where so many columns have nothing in them; those that reach from the top to the foot are edges.
    """
    width, pixels = window_pixels(program, folder)
    line = width * 3
    lowest = [pixels[at : at + line] for at in range(len(pixels) - rows * line, len(pixels), line)]
    inked = [len({row[x * 3 : x * 3 + 3] for row in lowest}) > 1 for x in range(width)]
    widths: list[int] = []
    began, last = 0, -gap_px
    for x in (x for x in range(width) if inked[x]):
        if x - last > gap_px:
            widths.append(0)
            began = x
        last = x
        widths[-1] = x - began + 1
    return widths
