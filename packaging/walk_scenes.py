"""Walks every screen that pictures are taken of, as a screen reader and the Tab key do, and prints what is missing.

A line for each name, role, state or way by keyboard; returns 1 where there is one. It takes no pictures, so it needs no
display.
"""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pictures import SETTLE_MS, Step, close_others, families_of, running_scene
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.core.installed_languages import ENGLISH
from tests.helpers.accessible_tree import tree_faults
from tests.helpers.desks.window import Frame
from tests.helpers.keyboard_way import way_faults
from tests.helpers.window_tour import open_windows


def main(names: list[str]) -> int:
    """Walk the screens of these names, or all of them."""
    faults, began_s = list[str](), time.monotonic()
    with running_scene(ENGLISH) as scene:
        screens = [screen for family in families_of(scene).values() for screen in family]
        wanted = [screen for screen in screens if not names or screen[0] in names]
        for name, prepare, tidy in wanted:
            faults += [f"{name}: {fault}" for fault in _walk(scene.frame, prepare, tidy)]
    for line in faults:
        print(line, file=sys.stderr)
    print(f"{len(wanted)} screens in {time.monotonic() - began_s:.0f} s, {len(faults)} faults")
    return 1 if faults else 0


def _walk(frame: Frame, prepare: Step, tidy: Step) -> list[str]:
    try:
        frame.activate()
        prepare()
        faults = _tree() and _tree()  # what is still arriving is no fault
        top = QApplication.activePopupWidget() or QApplication.activeWindow()
        if top is not None and not isinstance(top, QMenu):  # Qt's own keys
            faults += way_faults(top)
        tidy()
    except Exception as problem:  # noqa: BLE001 - the others are walked, too
        traceback.print_exception(problem)
        close_others(frame.window)
        return [f"not reached: {problem!r}"]
    return faults


def _tree() -> list[str]:
    QTest.qWait(SETTLE_MS)
    return [line for window in open_windows() for line in tree_faults(window)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
