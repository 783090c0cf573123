"""Page for typed text: two panes with languages above, translated as typing pauses, and saved in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.visible import clean_text
from app.documents.segments import plain
from app.features.file_reading import ReportError
from app.features.translate import text_session as t
from app.ui.i18n import tr
from app.ui.shared_labels import OPEN_DOCUMENT
from app.ui.shell.desktop import copy_text
from app.ui.shell.keyboard import with_keys
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import EDGE_PX, TOP_PX, WIDE_PX
from app.ui.translate.language_row import Able, Capability, LanguageChoice, LastWish, usual_targets
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.sentence_ranges import sentence_like
from app.ui.translate.target_view import Selected
from app.ui.translate.text_answers import TextAnswers
from app.ui.translate.text_panes import TextPanes
from app.ui.translate.text_work import TextRequestKind, TextWork
from app.ui.widgets.buttons import text_button
from app.ui.widgets.layouts import ColumnRow, drop_margins, fill_layout, scrolled
from app.ui.work.at_hand import WorkEnded, WorkEvent

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection
    from app.features.translate.translation_jobs import TranslationJobs

TRANSLATION_COPIED = "Translation copied"


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
        self._last, self._ui, self._theme = last, ui, ui.theme
        self._is_small = False
        self.capability = Capability(translations, ui.notify, self)
        self.session = t.TextSession(translations, last.wish, self._usual)
        self.work = TextWork(translations, self.session, self)
        self.choice = LanguageChoice(ui.theme, on_swap=lambda: self._on_choice(is_swapped=True))
        self.open = text_button(tr(OPEN_DOCUMENT), "plain")
        self.open.setToolTip(with_keys(tr("Open a document, or drop it anywhere in the window"), "attach"))
        self.needs = NeedsModel(models, ui)
        self.panes = TextPanes(ui.theme, self.needs)
        ui.notify.bar.stand_above(self.panes.count, self.panes.copy)
        self.panes.hint.setText(tr(FORMATS))
        self.answers = TextAnswers(self.panes, self.session, tr(FORMATS))
        self.rewording = TextRewording(self.panes, self.session, self.work)
        self._shown = self.session.state
        """What is shown of the session."""
        self._lay_out()
        self.setFocusProxy(self.panes.source)
        self._connect()
        self.choice.show_wish(last.wish)
        self._show_size(is_small=False)
        self.show_new()

    @property
    def _usual(self) -> tuple[str, ...]:
        return usual_targets(self._last.target)

    def show_new(self, text: str = "") -> None:
        """Show an empty page, or a text that is translated at once."""
        self.session.dispatch(t.ShowNewText(clean_text(text)))

    def _on_clear(self) -> None:
        """Clear the page and offer Undo; the text stays in the history, or is restored from memory if it couldn't be
        saved.
        """
        self.session.dispatch(t.SaveText())
        text, number = self.session.state.text, self.session.state.number

        def put_back() -> None:
            if not self.session.state.text.strip():
                self.session.dispatch(t.TypeSource(text))

        self.show_new()
        self.take_keyboard()
        if number is not None:
            self._ui.notify.undo(tr("Text cleared. It’s in your history."), lambda: self.show_text(number))
        else:
            self._ui.notify.undo(tr("Text cleared."), put_back)

    def show_text(self, number: int) -> None:
        """Show a text of the history as it was left."""
        self.session.dispatch(t.ShowStoredText(number))

    def close_text(self) -> None:
        """Cancel all requests and save the text, before another one, another tab, or closing."""
        self.session.dispatch(t.CloseText())

    def forget(self) -> None:
        """Clear the page without saving, because its text was deleted."""
        self.session.dispatch(t.ForgetText())

    def take_keyboard(self) -> None:
        self.panes.source.setFocus(Qt.FocusReason.OtherFocusReason)

    def _lay_out(self) -> None:
        top = fill_layout(QHBoxLayout(), (self.choice, 1), (self.open, 0, Qt.AlignmentFlag.AlignTop))
        inside, middle = QWidget(), QWidget()  # scrolls in a low window
        inside.setObjectName("page")
        ColumnRow(self._theme, middle, inside, most_px=WIDE_PX)
        column = QVBoxLayout(middle)
        fill_layout(column, top, (self.panes, 1))
        fill_layout(drop_margins(QVBoxLayout(self)), scrolled(inside))
        dress = self._theme.dress
        dress(column, margins=(EDGE_PX, TOP_PX, EDGE_PX, 16), spacing=12)
        dress(top, spacing=12)
        dress(self.panes, least_height=LEAST_PX)
        dress(self.open, font="control", glyph=("file-text", "muted", 15))

    def _connect(self) -> None:
        panes, session = self.panes, self.session
        session.serve(
            {
                t.FindModel: self._find_model,
                t.ReportModelLoaded: lambda _effect: self._ui.loader.sync_with_engine(),  # its model is loaded now
                ReportError: lambda effect: self._ui.notify.error(effect.error),
            }
        )
        session.listen(self._on_state)
        panes.source.textChanged.connect(lambda: session.dispatch(t.TypeSource(panes.source.text)))
        panes.source.wanted.connect(lambda: session.dispatch(t.TranslateNow()))
        for pane in (panes.source, panes.target):
            pane.stopped.connect(lambda: session.dispatch(t.StopTranslating()))
        panes.clear.clicked.connect(self._on_clear)
        panes.copy.clicked.connect(self._copy)
        if (reading := self._ui.reading) is not None:
            panes.can_be_read = True
            panes.aloud.show()
            panes.aloud.clicked.connect(lambda: reading.read_view(panes.target))
        self.choice.changed.connect(self._on_choice)
        self.capability.changed.connect(self._on_capability)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self._ui.loader.sync_with_engine)  # its model may have replaced the chat's
        self.needs.model_came.connect(self.capability.check_model)

    def _on_state(self) -> None:
        state, shown = self.session.state, self._shown
        self._shown = state
        source = self.panes.source
        if source.text != state.text:
            source.show_text(state.text)
        self.panes.show_count()
        self.panes.aloud.setEnabled(bool(state.paragraphs.text.strip()))
        if state.wish != shown.wish:
            self.choice.show_chosen(state.wish, is_target_chosen=state.is_target_chosen)
        if state.detected != shown.detected:
            self.choice.show_detected(state.detected)
        if state.is_needy != shown.is_needy:
            self.panes.show_needs(needed=state.is_needy)
        if state.number != shown.number:
            self.shown_changed.emit(state.number)
        if state.kept is not None and state.kept != shown.kept:
            self.list_changed.emit()

    def _find_model(self, effect: t.FindModel) -> None:
        able = self.session.state.able
        self.needs.find_model(able.missing(*effect.missing) if effect.missing is not None else "")

    def _on_failed(self, error: BaseException) -> None:
        self._ui.notify.error(error, action=lambda: self.session.dispatch(t.TranslateNow()))

    def _on_choice(self, *, is_swapped: bool = False) -> None:
        """Translate again after a change of languages or tone. After a swap, the translation becomes the source."""
        self._last.keep_choice(self.choice)
        choice = self.choice
        message = t.ChangeLanguages(choice.chosen, choice.is_target_chosen, self._usual, is_swapped)
        self.session.dispatch(message)

    def _on_capability(self) -> None:
        able = self.capability.able
        self.choice.offer(able or Able())
        self.session.dispatch(t.ChangeModel(able))

    def _copy(self) -> None:
        text = self.session.state.paragraphs.text
        if text.strip():
            copy_text(text)
            self._ui.notify.mention(tr(TRANSLATION_COPIED))

    def showEvent(self, event: QShowEvent) -> None:
        self._theme.dress_again(self)
        super().showEvent(event)
        self.capability.check_model()
        # Leaving the tab has cancelled what was running.
        self.session.dispatch(t.ShowPage(self._usual))

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.close_text()
        # Detector and model are released while the page isn't visible.
        self.work.rest_all()

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

    def __init__(self, panes: TextPanes, session: t.TextSession, work: TextWork) -> None:
        super().__init__(panes)
        self._target, self._session, self._work = panes.target, session, work
        self._right = panes.right
        self._selected: Selected | None = None
        self._number = 0
        self._card = panes.alternatives
        self._target.sentence_selected.connect(self._on_selected)
        self._target.alternatives_wanted.connect(self._on_wanted)
        # The card belongs to a place in the text, which scrolls away.
        self._target.verticalScrollBar().valueChanged.connect(lambda _value: self._card.close_card())
        work.answered.connect(self._on_answer)
        work.stopped.connect(self._card.close_card)
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
        if (selected := self._target.selected()) is not None:
            self._selected = selected
            self._card.offer(self._rect_of(selected))
            self._ask()

    def _ask(self) -> None:
        state, selected = self._session.state, self._selected
        model = state.able.model if state.able is not None else None
        if selected is None or model is None:
            return
        translated = state.paragraphs.translated.get(selected.paragraph)
        segment = state.paragraphs.segment(selected.paragraph)
        if translated is None or segment is None:
            return
        words = plain(translated.content)
        sentence, start, end = sentence_like(segment.text, words, selected.start, selected.end)
        selected = self._selected = Selected(selected.paragraph, start, end, words[start:end])
        self._card.begin()
        self._number = self._work.find_alternatives(
            sentence, segment.text, state.asked_wish, model, state.detected, current=selected.sentence
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
        if (selected := self._selected) is not None:
            self._session.dispatch(t.ReplaceWords(selected.paragraph, selected.start, selected.sentence, text))

    def _on_closed(self, had_focus: bool) -> None:
        self._number = 0
        self._work.stop(TextRequestKind.WORDINGS)
        if had_focus:
            self._target.setFocus(Qt.FocusReason.OtherFocusReason)

    def _rect_of(self, selected: Selected) -> QRect:
        rect = self._target.rect_of(selected)
        return QRect(self._target.viewport().mapTo(self._right, rect.topLeft()), rect.size())
