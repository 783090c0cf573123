"""Typed text and its requests: translation, language detection, saving in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.events import CancelToken
from app.documents.segments import Content, Segment
from app.features.translate.translation_events import Translated, TranslationEnded, TranslationEvent, TranslationWish
from app.language.words import common_start
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.work.at_hand import ModelAtHand

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.features.translate.translation_jobs import TranslationJobs
    from app.language.language_detection import LanguageDetector


class TextRequestKind(Enum):
    """Requests to the model's worker; only the newest of each kind is answered."""

    TEXT = "text"
    WORDINGS = "wordings"
    """Alternative wordings of a sentence, as texts."""
    BACK = "back"
    """Back translation into the source language; the text so far, repeatedly."""


@dataclass(frozen=True)
class Paragraphs:
    """Paragraphs of a text and its detected language; "" if that is unknown."""

    segments: tuple[Segment, ...]
    source_language: str
    translated: Mapping[int, Translated]


Event = Paragraphs | TranslationEvent | str


class TextWork(ModelAtHand):
    """Requests on typed text; a source language of "" is unknown."""

    def __init__(self, translations: TranslationJobs, parent: QObject) -> None:
        super().__init__(lambda: translations.engines, parent)
        self._translations = translations

    @property
    def is_busy(self) -> bool:
        return self.is_asked(TextRequestKind.TEXT)

    def translate(
        self, text: str, wish: TranslationWish, model: Path, known: Mapping[Content, Translated], source_language: str
    ) -> None:
        """Translate a text in place of any earlier request; `known` holds finished paragraphs by their source."""
        # Wordings and back translation belong to the text before.
        self.stop()
        source, known = wish.source or source_language, dict(known)
        wish = replace(wish, source=source)

        def steps(engine: Engine, stop: CancelToken) -> Iterator[Event]:
            from app.features.translate.live import segments_of, translate_text

            segments = tuple(segments_of(text))
            done = {
                segment.id: replace(known[segment.content], id=segment.id)
                for segment in segments
                if segment.content in known
            }
            # Before any answer, so that known paragraphs are shown while the model is loading.
            yield Paragraphs(segments, source, done)
            if source != wish.target:
                memory = self._translations.words.memory_for(wish, source, model)
                yield from translate_text(text, wish, engine, memory, stop, done=done)

        self.ask(TextRequestKind.TEXT, model, steps)

    def find_alternatives(
        self, sentence: str, paragraph: str, wish: TranslationWish, model: Path, source_language: str, *, current: str
    ) -> int:
        """Request other translations of a sentence than the current one, in the context of its paragraph; return the
        request's number.
        """

        def steps(engine: Engine, stop: CancelToken) -> Iterator[str]:
            from app.features.translate.live import suggest_alternatives

            said = replace(wish, source=source_language)
            return suggest_alternatives(sentence, paragraph, said, engine, stop, current=current)

        return self.ask(TextRequestKind.WORDINGS, model, steps)

    def translate_back(self, text: str, wish: TranslationWish, model: Path, source_language: str) -> None:

        def steps(engine: Engine, stop: CancelToken) -> Iterator[str]:
            from app.features.translate.live import translate_back

            return translate_back(text, replace(wish, source=source_language), engine, stop)

        self.ask(TextRequestKind.BACK, model, steps)

    def is_cut_short(self, event: Event) -> bool:
        return isinstance(event, TranslationEnded) and event.is_partial


class TextLanguage(QObject):
    """Language detection; `found` carries the code of the latest text, "" if it is unknown."""

    found = Signal(str)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._detector: LanguageDetector | None = None
        self._task: tasks.BackgroundTask | None = None
        self._known: tuple[str, tuple[str, ...]] | None = None

    def knows(self, text: str, among: Sequence[str]) -> bool:
        return self._known == (text, tuple(among))

    def detect_language(self, text: str, among: Sequence[str]) -> None:
        """Detect which of these languages a text is in, replacing an earlier request."""
        self.stop()
        asked = text, tuple(among)

        def find(_token: CancelToken) -> str:
            from app.language.language_detection import LanguageDetector  # it loads its model here, on the thread

            self._detector = self._detector or LanguageDetector.shared()
            return self._detector.find_language(*asked)

        def take(code: str) -> None:
            self._task, self._known = None, asked
            self.found.emit(code)

        self._task = tasks.ask(find, self, take, self.failed.emit)

    def stop(self) -> None:
        if self._task is not None:
            self._task.abandon()
            self._task = None

    def rest(self) -> None:
        """Cancel the detection and release the detector, which keeps its model in memory."""
        self.stop()
        self._detector, self._known = None, None


REST_MS = 2_000


@dataclass(frozen=True)
class Typed:
    """Content to save; `target` is "" until the translation is complete."""

    source: str
    target: str
    wish: TranslationWish
    source_language: str
    model: str
    """File name of the model."""


class TextHistory(QObject):
    """Saving of typed text.

    `now` returns the content; `id` is None until it is stored. A text with little in common with the one before gets a
    row of its own.
    """

    kept = Signal(int)

    def __init__(
        self, translations: TranslationJobs, notify: Notify, now: Callable[[], Typed], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._translations, self._notify, self._now = translations, notify, now
        self.id: int | None = None
        self._last: Typed | None = None
        self._later = QTimer(self, singleShot=True, interval=REST_MS)
        self._later.timeout.connect(self.keep_text)

    def begin(self, number: int | None = None) -> None:
        """Switch to another text: a new one, or a stored one."""
        self._later.stop()
        self.id = number
        self._last = self._now() if number is not None else None

    def save_soon(self) -> None:
        """Schedule saving after a change; another change postpones it."""
        self._later.start()

    def keep_text(self) -> None:
        """Save now if anything changed since the last save; errors become notices."""
        self._later.stop()
        typed = self._now()
        if not typed.source.strip() or typed == self._last:
            return
        if self._last is not None and not is_same_text(self._last.source, typed.source):
            self.id = None
        with self._notify.guard():
            stored = self._translations.keep_text(
                typed.source, typed.target, typed.wish, typed.source_language, typed.model, id=self.id
            )
            self.id, self._last = stored.id, typed
            self.kept.emit(stored.id)


def is_same_text(before: str, after: str) -> bool:
    """Return whether one text was edited into the other: they share a paragraph, or half of the shorter one at its
    ends.
    """
    lines = {line.strip() for line in before.splitlines() if line.strip()}
    if any(line.strip() in lines for line in after.splitlines()):
        return True
    shorter = min(len(before), len(after))
    start = common_start(before, after)
    # Start and end must not overlap, as in "aa" and "aaa".
    end = min(common_start(before[::-1], after[::-1]), shorter - start)
    return 2 * (start + end) >= shorter
