"""Page for typed text: two panes with languages above, translated as typing pauses, and saved in the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

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
from app.ui.shared_labels import OPEN_DOCUMENT
from app.ui.shell.desktop import copy_text
from app.ui.shell.keyboard import with_keys
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import EDGE_PX, TOP_PX
from app.ui.translate.language_row import Able, Capability, LanguageChoice, LastWish, NeedsModel
from app.ui.translate.text_panes import Paragraph, Selected, TextPanes, sentence_like
from app.ui.translate.text_work import Paragraphs, TextHistory, TextLanguage, TextRequestKind, TextWork, Typed
from app.ui.translate.translation_texts import Remedy, is_rtl, shown_flags, with_term
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce
from app.ui.widgets.layouts import scrolled
from app.ui.work.at_hand import WorkEnded, WorkEvent

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection
    from app.features.translate.translation_jobs import TranslationJobs

TRANSLATING = "Translating"
TRANSLATED = "Translated"
STOPPED_CAN_CONTINUE = "Stopped · Ctrl+Enter continues"
TRANSLATION_COPIED = "Translation copied"
CHOOSE_OTHER_LANGUAGE = "Choose another language above."
LANGUAGE_ALREADY = "This is already in {language}."
NOT_TRANSLATED = "Not translated"


PAUSE_MS = 600
SMALL_PX = 520
LEAST_PX = 150
"""Minimum height of the panes; in lower windows the page scrolls."""
FORMATS = (
    "Or drop a document anywhere in the window. Word, PowerPoint, Excel, OpenDocument, e-books, web "
    "pages, Markdown, subtitles, PO, JSON, YAML, CSV and plain text keep their layout. A PDF becomes a "
    "new document."
)


class TextPage(QWidget):
    """Page of a typed text, saved in the history or new."""

    list_changed = Signal()
    shown_changed = Signal(object)
    """Id of the text in the history; None if it isn't saved."""

    def __init__(self, translations: TranslationJobs, models: ModelCollection, last: LastWish, ui: UiContext) -> None:
        super().__init__()
        self._translations, self._last, self._ui, self._theme = translations, last, ui, ui.theme
        self._is_small = False
        self.capability = Capability(translations, ui.notify, self)
        self.language = TextLanguage(self)
        self.work = TextWork(translations, self)
        self.choice = LanguageChoice(ui.theme)
        self.open = text_button(tr(OPEN_DOCUMENT), "plain")
        self.open.setToolTip(with_keys(tr("Open a document, or drop it anywhere in the window"), "attach"))
        self.needs = NeedsModel(models, ui)
        self.panes = TextPanes(ui.theme, self.needs)
        ui.notify.bar.stand_above(self.panes.count, self.panes.copy)
        self.panes.hint.setText(tr(FORMATS))
        self.answers = TextAnswers(self.panes, self.choice, self.work, self.capability, translations)
        self.rewording = TextRewording(self.panes, self.answers, self.work)
        self.history = TextHistory(translations, ui.notify, self.typed, self)
        self.pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self.pause.timeout.connect(self.translate)
        self._lay_out()
        self.setFocusProxy(self.panes.source)
        self._connect()
        self.choice.show_wish(last.wish)
        self._show_size(is_small=False)
        self.show_new()

    # Display.

    def show_new(self, text: str = "") -> None:
        """Show an empty page, or a text that is translated at once."""
        self.close_text()
        self.panes.source.show_text(text)
        # Target and tone stay for the next text, while source language and topic belong to the last.
        self.choice.show_wish(replace(self.choice.wish, source="", domain=""))
        self._forget()
        self.history.begin()
        self.shown_changed.emit(None)
        if text:
            self.translate()

    def _on_clear(self) -> None:
        """Clear the page and offer Undo; the text stays in the history, or is restored from memory if it couldn't be
        saved.
        """
        self.history.keep_text()
        text, number = self.panes.source.text, self.history.id

        def put_back() -> None:
            if not self.panes.source.text.strip():
                self.panes.source.show_text(text)
                self._on_typed()

        self.show_new()
        self.take_keyboard()
        if number is not None:
            self._ui.notify.undo(tr("Text cleared. It’s in your history."), lambda: self.show_text(number))
        else:
            self._ui.notify.undo(tr("Text cleared."), put_back)

    def show_text(self, number: int) -> None:
        """Show a text of the history as it was left."""
        if number == self.history.id:
            return
        self.close_text()
        with self._ui.notify.guard():
            stored = self._translations.get(number)
            if stored is None:
                self.show_new()
                return
            source, target = self._translations.typed_text(number)
            self.choice.show_wish(stored.wish)
            # Its target was chosen back then, so the usual one doesn't replace it.
            self.choice.is_target_chosen = True
            self.panes.source.show_text(source)
            self._forget()
            self.answers.know_language(stored.source_language)
            self.panes.show_needs(needed=False)
            self.answers.show_stored(source, target)
            self.history.begin(number)
            self.shown_changed.emit(number)
            # It was left before its translation was complete.
            if source.strip() and not target:
                self.translate()

    def close_text(self) -> None:
        """Cancel all requests and save the text, before another one, another tab, or closing."""
        self._stop()
        self.work.stop()
        self.history.keep_text()

    def forget(self) -> None:
        """Clear the page without saving, because its text was deleted."""
        self.history.begin()
        self.panes.source.show_text("")

    def take_keyboard(self) -> None:
        self.panes.source.setFocus(Qt.FocusReason.OtherFocusReason)

    def typed(self) -> Typed:
        answers = self.answers
        # Half a translation isn't saved as if it were all.
        target = answers.target_text() if answers.is_complete else ""
        model = answers.able.model.name if answers.able.model is not None else ""
        return Typed(self.panes.source.text, target, self.choice.wish, answers.source_language, model)

    # Requests.

    def translate(self) -> None:
        self.pause.stop()
        self.work.stop()
        self.language.stop()
        text, languages = self.panes.source.text, self.answers.able.languages
        if not text.strip():
            self._forget()
        elif self.choice.wish.source or self.language.knows(text, languages):
            self._translate()
        else:
            self.language.detect_language(text, languages)

    def _on_language(self, code: str) -> None:
        self.answers.source_language = code
        self.choice.show_detected(code)
        self._translate()

    def _translate(self) -> None:
        if self.choice.show_usual_target(self._last.target):
            # Finished paragraphs are for the target before.
            self.answers.paragraphs.known.clear()
        wish, able = self.answers.wish, self.capability.able
        if able is None:
            return  # the capability is being looked up, and its answer calls this again
        if able.model is None or not able.can(wish.source, wish.target):
            self.panes.show_needs(needed=True)
            self.needs.find_model(able.missing(wish.source or self.answers.source_language, wish.target))
            self.panes.show_state("")
            self.history.save_soon()
            return
        self.panes.show_needs(needed=False)
        self.answers.ask(wish, able.model)

    def stop(self) -> None:
        """Stop translating; finished paragraphs stay, and Ctrl+Enter continues."""
        self._stop()
        if self.work.is_busy:
            self.work.stop(TextRequestKind.TEXT)
            self.panes.show_state(tr(STOPPED_CAN_CONTINUE))

    def _stop(self) -> None:
        self.pause.stop()
        self.language.stop()
        self.panes.alternatives.close_card()

    # Connections.

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.choice, 1)
        top.addWidget(self.open, 0, Qt.AlignmentFlag.AlignTop)
        inside = QWidget()  # scrolls in a low window
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        column.addLayout(top)
        column.addWidget(self.panes, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(inside))
        dress = self._theme.dress
        dress(column, margins=(EDGE_PX, TOP_PX, EDGE_PX, 16), spacing=12)
        dress(top, spacing=12)
        dress(self.panes, least_height=LEAST_PX)
        dress(self.open, font=(13.5, 400), glyph=("file-text", "muted", 15))

    def _connect(self) -> None:
        panes, answers = self.panes, self.answers
        panes.source.textChanged.connect(self._on_typed)
        panes.source.wanted.connect(self.translate)
        panes.source.stopped.connect(self.stop)
        panes.target.stopped.connect(self.stop)
        panes.clear.clicked.connect(self._on_clear)
        panes.copy.clicked.connect(self._copy)
        answers.completed.connect(self.history.keep_text)
        answers.again_wanted.connect(self.translate)
        answers.begun.connect(self._ui.loader.sync_with_engine)  # its model is loaded now
        for changed in (answers.changed, self.rewording.changed):
            changed.connect(self.history.save_soon)
        self.choice.changed.connect(self._on_choice)
        self.choice.swapped.connect(lambda: self._on_choice(is_swapped=True))
        self.history.kept.connect(lambda _number: self.list_changed.emit())
        self.history.kept.connect(self.shown_changed.emit)
        self.capability.changed.connect(self._on_capability)
        self.language.found.connect(self._on_language)
        self.language.failed.connect(self._ui.notify.error)
        self.work.failed.connect(lambda error: self._ui.notify.error(error, action=self.translate))
        self.work.ended.connect(self._ui.loader.sync_with_engine)  # its model may have replaced the chat's
        self.needs.model_came.connect(self.capability.check_model)

    def _on_typed(self) -> None:
        self.panes.show_count()
        self.language.stop()
        # An answer to the older text would only delay the one to the newer.
        self.work.stop()
        self.panes.alternatives.close_card()
        if not self.panes.source.text.strip():
            self._forget()
        else:
            self.pause.start()
            self.history.save_soon()

    def _on_choice(self, *, is_swapped: bool = False) -> None:
        """Translate again after a change of languages or tone. After a swap, the translation becomes the source."""
        target = ""
        if is_swapped:
            target = self.answers.target_text() if self.answers.is_complete else ""
            self.answers.source_language = ""
        self._last.keep_choice(self.choice)
        self.answers.paragraphs.known.clear()
        if target.strip():
            self.panes.source.show_text(target)
        if is_swapped or self.panes.source.text.strip():
            self.translate()
            self.history.save_soon()

    def _on_capability(self) -> None:
        self.choice.offer(self.answers.able)
        # Paragraphs by one model aren't mixed with those by another.
        self.answers.paragraphs.known.clear()
        self._go_on()

    def _go_on(self) -> None:
        """Translate the remaining paragraphs, if the model supports the languages."""
        is_complete = self.answers.is_complete
        if self.panes.source.text.strip() and not is_complete:
            self.translate()
            return
        is_needed = self.capability.is_none and not is_complete
        self.panes.show_needs(needed=is_needed)
        if is_needed:
            self.needs.find_model()

    def _forget(self) -> None:
        """Reset panes, languages and results, because the source is empty."""
        self.answers.clear(tr(FORMATS))
        self.choice.show_usual_target(self._last.target)
        self.panes.show_count()
        self.panes.show_needs(needed=self.capability.is_none)

    def _copy(self) -> None:
        text = self.answers.target_text()
        if text.strip():
            copy_text(text)
            self._ui.notify.mention(tr(TRANSLATION_COPIED))

    def showEvent(self, event: QShowEvent) -> None:
        self._theme.dress_again(self)
        super().showEvent(event)
        self.capability.check_model()
        # Leaving the tab has cancelled what was running.
        if self.capability.able is not None:
            self._go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.close_text()
        # Detector and model are released while the page isn't visible.
        self.language.rest()
        self.work.rest()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_small = self.width() < self._theme.px(SMALL_PX)
        if is_small != self._is_small:
            self._show_size(is_small=is_small)

    def _show_size(self, *, is_small: bool) -> None:
        self._is_small = is_small
        self.open.setText("" if is_small else tr(OPEN_DOCUMENT))
        # A push button puts its text four pixels from the icon; a wider icon adds space.
        self._theme.dress(self.open, glyph_size=(16 if is_small else 24, 15))
        self.choice.show_small(is_small=is_small)


# Results for a typed text: growing paragraphs, flags, time taken, back translation.


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


# Alternative wordings: other translations of a sentence; a click replaces it.


class TextRewording(QObject):
    """Connect the target pane with the card of alternative wordings."""

    changed = Signal()
    """Words of the translation were replaced."""

    def __init__(self, panes: TextPanes, answers: TextAnswers, work: TextWork) -> None:
        super().__init__(panes)
        self._target, self._answers, self._work = panes.target, answers, work
        self._right = panes.right
        self._selected: Selected | None = None
        self._number = 0
        self._card = panes.alternatives
        self._target.sentence_selected.connect(self._on_selected)
        self._target.alternatives_wanted.connect(self._on_wanted)
        # The card belongs to a place in the text, which scrolls away.
        self._target.verticalScrollBar().valueChanged.connect(lambda _value: self._card.close_card())
        work.answered.connect(self._on_answer)
        self._card.ask.clicked.connect(self._ask)
        self._card.chosen.connect(self._on_chosen)
        self._card.closed.connect(self._on_closed)

    def _on_selected(self, selected: Selected | None) -> None:
        if self._number:
            return  # wordings of another sentence are open
        self._selected = selected
        if selected is None:
            self._card.close_card()
        else:
            self._card.offer(self._rect_of(selected))

    def _on_wanted(self) -> None:
        """Open the card for the selected words, by keyboard."""
        selected = self._target.selected()
        if selected is not None:
            self._selected = selected
            self._card.offer(self._rect_of(selected))
            self._ask()

    def _ask(self) -> None:
        answers, selected, model = self._answers, self._selected, self._answers.able.model
        if selected is None or model is None:
            return
        translated = answers.paragraphs.translated(selected.paragraph)
        segment = answers.paragraphs.segment(selected.paragraph)
        if translated is None or segment is None:
            return
        words = plain(translated.content)
        sentence, start, end = sentence_like(segment.text, words, selected.start, selected.end)
        selected = self._selected = Selected(selected.paragraph, start, end, words[start:end])
        self._card.begin()
        self._number = self._work.find_alternatives(
            sentence, segment.text, answers.wish, model, answers.source_language, current=selected.sentence
        )
        self._target.select(selected)  # shows what would be replaced

    def _on_answer(self, answer: WorkEvent) -> None:
        if answer.number != self._number:
            return
        if isinstance(answer.event, str):
            self._card.add(answer.event)
        elif isinstance(answer.event, WorkEnded):
            self._card.end()

    def _on_chosen(self, text: str) -> None:
        paragraphs, selected = self._answers.paragraphs, self._selected
        translated = paragraphs.translated(selected.paragraph) if selected is not None else None
        if selected is None or translated is None:
            return
        words = plain(translated.content)
        if words[selected.start : selected.end] != selected.sentence:
            return  # it was translated again meanwhile
        paragraphs.reword(selected.paragraph, words[: selected.start] + text + words[selected.end :])
        self._answers.show_again(selected.paragraph)
        self.changed.emit()

    def _on_closed(self, had_focus: bool) -> None:
        self._number = 0
        self._work.stop(TextRequestKind.WORDINGS)
        if had_focus:
            self._target.setFocus(Qt.FocusReason.OtherFocusReason)

    def _rect_of(self, selected: Selected) -> QRect:
        rect = self._target.rect_of(selected)
        return QRect(self._target.viewport().mapTo(self._right, rect.topLeft()), rect.size())


# Paragraphs of a typed text: their translations, and what is reused between two versions.


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
