"""Header of a translated document: title and buttons; below them languages, form of address, progress, Stop."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QWidget

from app.ui.i18n import tr, with_key
from app.ui.locale_formats import format_number
from app.ui.screen_reader import read_as
from app.ui.shared_labels import GLOSSARY, READ_ALOUD, SAVE, STOP
from app.ui.shown_texts import keep_words
from app.ui.theme import Theme
from app.ui.translate.language_row import Able, LanguageChoice
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import ElidedLabel, ProgressStripe, plain_caption, plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout, name_widgets

SAVE_PARTIAL = "Save partial"
NEXT_FLAGGED = "Next flagged"
NARROW_PX = 760
"""Width below which the save button omits the file name."""
TITLE_PX = 130
"""Room for the title below which the buttons move to a second line."""
MOST_NAME = 34
SMALL_PX, SMALL_TITLE_PX = 440, 90


class DocumentHead(QWidget):
    """Header of a translation; its texts are set from outside, its buttons emit."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._saved, self._is_partial, self._progress = "", False, ""
        self._terms = self._flags = 0
        self.title = keep_words(ElidedLabel())
        self.title.setObjectName("translation_title")
        self.glossary = text_button(tr(GLOSSARY), "plain")
        self.glossary.setCheckable(True)
        read_as(self.glossary, QAccessible.Role.Button, folds=True)
        self.flagged = text_button(tr(NEXT_FLAGGED), "plain")
        self.flagged.setToolTip(with_key(tr(NEXT_FLAGGED), "F8"))
        self.aloud = IconButton(theme, "speaker-high", tr(READ_ALOUD), size_px=18)
        self.aloud.hide()
        self.save = text_button(tr(SAVE), "plain")
        self.forms = IconButton(theme, "caret-down", tr("Save in another format"), size_px=16)
        read_as(self.forms, has_menu=True)
        self._buttons = QWidget()
        self._flow = FlowLayout(self._buttons, is_at_end=True)
        for button in (self.aloud, self.glossary, self.flagged, self.save, self.forms):
            self._flow.addWidget(button)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addWidget(self.title, 1)
        self._row.addWidget(self._buttons)
        theme.dress(self._row, self._flow, margins=(0, 0, 0, 0), spacing=10)
        theme.dress(self.title, font="title")
        for button, name in ((self.glossary, "book-bookmark"), (self.flagged, "flag"), (self.save, "floppy-disk")):
            # A push button puts its text four pixels from the icon; a wider icon adds space.
            theme.dress(button, font="control", glyph=(name, "muted", 15), glyph_size=(24, 15))
        name_widgets(open_glossary=self.glossary, next_flagged=self.flagged, save=self.save, save_as=self.forms)
        name_widgets(read_translation=self.aloud)

    def show_title(self, title: str) -> None:
        self.title.setText(title)
        self.title.setAccessibleName(title)

    def show_terms(self, count: int, *, is_open: bool) -> None:
        self._terms = count
        self._show_counts()
        self.glossary.setChecked(is_open)

    def show_flagged(self, count: int) -> None:
        """Show the number of flagged segments; 0 hides the button."""
        self._flags = count
        self._show_counts()
        self.flagged.setVisible(count > 0)

    def show_saving(self, name: str, *, is_partial: bool, can_save: bool) -> None:
        """Show what saving will write: the named file, complete or partial."""
        self._saved, self._is_partial = name, is_partial
        self._show_save()
        self.save.setToolTip(name)
        for button in (self.save, self.forms):
            button.setVisible(can_save)
        self._arrange()

    def show_progress(self, words: str) -> None:
        """Show the progress of saving; "" when it is finished."""
        self._progress = words
        self._show_save()
        for button in (self.save, self.forms):
            button.setEnabled(not words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_save()
        self._show_counts()
        self._arrange()

    def _show_counts(self) -> None:
        """Show counts as icon and number if narrow; tooltips and screen readers keep the words."""
        is_small = self.width() < self._theme.px(SMALL_PX)
        for button, name, count in (
            (self.glossary, tr(GLOSSARY), self._terms),
            (self.flagged, tr(NEXT_FLAGGED), self._flags),
        ):
            words = f"{name} · {format_number(count)}" if count else name
            _label(button, words)
            if is_small:
                button.setText(format_number(count) if count else "")
        self.glossary.setToolTip(self.glossary.accessibleName() if is_small else "")

    def _show_save(self) -> None:
        name = self._saved
        short = name if len(name) <= MOST_NAME else f"{name[: MOST_NAME // 2]}…{name[-MOST_NAME // 2 + 1 :]}"
        label = tr(SAVE) if self.width() < self._theme.px(NARROW_PX) else tr("Save {name}", name=short)
        _label(self.save, self._progress or (tr(SAVE_PARTIAL) if self._is_partial else label))

    def _arrange(self) -> None:
        is_narrow = self.width() < self._flow.sizeHint().width() + self._theme.px(
            SMALL_TITLE_PX if self.width() < self._theme.px(SMALL_PX) else TITLE_PX
        )
        to = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        # Setting a direction lays out the row again, which resizes it again.
        if self._row.direction() != to:
            self._row.setDirection(to)


def _label(button: QPushButton, text: str) -> None:
    # Qt takes a single & as the mark of a shortcut.
    button.setText(plain_caption(text))
    button.setAccessibleName(text)


NARROW_BAR_PX = 860
LINE_PX = 140
CHOICE_SHARE, PROGRESS_SHARE = 3, 2
"""Shares of the width, so that two long language names and the form of address fit on a line."""


class DocumentBar(QWidget):
    """Options of a translation, or its progress; `stop` is handled by the page."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_at_work, self._is_draft = False, True
        self.choice = LanguageChoice(theme)
        self.choice.swap.hide()  # a document's source language is fixed
        self.line = ProgressStripe(theme)
        self.line.setAccessibleName(tr("Translation progress"))
        self.words = plain_label(kind="muted")
        self.stop = text_button(tr(STOP), "quiet")
        self.stop.setToolTip(tr("Stop and keep the work so far"))
        self._progress = QWidget()
        line = fill_layout(QHBoxLayout(self._progress), (self.line, 1), self.words, self.stop)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addWidget(self.choice, CHOICE_SHARE)
        self._row.addWidget(self._progress, PROGRESS_SHARE)
        theme.dress(self._row, margins=(0, 0, 0, 0), spacing=10)
        theme.dress(line, margins=(0, 0, 0, 0), spacing=12)
        theme.dress(self.line, least_width=LINE_PX)
        theme.dress(self.words, font="small")
        theme.dress(self.stop, font="control")
        name_widgets(work_words=self.words, stop_work=self.stop)

    def offer(self, able: Able) -> None:
        self.choice.offer(able)
        self._show_domain()

    def show_work(self, words: str, done: int, segments: int) -> None:
        """Show a queued or running translation; options are locked meanwhile."""
        self._is_draft = False
        self._show(words, is_at_work=True)
        self.line.show_share(done, segments)

    def show_rest(self, words: str, *, is_draft: bool) -> None:
        self._is_draft = is_draft
        self._show(words, is_at_work=False)

    def _show(self, words: str, *, is_at_work: bool) -> None:
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.line.setVisible(is_at_work)
        self.stop.setVisible(is_at_work)
        self._is_at_work = is_at_work
        self._show_domain()
        self._progress.setVisible(is_at_work or bool(words))
        # Without progress the options get the whole width.
        self._row.setStretchFactor(self._progress, PROGRESS_SHARE if is_at_work else 0)

    def _show_domain(self) -> None:
        """Show the subject area after the start only if one is set; while running, the progress takes its room."""
        self.choice.show_small(is_small=not self._is_draft)
        if self._is_at_work:
            self.choice.domain.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        is_narrow = self.width() < self._theme.px(NARROW_BAR_PX)
        to = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if self._row.direction() != to:
            self._row.setDirection(to)
        self._show_domain()
