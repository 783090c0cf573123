"""Subjects of a page for Inside: the selection, the last continuation, and the page itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.core.events import CancelToken, Guess, PromptProgress, TokenSeen
from app.features.inside.looks import replace_token, tokens_within
from app.ui.i18n import tr
from app.ui.inside.look import MESSAGE, SELECTION, InspectedAnswer, InspectedText, Subjects
from app.ui.shared_labels import WHAT_IS_SELECTED
from app.ui.write.continuation_runs import ContinuationRun
from app.ui.write.continuing import PageContinuation
from app.ui.write.page_edit import PageEdit

if TYPE_CHECKING:
    from app.features.continue_page import Continuation

THE_LAST_CONTINUATION = "The last continuation"

KEPT_ANSWERS = 20
PAGE = "page"
"""Subject of the page up to the cursor, if there is a continuation to show as well."""


class PageSubjects(Subjects):
    """Subjects of a page. A continuation is offered from its first token on; once edited, it is only text."""

    def __init__(self, edit: PageEdit, continuing: PageContinuation, parent: QObject) -> None:
        super().__init__(parent)
        self._edit, self._continuing = edit, continuing
        self._answer: RunAnswer | None = None
        self._before: list[RunAnswer] = []
        self._number = 0
        for signal in (edit.selectionChanged, edit.touched, edit.shown):
            signal.connect(self.changed)
        continuing.changed.connect(self._on_changed)
        self._on_changed()

    def now(self) -> list[InspectedText]:
        edit = self._edit
        cursor = edit.textCursor()
        selected = edit.page.between(cursor.selectionStart(), cursor.selectionEnd()) if cursor.hasSelection() else ""
        found = [InspectedText(SELECTION, tr(WHAT_IS_SELECTED), selected)] if selected else []
        answer, name = self._answer, MESSAGE  # shown until the user chooses another
        if answer is not None and answer.is_there:
            found.append(InspectedText(MESSAGE, tr(THE_LAST_CONTINUATION), answer.text, self._number, answer=answer))
            name = PAGE
        before = edit.page.between(0, cursor.selectionEnd())
        return [*found, InspectedText(name, tr("The page up to the cursor"), before)] if before.strip() else found

    def _on_changed(self) -> None:
        """Update the subject after a continuation started, grew, finished or was chosen."""
        continuation, runs = self._continuing.current_continuation, self._continuing.runs.all
        answer = self._answer
        if continuation is not None:
            if answer is None or answer.continuation is not continuation:
                self._begin().grow(continuation)
                self.changed.emit()
            else:
                answer.grow(continuation)
        elif not runs:
            self._answer = None
            self.changed.emit()
        elif answer is None or answer.run is not runs[-1]:
            if answer is None or answer.continuation is None or answer.run is not None:
                answer = self._begin()
            answer.finish(runs[-1])
            self.changed.emit()

    def _begin(self) -> RunAnswer:
        if self._answer is not None:
            self._before.append(self._answer)  # the panel may still show it
        # As children they would stay as long as the page.
        while len(self._before) > KEPT_ANSWERS:
            self._before.pop(0).deleteLater()
        self._number += 1
        self._answer = RunAnswer(self._continuing, self)
        return self._answer


class RunAnswer(InspectedAnswer):
    """Continuation as a subject: in progress (`live`), then part of the page (`run`)."""

    def __init__(self, continuing: PageContinuation, parent: QObject) -> None:
        super().__init__(parent)
        self._continuing = continuing
        self.continuation: Continuation | None = None
        self.run: ContinuationRun | None = None
        self._seen: list[TokenSeen] = []

    @property
    def is_there(self) -> bool:
        """True while it is being written, and afterwards until it is edited."""
        return self.is_being_written or (self.run is not None and self.run.is_whole)

    @property
    def seen(self) -> Sequence[TokenSeen]:
        return self._seen

    def grow(self, continuation: Continuation) -> None:
        """Take over the tokens so far of a continuation in progress."""
        self.continuation, self.is_being_written = continuation, True
        self._seen = list(continuation.tokens)
        self.grew.emit()

    def finish(self, run: ContinuationRun) -> None:
        """Mark it as complete or stopped, with the text that went into the page."""
        self.run, self.is_being_written, self.text = run, False, run.text
        self._seen = tokens_within(run.tokens, run.text)
        self.grew.emit()

    def read_again(self, cancel: CancelToken) -> Iterator[TokenSeen | PromptProgress]:  # noqa: ARG002
        """Yield the recorded tokens: a continuation always has them, so no model is needed."""
        return iter(self._seen)

    def can_replace(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> bool:
        is_free = self.run is not None and self.run.is_whole and not self._continuing.is_busy
        return is_free and replace_token(self.text, tokens, number, guess) is not None

    def go_on_with(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> None:
        found = replace_token(self.text, tokens, number, guess)
        if self.run is not None and found is not None:
            head, forced = found
            self._continuing.go_on_from(self.run, head, list(tokens[: number + 1 - len(forced)]), forced)
