"""A page that is gone on with: from the key to the last word, and what is said meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QTextCursor

from app.core.errors import AppError, InfillUnavailable
from app.core.events import CancelToken, FinishReason, PromptProgress, TokenSeen
from app.language.sentences import written_words
from app.ui.i18n import tr
from app.ui.shell.model_loader import ModelLoader, model_name
from app.ui.widgets.labels import announce
from app.ui.work.at_hand import Answer, Ended, ModelAtHand
from app.ui.write.alternatives import Alternatives
from app.ui.write.page_edit import PageEdit

if TYPE_CHECKING:
    from app.engine.client import EngineClient
    from app.features.work.engines import TaskEngines
    from app.features.writing import Continuation, PageAsked, Reading

MEASURE_MS = 500
"""After the last change, tokens are counted."""
MOST_RUNS = 20


class Kind(Enum):
    """What is asked of the model; of each kind only the newest is answered."""

    GO_ON = "go on"
    MEASURE = "measure"


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


@dataclass
class _Asked:
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
    is_begun: bool = False


class Continuing(QObject):
    """Asks, and puts what comes into the page, or into cards where several are wished; keeps what it knows of them.

    `page` says what is in the page now, and how it is to be gone on with.
    """

    changed = Signal()
    """It begins, goes on, ends; or there is something else to say."""
    came = Signal()
    """Something of the model has come: it is awake."""
    began = Signal()
    """A continuation is about to come into the page: what was there before is to be kept."""
    ended = Signal()
    failed = Signal(object)
    """What went wrong; what has come is kept."""
    measured = Signal()
    """`reading` is another."""

    def __init__(
        self,
        edit: PageEdit,
        cards: Alternatives,
        engines: Callable[[], TaskEngines],
        loader: ModelLoader,
        page: Callable[[], PageAsked],
    ) -> None:
        super().__init__(edit)
        self._edit, self._cards, self._engines, self._loader, self._page = edit, cards, engines, loader, page
        self.work = ModelAtHand(engines, self)
        self.work.answered.connect(self._on_answer)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self.changed)
        self._asked: _Asked | None = None
        self._known: dict[str, int] = {}
        self._known_of: Path | None = None
        self._cannot_fill: set[Path | None] = set()
        """Models that said so."""
        self.reading: Reading | None = None
        """What the model would read of the page, or has read; None as long as nobody has counted."""
        self.written_tokens = 0
        """What it has written into the page since."""
        self.runs: list[Run] = []
        """What came into this page since it was opened, the newest last."""
        self._tries = 0
        self._note = ""
        self._later = QTimer(self, singleShot=True, interval=MEASURE_MS)
        self._later.timeout.connect(self._measure)
        cards.chosen.connect(self.choose)
        cards.declined.connect(self.decline)

    # What it does.

    @property
    def is_busy(self) -> bool:
        """Whether something is being written."""
        return self._asked is not None and self.work.is_asked(Kind.GO_ON)

    @property
    def is_choosing(self) -> bool:
        return self._cards.is_open

    @property
    def live(self) -> Continuation | None:
        """What is being written into the page, from its first token on."""
        asked = self._asked
        is_one = asked is not None and self.is_busy and asked.page.options.count == 1 and not asked.head
        one = asked.found.get(0) if asked is not None and is_one else None
        return one if one is not None and one.tokens else None

    @property
    def can_repeat(self) -> bool:
        """Whether the last continuation stands in the page as it came."""
        return not self.is_busy and not self.is_choosing and bool(self.runs) and self.runs[-1].is_whole

    @property
    def words(self) -> str:
        """What is said beside the buttons."""
        asked = self._asked
        if asked is None or not self.is_busy:
            return self._note
        if self._loader.state == "loading" and not asked.found:
            return tr("Waits for the model: {state}", state=self._loader.word)
        waits = next((one.waits for one in asked.found.values() if one.waits), "")
        if waits:
            return tr("Waits: the model is at work elsewhere")
        tokens = [len(one.tokens) for one in asked.found.values()]
        if not sum(tokens):
            read = next((one.read for one in asked.found.values() if one.read), None)
            return _reading_words(read) if asked.reading is not None else self._beginning_words
        if len(asked.found) == 1 and asked.page.options.count == 1:
            return tr("Writing, token {number} of {most}", number=tokens[0], most=asked.page.options.max_tokens)
        done = sum(one.finish_reason is not None for one in asked.found.values())
        return tr("Writing {count}, {done} complete", count=asked.page.options.count, done=done)

    @property
    def _beginning_words(self) -> str:
        path = self._model
        if path is not None and path != self._loader.path:
            return tr("Opening {name}", name=model_name(path))
        return tr("Counting the text")

    def go_on(self) -> None:
        """Continues at the cursor."""
        if not self.is_busy and not self.is_choosing:
            self._tries = 0
            self._edit.leave_selection()
            self._ask(_Asked(self._page()))

    def again(self) -> None:
        """Another one in the place of the last."""
        if self.can_repeat:
            self._tries += 1
            self._ask(_Asked(self._page_without(self.runs[-1]), instead=self.runs[-1]))

    def go_on_from(self, run: Run, head: str, tokens: list[TokenSeen], forced: tuple[int, ...]) -> None:
        """Another one in the place of a continuation, that begins as that did and goes on with these tokens."""
        if not self.is_busy and not self.is_choosing and run in self.runs and run.is_whole:
            page = replace(self._page_without(run, head), forced=forced)
            self._ask(_Asked(page, instead=run, head=head, head_tokens=tokens))

    def _page_without(self, run: Run, head: str = "") -> PageAsked:
        """The page with a continuation cut to its beginning, and the cursor there."""
        page, before = self._page(), self._edit.page.between(0, run.begin.position()) + head
        text = before + self._edit.page.between(run.end.position(), -1)
        options = replace(page.options, count=1)
        return replace(page, text=text, cursor=len(before), options=options, tries=self._tries)

    def _ask(self, asked: _Asked) -> None:
        page = asked.page
        if not page.text[: page.cursor].strip() and not page.fills:
            self._say(tr("Write a few words first; the model goes on with them."))
            return
        if page.fills and self._model in self._cannot_fill:
            page = asked.page = replace(page, fills=False)
        self._note = ""
        self.work.stop(Kind.MEASURE)
        known = self._counted()

        def steps(engine: EngineClient, stop: CancelToken) -> Iterator[Any]:
            from app.features.writing import go_on

            try:
                yield from go_on(engine, page, known, stop)
            except AppError as error:  # the model stays at hand
                yield error

        if self._model in (None, self._loader.path):
            self._loader.expect()
        self._asked = asked
        self.work.ask(Kind.GO_ON, self._model, steps)
        if page.options.count > 1:
            self._cards.begin(page.options.count, is_code=self._edit.is_code)
        self.changed.emit()

    def stop(self, *, takes_rest: bool = True) -> None:
        """What has come stays; with `takes_rest` also what was held back of the last word."""
        asked = self._asked
        if asked is None or not self.is_busy:
            return
        self.work.stop(Kind.GO_ON)
        self._note = tr("Stopped")
        if self.is_choosing:
            if not any(card.written.strip() for card in self._cards.cards):
                self._cards.end()
                self._edit.setFocus()
                self._asked = None
            else:
                self._show_cards(asked)
        else:
            self._finish(asked, FinishReason.CANCELLED, takes_rest=takes_rest)
        self.changed.emit()

    def choose(self, number: int) -> None:
        """One of several comes into the page; those that are still being written end."""
        asked = self._asked
        if asked is None or number >= len(self._cards.cards):
            return
        one = asked.found.get(number)
        if one is None or not one.text:
            return
        self.work.stop(Kind.GO_ON)
        text, tokens = _one_kind_of_line_end(one.text), list(one.tokens)
        self._cards.end()
        self._edit.setFocus()
        self._begin_run(asked)
        self._edit.grow_run(text)
        asked.shown = text
        self.written_tokens = len(tokens)
        self._keep_run(tokens)
        self._end()

    def decline(self) -> None:
        """None of them."""
        self.work.stop(Kind.GO_ON)
        self._cards.end()
        self._edit.setFocus()
        self._note = ""
        self._end()

    def forget(self) -> None:
        """Another page is open."""
        self.work.stop()
        self._later.stop()
        self._cards.end()
        self._edit.page.end_run()
        self._asked = self.reading = None
        self.written_tokens = 0
        self.runs, self._note, self._tries = [], "", 0
        self.changed.emit()

    def on_touched(self) -> None:
        """A person changed the page: what is being written there ends, what is offered goes."""
        if self.is_choosing:
            self.work.stop(Kind.GO_ON)
            self._cards.end()
            self._note = ""
            self._end()
        elif self.is_busy:
            self.stop(takes_rest=False)
        elif self._note:
            self._say("")

    # How much of it is read.

    def measure_soon(self) -> None:
        """Text, cursor, options or model are others."""
        self._later.start()

    def on_model_changed(self) -> None:
        """What was counted was counted by another model."""
        self.reading = None
        self.measured.emit()
        self.measure_soon()

    def rest(self) -> None:
        """Nobody looks at the page: a model of its own need not stay."""
        self._later.stop()
        self.work.rest()

    def _measure(self) -> None:
        """Only where a model is in memory: nobody waits for numbers."""
        loaded = self._loader.model if self._loader.state == "ready" else None
        is_here = loaded is not None and self._model in (None, Path(loaded.path))
        if self.is_busy or not (is_here or self.work.has_model):
            return
        page, known = self._page(), self._counted()

        def steps(engine: EngineClient, stop: CancelToken) -> Iterator[Any]:
            from app.features.writing import measure

            try:
                yield from measure(engine, page, known, stop)
            except AppError:
                return  # the next continuation says it

        self.work.ask(Kind.MEASURE, self._model, steps)

    @property
    def _model(self) -> Path | None:
        """The tab's own model, else the chat's."""
        return self._engines().model()

    def _counted(self) -> dict[str, int]:
        if self._known_of != self._model:
            self._known, self._known_of = {}, self._model
        return self._known

    # What comes.

    def _on_answer(self, answer: Answer) -> None:
        from app.features.writing import Reading

        event = answer.event
        self.came.emit()
        if isinstance(event, Reading):
            self.reading, self.written_tokens = event, 0
            self.measured.emit()
        if answer.kind is not Kind.GO_ON or self._asked is None:
            return
        if isinstance(event, Reading):
            self._asked.reading = event
        elif isinstance(event, AppError):
            self._fail(event)
        elif isinstance(event, tuple):
            self._on_more(self._asked, *event)
        elif isinstance(event, Ended):
            self._on_complete(self._asked)
        self.changed.emit()

    def _on_more(self, asked: _Asked, index: int, one: Continuation) -> None:
        asked.found[index] = one
        if asked.page.options.count > 1:
            self._show_card(index, one)
        else:
            self.written_tokens = len(one.tokens)
            self._show_in_page(asked, one.text, is_all=one.finish_reason is not None)

    def _show_in_page(self, asked: _Asked, text: str, *, is_all: bool) -> None:
        """As much as ends with a whole word."""
        text = _one_kind_of_line_end(text)
        more = text[len(asked.shown) :]
        more = more if is_all else more[: written_words(more)]
        if not more:
            return
        if not asked.is_begun:
            self._begin_run(asked)
            self._edit.grow_run(asked.head)
        self._edit.grow_run(more)
        asked.shown += more

    def _begin_run(self, asked: _Asked) -> None:
        self.began.emit()
        asked.is_begun = True
        instead = asked.instead
        if instead is not None and instead.is_whole:
            self._edit.begin_run((instead.begin.position(), instead.end.position()))
            self.runs.remove(instead)
        else:
            self._edit.begin_run()

    def _show_cards(self, asked: _Asked) -> None:
        for number, one in asked.found.items():
            self._show_card(number, one)

    def _show_card(self, number: int, one: Continuation) -> None:
        is_complete, text = one.finish_reason is not None or not self.is_busy, _one_kind_of_line_end(one.text)
        self._cards.show_one(number, text, one.probability_per_token, len(one.tokens), is_complete=is_complete)

    def _on_complete(self, asked: _Asked) -> None:
        if asked.page.options.count > 1:
            self._show_cards(asked)
            self.ended.emit()
            if not any(card.written.strip() for card in self._cards.cards):
                self.decline()
                self._say(tr("The model wrote nothing here."))
            return
        one = asked.found.get(0)
        self._finish(asked, one.finish_reason if one is not None else None)

    def _finish(self, asked: _Asked, reason: FinishReason | None, *, takes_rest: bool = True) -> None:
        """A single continuation is over."""
        one = asked.found.get(0)
        if one is not None and takes_rest:
            self._show_in_page(asked, one.text, is_all=True)
        if asked.shown:
            self._keep_run([*asked.head_tokens, *(one.tokens if one is not None else ())])
        else:
            self._edit.page.end_run()
        if reason is not FinishReason.CANCELLED:
            self._note = _ending_words(reason, has_text=bool(asked.shown))
        self._end()

    def _keep_run(self, tokens: list[TokenSeen]) -> None:
        start, end = self._edit.page.end_run()
        if start == end:
            return
        begin, behind = QTextCursor(self._edit.document()), QTextCursor(self._edit.document())
        begin.setPosition(start)
        behind.setPosition(end)
        behind.setKeepPositionOnInsert(True)  # what is typed behind it is not a part of it
        text = self._edit.page.between(start, end)
        self.runs = [*self.runs, Run(begin, behind, text, _tokens_of(text, tokens))][-MOST_RUNS:]
        announce(self._edit, text.strip())

    def _fail(self, error: AppError) -> None:
        asked = self._asked
        if isinstance(error, InfillUnavailable):
            self._cannot_fill.add(self._model)
        if self.is_choosing and not any(card.written.strip() for card in self._cards.cards):
            self._cards.end()
            self._edit.setFocus()
        if asked is not None and not self.is_choosing:
            self._finish(asked, FinishReason.CANCELLED)
        self._note = ""
        self.work.stop(Kind.GO_ON)
        self.failed.emit(error)

    def _on_failed(self, error: BaseException) -> None:
        """The model could not be had, or there is a defect."""
        asked = self._asked
        if asked is None:
            return  # only numbers were asked for
        if self.is_choosing and not any(card.written.strip() for card in self._cards.cards):
            self._cards.end()
            self._edit.setFocus()
        if not self.is_choosing:
            self._finish(asked, FinishReason.CANCELLED)
        self._note = ""
        self.failed.emit(error)
        self.changed.emit()

    def _end(self) -> None:
        self._asked = None
        self.ended.emit()
        self.changed.emit()
        self.measure_soon()

    def _say(self, words: str) -> None:
        self._note = words
        self.changed.emit()


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


def _ending_words(reason: FinishReason | None, *, has_text: bool) -> str:
    if not has_text:
        return tr("The model wrote nothing here: for it the text ends at this place.")
    if reason is FinishReason.CONTEXT:
        return tr("The context is full; continue to read on from a later place.")
    return tr("The model ended here by itself.") if reason is FinishReason.STOP else ""
