"""What the line about pictures says and offers, without a window or a child."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.features.page_reading.readings import Pictures, StoredReading, Way
from app.store.documents import StoredDocument
from app.store.page_readings import PageReading
from app.ui.shell.picture_reading import PictureState
from app.ui.work.pictures import read_words, reading_words, unread_words

TESSERACT, EYE = Way("tesseract", "tesseract"), Way("model", "Eye 2B")


def document(pages: int = 3) -> StoredDocument:
    return StoredDocument(1, "lease.pdf", Path("/lease.pdf"), 1, 1, "ab", "pdf", "page", pages, {}, 0.0)


def state(unread: tuple[int, ...] = (), read: dict[int, PageReading] | None = None, **more: Any) -> PictureState:
    pages = tuple(sorted({*unread, *(read or {})}))
    pictures = Pictures(pages, more.pop("figures", ()), read or {})
    return PictureState(
        more.pop("document", document()), pictures, more.pop("ways", [EYE]), more.pop("row", None), **more
    )


def reading(page: int, state: str = "read", *, edited: bool = False) -> PageReading:
    return PageReading(page, "model", "Eye 2B", state, (), is_edited=edited)


@pytest.mark.parametrize(
    ("unread", "pages", "words"),
    [
        ((1, 2, 3), 3, "All 3 pages of lease.pdf are pictures and were not read."),
        ((1,), 1, "lease.pdf is a picture and was not read."),
        ((2,), 3, "Page 2 of lease.pdf is a picture and was not read."),
        ((2, 3), 3, "2 pages of lease.pdf are pictures and were not read."),
    ],
)
def test_what_was_not_read_is_said(unread: tuple[int, ...], pages: int, words: str) -> None:
    assert unread_words(state(unread, document=document(pages))) == words
    nothing_reads = unread_words(state(unread, document=document(pages), ways=[]))
    assert nothing_reads == f"{words} A model that sees can read them, or the program tesseract where it is installed."


def test_figures_are_said_by_their_number() -> None:
    assert unread_words(state(figures=(2,))) == "1 figure in lease.pdf was not read."
    assert unread_words(state(figures=(2, 2, 3))) == "3 figures in lease.pdf were not read."


def test_how_far_it_is_and_why_it_rests_is_said() -> None:
    row = StoredReading(1, "lease.pdf", "running", None, 0.0, 0.0, 1, EYE, (1, 2, 3), (1,))
    told = state((2, 3), row=row, page=2, number=2, seconds_left=130.0)
    assert reading_words(told) == "Reading the pictures of lease.pdf with Eye 2B · 2 of 3 · about 2 minutes left"
    resting = state((2, 3), row=row, rests=True)
    assert reading_words(resting) == "Reading the pictures of lease.pdf pauses while you chat."


def test_answers_that_are_none_and_corrections_are_said_with_their_pages() -> None:
    read = {1: reading(1), 2: reading(2, "repeated"), 3: reading(3, "empty"), 4: reading(4, "cut", edited=True)}
    assert read_words(state(read=read)) == (
        "4 pages of lease.pdf read from pictures by Eye 2B. Letters may be wrong."
        " The answer repeated itself; what came before is kept: page 2. Without text: page 3. Corrected by you: page 4."
    )
