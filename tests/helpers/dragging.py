"""Files are dragged out of another program's window (XDND) and let go above the real one."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

from tests.helpers.drag_source import SIZE_PX, TITLE
from tests.helpers.program import ROOT, Program, wait_until, xdotool
from tests.helpers.window_pixels import CHIP, places_of, window_pixels

ZONE_PIXELS = 50_000
ASK, SUMMARIZE, TRANSLATE = 1 / 6, 0.5, 5 / 6
"""Where the three zones are that a drop can go to, as a share of the window's width."""


def drop_with_the_mouse(
    program: Program, *paths: Path, share: float = ASK, arrived: str = "SELECT id FROM documents"
) -> None:
    """Dragged together over one of the zones, and let go there; returns when `arrived` finds something stored."""
    folder = paths[0].parent
    program.focus()
    command = [sys.executable, "-m", "tests.helpers.drag_source", *map(str, paths)]
    source = subprocess.Popen(command, cwd=ROOT)
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
            return len(places) > ZONE_PIXELS and all(abs(place - share) < 1 / 6 for place in places)

        wait_until(is_above, "the zone of the drop")
        xdotool("mouseup", "1")
        xdotool("mousemove", "--window", program.window, "2", "2")  # no turn is under the pointer later
        wait_until(lambda: program.rows(arrived), "the document to be read")
    finally:
        source.kill()
        source.wait()
