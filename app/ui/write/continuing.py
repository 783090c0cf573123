"""Continue a page of Write: run continuations, report their state, and count how much of the page the model reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QTextCursor

from app.core.errors.app_error import AppError
from app.core.errors.request_errors import InfillUnavailable
from app.core.events import CancelToken, FinishReason, PromptProgress, TokenSeen
from app.language.sentences import written_words
from app.ui.i18n import tr
from app.ui.shared_labels import STOPPED_LABEL
from app.ui.shell.model_about import state_word
from app.ui.shell.model_loader import ModelLoader, model_name
from app.ui.text.formats import selected_text
from app.ui.widgets.labels import announce
from app.ui.work.at_hand import ModelAtHand, WorkEnded, WorkEvent
from app.ui.write.alternatives import Alternatives
from app.ui.write.page_edit import PageEdit

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.features.continue_page import ContextWindow, Continuation, PageAsked
    from app.features.work.task_engines import TaskEngines

WRITE_FIRST = "Write a few words first; the model continues them."
WAITS_FOR_MODEL_STATE = "Waiting for the model: {state}"

READING = "Reading"
TEXT_REPEATED_ITSELF = "The text repeated itself and was stopped."


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


MEASURE_MS = 500
"""Pause after the last edit before tokens are counted."""


class WritingRequestKind(Enum):
    """Requests to the model's worker; only the newest of each kind is answered."""

    GO_ON = "go on"
    MEASURE = "measure"


class PageTokenCounter(QObject):
    """Count how much of the page the model reads, shortly after each edit, without loading a model for it."""

    measured = Signal()
    """`reading` changed."""

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
        """Part of the page the model reads; None until it was counted."""
        self.written_tokens = 0
        """Tokens the model has added to the page since."""
        self._later = QTimer(self, singleShot=True, interval=MEASURE_MS)
        self._later.timeout.connect(self._measure)
        work.answered.connect(self._on_answer)
        loader.changed.connect(self._on_loader_changed)

    @property
    def known(self) -> dict[str, int]:
        """Token counts by text, emptied when the model changes."""
        model = self._engines().model_path()
        # Counts hold for one tokenizer.
        if self._known_of != model:
            self._known, self._known_of = {}, model
        return self._known

    def measure_soon(self) -> None:
        """Restart the timer after text, cursor, options or model changed."""
        self._later.start()

    def on_model_changed(self) -> None:
        """Drop the counts, which are those of the previous model's tokenizer."""
        self.reading = None
        self.measured.emit()
        self.measure_soon()

    def rest(self) -> None:
        """Stop counting while the page is hidden; the next edit starts again."""
        self._later.stop()

    def forget(self) -> None:
        """Drop the counts and the timer, because another page was opened."""
        self._later.stop()
        self.reading, self.written_tokens = None, 0

    def _measure(self) -> None:
        loaded, model = self._loader.model if self._loader.state == "ready" else None, self._engines().model_path()
        is_here = loaded is not None and model in (None, Path(loaded.path))
        # A running continuation reports by itself how much it reads, and counting must not load a model.
        if self._work.is_asked(WritingRequestKind.GO_ON) or not (is_here or self._work.has_model):
            return
        page, known = self._page(), self.known

        def steps(engine: Engine, stop: CancelToken) -> Iterator[Any]:
            from app.features.continue_page import measure_page

            try:
                yield from measure_page(engine, page, known, stop)
            except AppError:
                return  # the next continuation reports it

        self._work.ask(WritingRequestKind.MEASURE, model, steps)

    def _on_loader_changed(self) -> None:
        if self._loader.state == "ready":
            self.measure_soon()

    def _on_answer(self, answer: WorkEvent) -> None:
        from app.features.continue_page import ContextWindow

        if isinstance(answer.event, ContextWindow):
            self.reading, self.written_tokens = answer.event, 0
            self.measured.emit()


class Continuing(QObject):
    """Request continuations and put them into the page, or into cards if several were asked for.

    `page` returns the page's current text and options.
    """

    changed = Signal()
    """The request started, progressed or ended, or `words` changed."""
    came = Signal()
    """Text came from the model, so it is loaded."""
    ended = Signal()
    failed = Signal(object)
    """Carries the error; text received so far is kept."""

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
        self.runs = ContinuationRuns(edit)
        self.work.answered.connect(self._on_answer)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self.changed)
        self._asked: RunningContinuation | None = None
        self._parked: dict[int, RunningContinuation] = {}
        """Parked alternatives by the id of their page."""
        self._cannot_fill: set[Path | None] = set()
        """Models without infill."""
        self._tries = 0
        self._note = ""
        cards.chosen.connect(self.choose)
        cards.declined.connect(self.decline)

    @property
    def is_busy(self) -> bool:
        return self._asked is not None and self.work.is_asked(WritingRequestKind.GO_ON, self._asked.number)

    @property
    def is_choosing(self) -> bool:
        return self._cards.is_open

    @property
    def current_continuation(self) -> Continuation | None:
        """The continuation being inserted, once it has tokens; None for replacements that keep a head."""
        asked = self._asked if self.is_busy else None
        continuation = asked.single if asked is not None and asked.is_single and not asked.head else None
        return continuation if continuation is not None and continuation.tokens else None

    @property
    def can_repeat(self) -> bool:
        """True if the last continuation is still unedited in the page."""
        return not self.is_busy and not self.is_choosing and self.runs.is_last_whole

    @property
    def words(self) -> str:
        """Status text for the line at the buttons: progress while busy, else how it ended."""
        asked = self._asked
        return asked.progress_words(self._loader, self._model) if asked is not None and self.is_busy else self._note

    def go_on(self) -> None:
        """Continue the page at the cursor, or behind the selection."""
        if not self.is_busy and not self.is_choosing:
            self._tries = 0
            self._edit.leave_selection()
            self._ask(RunningContinuation(self._page()))

    def again(self) -> None:
        """Replace the last continuation by another attempt, if it is still unedited."""
        if self.can_repeat:
            self._tries += 1
            self.go_on_from(self.runs.all[-1], "", [], ())

    def go_on_from(self, run: ContinuationRun, head: str, tokens: list[TokenSeen], forced: tuple[int, ...]) -> None:
        """Replace a continuation by one that starts with `head` and is then forced to continue with the tokens
        `forced`.
        """
        if not self.is_busy and not self.is_choosing and run in self.runs.all and run.is_whole:
            page = replace(self.runs.page_without(run, self._page(), head), tries=self._tries, forced=forced)
            if forced:  # they start with the same blanks as the token they replace
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
            from app.features.continue_page import go_on

            try:
                yield from go_on(engine, page, known, stop)
            except AppError as error:  # the model stays loaded
                yield error

        # The chat's model may be asleep; one of the tab's own is loaded by the worker.
        if self._model in (None, self._loader.path):
            self._loader.expect()
        self._asked = asked
        asked.number = self.work.ask(WritingRequestKind.GO_ON, self._model, steps)
        if not asked.is_single:
            self._cards.begin(page.options.count, is_code=self._edit.is_code)
        self.changed.emit()

    def stop(self, *, takes_rest: bool = True) -> None:
        """Stop writing and keep what came; with `takes_rest` also the held-back part of the last word."""
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
        """Insert one of the alternatives into the page and stop those still being written."""
        asked = self._asked
        continuation = asked.found.get(number) if asked is not None and number < len(self._cards.cards) else None
        if asked is None or continuation is None or not continuation.text:
            return
        self._stop_writing()
        self._take_cards()
        asked.write(self.runs, continuation.text, is_all=True)
        self.counting.written_tokens = len(continuation.tokens)
        self.runs.end(list(continuation.tokens))
        self._end()

    def decline(self) -> None:
        self._stop_writing()
        self._take_cards()
        self._note = ""
        self._end()

    def park(self, number: int | None) -> None:
        """Park the alternatives of page `number` while another page is shown; they are still written to their end."""
        if number is not None and self._asked is not None and self.is_choosing:
            self._parked[number], self._asked = self._asked, None
        else:
            self.stop()
        self.forget()

    def resume(self, number: int) -> None:
        """Restore the parked alternatives of a page, if its text hasn't changed since."""
        asked = self._parked.pop(number, None)
        if asked is None or asked.page.text != self._page().text:
            return
        self._asked = asked
        # Nobody asked for them now, so the keyboard stays with the page.
        self._cards.begin(asked.page.options.count, is_code=self._edit.is_code, takes_keyboard=False)
        asked.show_cards(self._cards, asked.found, is_over=not self.is_busy)
        if not self.is_busy and not self._cards.has_words:
            self._cards.end()
            self._asked = None
        self.changed.emit()

    def end(self, number: int | None = None) -> None:
        """Drop the parked alternatives of a deleted page, or of all pages if `number` is None."""
        gone = [number] if number is not None else list(self._parked)
        for task in gone:
            asked = self._parked.pop(task, None)
            if asked is not None and self.work.is_asked(WritingRequestKind.GO_ON, asked.number):
                self.work.stop(WritingRequestKind.GO_ON)

    def _stop_writing(self) -> None:
        if self.is_busy:
            self.work.stop(WritingRequestKind.GO_ON)

    def forget(self) -> None:
        """Stop everything for this page, because another one was opened."""
        self.work.stop(WritingRequestKind.MEASURE)
        self._stop_writing()
        self.counting.forget()
        self.runs.forget()
        self._cards.end()
        self._asked, self._note, self._tries = None, "", 0
        self.changed.emit()

    def rest(self) -> None:
        """Let the worker release a model of its own while the page is hidden."""
        self.counting.rest()
        self.work.rest()

    def on_touched(self) -> None:
        """Stop or discard continuations, because the user edited the page."""
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
        """The tab's model, or the chat's if the tab has none."""
        return self._engines().model_path()

    def _take_cards(self) -> None:
        """Close the cards and return the keyboard focus to the page."""
        self._cards.end()
        self._edit.setFocus()

    def _on_answer(self, answer: WorkEvent) -> None:
        from app.features.continue_page import ContextWindow

        event, asked = answer.event, self._asked
        self.came.emit()
        if answer.kind is not WritingRequestKind.GO_ON:
            return
        if asked is None or asked.number != answer.number:
            # Parked alternatives of another page are still written to their end.
            parked = next((asked for asked in self._parked.values() if asked.number == answer.number), None)
            if parked is not None and isinstance(event, tuple):
                parked.found[event[0]] = event[1]
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

    def _on_more(self, asked: RunningContinuation, index: int, continuation: Continuation) -> None:
        asked.found[index] = continuation
        if asked.is_single:
            self.counting.written_tokens = len(continuation.tokens)
            asked.write(self.runs, continuation.text, is_all=continuation.finish_reason is not None)
        else:
            asked.show_cards(self._cards, [index], is_over=not self.is_busy)

    def _on_complete(self, asked: RunningContinuation) -> None:
        if asked.is_single:
            self._finish(asked, asked.single.finish_reason if asked.single is not None else None)
            return
        asked.show_cards(self._cards, asked.found, is_over=not self.is_busy)
        self.ended.emit()
        if not self._cards.has_words:
            self.decline()
            self._set_note(tr("The model wrote nothing here."))

    def _finish(self, asked: RunningContinuation, reason: FinishReason | None, *, takes_rest: bool = True) -> None:
        """Record a finished single continuation and say why it ended."""
        continuation = asked.single
        if continuation is not None and takes_rest:
            asked.write(self.runs, continuation.text, is_all=True)
        self.runs.end([*asked.head_tokens, *(continuation.tokens if continuation is not None else ())])
        if reason is not FinishReason.CANCELLED:
            self._note = _ending_words(reason, has_text=bool(asked.shown))
        self._end()

    def _on_failed(self, error: BaseException) -> None:
        """Show a failed request; text received so far is kept."""
        asked = self._asked
        if asked is None:
            return  # only a count was requested
        if isinstance(error, InfillUnavailable):
            # So that the next request doesn't ask for it.
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
        # Counting was held off while this was written.
        self.counting.measure_soon()

    def _set_note(self, words: str) -> None:
        self._note = words
        self.changed.emit()


def _ending_words(reason: FinishReason | None, *, has_text: bool) -> str:
    if not has_text:
        return tr("The model wrote nothing: it considers the text finished here.")
    if reason is FinishReason.REPEATED:
        return tr(TEXT_REPEATED_ITSELF)
    if reason is FinishReason.CONTEXT:
        return tr("The context is full. Continue to move it forward.")
    return tr("The model stopped here.") if reason is FinishReason.STOP else ""
