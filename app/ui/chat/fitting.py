"""How the documents of a draft fit into the model's memory: counted on a thread, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.events import CancelToken
from app.features.chat.answers import Fit
from app.store.conversations import Attachment, Use
from app.ui.shell import tasks

if TYPE_CHECKING:
    from app.features.chat.answers import Chat

AGAIN_MS = 150


@dataclass(frozen=True)
class Draft:
    """What is counted. `chosen` are the ids of attachments that stay background, `first_id` is one that goes first."""

    talk: Chat
    conversation_id: int | None
    system: str
    attachments: tuple[Attachment, ...]
    chosen: frozenset[int] = frozenset()
    first_id: int = 0


@dataclass(frozen=True)
class Fitted:
    """An attachment as it is used now, and how it fits."""

    attachment: Attachment
    fit: Fit


class Fitting(QObject):
    """One counting at a time; a new one replaces it. `is_free` says whether the model can be asked now."""

    fitted = Signal(object)
    """`Fitted`, one after the other."""
    ended = Signal()
    """All that could be counted was."""
    failed = Signal(object)

    def __init__(self, is_free: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._is_free = is_free
        self._draft: Draft | None = None
        self._task: tasks.Task | None = None
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self._begin)

    @property
    def is_counting(self) -> bool:
        """Whether something is still to be counted."""
        return self._task is not None or self._draft is not None

    @property
    def is_asking(self) -> bool:
        """Whether the model's tokenizer is at work for this."""
        return self._task is not None

    def look(self, draft: Draft | None) -> None:
        """Counts this draft as soon as it can be; None: nothing any more."""
        self._draft = draft if draft is not None and draft.attachments else None
        if self._task is not None:
            self._task.cancel()  # the next one begins when it has ended
        else:
            self._begin()

    def _begin(self) -> None:
        draft = self._draft
        if draft is None or self._task is not None:
            return
        if not self._is_free():
            self._again.start()
            return
        self._draft = None
        task = self._task = tasks.run(lambda token: fits_of(draft, token), self)
        task.event.connect(self._on_fitted)
        task.finished.connect(lambda: self._on_end(None))
        task.failed.connect(self._on_end)

    def _on_fitted(self, fitted: Fitted) -> None:
        if self._draft is None:
            self.fitted.emit(fitted)

    def _on_end(self, error: BaseException | None) -> None:
        self._task = None
        if self._draft is not None:
            self._begin()
        elif error is not None:
            self.failed.emit(error)
        else:
            self.ended.emit()


def fits_of(draft: Draft, cancel: CancelToken) -> Iterator[Fitted]:
    """Decides in order which documents are shown whole; what does not fit becomes background by itself."""
    store = draft.talk.documents.attachments
    attachments = sorted(draft.attachments, key=lambda one: one.id != draft.first_id)
    for one in attachments:  # what is shown whole would count against those before it
        store.set_use(one.id, Use.BACKGROUND if one.id in draft.chosen else Use.UNDECIDED)
    for one in attachments:
        fit = None if cancel.cancelled else _fit(draft, one)
        if fit is None or cancel.cancelled:  # sent meanwhile, or taken away: the answer decides about what is left
            return
        use = Use.WHOLE if fit.is_whole and one.id not in draft.chosen else Use.BACKGROUND
        store.set_use(one.id, use)
        yield Fitted(replace(one, use=use), fit)


def _fit(draft: Draft, one: Attachment) -> Fit | None:
    try:
        return draft.talk.fit_of(one, draft.conversation_id, draft.system)
    except KeyError:  # it was taken away meanwhile
        return None
