"""Threads and timers of a typed text: its language is detected, it is translated, put in other words, and saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.events import CancelToken
from app.features.file_reading import ReportError, SaveLater
from app.features.translate import text_session as t
from app.features.translate.translation_events import TranslationEnded, TranslationEvent, TranslationWish
from app.ui.shell import tasks
from app.ui.widgets.timers import new_timer
from app.ui.work.at_hand import ModelAtHand, WorkEnded, WorkEvent

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.features.translate.translation_jobs import TranslationJobs
    from app.language.language_detection import LanguageDetector

PAUSE_MS = 600
REST_MS = 2_000


class TextRequestKind(Enum):
    """Requests to the model's worker; only the newest of each kind is answered."""

    TEXT = "text"
    WORDINGS = "wordings"
    """Alternative wordings of a sentence, as texts."""
    BACK = "back"
    """Back translation into the source language; the text so far, repeatedly."""


class TextWork(ModelAtHand):
    """Starts what the session of a typed text asks for, and tells it the events."""

    stopped = Signal()
    """All that was asked about the text was stopped."""

    def __init__(self, translations: TranslationJobs, session: t.TextSession, parent: QObject) -> None:
        super().__init__(lambda: translations.engines, parent)
        self._translations, self._session = translations, session
        self._runs: dict[TextRequestKind, int] = {}
        """The session's numbers of the newest requests."""
        self._detector: LanguageDetector | None = None
        self._detecting: tasks.BackgroundTask | None = None
        self.pause = new_timer(self, PAUSE_MS, lambda: session.dispatch(t.TranslateNow()))
        self._save = new_timer(self, REST_MS, lambda: session.dispatch(t.SaveText()))
        session.serve(
            {
                t.TranslateLater: lambda _effect: self.pause.start(),
                # Another change postpones it.
                SaveLater: lambda _effect: self._save.start(),
                t.DetectLanguage: self._detect_language,
                t.TranslateText: self._translate,
                t.TranslateBack: self._translate_back,
                t.StopWork: lambda _effect: self._stop_all(),
                t.StopBack: lambda _effect: self.stop(TextRequestKind.BACK),
            }
        )
        self.answered.connect(self._on_answered)
        self.failed.connect(lambda _error: session.dispatch(t.WorkFailed()))

    @property
    def is_busy(self) -> bool:
        return self.is_asked(TextRequestKind.TEXT)

    def find_alternatives(
        self, sentence: str, paragraph: str, wish: TranslationWish, model: Path, source_language: str, *, current: str
    ) -> int:
        """Request other translations of a sentence than the current one, in the context of its paragraph; return the
        request's number.
        """

        def steps(engine: Engine, stop: CancelToken) -> Iterator[str]:
            from app.features.translate.live import suggest_alternatives

            said = replace(self.whole_wish(wish, source_language), source=source_language)
            return suggest_alternatives(sentence, paragraph, said, engine, stop, current=current)

        return self.ask(TextRequestKind.WORDINGS, model, steps)

    def rest_all(self) -> None:
        """Release the model, and the language detector, which keeps its own in memory."""
        self._detector = None
        self.rest()

    def is_cut_short(self, event: TranslationEvent | t.ParagraphsFound | str) -> bool:
        return isinstance(event, TranslationEnded) and event.is_partial

    def _stop_all(self) -> None:
        self.pause.stop()
        if self._detecting is not None:
            self._detecting.abandon()
            self._detecting = None
        self.stop()
        self.stopped.emit()

    def whole_wish(self, wish: TranslationWish, source_language: str) -> TranslationWish:
        """Return the wish with the glossary of its pair, where the model takes one."""
        source, able = wish.source or source_language, self._session.state.able
        if not source or not wish.target or not (able is None or able.knows is None or able.knows.takes_glossary):
            return wish
        return replace(wish, glossary=self._translations.words.read_glossary(source, wish.target))

    def _translate(self, effect: t.TranslateText) -> None:
        source, words = effect.wish.source or effect.source_language, self._translations.words
        wish = replace(self.whole_wish(effect.wish, effect.source_language), source=source)

        def steps(engine: Engine, stop: CancelToken) -> Iterator[TranslationEvent | t.ParagraphsFound]:
            from app.features.translate.live import segments_of, translate_text

            segments, known = tuple(segments_of(effect.text)), effect.known
            done = {
                segment.id: replace(known[segment.content], id=segment.id)
                for segment in segments
                if segment.content in known
            }
            # Before any answer, so that known paragraphs are shown while the model is loading.
            yield t.ParagraphsFound(effect.run, segments, source, done)
            if source != wish.target:
                memory = words.memory_for(wish, source, effect.model)
                yield from translate_text(effect.text, wish, engine, memory, stop, done=done)

        self._runs[TextRequestKind.TEXT] = effect.run
        self.ask(TextRequestKind.TEXT, effect.model, steps)

    def _translate_back(self, effect: t.TranslateBack) -> None:
        wish = replace(self.whole_wish(effect.wish, effect.source_language), source=effect.source_language)

        def steps(engine: Engine, stop: CancelToken) -> Iterator[str]:
            from app.features.translate.live import translate_back

            return translate_back(effect.text, wish, engine, stop)

        self._runs[TextRequestKind.BACK] = effect.run
        self.ask(TextRequestKind.BACK, effect.model, steps)

    def _on_answered(self, answer: WorkEvent) -> None:
        event, run = answer.event, self._runs.get(answer.kind, 0)
        if answer.kind is TextRequestKind.BACK and isinstance(event, str):
            self._session.dispatch(t.BackProgressed(run, event))
        elif answer.kind is TextRequestKind.TEXT and isinstance(event, t.ParagraphsFound):
            self._session.dispatch(event)
        elif answer.kind is TextRequestKind.TEXT and isinstance(event, WorkEnded):
            self._session.dispatch(t.TextEnded(run, event.is_partial, event.seconds))
        elif answer.kind is TextRequestKind.TEXT:
            self._session.dispatch(t.TextProgressed(run, event))

    def _detect_language(self, effect: t.DetectLanguage) -> None:
        def find(_token: CancelToken) -> str:
            from app.language.language_detection import LanguageDetector  # it loads its model here, on the thread

            self._detector = self._detector or LanguageDetector.shared()
            return self._detector.find_language(effect.text, effect.languages)

        def on_found(code: str) -> None:
            self._detecting = None
            self._session.dispatch(t.LanguageFound(effect.number, code))

        def on_failed(error: BaseException) -> None:
            self._session.dispatch(ReportError(error))

        self._detecting = tasks.ask(find, self, on_found, on_failed)
