"""The message field: a key in a very long message, the list behind a slash, and spelling."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from comparing import percentile, progress, span
from run import Row
from transcript_bench import FRAME_S, ROUNDS, Opened, long_chat

if TYPE_CHECKING:
    from app.features.spelling import SpellChecker

PROSE = "The quick brown fox jumps over the lazy dog, and some more words follow in this sentence. "
MESSAGE = 100_000
"""Characters."""
PARAGRAPHS = ((MESSAGE, 500), (MESSAGE, 5_000), (40_000, 40_000))
"""Of how many characters a message is, and each of its paragraphs: the last is the longest that the field takes."""
KEYS = "words that somebody types "
TIMES = 8
PROMPTS = 1_000
LISTED_S, WORD_S = 0.1, 0.001


def rows() -> Iterator[Row]:
    """Processor time of the window's thread until the field is painted again: beside others a key may take longer."""
    with long_chat() as here:
        here.window.activateWindow()
        here.chat.focus_composer()
        for characters, each in PARAGRAPHS:
            yield _typed(here, characters, each)
        yield _listed(here)
    yield from _spelled()


def _typed(here: Opened, characters: int, each: int) -> Row:
    from PySide6.QtGui import QTextCursor
    from PySide6.QtTest import QTest

    progress(f"a message of {characters:,} characters")
    paragraph = (PROSE * (each // len(PROSE) + 1))[: each - 1]
    here.chat.composer.set_text("\n".join([paragraph] * (characters // each)))
    edit = here.chat.composer.field.edit
    taken = []
    for place in (QTextCursor.MoveOperation.End, QTextCursor.MoveOperation.Start):
        edit.moveCursor(place)
        here.application.processEvents()
        for letter in KEYS * TIMES:
            taken.append(_taken(here, lambda letter=letter: QTest.keyClick(edit, letter)))  # type: ignore[misc]
    here.chat.composer.set_text("")
    note = f"99th percentile of {len(taken)} keys; median {statistics.median(taken):.4f}, most {max(taken):.4f}"
    name = f"a key in a message of {characters:,} characters, {each:,} a paragraph"
    return Row(name, round(percentile(taken, 0.99), 4), "s", FRAME_S, note, at_most=1.0)


def _listed(here: Opened) -> Row:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    prompts = here.chat._chats.prompts().store
    for number in range(PROMPTS):
        prompts.create(f"Prompt {number}", PROSE * 10 + "{text}")
    edit = here.chat.composer.field.edit
    taken = []
    for _ in range(ROUNDS):
        taken.append(_taken(here, lambda: QTest.keyClick(edit, "/")))
        taken += [_taken(here, lambda letter=letter: QTest.keyClick(edit, letter)) for letter in "prom"]  # type: ignore[misc]
        here.chat.composer.set_text("")
        QTest.keyClick(edit, Qt.Key.Key_Escape)
    name = f"a key that lists what fits of {PROMPTS:,} prompts"
    return Row(name, round(percentile(taken, 0.99), 4), "s", LISTED_S, span(taken), at_most=1.0)


def _taken(here: Opened, press: Callable[[], object]) -> float:
    began_s = time.thread_time()
    press()
    here.application.processEvents()
    return time.thread_time() - began_s


def _spelled() -> Iterator[Row]:
    """With the dictionaries that this computer has; nothing where it has none."""
    from app.features.spelling import SpellChecker

    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder:
        spelling = SpellChecker(Path(folder) / "words.txt")
        if not spelling.languages:
            progress("no dictionary to check spelling with")
            return
        yield _first(spelling)
        text = " ".join(f"{PROSE}It is definately teh {number}th." for number in range(10))
        taken = []
        for _ in range(100):
            began_s = time.perf_counter()
            spelling.find_misspelled(text)
            taken.append(time.perf_counter() - began_s)
        words = len(text.split())
        note = f"of a screen of {words} words"
        yield Row(
            "spelling, a word that was seen before",
            round(statistics.median(taken) / words, 7),
            "s",
            WORD_S,
            note,
            at_most=1.0,
        )
        taken = []
        for number in range(300):
            word = f"{''.join(chr(97 + number * step % 26) for step in range(1, 9))}"
            began_s = time.perf_counter()
            spelling.find_misspelled(f"the {word}")
            taken.append(time.perf_counter() - began_s)
        yield Row(
            "spelling, a word that is new", round(statistics.median(taken), 6), "s", WORD_S, span(taken), at_most=1.0
        )


def _first(spelling: SpellChecker) -> Row:
    began_s = time.perf_counter()
    spelling.find_misspelled(PROSE)
    return Row(
        "spelling, the first sentence of a run, with its dictionary", round(time.perf_counter() - began_s, 3), "s"
    )
