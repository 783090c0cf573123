"""Continuations: one that is being written, or several to choose from, and those that stand in the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QTextCursor

from app.core.events import PromptProgress, TokenSeen
from app.language.sentences import written_words
from app.ui.i18n import tr
from app.ui.shell.model_loader import ModelLoader, model_name
from app.ui.widgets.labels import announce
from app.ui.write.alternatives import Alternatives
from app.ui.write.page_edit import PageEdit

if TYPE_CHECKING:
    from app.features.writing import Continuation, PageAsked, Reading

MOST_RUNS = 20


@dataclass
class Run:
    """A continuation as it came into the page: where it stands, and its tokens as the model saw them."""

    begin: QTextCursor
    end: QTextCursor
    text: str
    tokens: list[TokenSeen]

    @property
    def is_whole(self) -> bool:
        """Whether the page still has it as it came."""
        return bool(self.text) and self.now == self.text

    @property
    def now(self) -> str:
        """What stands in its place."""
        cursor = QTextCursor(self.begin)
        cursor.setPosition(self.end.position(), QTextCursor.MoveMode.KeepAnchor)
        return cursor.selectedText().replace("\u2029", "\n").replace("\u2028", "\n")


class Runs(QObject):
    """What came into this page since it was opened (`all`, the newest last), and what comes in now."""

    began = Signal()
    """A continuation is about to come into the page: what was there before is to be kept."""

    def __init__(self, edit: PageEdit) -> None:
        super().__init__(edit)
        self._edit = edit
        self.all: list[Run] = []

    @property
    def is_last_whole(self) -> bool:
        return bool(self.all) and self.all[-1].is_whole

    def begin(self, instead: Run | None) -> None:
        """In the place of another one, where that is as it came, else at the cursor."""
        self.began.emit()
        if instead is not None and instead.is_whole:
            self._edit.begin_run((instead.begin.position(), instead.end.position()))
            self.all.remove(instead)
        else:
            self._edit.begin_run()

    def grow(self, text: str) -> None:
        self._edit.grow_run(text)

    def end(self, tokens: list[TokenSeen]) -> None:
        """It is complete; where nothing came, there is none."""
        page = self._edit.page
        start, end = page.end_run()
        if start == end:
            return
        begin, behind = QTextCursor(page), QTextCursor(page)
        begin.setPosition(start)
        behind.setPosition(end)
        behind.setKeepPositionOnInsert(True)  # what is typed behind it is not a part of it
        text = page.between(start, end)
        self.all = [*self.all, Run(begin, behind, text, _tokens_of(text, tokens))][-MOST_RUNS:]
        announce(self._edit, text.strip())

    def forget(self) -> None:
        """Another page is open."""
        self._edit.page.end_run()
        self.all = []

    def page_without(self, run: Run, page: PageAsked, head: str = "") -> PageAsked:
        """The page with a continuation cut to its beginning, and the cursor there, for one in its place."""
        before = self._edit.page.between(0, run.begin.position()) + head
        text = before + self._edit.page.between(run.end.position(), -1)
        return replace(page, text=text, cursor=len(before), options=replace(page.options, count=1))


@dataclass
class Asked:
    """What is being written now."""

    page: PageAsked
    instead: Run | None = None
    head: str = ""
    """What it keeps of that, and how the model saw it."""
    head_tokens: list[TokenSeen] = field(default_factory=list)
    shown: str = ""
    """What of a single continuation is in the page."""
    found: dict[int, Continuation] = field(default_factory=dict)
    reading: Reading | None = None

    @property
    def is_single(self) -> bool:
        """Whether it goes into the page, and not into cards."""
        return self.page.options.count == 1

    @property
    def one(self) -> Continuation | None:
        """A single one, as far as it has come."""
        return self.found.get(0)

    def words(self, loader: ModelLoader, model: Path | None) -> str:
        """How far it is."""
        if loader.state == "loading" and not self.found:
            return tr("Waits for the model: {state}", state=loader.word)
        if any(one.waits for one in self.found.values()):
            return tr("Waits: the model is at work elsewhere")
        if any(one.tokens for one in self.found.values()):
            return self._writing_words
        if self.reading is not None:
            return _reading_words(next((one.read for one in self.found.values() if one.read), None))
        if model is not None and model != loader.path:
            return tr("Opening {name}", name=model_name(model))
        return tr("Counting the text")

    @property
    def _writing_words(self) -> str:
        one, options = self.one, self.page.options
        if one is not None and self.is_single:
            return tr("Writing, token {number} of {most}", number=len(one.tokens), most=options.max_tokens)
        done = sum(one.finish_reason is not None for one in self.found.values())
        return tr("Writing {count}, {done} complete", count=options.count, done=done)

    def write(self, runs: Runs, text: str, *, is_all: bool) -> None:
        """Into the page, as much as ends with a whole word."""
        text = _one_kind_of_line_end(text)
        more = text[len(self.shown) :]
        more = more if is_all else more[: written_words(more)]
        if not more:
            return
        if not self.shown:
            runs.begin(self.instead)
            runs.grow(self.head)
        runs.grow(more)
        self.shown += more

    def show_cards(self, cards: Alternatives, numbers: Iterable[int], *, is_over: bool) -> None:
        for number in numbers:
            one = self.found[number]
            text, is_complete = _one_kind_of_line_end(one.text), is_over or one.finish_reason is not None
            cards.show_one(number, text, one.probability_per_token, len(one.tokens), is_complete=is_complete)


def _tokens_of(text: str, tokens: list[TokenSeen]) -> list[TokenSeen]:
    """Those that the text came in: stopped, there may be more."""
    size, kept = len(text.encode()), 0
    for number, token in enumerate(tokens):
        if kept >= size:
            return tokens[:number]
        kept += len(token.data)
    return tokens


def _one_kind_of_line_end(text: str) -> str:
    return text.replace("\r", "").replace("\u2028", "\n").replace("\u2029", "\n")


def _reading_words(read: PromptProgress | None) -> str:
    if read is None or not read.total_tokens:
        return tr("Reading")
    return tr("Reading {percent} %", percent=min(100, read.done_tokens * 100 // read.total_tokens))
