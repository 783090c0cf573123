"""A page that is gone on with: from the key to the last word, and what is said meanwhile; how much of it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
from app.ui.shared_labels import STOPPED_LABEL
from app.ui.shell.model_loader import ModelLoader, model_name
from app.ui.widgets.labels import announce
from app.ui.work.at_hand import ModelAtHand, WorkEnded, WorkEvent
from app.ui.write.alternatives import Alternatives
from app.ui.write.page_edit import PageEdit

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.features.work.engines import TaskEngines
    from app.features.write_pages import ContextWindow, Continuation, PageAsked

WRITE_FIRST = "Write a few words first; the model continues them."
WAITS_FOR_MODEL_STATE = "Waits for the model: {state}"

READING = "Reading"
TEXT_REPEATED_ITSELF = "The text repeated itself and was stopped."


MOST_RUNS = 20


@dataclass
class ContinuationRun:
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
    def leading_blanks(self) -> int:
        """How many of the blanks before it its first token begins with."""
        return max(0, b"".join(token.data for token in self.tokens).find(self.text.encode()))

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
        self.all: list[ContinuationRun] = []

    @property
    def is_last_whole(self) -> bool:
        return bool(self.all) and self.all[-1].is_whole

    def begin(self, instead: ContinuationRun | None) -> None:
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
        self.all = [*self.all, ContinuationRun(begin, behind, text, _tokens_of(text, tokens))][-MOST_RUNS:]
        announce(self._edit, text.strip())

    def forget(self) -> None:
        """Another page is open."""
        self._edit.page.end_run()
        self.all = []

    def page_without(self, run: ContinuationRun, page: PageAsked, head: str = "") -> PageAsked:
        """The page with a continuation cut to its beginning, and the cursor there, for one in its place."""
        before = self._edit.page.between(0, run.begin.position()) + head
        text = before + self._edit.page.between(run.end.position(), -1)
        return replace(page, text=text, cursor=len(before), options=replace(page.options, count=1))


@dataclass
class RunningContinuation:
    """What is being written now."""

    page: PageAsked
    instead: ContinuationRun | None = None
    head: str = ""
    """What it keeps of that, and how the model saw it."""
    head_tokens: list[TokenSeen] = field(default_factory=list)
    shown: str = ""
    """What of a single continuation is in the page."""
    found: dict[int, Continuation] = field(default_factory=dict)
    reading: ContextWindow | None = None
    number: int = -1
    """Of the ask; before that none."""

    @property
    def is_single(self) -> bool:
        """Whether it goes into the page, and not into cards."""
        return self.page.options.count == 1

    @property
    def one(self) -> Continuation | None:
        """A single one, as far as it has come."""
        return self.found.get(0)

    def progress_words(self, loader: ModelLoader, model: Path | None) -> str:
        """How far it is."""
        if loader.state == "loading" and not self.found:
            return tr(WAITS_FOR_MODEL_STATE, state=loader.word)
        if any(continuation.waits for continuation in self.found.values()):
            return tr("Waits: the model is at work elsewhere")
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
        one, options = self.one, self.page.options
        if one is not None and self.is_single:
            return tr("Writing, token {number} of {most}", number=len(one.tokens), most=options.max_tokens)
        done = sum(continuation.finish_reason is not None for continuation in self.found.values())
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
    """Those that the text came in: stopped, there may be more; before it, there may be blanks that stood there."""
    data = text.encode()
    begin = max(0, b"".join(token.data for token in tokens).find(data))
    kept: list[TokenSeen] = []
    end = 0
    for token in tokens:
        if end >= begin + len(data):
            break
        end += len(token.data)
        if end > begin:
            kept.append(token)
    return kept


def _one_kind_of_line_end(text: str) -> str:
    return text.replace("\r", "").replace("\u2028", "\n").replace("\u2029", "\n")


def _reading_words(read: PromptProgress | None) -> str:
    if read is None or not read.total_tokens:
        return tr(READING)
    return tr("Reading {percent} %", percent=min(100, read.done_tokens * 100 // read.total_tokens))


MEASURE_MS = 500
"""After the last change, tokens are counted."""


class WritingRequestKind(Enum):
    """What is asked of the model; of each kind only the newest is answered."""

    GO_ON = "go on"
    MEASURE = "measure"


class PageTokenCounter(QObject):
    """How much of a page the model reads: counted a moment after each change, where a model is in memory anyway."""

    measured = Signal()
    """`reading` is another."""

    def __init__(
        self,
        work: ModelAtHand,
        engines: Callable[[], TaskEngines],
        loader: ModelLoader,
        page: Callable[[], PageAsked],
    ) -> None:
        super().__init__(work)
        self._work, self._engines, self._loader, self._page = work, engines, loader, page
        self._known: dict[str, int] = {}
        self._known_of: Path | None = None
        self.reading: ContextWindow | None = None
        """What the model would read of the page, or has read; None as long as nobody has counted."""
        self.written_tokens = 0
        """What it has written into the page since."""
        self._later = QTimer(self, singleShot=True, interval=MEASURE_MS)
        self._later.timeout.connect(self._measure)
        work.answered.connect(self._on_answer)
        loader.changed.connect(self._on_loader_changed)

    @property
    def known(self) -> dict[str, int]:
        """What the model that would write now has counted."""
        model = self._engines().model_path()
        if self._known_of != model:
            self._known, self._known_of = {}, model
        return self._known

    def measure_soon(self) -> None:
        """Text, cursor, options or model are others."""
        self._later.start()

    def on_model_changed(self) -> None:
        """What was counted was counted by another model."""
        self.reading = None
        self.measured.emit()
        self.measure_soon()

    def rest(self) -> None:
        """Nobody looks at the page."""
        self._later.stop()

    def forget(self) -> None:
        """Another page is open."""
        self._later.stop()
        self.reading, self.written_tokens = None, 0

    def _measure(self) -> None:
        loaded, model = self._loader.model if self._loader.state == "ready" else None, self._engines().model_path()
        is_here = loaded is not None and model in (None, Path(loaded.path))
        if self._work.is_asked(WritingRequestKind.GO_ON) or not (is_here or self._work.has_model):
            return
        page, known = self._page(), self.known

        def steps(engine: Engine, stop: CancelToken) -> Iterator[Any]:
            from app.features.write_pages import measure_page

            try:
                yield from measure_page(engine, page, known, stop)
            except AppError:
                return  # the next continuation says it

        self._work.ask(WritingRequestKind.MEASURE, model, steps)

    def _on_loader_changed(self) -> None:
        if self._loader.state == "ready":
            self.measure_soon()

    def _on_answer(self, answer: WorkEvent) -> None:
        from app.features.write_pages import ContextWindow

        if isinstance(answer.event, ContextWindow):
            self.reading, self.written_tokens = answer.event, 0
            self.measured.emit()


class Continuing(QObject):
    """Asks, and has what comes put into the page, or into cards where several are wished.

    `page` says what is in the page now, and how it is to be gone on with.
    """

    changed = Signal()
    """It begins, goes on, ends; or there is something else to say."""
    came = Signal()
    """Something of the model has come: it is awake."""
    ended = Signal()
    failed = Signal(object)
    """What went wrong; what has come is kept."""

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
        self.counting = PageTokenCounter(self.work, engines, loader, page)
        self.runs = Runs(edit)
        self.work.answered.connect(self._on_answer)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self.changed)
        self._asked: RunningContinuation | None = None
        self._aside: dict[int, RunningContinuation] = {}
        """Continuations to choose from that wait with their page, by its number."""
        self._cannot_fill: set[Path | None] = set()
        """Models that said so."""
        self._tries = 0
        self._note = ""
        cards.chosen.connect(self.choose)
        cards.declined.connect(self.decline)

    # What it does.

    @property
    def is_busy(self) -> bool:
        """Whether something is being written."""
        return self._asked is not None and self.work.is_asked(WritingRequestKind.GO_ON, self._asked.number)

    @property
    def is_choosing(self) -> bool:
        return self._cards.is_open

    @property
    def live(self) -> Continuation | None:
        """What is being written into the page, from its first token on."""
        asked = self._asked if self.is_busy else None
        one = asked.one if asked is not None and asked.is_single and not asked.head else None
        return one if one is not None and one.tokens else None

    @property
    def can_repeat(self) -> bool:
        """Whether the last continuation stands in the page as it came."""
        return not self.is_busy and not self.is_choosing and self.runs.is_last_whole

    @property
    def words(self) -> str:
        """What is said beside the buttons."""
        asked = self._asked
        return asked.progress_words(self._loader, self._model) if asked is not None and self.is_busy else self._note

    def go_on(self) -> None:
        """Continues at the cursor."""
        if not self.is_busy and not self.is_choosing:
            self._tries = 0
            self._edit.leave_selection()
            self._ask(RunningContinuation(self._page()))

    def again(self) -> None:
        """Another one in the place of the last."""
        if self.can_repeat:
            self._tries += 1
            self.go_on_from(self.runs.all[-1], "", [], ())

    def go_on_from(self, run: ContinuationRun, head: str, tokens: list[TokenSeen], forced: tuple[int, ...]) -> None:
        """Another one in the place of a continuation, that begins as that did and goes on with these tokens."""
        if not self.is_busy and not self.is_choosing and run in self.runs.all and run.is_whole:
            page = replace(self.runs.page_without(run, self._page(), head), tries=self._tries, forced=forced)
            if forced:  # which begin with the blanks that the token in their place began with
                page = replace(page, most_blanks=0 if head else run.leading_blanks)
            self._ask(RunningContinuation(page, run, head, tokens))

    def _ask(self, asked: RunningContinuation) -> None:
        page = asked.page
        if not page.text[: page.cursor].strip() and not page.fills:
            self._set_note(tr(WRITE_FIRST))
            return
        if page.fills and self._model in self._cannot_fill:
            page = asked.page = replace(page, fills=False)
        self._note = ""
        self.work.stop(WritingRequestKind.MEASURE)
        known = self.counting.known

        def steps(engine: Engine, stop: CancelToken) -> Iterator[Any]:
            from app.features.write_pages import go_on

            try:
                yield from go_on(engine, page, known, stop)
            except AppError as error:  # the model stays at hand
                yield error

        if self._model in (None, self._loader.path):
            self._loader.expect()
        self._asked = asked
        asked.number = self.work.ask(WritingRequestKind.GO_ON, self._model, steps)
        if not asked.is_single:
            self._cards.begin(page.options.count, is_code=self._edit.is_code)
        self.changed.emit()

    def stop(self, *, takes_rest: bool = True) -> None:
        """What has come stays; with `takes_rest` also what was held back of the last word."""
        asked = self._asked
        if asked is None or not self.is_busy:
            return
        self.work.stop(WritingRequestKind.GO_ON)
        self._note = tr(STOPPED_LABEL)
        if not self.is_choosing:
            self._finish(asked, FinishReason.CANCELLED, takes_rest=takes_rest)
        elif self._cards.has_words:
            asked.show_cards(self._cards, asked.found, is_over=True)
        else:
            self._take_cards()
            self._asked = None
        self.changed.emit()

    def choose(self, number: int) -> None:
        """One of several comes into the page; those that are still being written end."""
        asked = self._asked
        one = asked.found.get(number) if asked is not None and number < len(self._cards.cards) else None
        if asked is None or one is None or not one.text:
            return
        self._stop_writing()
        self._take_cards()
        asked.write(self.runs, one.text, is_all=True)
        self.counting.written_tokens = len(one.tokens)
        self.runs.end(list(one.tokens))
        self._end()

    def decline(self) -> None:
        """None of them."""
        self._stop_writing()
        self._take_cards()
        self._note = ""
        self._end()

    def set_aside(self, number: int | None) -> None:
        """Another page is shown: what can be chosen waits with this one, and is written to its end meanwhile."""
        if number is not None and self._asked is not None and self.is_choosing:
            self._aside[number], self._asked = self._asked, None
        else:
            self.stop()
        self.forget()

    def resume(self, number: int) -> None:
        """A page is shown again; its continuations are there as long as its text is what they go on with."""
        asked = self._aside.pop(number, None)
        if asked is None or asked.page.text != self._page().text:
            return
        self._asked = asked
        self._cards.begin(asked.page.options.count, is_code=self._edit.is_code, takes_keyboard=False)
        asked.show_cards(self._cards, asked.found, is_over=not self.is_busy)
        if not self.is_busy and not self._cards.has_words:
            self._cards.end()
            self._asked = None
        self.changed.emit()

    def end(self, number: int | None = None) -> None:
        """Nothing waits with a page that was deleted; without a number, with none."""
        gone = [number] if number is not None else list(self._aside)
        for each in gone:
            asked = self._aside.pop(each, None)
            if asked is not None and self.work.is_asked(WritingRequestKind.GO_ON, asked.number):
                self.work.stop(WritingRequestKind.GO_ON)

    def _stop_writing(self) -> None:
        """Of this page."""
        if self.is_busy:
            self.work.stop(WritingRequestKind.GO_ON)

    def forget(self) -> None:
        """Another page is open."""
        self.work.stop(WritingRequestKind.MEASURE)
        self._stop_writing()
        self.counting.forget()
        self.runs.forget()
        self._cards.end()
        self._asked, self._note, self._tries = None, "", 0
        self.changed.emit()

    def rest(self) -> None:
        """Nobody looks at the page: a model of its own need not stay."""
        self.counting.rest()
        self.work.rest()

    def on_touched(self) -> None:
        """A person changed the page: what is being written there ends, what is offered goes."""
        if self.is_choosing:
            self._stop_writing()
            self._cards.end()
            self._note = ""
            self._end()
        elif self.is_busy:
            self.stop(takes_rest=False)
        elif self._note:
            self._set_note("")

    @property
    def _model(self) -> Path | None:
        """The tab's own model, else the chat's."""
        return self._engines().model_path()

    def _take_cards(self) -> None:
        """Away; the keyboard is the page's again."""
        self._cards.end()
        self._edit.setFocus()

    # What comes.

    def _on_answer(self, answer: WorkEvent) -> None:
        from app.features.write_pages import ContextWindow

        event, asked = answer.event, self._asked
        self.came.emit()
        if answer.kind is not WritingRequestKind.GO_ON:
            return
        if asked is None or asked.number != answer.number:
            aside = next(
                (
                    running_continuation
                    for running_continuation in self._aside.values()
                    if running_continuation.number == answer.number
                ),
                None,
            )
            if aside is not None and isinstance(event, tuple):
                aside.found[event[0]] = event[1]
            return
        if isinstance(event, ContextWindow):
            asked.reading = event
        elif isinstance(event, AppError):
            self._on_failed(event)
        elif isinstance(event, tuple):
            self._on_more(asked, *event)
        elif isinstance(event, WorkEnded):
            self._on_complete(asked)
        self.changed.emit()

    def _on_more(self, asked: RunningContinuation, index: int, one: Continuation) -> None:
        asked.found[index] = one
        if asked.is_single:
            self.counting.written_tokens = len(one.tokens)
            asked.write(self.runs, one.text, is_all=one.finish_reason is not None)
        else:
            asked.show_cards(self._cards, [index], is_over=not self.is_busy)

    def _on_complete(self, asked: RunningContinuation) -> None:
        if asked.is_single:
            self._finish(asked, asked.one.finish_reason if asked.one is not None else None)
            return
        asked.show_cards(self._cards, asked.found, is_over=not self.is_busy)
        self.ended.emit()
        if not self._cards.has_words:
            self.decline()
            self._set_note(tr("The model wrote nothing here."))

    def _finish(self, asked: RunningContinuation, reason: FinishReason | None, *, takes_rest: bool = True) -> None:
        """A single continuation is over."""
        one = asked.one
        if one is not None and takes_rest:
            asked.write(self.runs, one.text, is_all=True)
        self.runs.end([*asked.head_tokens, *(one.tokens if one is not None else ())])
        if reason is not FinishReason.CANCELLED:
            self._note = _ending_words(reason, has_text=bool(asked.shown))
        self._end()

    def _on_failed(self, error: BaseException) -> None:
        """It cannot be read or written, the model could not be had, or there is a defect."""
        asked = self._asked
        if asked is None:
            return  # only numbers were asked for
        if isinstance(error, InfillUnavailable):
            self._cannot_fill.add(self._model)
        if self.is_choosing and not self._cards.has_words:
            self._take_cards()
        if not self.is_choosing:
            self._finish(asked, FinishReason.CANCELLED)
        self._note = ""
        self.work.stop(WritingRequestKind.GO_ON)
        self.failed.emit(error)
        self.changed.emit()

    def _end(self) -> None:
        self._asked = None
        self.ended.emit()
        self.changed.emit()
        self.counting.measure_soon()

    def _set_note(self, words: str) -> None:
        self._note = words
        self.changed.emit()


def _ending_words(reason: FinishReason | None, *, has_text: bool) -> str:
    if not has_text:
        return tr("The model wrote nothing here: for it the text ends at this place.")
    if reason is FinishReason.REPEATED:
        return tr(TEXT_REPEATED_ITSELF)
    if reason is FinishReason.CONTEXT:
        return tr("The context is full; continue to read on from a later place.")
    return tr("The model stopped here.") if reason is FinishReason.STOP else ""
