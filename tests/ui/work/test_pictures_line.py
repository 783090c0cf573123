"""What the line about pictures says and offers, without a window or a child."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.features.page_reading.readings import PicturePages, ReadingMethod, StoredReading
from app.store.document_store import StoredDocument, StoredPageReading
from app.ui.shell.picture_reading import PictureState
from app.ui.theme import Theme
from app.ui.work.picture_reading import (
    ALL_PAGES_ARE_PICTURES,
    CHOOSE_VISION_MODEL,
    FILE_IS_PICTURE,
    NO_TEXT_ON_PAGES,
    PAGE_IS_PICTURE,
    PAGES_ARE_PICTURES,
    PICTURES_PAUSED,
    PicturesLine,
    read_words,
    reading_words,
    unread_words,
)

TESSERACT, EYE = ReadingMethod("tesseract", "tesseract"), ReadingMethod("model", "Eye 2B")


def document(pages: int = 3) -> StoredDocument:
    return StoredDocument(1, "lease.pdf", Path("/lease.pdf"), 1, 1, "ab", "pdf", "page", pages, {}, 0.0)


def state(unread: tuple[int, ...] = (), read: dict[int, StoredPageReading] | None = None, **more: Any) -> PictureState:
    pages = tuple(sorted({*unread, *(read or {})}))
    pictures = PicturePages(pages, more.pop("figures", ()), read or {})
    return PictureState(
        more.pop("document", document()), pictures, more.pop("ways", [EYE]), more.pop("row", None), **more
    )


class Reads(QObject):
    """What reads pictures, as far as the line asks it; `states` by the documents' ids."""

    changed = Signal()
    begin = stop = reveal = staticmethod(lambda *_: None)

    def __init__(self, *states: PictureState) -> None:
        super().__init__()
        self.states = {one.document.id: one for one in states}

    def state_of(self, document: StoredDocument) -> PictureState:
        return self.states[document.id]


def reading(page: int, state: str = "read", *, edited: bool = False) -> StoredPageReading:
    return StoredPageReading(page, "model", "Eye 2B", state, (), is_edited=edited)


@pytest.mark.parametrize(
    ("unread", "pages", "words"),
    [
        ((1, 2, 3), 3, ALL_PAGES_ARE_PICTURES.format(pages="3 pages", name="lease.pdf")),
        ((1,), 1, FILE_IS_PICTURE.format(name="lease.pdf")),
        ((2,), 3, PAGE_IS_PICTURE.format(page=2, name="lease.pdf")),
        ((2, 3), 3, PAGES_ARE_PICTURES.format(pages="2 pages", name="lease.pdf")),
    ],
)
def test_what_was_not_read_is_said(unread: tuple[int, ...], pages: int, words: str) -> None:
    assert unread_words(state(unread, document=document(pages))) == words
    nothing_reads = unread_words(state(unread, document=document(pages), ways=[]))
    assert nothing_reads == f"{words} A vision model can read them, or Tesseract if it’s installed."


def test_how_far_it_is_and_why_it_rests_is_said() -> None:
    row = StoredReading(1, "lease.pdf", "running", None, 0.0, 0.0, 1, EYE, (1, 2, 3), (1,))
    told = state((2, 3), row=row, page=2, number=2, seconds_left=130.0)
    assert reading_words(told) == "Reading the pictures of lease.pdf with Eye 2B · 2 of 3 · about 2 minutes left"
    resting = state((2, 3), row=row, rests=True)
    assert reading_words(resting) == PICTURES_PAUSED.format(name="lease.pdf")


def test_pages_without_a_word_are_no_reading_and_a_model_that_sees_is_offered(qtbot: QtBot) -> None:
    blank = state(read={1: reading(1, "empty"), 2: reading(2, "empty")}, ways=[TESSERACT])
    assert read_words(blank) == NO_TEXT_ON_PAGES.format(way="Eye 2B", pages="2 pages", name="lease.pdf")
    line = PicturesLine(Theme("light"))
    qtbot.addWidget(line)
    line.watch(Reads(blank))  # type: ignore[arg-type]
    line.show_documents([blank.document])
    assert CHOOSE_VISION_MODEL in [button.text() for button in line.findChildren(QPushButton)]


def test_the_one_that_is_being_read_is_told_of_before_the_others(qtbot: QtBot) -> None:
    def named(number: int, **more: Any) -> PictureState:
        return state(document=replace(document(), id=number, name=f"{number}.pdf"), **more)

    row = StoredReading(3, "3.pdf", "running", None, 0.0, 0.0, 1, EYE, (1,), ())
    reads = Reads(
        named(1, read={1: reading(1)}, ways=[]), named(2, unread=(1,), ways=[]), named(3, unread=(1,), row=row, ways=[])
    )
    line = PicturesLine(Theme("light"))
    qtbot.addWidget(line)
    line.watch(reads)  # type: ignore[arg-type]
    line.show_documents([one.document for one in reads.states.values()])
    said = [line.text]
    for number in (3, 2):
        reads.states[number] = named(number, read={1: reading(1)}, ways=[])
        reads.changed.emit()
        said.append(line.text)
    assert [re.search(r"\d\.pdf", text)[0] for text in said] == ["3.pdf", "2.pdf", "1.pdf"]  # type: ignore[index]
