"""Continue a page of Write: put what the model writes into the page or into cards, and report its state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.errors.app_error import AppError
from app.core.errors.request_errors import InfillUnavailable
from app.core.events import FinishReason, TokenSeen
from app.ui.i18n import tr
from app.ui.shared_labels import STOPPED_LABEL
from app.ui.shell.model_loader import ModelLoader
from app.ui.work.at_hand import WorkEnded, WorkEvent
from app.ui.write.alternatives import Alternatives
from app.ui.write.continuation_requests import ContinuationRequests, WritingRequestKind
from app.ui.write.continuation_runs import ContinuationRun, ContinuationRuns, RunningContinuation
from app.ui.write.page_edit import PageEdit

if TYPE_CHECKING:
    from app.features.continue_page import Continuation, PageAsked
    from app.features.work.task_engines import TaskEngines

WRITE_FIRST = "Write a few words first; the model continues them."
TEXT_REPEATED_ITSELF = "The text repeated itself and was stopped."


class PageContinuation(QObject):
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
        self._edit, self._cards, self._loader, self._page = edit, cards, loader, page
        self.requests = ContinuationRequests(engines, loader, page, self)
        self.work, self.counting = self.requests.work, self.requests.counting
        self.runs = ContinuationRuns(edit)
        self.work.answered.connect(self._on_answer)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self.changed)
        self._asked: RunningContinuation | None = None
        self._tries = 0
        self._note = ""
        cards.chosen.connect(self.choose)
        cards.declined.connect(self.decline)

    @property
    def is_busy(self) -> bool:
        return self.requests.is_running(self._asked)

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
        return (
            asked.progress_words(self._loader, self.requests.model)
            if asked is not None and self.is_busy
            else self._note
        )

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
            self._note = tr(WRITE_FIRST)
            self.changed.emit()
            return
        self._note, self._asked = "", asked
        self.requests.send(asked)
        if not asked.is_single:
            self._cards.begin(page.options.count, is_code=self._edit.is_code)
        self.changed.emit()

    def stop(self, *, takes_rest: bool = True) -> None:
        """Stop writing and keep what came; with `takes_rest` also the held-back part of the last word."""
        if (asked := self._asked) is None or not self.is_busy:
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
        self.requests.stop(self._asked)
        self._take_cards()
        asked.write(self.runs, continuation.text, is_all=True)
        self.counting.written_tokens = len(continuation.tokens)
        self.runs.end(list(continuation.tokens))
        self._end()

    def decline(self) -> None:
        self.requests.stop(self._asked)
        self._take_cards()
        self._note = ""
        self._end()

    def park(self, number: int | None) -> None:
        """Park the alternatives of page `number` while another page is shown; they are still written to their end."""
        if number is not None and self._asked is not None and self.is_choosing:
            self.requests.park(number, self._asked)
            self._asked = None
        else:
            self.stop()
        self.forget()

    def resume(self, number: int) -> None:
        """Restore the parked alternatives of a page, if its text hasn't changed since."""
        if (asked := self.requests.unpark(number)) is None or asked.page.text != self._page().text:
            return
        self._asked = asked
        # Nobody asked for them now, so the keyboard stays with the page.
        self._cards.begin(asked.page.options.count, is_code=self._edit.is_code, takes_keyboard=False)
        asked.show_cards(self._cards, asked.found, is_over=not self.is_busy)
        if not self.is_busy and not self._cards.has_words:
            self._cards.end()
            self._asked = None
        self.changed.emit()

    def forget(self) -> None:
        """Stop everything for this page, because another one was opened."""
        self.work.stop(WritingRequestKind.MEASURE)
        self.requests.stop(self._asked)
        self.counting.forget()
        self.runs.forget()
        self._cards.end()
        self._asked, self._note, self._tries = None, "", 0
        self.changed.emit()

    def on_touched(self) -> None:
        """Stop or discard continuations, because the user edited the page."""
        if self.is_choosing:
            self.requests.stop(self._asked)
            self._cards.end()
            self._note = ""
            self._end()
        elif self.is_busy:
            self.stop(takes_rest=False)
        elif self._note:
            self._note = ""
            self.changed.emit()

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
            self.requests.add_to_parked(answer)
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
            self._note = tr("The model wrote nothing here.")

    def _finish(self, asked: RunningContinuation, reason: FinishReason | None, *, takes_rest: bool = True) -> None:
        """Record a finished single continuation and say why it ended."""
        if (continuation := asked.single) is not None and takes_rest:
            asked.write(self.runs, continuation.text, is_all=True)
        self.runs.end([*asked.head_tokens, *(continuation.tokens if continuation is not None else ())])
        if reason is not FinishReason.CANCELLED:
            self._note = _ending_words(reason, has_text=bool(asked.shown))
        self._end()

    def _on_failed(self, error: BaseException) -> None:
        """Show a failed request; text received so far is kept."""
        if (asked := self._asked) is None:
            return  # only a count was requested
        if isinstance(error, InfillUnavailable):
            self.requests.ask_no_infill()
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


def _ending_words(reason: FinishReason | None, *, has_text: bool) -> str:
    if not has_text:
        return tr("The model wrote nothing: it considers the text finished here.")
    if reason is FinishReason.REPEATED:
        return tr(TEXT_REPEATED_ITSELF)
    if reason is FinishReason.CONTEXT:
        return tr("The context is full. Continue to move it forward.")
    return tr("The model stopped here.") if reason is FinishReason.STOP else ""
