"""Continuations in a page of Write: their ranges and tokens, and the state of one that is being written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QTextCursor

from app.core.events import PromptProgress, TokenSeen
from app.core.lazy_dataclasses import dataclass, field, replace
from app.language.sentences import written_words
from app.ui.i18n import tr
from app.ui.shell.model_about import state_word
from app.ui.shell.model_loader import ModelLoader, model_name
from app.ui.text.formats import selected_text
from app.ui.widgets.labels import announce
from app.ui.write.alternatives import Alternatives
from app.ui.write.page_edit import PageEdit

if TYPE_CHECKING:
    from app.features.continue_page import ContextWindow, Continuation, PageAsked

WAITS_FOR_MODEL_STATE = "Waiting for the model: {state}"

READING = "Reading"

MOST_RUNS = 20


@dataclass
class ContinuationRun:
    """A continuation inserted into the page: its range, its text, and its tokens as the model produced them."""

    begin: QTextCursor
    end: QTextCursor
    text: str
    tokens: list[TokenSeen]

    @property
    def is_whole(self) -> bool:
        """True while the page still holds the continuation unedited."""
        return bool(self.text) and self.current_text == self.text

    @property
    def leading_blanks(self) -> int:
        """Count the bytes of the first token that repeat blanks already in the page."""
        return max(0, b"".join(token.data for token in self.tokens).find(self.text.encode()))

    @property
    def current_text(self) -> str:
        """The text now between `begin` and `end`, edits included."""
        cursor = QTextCursor(self.begin)
        cursor.setPosition(self.end.position(), QTextCursor.MoveMode.KeepAnchor)
        return selected_text(cursor)


class ContinuationRuns(QObject):
    """Continuations inserted since the page was opened (`all`, newest last), and the one being inserted."""

    began = Signal()
    """Emitted before a continuation is inserted, so that the page can be saved as it was."""

    def __init__(self, edit: PageEdit) -> None:
        super().__init__(edit)
        self._edit = edit
        self.all: list[ContinuationRun] = []

    @property
    def is_last_whole(self) -> bool:
        return bool(self.all) and self.all[-1].is_whole

    def begin(self, instead: ContinuationRun | None) -> None:
        """Start inserting: over `instead` if it is unedited, else at the cursor."""
        self.began.emit()
        if instead is not None and instead.is_whole:
            self._edit.begin_run((instead.begin.position(), instead.end.position()))
            self.all.remove(instead)
        else:
            self._edit.begin_run()

    def grow(self, text: str) -> None:
        self._edit.grow_run(text)

    def end(self, tokens: list[TokenSeen]) -> None:
        """Record the finished continuation with its tokens; record nothing if no text came."""
        page = self._edit.page
        start, end = page.end_run()
        if start == end:
            return
        begin, behind = QTextCursor(page), QTextCursor(page)
        begin.setPosition(start)
        behind.setPosition(end)
        behind.setKeepPositionOnInsert(True)  # text typed behind it isn't part of it
        text = page.between(start, end)
        self.all = [*self.all, ContinuationRun(begin, behind, text, _tokens_of(text, tokens))][-MOST_RUNS:]
        announce(self._edit, text.strip())

    def forget(self) -> None:
        """Drop all continuations and end the one being inserted, because another page was opened."""
        self._edit.page.end_run()
        self.all = []

    def page_without(self, run: ContinuationRun, page: PageAsked, head: str = "") -> PageAsked:
        """Return the page with only `head` in place of a continuation, and the cursor behind it, to continue there."""
        before = self._edit.page.between(0, run.begin.position()) + head
        text = before + self._edit.page.between(run.end.position(), -1)
        return replace(page, text=text, cursor=len(before), options=replace(page.options, count=1))


@dataclass
class RunningContinuation:
    """State of the continuation request in progress, or of a parked one."""

    page: PageAsked
    instead: ContinuationRun | None = None
    head: str = ""
    """Text kept from the continuation that is replaced, with its tokens below."""
    head_tokens: list[TokenSeen] = field(default_factory=list)
    shown: str = ""
    """The part of a single continuation already inserted into the page."""
    found: dict[int, Continuation] = field(default_factory=dict)
    reading: ContextWindow | None = None
    number: int = -1
    """Number of the request at the worker; -1 before it is sent."""

    @property
    def is_single(self) -> bool:
        """True if the text goes into the page, False if several go into cards."""
        return self.page.options.count == 1

    @property
    def single(self) -> Continuation | None:
        """The continuation of a single request so far, or None."""
        return self.found.get(0)

    def progress_words(self, loader: ModelLoader, model: Path | None) -> str:
        """Return the progress line: waiting for the model, reading, or the tokens written."""
        if loader.state == "loading" and not self.found:
            return tr(WAITS_FOR_MODEL_STATE, state=state_word(loader))
        if any(continuation.waits for continuation in self.found.values()):
            return tr("Waiting for the model")
        if any(continuation.tokens for continuation in self.found.values()):
            return self._writing_words
        if self.reading is not None:
            return _reading_words(
                next((continuation.read for continuation in self.found.values() if continuation.read), None)
            )
        if model is not None and model != loader.path:
            return tr("Opening {name}", name=model_name(model))
        return tr("Counting the text")

    @property
    def _writing_words(self) -> str:
        continuation, options = self.single, self.page.options
        if continuation is not None and self.is_single:
            return tr("Writing, token {number} of {most}", number=len(continuation.tokens), most=options.max_tokens)
        done = sum(continuation.finish_reason is not None for continuation in self.found.values())
        return tr("Writing {count}, {done} complete", count=options.count, done=done)

    def write(self, runs: ContinuationRuns, text: str, *, is_all: bool) -> None:
        """Insert new text up to the last whole word, or everything if `is_all`."""
        text = _one_kind_of_line_end(text)
        more = text[len(self.shown) :]
        # Half a word would change under the reader's eyes.
        more = more if is_all else more[: written_words(more)]
        if not more:
            return
        if not self.shown:
            # Not before: a request that brings no text leaves page and undo as they are.
            runs.begin(self.instead)
            runs.grow(self.head)
        runs.grow(more)
        self.shown += more

    def show_cards(self, cards: Alternatives, numbers: Iterable[int], *, is_over: bool) -> None:
        for number in numbers:
            continuation = self.found[number]
            text, is_complete = (
                _one_kind_of_line_end(continuation.text),
                is_over or continuation.finish_reason is not None,
            )
            cards.show_one(
                number, text, continuation.probability_per_token, len(continuation.tokens), is_complete=is_complete
            )


def _tokens_of(text: str, tokens: list[TokenSeen]) -> list[TokenSeen]:
    """Return the tokens that cover `text`.

    After a stop there may be more of them; before it, blanks that the page already had.
    """
    data = text.encode()
    begin = max(0, b"".join(token.data for token in tokens).find(data))
    covering: list[TokenSeen] = []
    end = 0
    for token in tokens:
        if end >= begin + len(data):
            break
        end += len(token.data)
        if end > begin:
            covering.append(token)
    return covering


def _one_kind_of_line_end(text: str) -> str:
    return text.replace("\r", "").replace("\u2028", "\n").replace("\u2029", "\n")


def _reading_words(read: PromptProgress | None) -> str:
    if read is None or not read.total_tokens:
        return tr(READING)
    return tr("Reading {percent} %", percent=min(100, read.done_tokens * 100 // read.total_tokens))
