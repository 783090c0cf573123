"""Typed text: two panes, the languages above them; it is translated as the typing pauses, and kept in the list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.features.translation.result import Formality, TranslationWish
from app.ui.icons import icon
from app.ui.shell.desktop import copy_text
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.shell.shortcuts import with_keys
from app.ui.theme import EDGE_PX, TOP_PX, Theme
from app.ui.translate.language_choice import LanguageChoice, usual_target
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.text_answers import TextAnswers
from app.ui.translate.text_capability import Able, Capability
from app.ui.translate.text_history import TextHistory, Typed
from app.ui.translate.text_language import TextLanguage
from app.ui.translate.text_panes import TextPanes
from app.ui.translate.text_paragraphs import TextParagraphs
from app.ui.translate.text_requests import AskText
from app.ui.translate.text_rewording import TextRewording
from app.ui.translate.text_work import TextWork
from app.ui.widgets.buttons import text_button

if TYPE_CHECKING:
    from app.bootstrap import Fireside

PAUSE_MS = 600
SMALL_PX = 520
LEAST_PX = 150
"""Of the height of both texts: in a lower window the page scrolls."""
FORMATS = (
    "Or drop a document anywhere in the window: Word, PowerPoint, Excel, OpenDocument, e-books, web pages, Markdown, "
    "subtitles, PO, JSON, YAML, CSV and plain text come back looking the same. From a PDF a new document is made."
)


class TextPage(QWidget):
    """Shows one typed text of the list, or a new one."""

    list_changed = Signal()
    shown_changed = Signal(object)
    """The id under which the text is kept; None for one that is not."""
    document_wanted = Signal()
    models_wanted = Signal(str)
    model_changed = Signal()
    """A model was fetched, and the tab uses it."""
    memory_changed = Signal()
    """The model may have been put in the place of the chat's, or have given the place back."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._app, self._theme, self._notify = app, theme, notify
        self._is_loading = self._is_small = False
        self.paragraphs = TextParagraphs()
        self.source_language = ""
        self.capability = Capability(app, notify, self)
        self.language = TextLanguage(self)
        self.work = TextWork(app, self)
        self.history = TextHistory(app, notify, self.typed, self)
        self.choice = LanguageChoice(theme)
        self.open = text_button(tr("Open document"), "plain")
        self.open.setToolTip(with_keys(tr("Open a document, or drop it anywhere in the window"), "attach"))
        self.open.clicked.connect(self.document_wanted)
        self.needs = NeedsModel(app, theme, notify)
        self.panes = TextPanes(theme, self.needs)
        self.panes.hint.setText(tr(FORMATS))
        self.pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self.pause.timeout.connect(self.translate)
        self._lay_out()
        self.answers = TextAnswers(self, notify)
        self.rewording = TextRewording(self)
        self._connect()
        self.choice.show_wish(self._last_wish())
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_new()

    # What is shown.

    @property
    def text_id(self) -> int | None:
        """Under which number the text is kept."""
        return self.history.id

    @property
    def able(self) -> Able:
        """What the model can do, as far as that is known."""
        return self.capability.able or Able()

    @property
    def wish(self) -> TranslationWish:
        """What is chosen, with the glossary of the pair."""
        wish = self.choice.wish
        source = wish.source or self.source_language
        if not source or not wish.target or (self.able.knows is not None and not self.able.knows.takes_glossary):
            return wish
        return replace(wish, glossary=self._app.translations.glossary(source, wish.target))

    def show_new(self, text: str = "") -> None:
        """An empty one; or a text that is translated at once."""
        self.leave()
        with self._loading():
            self.panes.source.show_text(text)
            self.choice.show_wish(replace(self.choice.wish, source="", domain=""))
        self._forget()
        self.history.begin()
        self.shown_changed.emit(None)
        if text:
            self.translate()

    def show_text(self, number: int) -> None:
        """One of the list, as it was left."""
        if number == self.text_id:
            return
        self.leave()
        try:
            stored = self._app.translations.get(number)
            source, target = self._app.translations.text(number) if stored is not None else ("", "")
        except AppError as error:
            self._notify.error(error)
            return
        if stored is None:
            self.show_new()
            return
        with self._loading():
            self.choice.show_wish(stored.wish)
            self.choice.is_target_chosen = True
            self.panes.source.show_text(source)
        self._forget()
        self.source_language = stored.source_language
        self.choice.show_detected(stored.source_language)
        self.panes.show_needs(needed=False)
        self.answers.show_stored(source, target)
        self.history.begin(number)
        self.shown_changed.emit(number)
        if source.strip() and not target:
            self.translate()

    def look_again(self) -> None:
        """The model may be another."""
        self.capability.look()

    def leave(self) -> None:
        """Another text, another tab, or the window closes: nothing is asked any more, and what is there is kept."""
        self.pause.stop()
        self.language.stop()
        self.work.stop()
        self.panes.alternatives.leave()
        self.history.keep()

    def forget(self) -> None:
        """The text that is shown was deleted: nothing of it is kept any more."""
        self.history.begin()
        with self._loading():
            self.panes.source.show_text("")

    def take_keyboard(self) -> None:
        """The keyboard to where one types."""
        self.panes.source.setFocus(Qt.FocusReason.OtherFocusReason)

    def typed(self) -> Typed:
        """What there is to keep."""
        source = self.panes.source.text
        target = self.answers.target_text() if self.paragraphs.is_complete else ""
        model = self.able.model.name if self.able.model is not None else ""
        return Typed(source, target, self.choice.wish, self.source_language, model)

    # The work.

    def translate(self) -> None:
        """Translates what is typed, now."""
        self.pause.stop()
        self.work.stop()
        self.language.stop()
        text, languages = self.panes.source.text, self.able.languages
        if not text.strip():
            self._forget()
        elif self.choice.wish.source or self.language.knows(text, languages):
            self._translate()
        else:
            self.language.look(text, languages)

    def _on_language(self, code: str) -> None:
        self.source_language = code
        self.choice.show_detected(code)
        self._translate()

    def _translate(self) -> None:
        if self.choice.show_usual_target(self._app.settings.translations.target):
            self.paragraphs.known.clear()
        text, wish, able = self.panes.source.text, self.wish, self.capability.able
        if able is None:
            return  # what it can do is being asked; the answer leads here again
        source = wish.source or self.source_language
        if able.model is None or not able.can(wish.source, wish.target):
            self.panes.show_needs(needed=True)
            self.needs.look(able.missing(source, wish.target))
            self.panes.state.setText("")
            self.history.nudge()
            return
        self.panes.show_needs(needed=False)
        self.answers.wait()
        self.work.translate(text, wish, able.model, self.paragraphs.known, self.source_language)

    def stop(self) -> None:
        """Ends what is being translated; what is there stays."""
        self.pause.stop()
        self.language.stop()
        if self.work.is_busy:
            self.work.stop(AskText)
            self.answers.say(tr("Stopped · Ctrl+Enter continues"))
        self.panes.alternatives.leave()

    # Wiring.

    def _lay_out(self) -> None:
        self._top = QHBoxLayout()
        self._top.addWidget(self.choice, 1)
        self._top.addWidget(self.open, 0, Qt.AlignmentFlag.AlignTop)
        inside = QWidget()  # in a low window it scrolls, and nothing is pressed together
        inside.setObjectName("page")
        self._column = QVBoxLayout(inside)
        self._column.addLayout(self._top)
        self._column.addWidget(self.panes, 1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.viewport().setAutoFillBackground(False)
        scroll.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def _connect(self) -> None:
        panes = self.panes
        panes.source.textChanged.connect(self._on_typed)
        panes.source.wanted.connect(self.translate)
        panes.source.stopped.connect(self.stop)
        panes.target.stopped.connect(self.stop)
        panes.cleared.connect(self._on_cleared)
        panes.copied.connect(self._on_copied)
        self.choice.changed.connect(self._on_choice)
        self.choice.swapped.connect(self._on_swapped)
        self.history.kept.connect(self._on_kept)
        self.capability.changed.connect(self._on_capability)
        self.language.found.connect(self._on_language)
        self.language.failed.connect(self._notify.error)
        self.work.ended.connect(self.memory_changed)
        self.needs.models_wanted.connect(self.models_wanted)
        self.needs.model_came.connect(self._on_model_came)

    def _on_typed(self) -> None:
        if self._is_loading:
            return
        self._count()
        self.language.stop()
        self.work.stop()
        self.panes.alternatives.leave()
        if not self.panes.source.text.strip():
            self._forget()
        else:
            self.pause.start()
            self.history.nudge()

    def _on_choice(self) -> None:
        """Another language or tone: what is there was for another wish."""
        self._remember()
        self.paragraphs.known.clear()
        if self.panes.source.text.strip():
            self.history.nudge()
            self.translate()

    def _on_swapped(self) -> None:
        """The translation becomes the source, where there is one."""
        target = self.answers.target_text() if self.paragraphs.is_complete else ""
        self.source_language = ""
        self._remember()
        self.paragraphs.known.clear()
        if target.strip():
            with self._loading():
                self.panes.source.show_text(target)
        self.translate()
        self.history.nudge()

    def _on_cleared(self) -> None:
        self.show_new()
        self.take_keyboard()

    def _on_copied(self) -> None:
        text = self.answers.target_text()
        if text.strip():
            copy_text(text)
            self._notify.mention(tr("The translation was copied"))

    def _on_kept(self, number: int) -> None:
        self.list_changed.emit()
        self.shown_changed.emit(number)

    def _on_capability(self) -> None:
        able = self.able
        knows = able.knows if able.translates else None
        self.choice.offer(
            able.languages,
            formality=knows is None or knows.takes_formality,
            domain=knows is None or knows.takes_domain,
        )
        self.paragraphs.known.clear()
        self._go_on()

    def _on_model_came(self) -> None:
        self.model_changed.emit()
        self.capability.look()

    def _go_on(self) -> None:
        """What is not translated yet is, as far as the model can."""
        if self.panes.source.text.strip() and not self.paragraphs.is_complete:
            self.translate()
            return
        is_needed = self.capability.able is not None and not self.able.translates and not self.paragraphs.is_complete
        self.panes.show_needs(needed=is_needed)
        if is_needed:
            self.needs.look()

    def _forget(self) -> None:
        """Nothing is there to be translated."""
        self.source_language = ""
        self.paragraphs.clear()
        self.choice.show_detected("")
        self.choice.show_usual_target(self._app.settings.translations.target)
        self.answers.show_nothing(tr(FORMATS))
        self._count()
        is_needed = self.capability.able is not None and not self.able.translates
        self.panes.show_needs(needed=is_needed)

    def _count(self) -> None:
        count = len(self.panes.source.text)
        words = tr("1 character") if count == 1 else tr("{count} characters", count=f"{count:,}")
        self.panes.count.setText(words if count else "")
        self.panes.clear.setVisible(bool(count))

    def _last_wish(self) -> TranslationWish:
        kept = self._app.settings.translations
        return TranslationWish(usual_target(kept.target), formality=Formality(kept.formality))

    def _remember(self) -> None:
        wish, kept = self.choice.wish, self._app.settings.translations
        target = wish.target if self.choice.is_target_chosen else kept.target
        if (target, wish.formality) == (kept.target, kept.formality):
            return
        try:
            self._app.change("translations", target=target, formality=str(wish.formality))
        except AppError as error:
            self._notify.error(error)

    @contextmanager
    def _loading(self) -> Iterator[None]:
        self._is_loading = True
        try:
            yield
        finally:
            self._is_loading = False

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a scroll area polishes what is in it; fonts set before that would be lost.
        self._on_theme_changed()
        super().showEvent(event)
        self.capability.look()
        if self.capability.able is not None:
            self._go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.leave()
        self.language.rest()
        self.work.rest()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_small = self.width() < self._theme.px(SMALL_PX)
        if is_small != self._is_small:
            self._is_small = is_small
            self._on_theme_changed()
            self.choice.show_small(is_small=is_small)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.take_keyboard()

    def _on_theme_changed(self) -> None:
        px, theme = self._theme.px, self._theme
        self._column.setContentsMargins(px(EDGE_PX), px(TOP_PX), px(EDGE_PX), px(16))
        self._column.setSpacing(px(12))
        self.panes.setMinimumHeight(px(LEAST_PX))
        self._top.setSpacing(px(12))
        self.open.setFont(theme.font(13.5))
        self.open.setIcon(icon("file-text", theme.tokens.muted))
        self.open.setText("" if self._is_small else tr("Open document"))
        # A push button keeps its text four pixels from the icon; a wider icon gives it air.
        self.open.setIconSize(QSize(px(16 if self._is_small else 24), px(15)))
