"""Results for a typed text: growing paragraphs, flags, time taken, back translation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.documents.segments import Content, Segment, plain
from app.features.translate.translation_events import (
    FlagKind,
    SegmentDone,
    SegmentGrows,
    Translated,
    TranslationPlanned,
    TranslationSource,
    TranslationWish,
)
from app.features.work.asking import TaskRests
from app.language.language_names import find_language, own_name
from app.language.sentences import written_words
from app.ui.i18n import tr
from app.ui.translate.language_row import Able, Capability, LanguageChoice
from app.ui.translate.text_panes import Paragraph, TextPanes
from app.ui.translate.text_work import Paragraphs, TextRequestKind, TextWork
from app.ui.translate.translation_texts import Remedy, is_rtl, shown_flags, with_term
from app.ui.widgets.labels import announce
from app.ui.work.at_hand import WorkEnded, WorkEvent

if TYPE_CHECKING:
    from app.features.translate.translation_jobs import TranslationJobs


TRANSLATING = "Translating"
TRANSLATED = "Translated"
STOPPED_CAN_CONTINUE = "Stopped · Ctrl+Enter continues"
CHOOSE_OTHER_LANGUAGE = "Choose another language above."
LANGUAGE_ALREADY = "This is already in {language}."
NOT_TRANSLATED = "Not translated"
FLUSH_MS = 33
SLOW_MS = 300
LEAST_TOLD_S = 0.05


class TextAnswers(QObject):
    """Show the results of the translation in the panes. `source_language` is the detected code; "" if it is unknown."""

    begun = Signal()
    completed = Signal()
    """The whole text is translated."""
    changed = Signal()
    """The user accepted a paragraph or applied a glossary term."""
    again_wanted = Signal()

    def __init__(
        self,
        panes: TextPanes,
        choice: LanguageChoice,
        work: TextWork,
        capability: Capability,
        translations: TranslationJobs,
    ) -> None:
        super().__init__(panes)
        self._panes, self._choice, self._work = panes, choice, work
        self._capability, self._translations = capability, translations
        self.paragraphs = TextParagraphs()
        self.source_language = ""
        self._text = ""
        """Source of the paragraphs; the user may have typed more since."""
        self._grown: set[int] = set()
        self._flush_later = QTimer(self, singleShot=True, interval=FLUSH_MS)
        self._flush_later.timeout.connect(self._flush)
        self._slow = QTimer(self, singleShot=True, interval=SLOW_MS)
        self._slow.timeout.connect(self._say_slow)
        work.answered.connect(self._on_answer)
        work.failed.connect(self._on_failed)
        panes.back.toggled.connect(self._on_back_switched)
        panes.target.remedy_wanted.connect(self._on_remedy)

    @property
    def able(self) -> Able:
        """What the model supports; an empty `Able` while that is unknown."""
        return self._capability.able or Able()

    @property
    def is_complete(self) -> bool:
        """True if the current text, not an earlier version of it, is fully translated."""
        return self.paragraphs.is_complete and self._text == self._panes.source.text

    @property
    def wish(self) -> TranslationWish:
        """Options chosen, with the glossary of the language pair."""
        wish = self._choice.wish
        source = wish.source or self.source_language
        if not source or not wish.target or (self.able.knows is not None and not self.able.knows.takes_glossary):
            return wish
        return replace(wish, glossary=self._translations.words.read_glossary(source, wish.target))

    def ask(self, wish: TranslationWish, model: Path) -> None:
        self._slow.start()
        self._work.translate(self._panes.source.text, wish, model, self.paragraphs.known, self.source_language)

    def clear(self, words: str) -> None:
        """Clear the translation and show a hint in its place."""
        self._slow.stop()
        self.source_language = ""
        self._choice.show_detected("")
        self.paragraphs.clear()
        self._panes.target.show_words(words)
        self._panes.show_back(shown=False)
        self._panes.say_back("")
        self._panes.show_state("")

    def know_language(self, code: str) -> None:
        """Set the source language, detected or stated, and show it."""
        self.source_language = code
        self._choice.show_detected(code)

    def show_stored(self, source: str, target: str) -> None:
        if not target:
            return
        from app.features.translate.live import segments_of  # imported only after a translation

        segments, translated = segments_of(source), segments_of(target)
        is_apart = len(segments) != len(translated)
        if is_apart:  # paragraphs don't match the source: shown as they are until the next translation
            source, segments = target, translated
        self._text = self._panes.source.text
        contents = zip(segments, translated, strict=True)
        done = {
            content.id: Translated(content.id, other.content, TranslationSource.MEMORY) for content, other in contents
        }
        self.paragraphs.begin(source, segments, done, self._target_name(), is_apart=is_apart)
        if not is_apart:
            for task in done.values():
                self.paragraphs.take_translated(task)
        self._show_all()
        self._ask_back()

    def target_text(self) -> str:
        """Return the translation, with the source's white space between paragraphs."""
        from app.features.translate.live import join_paragraphs

        if self.paragraphs.is_complete and not self.paragraphs.is_apart:
            return join_paragraphs(self._panes.source.text, self.paragraphs.contents)
        return "\n\n".join(plain(content) for _, content in sorted(self.paragraphs.contents.items()))

    def _on_answer(self, answer: WorkEvent) -> None:
        event = answer.event
        self._slow.stop()
        if answer.kind is TextRequestKind.BACK and isinstance(event, str):
            self._panes.say_back(event)
        elif isinstance(event, Paragraphs):
            self._begin(event)
        elif isinstance(event, TranslationPlanned):
            if event.source:
                self.know_language(event.source)
        elif isinstance(event, TaskRests):
            self._panes.show_state(tr("Waiting for the answer to finish") if event.reason else tr(TRANSLATING))
        elif isinstance(event, SegmentGrows):
            if self.paragraphs.grow(event.id, event.text):
                self._flush_soon(event.id)
        elif isinstance(event, SegmentDone):
            self.paragraphs.take_translated(event.translated)
            self._flush_soon(event.translated.id)
            if self.is_complete:  # the next request may start before this one's end is reported
                self.completed.emit()
        elif isinstance(event, WorkEnded):
            self._end(event)

    def _say_slow(self) -> None:
        if self._work.is_busy:  # it may have been cancelled meanwhile
            self._panes.show_state(tr("Getting the model ready…"))

    def _begin(self, event: Paragraphs) -> None:
        self._grown.clear()
        self._text = self._panes.source.text
        self.paragraphs.begin(self._text, event.segments, event.translated, self._target_name())
        if event.source_language:
            self.know_language(event.source_language)
        self._panes.say_back("")
        self.begun.emit()
        self._panes.show_state(tr(TRANSLATING))
        self._show_all()

    def _end(self, event: WorkEnded) -> None:
        self._flush()
        if not self.paragraphs.is_complete:
            if self.source_language and self.source_language == self._choice.wish.target:
                self._panes.show_state(tr(LANGUAGE_ALREADY, language=own_name(self.source_language)))
                self._panes.target.show_words(tr(CHOOSE_OTHER_LANGUAGE))
            else:
                self._panes.show_state(tr(STOPPED_CAN_CONTINUE))
        # If a newer request is running, its end will report.
        elif not event.is_partial and not self._work.is_busy:
            took = tr("Translated in {seconds} s", seconds=f"{event.seconds:.1f}")
            self._panes.show_state(took if event.seconds >= LEAST_TOLD_S else tr(TRANSLATED))
            announce(self._panes.target, self.target_text())
            self.completed.emit()
            self._ask_back()

    def _on_failed(self) -> None:
        self._slow.stop()
        self._panes.show_state(tr(NOT_TRANSLATED))

    def _on_remedy(self, number: int, name: str) -> None:
        # As named in `TextParagraphs.paragraph`: the remedy and the number of its flag.
        remedy, _, place = name.partition(".")
        translated = self.paragraphs.translated(number)
        is_there = translated is not None and remedy == Remedy.KEEP.value
        if is_there:
            self.paragraphs.accept(number)
        elif translated is not None and remedy == Remedy.USE_TERM.value:
            is_there = self.paragraphs.use_term(number, translated.flags[int(place)].wanted)
        if is_there:
            self._grown.add(number)
            self._flush()
            self.changed.emit()
        else:
            self.paragraphs.forget(number)
            self.again_wanted.emit()

    def _on_back_switched(self, is_on: bool) -> None:
        self._panes.show_back(shown=is_on and bool(self.paragraphs.segments))
        if is_on:
            self._ask_back()
        else:
            self._work.stop(TextRequestKind.BACK)

    def _ask_back(self) -> None:
        """Request the back translation, if it is on and there is something to translate."""
        text, able, is_on = self.target_text(), self.able, self._panes.back.isChecked()
        self._panes.show_back(shown=is_on and bool(self.paragraphs.segments))
        is_wanted = is_on and self.paragraphs.is_complete and bool(text.strip())
        if is_wanted and able.model is not None and able.can(self._choice.wish.target, self.source_language):
            self._work.translate_back(text, self.wish, able.model, self.source_language)

    def _flush_soon(self, number: int) -> None:
        self._grown.add(number)
        if not self._flush_later.isActive():
            self._flush_later.start()

    def _flush(self) -> None:
        self._flush_later.stop()
        for number in sorted(self._grown):
            self.show_again(number)
        self._grown.clear()

    def show_again(self, number: int) -> None:
        paragraph = self.paragraphs.shown_one(number)
        if paragraph is not None:
            self._panes.target.show_paragraph(paragraph)

    def _show_all(self) -> None:
        self._panes.target.show_paragraphs(self.paragraphs.shown(), is_rtl=bool(is_rtl(self._choice.wish.target)))

    def _target_name(self) -> str:
        target = find_language(self._choice.wish.target)
        return tr(target.english) if target is not None else self._choice.wish.target


REMEDIES = (Remedy.AGAIN, Remedy.USE_TERM, Remedy.KEEP)
"""Remedies available where the text isn't edited in place."""


class TextParagraphs:
    """Paragraphs of a translation. `known` caches results by source text, as long as the options stay the same."""

    def __init__(self) -> None:
        self.known: dict[Content, Translated] = {}
        self._segments: tuple[Segment, ...] = ()
        self._gaps: tuple[int, ...] = ()
        self._translated: dict[int, Translated] = {}
        self._growing: dict[int, str] = {}
        self._language = ""
        self.is_apart = False
        """True for stored paragraphs that don't match those of the source one to one."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        return self._segments

    @property
    def is_complete(self) -> bool:
        return bool(self._segments) and all(segment.id in self._translated for segment in self._segments)

    @property
    def contents(self) -> dict[int, Content]:
        return {number: translated.content for number, translated in self._translated.items()}

    def begin(
        self,
        text: str,
        segments: Sequence[Segment],
        done: Mapping[int, Translated],
        language: str,
        *,
        is_apart: bool = False,
    ) -> None:
        """Start another text. `language` is the name of the target language."""
        self.is_apart = is_apart
        self._segments, self._translated, self._growing = tuple(segments), dict(done), {}
        self._gaps = gaps_of(text, segments)
        self._language = language

    def clear(self) -> None:
        self._segments, self._translated, self._growing = (), {}, {}

    def grow(self, number: int, text: str) -> bool:
        """Extend a paragraph being written; return True if more whole words became visible."""
        # Whole words only: half a word would change under the reader's eyes.
        seen = text[: written_words(text)]
        if number in self._translated or seen == self._growing.get(number, ""):
            return False
        self._growing[number] = seen
        return True

    def take_translated(self, translated: Translated) -> None:
        self._translated[translated.id] = translated
        self._growing.pop(translated.id, None)
        segment = self.segment(translated.id)
        # What was left untranslated is asked again by the next request.
        if segment is not None and translated.origin is not TranslationSource.KEPT:
            self.known[segment.content] = translated

    def segment(self, number: int) -> Segment | None:
        """Return a paragraph of the source by its id."""
        return next((segment for segment in self._segments if segment.id == number), None)

    def translated(self, number: int) -> Translated | None:
        return self._translated.get(number)

    def accept(self, number: int) -> None:
        known = self._translated.get(number)
        if known is not None:
            self.take_translated(replace(known, accepted=True))

    def forget(self, number: int) -> None:
        segment = self.segment(number)
        self._translated.pop(number, None)
        if segment is not None:
            self.known.pop(segment.content, None)

    def use_term(self, number: int, wanted: str) -> bool:
        """Insert the glossary's term; return False if it is unclear which words it replaces."""
        known = self._translated.get(number)
        content = with_term(known.content, wanted) if known is not None else None
        if known is None or content is None:
            return False
        flags = tuple(flag for flag in known.flags if flag.kind is not FlagKind.GLOSSARY or flag.wanted != wanted)
        self.take_translated(replace(known, content=content, origin=TranslationSource.EDITED, flags=flags))
        return True

    def reword(self, number: int, text: str) -> None:
        known = self._translated.get(number)
        if known is not None:
            self.take_translated(
                # The user chose these words, so there is nothing left to doubt.
                replace(known, content=(text,), origin=TranslationSource.EDITED, flags=(), accepted=True)
            )

    def shown(self) -> list[Paragraph]:
        return [self.paragraph(place) for place in range(len(self._segments))]

    def shown_one(self, number: int) -> Paragraph | None:
        place = next((place for place, segment in enumerate(self._segments) if segment.id == number), None)
        return None if place is None else self.paragraph(place)

    def paragraph(self, place: int) -> Paragraph:
        segment, gap = self._segments[place], self._gaps[place]
        translated = self._translated.get(segment.id)
        if translated is None:
            return Paragraph(segment.id, gap, self._growing.get(segment.id, ""))
        flags = [
            (
                shown_flag.reason,
                [(f"{remedy.value}.{n}", words) for remedy, words in shown_flag.remedies if remedy in REMEDIES],
            )
            for n, shown_flag in enumerate(shown_flags(segment, translated, self._language))
        ]
        return Paragraph(segment.id, gap, plain(translated.content), True, flags)


def gaps_of(text: str, segments: Sequence[Segment]) -> tuple[int, ...]:
    """Return the number of line breaks before each segment."""
    gaps, end = [], 0
    for segment in segments:
        words = plain(segment.content)
        place = text.find(words, end)
        gaps.append(text.count("\n", end, place) if place >= 0 else 1)
        end = place + len(words) if place >= 0 else end
    return tuple(gaps)
