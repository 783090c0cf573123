"""Keeps typed texts with their translations in the list: when the typing rests, and when one leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import AppError
from app.features.translation.result import TranslationWish
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside

REST_MS = 2_000


@dataclass(frozen=True)
class Typed:
    """What there is to keep; `target` is "" as long as the translation is not complete."""

    source: str
    target: str
    wish: TranslationWish
    source_language: str
    model: str
    """The name of its file."""


class TextHistory(QObject):
    """`now` says what is to be kept; `id` is under which number it is, None before the first time.

    A text that has little of the one before is another one: it gets a row of its own.
    """

    kept = Signal(int)

    def __init__(self, app: Fireside, notify: Notify, now: Callable[[], Typed], parent: QObject) -> None:
        super().__init__(parent)
        self._app, self._notify, self._now = app, notify, now
        self.id: int | None = None
        self._last: Typed | None = None
        self._later = QTimer(self, singleShot=True, interval=REST_MS)
        self._later.timeout.connect(self.keep)

    def begin(self, number: int | None = None) -> None:
        """Another text: a new one, or one of the list as it is stored."""
        self._later.stop()
        self.id = number
        self._last = self._now() if number is not None else None

    def nudge(self) -> None:
        """Something of it is another; it is kept when nothing more happens."""
        self._later.start()

    def keep(self) -> None:
        """Keeps it now, where there is anything that is not kept."""
        self._later.stop()
        typed = self._now()
        if not typed.source.strip() or typed == self._last:
            return
        if self._last is not None and not is_same_text(self._last.source, typed.source):
            self.id = None
        try:
            stored = self._app.translations.keep_text(
                typed.source, typed.target, typed.wish, typed.source_language, typed.model, id=self.id
            )
        except AppError as error:
            self._notify.error(error)
            return
        self.id, self._last = stored.id, typed
        self.kept.emit(stored.id)


def is_same_text(before: str, after: str) -> bool:
    """Whether one came of the other by writing on: a paragraph is the same, or half of the shorter one at its ends."""
    lines = {line.strip() for line in before.splitlines() if line.strip()}
    if any(line.strip() in lines for line in after.splitlines()):
        return True
    shorter = min(len(before), len(after))
    start = _same(before, after)
    end = min(_same(before[::-1], after[::-1]), shorter - start)
    return 2 * (start + end) >= shorter


def _same(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
                min(len(one), len(other)))  # fmt: skip
