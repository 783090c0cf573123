"""Walks every screen that pictures are taken of, as a screen reader and the Tab key do, and prints what is missing.

A line for each name, role, state or way by keyboard; with `--language` for each text that is cut or not translated, in
two sizes of the window. It returns 1 where there is one. It takes no pictures, so it needs no display.
"""

from __future__ import annotations

import sys
import time
import traceback
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pictures
from pictures import SETTLE_MS, Screen, Step, close_others, families_of, running_scene
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.core.installed_languages import ENGLISH
from app.core.paths import resource_path
from app.ui.window_language import is_pseudo_language
from tests.helpers import tool_server
from tests.helpers.accessible_tree import tree_faults
from tests.helpers.desks.window import Frame
from tests.helpers.keyboard_way import way_faults
from tests.helpers.untranslated import content_of, literals_in, untranslated_texts
from tests.helpers.window_tour import SIZES, cut_texts, open_windows, resize

Look = Callable[[], list[str]]
MADE = (
    *(f"tool{number}" for number in range(50)),
    "Português (Brasil)",
    "npx -y",
    "HuggingFaceTB",
    "Smollm2 135M 8k Lc100K Mix1 Ep2",
)
"""What scenes show that is no literal of theirs: tools, a language's own name, a command, the starter's data."""


def main(arguments: list[str]) -> int:
    """Walk the screens of these names, or all of them."""
    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", help="screens; without them all")
    parser.add_argument("--language", help="look for texts that are cut or not translated")
    asked = parser.parse_args(arguments)
    faults, began_s = list[str](), time.monotonic()
    with running_scene(asked.language or ENGLISH) as scene:
        screens = [screen for family in families_of(scene).values() for screen in family]
        wanted = [screen for screen in screens if not asked.names or screen[0] in asked.names]
        walk = _walk_texts if asked.language else _walk_keys
        for screen in wanted:
            for line in walk(scene.frame, screen):
                faults.append(line)
                print(line, file=sys.stderr, flush=True)
    print(f"{len(wanted)} screens in {time.monotonic() - began_s:.0f} s, {len(faults)} faults")
    return 1 if faults else 0


def _walk_keys(frame: Frame, screen: Screen) -> Iterator[str]:
    name, *steps = screen
    for fault in _walk(frame, steps, _keys_missing):
        yield f"{name}: {fault}"


def _walk_texts(frame: Frame, screen: Screen) -> Iterator[str]:
    name, *steps = screen
    for size in SIZES:
        resize(frame, size)
        for fault in _walk(frame, steps, partial(_texts_wrong, frame)):
            yield f"{name} {size[0]}×{size[1]}: {fault}"


def _walk(frame: Frame, steps: list[Step], look: Look) -> list[str]:
    prepare, tidy = steps
    try:
        frame.activate()
        prepare()
        faults = look()
        tidy()
    except Exception as problem:  # noqa: BLE001 - the others are walked, too
        traceback.print_exception(problem)
        close_others(frame.window)
        return [f"not reached: {problem!r}"]
    return faults


def _keys_missing() -> list[str]:
    faults = _tree() and _tree()  # what is still arriving is no fault
    top = QApplication.activePopupWidget() or QApplication.activeWindow()
    if top is not None and not isinstance(top, QMenu):  # Qt's own keys
        faults += way_faults(top)
    return faults


def _tree() -> list[str]:
    QTest.qWait(SETTLE_MS)
    return [line for window in open_windows() for line in tree_faults(window)]


def _texts_wrong(frame: Frame) -> list[str]:
    QTest.qWait(SETTLE_MS)
    faults = cut_texts()
    if is_pseudo_language():
        content = content_of(frame.app.database, *_invented())
        english = [line for window in open_windows() for line in untranslated_texts(window, content)]
        faults += [f"not translated: {line}" for line in english]
    return faults


@cache
def _invented() -> tuple[str, ...]:
    """Return what the scenes show that is not kept: names of models, servers and files."""
    scenes = sorted(Path(__file__).parent.glob("*_scenes.py"))
    files = (Path(pictures.__file__), Path(tool_server.__file__), *scenes)
    texts = [text for path in files for text in literals_in(path)]
    return (*texts, *MADE, resource_path("models.json").read_text("utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
