"""Page for typed text: two panes with languages above, translated as typing pauses, and saved in the history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.documents.segments import plain
from app.ui.i18n import tr
from app.ui.shared_labels import OPEN_DOCUMENT
from app.ui.shell.desktop import copy_text
from app.ui.shell.keyboard import with_keys
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import EDGE_PX, TOP_PX
from app.ui.translate.language_row import Capability, LanguageChoice, LastWish
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.text_answers import STOPPED_CAN_CONTINUE, TextAnswers
from app.ui.translate.text_panes import Selected, TextPanes, sentence_like
from app.ui.translate.text_work import TextHistory, TextLanguage, TextRequestKind, TextWork, Typed
from app.ui.widgets.buttons import text_button
from app.ui.widgets.layouts import fill_layout, scrolled
from app.ui.work.at_hand import WorkEnded, WorkEvent

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection
    from app.features.translate.translation_jobs import TranslationJobs

TRANSLATION_COPIED = "Translation copied"


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

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.choice, 1)
        top.addWidget(self.open, 0, Qt.AlignmentFlag.AlignTop)
        inside = QWidget()  # scrolls in a low window
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        fill_layout(column, top, (self.panes, 1))
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
