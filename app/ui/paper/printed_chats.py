"""Chats on paper: turns with names, Markdown as paragraphs, lists, tables and code.

Text enters by `insertText` only, as in the window, so that nothing in it becomes markup.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from PySide6.QtGui import QImage, QPagedPaintDevice, QTextBlockFormat

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.features.exchange.chat_export import ExportFinished, ExportProgress
from app.features.exchange.chat_file import ChatArchive
from app.features.exchange.open_branch import INSTRUCTIONS, PICTURE, ExportedTurn, OpenBranch, open_branches
from app.language.scripts import is_right_to_left
from app.store.conversation_row import Conversation
from app.store.media_store import MediaUse
from app.ui.i18n import tr, tr_count
from app.ui.paper.paper_text import NOTE_PT, PaperText, answer_texts
from app.ui.paper.pdf_file import pdf_file
from app.ui.paper.sheets import Sheets
from app.ui.text.paragraph_styles import ProseStyle
from app.ui.text.pieces import StyledSpan
from app.ui.theme import LIGHT
from app.ui.widgets.picture_widgets import read_rows

TITLE = ProseStyle(19, 700)
SMALL = ProseStyle(NOTE_PT, color=LIGHT.muted)
NAME = ProseStyle(10, 650)
BETWEEN_TURNS_PT = 15


class PrintCancelled(Exception):
    """Printing was cancelled; what the device has got is incomplete."""


def _end_if(cancel: CancelToken) -> None:
    if cancel.cancelled:
        raise PrintCancelled


def export_pdf(
    path: Path, chats: Sequence[Conversation], archive: ChatArchive, cancel: CancelToken, *, with_thinking: bool = False
) -> Iterator[ExportProgress | ExportFinished]:
    """Write chats to a PDF file, like `export_chats`. Runs on a thread of its own."""
    title = chats[0].title if len(chats) == 1 else tr_count("1 chat", "{count} chats", len(chats))
    try:
        with pdf_file(path, title) as writer:
            pages, messages = yield from print_chats(writer, chats, archive, cancel, with_thinking=with_thinking)
    except PrintCancelled:
        yield ExportFinished(0, 0, is_cancelled=True)
        return
    yield ExportFinished(len(chats), messages, pages=pages)


def print_chats(
    device: QPagedPaintDevice,
    chats: Sequence[Conversation],
    archive: ChatArchive,
    cancel: CancelToken,
    *,
    with_thinking: bool = False,
    only: tuple[int, int] | None = None,
) -> Generator[ExportProgress, None, tuple[int, int]]:
    """Paint chats on a device, each from a new page; return the numbers of pages and messages.

    `only` as in `Sheets`. Not for the window's thread, as formulas are typeset. Raises PrintCancelled, and OSError if
    the device rejects output.
    """
    total, done = sum(archive.whole.message_count(chat.id) for chat in chats), 0
    yield ExportProgress(0, total)
    title = chats[0].title if len(chats) == 1 else ""
    sheets = Sheets(device, title, is_mirrored=is_right_to_left(title), only=only)
    try:
        for branch in open_branches(chats, archive, with_thinking=with_thinking):
            sheets.new_page()
            sheets.title = branch.title
            _begin(sheets, branch)
            for turn in branch.turns:
                _end_if(cancel)
                _turn(sheets, turn, archive)
                done += 1
                # A chat may grow while it is being printed.
                yield ExportProgress(done, max(done, total))
    finally:
        sheets.end()
    yield ExportProgress(done, done)
    return sheets.page, done


def _begin(sheets: Sheets, branch: OpenBranch) -> None:
    """Write title, facts and instructions of a chat as one document."""
    paper = PaperText(sheets)
    paper.paragraph((StyledSpan(branch.title),), TITLE, _kept_with_next(1))
    for fact in branch.facts:
        paper.paragraph((StyledSpan(fact),), SMALL, gap_pt=4)
    if branch.instructions:
        paper.paragraph((StyledSpan(tr(INSTRUCTIONS)),), SMALL, _kept_with_next(3), gap_pt=10)
        paper.said_small(branch.instructions, quote=1)
    sheets.add(paper.laid_out())


def _turn(sheets: Sheets, turn: ExportedTurn, archive: ChatArchive) -> None:
    paper = PaperText(sheets)
    at = StyledSpan(f"   {turn.at}")
    paper.paragraph((StyledSpan(turn.name),), NAME, _kept_with_next(2), gap_pt=BETWEEN_TURNS_PT)
    paper.go_on((at,), SMALL)
    if turn.thinking.strip():
        paper.paragraph((StyledSpan(turn.thinking_words),), SMALL, _kept_with_next(3), gap_pt=4)
        paper.said_small(turn.thinking, quote=1)
    for use in turn.pictures:
        image = _read(use, archive)
        if image.isNull():
            paper.paragraph((StyledSpan(tr(PICTURE, name=use.name)),), SMALL, gap_pt=4)
        else:
            paper.picture(image)
    if turn.is_question:
        if turn.text.strip():
            paper.typed(turn.text)
    elif turn.text.strip():
        for text in answer_texts(sheets, turn.text, before=paper):
            sheets.add(text)
        # The answer's last document is painted, so the facts need another.
        paper = PaperText(sheets)
    for fact in turn.facts:
        paper.paragraph((StyledSpan(fact),), SMALL, gap_pt=4)
    sheets.add(paper.laid_out())


def _read(use: MediaUse, archive: ChatArchive) -> QImage:
    """Return a picture; a null one if its file is gone."""
    try:
        return read_rows(Path(archive.media.decode_media(use.media).path)) if archive.media is not None else QImage()
    except AppError:
        return QImage()


def _kept_with_next(level: int) -> QTextBlockFormat:
    format_ = QTextBlockFormat()
    # The page breaks keep what has a level with what follows.
    format_.setHeadingLevel(level)
    return format_
