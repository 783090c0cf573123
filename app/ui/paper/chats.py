"""Chats on paper: what is open in each, turn after turn, on the pages of a PDF file or a printer."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from PySide6.QtGui import QImage, QPagedPaintDevice, QTextBlockFormat

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.exchange.chat_file import Shelf
from app.features.exchange.exporting import ExportFinished, ExportProgress
from app.features.exchange.open_branch import OpenBranch, Turn, open_branches
from app.language.names import is_right_to_left
from app.store.conversations import Conversation
from app.store.media import MediaUse
from app.ui.paper.sheets import Sheets, pdf_file
from app.ui.paper.texts import NOTE_PT, Look, PaperText, answer_texts
from app.ui.text.pieces import Span
from app.ui.theme import LIGHT
from app.ui.widgets.pictures import read_rows

TITLE = Look(19, 700)
SMALL = Look(NOTE_PT, color=LIGHT.muted)
NAME = Look(10, 650)
BETWEEN_TURNS_PT = 15


class PrintCancelled(Exception):
    """What was painted until then is not whole."""


def _end_if(cancel: CancelToken) -> None:
    if cancel.cancelled:
        raise PrintCancelled


def export_pdf(
    path: Path, chats: Sequence[Conversation], shelf: Shelf, cancel: CancelToken, *, with_thinking: bool = False
) -> Iterator[ExportProgress | ExportFinished]:
    """As `export_chats` for what it does not write; for a thread of its own."""
    title = chats[0].title if len(chats) == 1 else f"{len(chats):,} chats"
    try:
        with pdf_file(path, title) as writer:
            pages, messages = yield from print_chats(writer, chats, shelf, cancel, with_thinking=with_thinking)
    except PrintCancelled:
        yield ExportFinished(0, 0, is_cancelled=True)
        return
    yield ExportFinished(len(chats), messages, pages=pages)


def print_chats(
    device: QPagedPaintDevice,
    chats: Sequence[Conversation],
    shelf: Shelf,
    cancel: CancelToken,
    *,
    with_thinking: bool = False,
    only: tuple[int, int] | None = None,
) -> Generator[ExportProgress, None, tuple[int, int]]:
    """Paints chats on a device, each from the top of a page on; returns how many pages and messages.

    `only` as in `Sheets`. Raises PrintCancelled, and OSError where the device takes nothing.
    From any thread but the window's: formulas are typeset.
    """
    total, done = sum(shelf.whole.message_count(chat.id) for chat in chats), 0
    yield ExportProgress(0, total)
    title = chats[0].title if len(chats) == 1 else ""
    sheets = Sheets(device, title, is_mirrored=is_right_to_left(title), only=only)
    try:
        for branch in open_branches(chats, shelf, with_thinking=with_thinking):
            sheets.new_page()
            sheets.title = branch.title
            _begin(sheets, branch)
            for turn in branch.turns:
                _end_if(cancel)
                _turn(sheets, turn, shelf)
                done += 1
                yield ExportProgress(done, max(done, total))
    finally:
        sheets.end()
    yield ExportProgress(done, done)
    return sheets.page, done


def _begin(sheets: Sheets, branch: OpenBranch) -> None:
    """Title, facts and instructions."""
    paper = PaperText(sheets)
    paper.paragraph((Span(branch.title),), TITLE, _kept_with_next(1))
    for fact in branch.facts:
        paper.paragraph((Span(fact),), SMALL, gap_pt=4)
    if branch.instructions:
        paper.paragraph((Span("Instructions"),), SMALL, _kept_with_next(3), gap_pt=10)
        paper.said_small(branch.instructions, quote=1)
    sheets.add(paper.laid_out())


def _turn(sheets: Sheets, turn: Turn, shelf: Shelf) -> None:
    paper = PaperText(sheets)
    at = Span(f"   {turn.at}")
    paper.paragraph((Span(turn.name),), NAME, _kept_with_next(2), gap_pt=BETWEEN_TURNS_PT)
    paper.go_on((at,), SMALL)
    if turn.thinking.strip():
        paper.paragraph((Span(turn.thinking_words),), SMALL, _kept_with_next(3), gap_pt=4)
        paper.said_small(turn.thinking, quote=1)
    for use in turn.pictures:
        image = _read(use, shelf)
        if image.isNull():
            paper.paragraph((Span(f"Picture: {use.name}"),), SMALL, gap_pt=4)
        else:
            paper.picture(image)
    if turn.is_question:
        if turn.text.strip():
            paper.typed(turn.text)
    elif turn.text.strip():
        for text in answer_texts(sheets, turn.text, before=paper):
            sheets.add(text)
        paper = PaperText(sheets)
    for fact in turn.facts:
        paper.paragraph((Span(fact),), SMALL, gap_pt=4)
    sheets.add(paper.laid_out())


def _read(use: MediaUse, shelf: Shelf) -> QImage:
    """A picture, null where it is gone."""
    try:
        return read_rows(Path(shelf.media.shown(use.media).path)) if shelf.media is not None else QImage()
    except AppError:
        return QImage()


def _kept_with_next(level: int) -> QTextBlockFormat:
    format_ = QTextBlockFormat()
    format_.setHeadingLevel(level)
    return format_
