"""Above a translated document: its title, and the buttons for glossary, flags and saving."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QPushButton, QWidget

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.names import name_widgets

NARROW_PX = 760
"""Narrower than that, the name of what is saved is left to the dialog."""
TITLE_PX = 130
"""With less room for the title, the buttons stand below it."""
MOST_NAME = 34
SMALL_PX, SMALL_TITLE_PX = 440, 70


class DocumentHead(QWidget):
    """Its buttons only tell; what they say is given to it."""

    glossary_wanted = Signal()
    next_wanted = Signal()
    save_wanted = Signal()
    forms_wanted = Signal(QWidget)
    """Other forms to save it in; carries the button that the menu belongs to."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._saved, self._is_partial, self._progress = "", False, ""
        self._terms = self._flags = 0
        self.title = ElidedLabel()
        self.title.setObjectName("translation_title")
        self.glossary = text_button(tr("Glossary"), "plain")
        self.glossary.setCheckable(True)
        self.glossary.clicked.connect(self.glossary_wanted)
        self.flagged = text_button(tr("Next flagged"), "plain")
        self.flagged.setToolTip(tr("{name} ({keys})", name=tr("Next flagged"), keys="F8"))
        self.flagged.clicked.connect(self.next_wanted)
        self.save = text_button(tr("Save"), "plain")
        self.save.clicked.connect(self.save_wanted)
        self.forms = IconButton(theme, "caret-down", tr("Save in another format"), size_px=16)
        self.forms.clicked.connect(lambda: self.forms_wanted.emit(self.forms))
        self._buttons = QWidget()
        self._flow = FlowLayout(self._buttons, is_at_end=True)
        for button in (self.glossary, self.flagged, self.save, self.forms):
            self._flow.addWidget(button)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addWidget(self.title, 1)
        self._row.addWidget(self._buttons)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(open_glossary=self.glossary, next_flagged=self.flagged, save=self.save, save_as=self.forms)

    def show_title(self, title: str) -> None:
        """The document's name."""
        self.title.setText(title)
        self.title.setAccessibleName(title)

    def show_terms(self, count: int, *, is_open: bool) -> None:
        """How many terms the glossary of the pair has."""
        self._terms = count
        self._show_counts()
        self.glossary.setChecked(is_open)

    def show_flagged(self, count: int) -> None:
        """How many segments are to be looked at; without any there is no button."""
        self._flags = count
        self._show_counts()
        self.flagged.setVisible(count > 0)

    def show_saving(self, name: str, *, is_partial: bool, can_save: bool) -> None:
        """What saving gives: a file of that name, or a part of it."""
        self._saved, self._is_partial = name, is_partial
        self._show_save()
        self.save.setToolTip(name)
        for button in (self.save, self.forms):
            button.setVisible(can_save)
        self._arrange()

    def show_progress(self, words: str) -> None:
        """Saving takes a while: how far it is; "" when it is over."""
        self._progress = words
        self._show_save()
        for button in (self.save, self.forms):
            button.setEnabled(not words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_save()
        self._show_counts()
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def _show_counts(self) -> None:
        """Where there is little room, icons and numbers say it; tool tips and screen readers still have the words."""
        is_small = self.width() < self._theme.px(SMALL_PX)
        for button, name, count in (
            (self.glossary, tr("Glossary"), self._terms),
            (self.flagged, tr("Next flagged"), self._flags),
        ):
            words = f"{name} · {count:,}" if count else name
            _label(button, words)
            if is_small:
                button.setText(f"{count:,}" if count else "")
        self.glossary.setToolTip(self.glossary.accessibleName() if is_small else "")

    def _show_save(self) -> None:
        name = self._saved
        short = name if len(name) <= MOST_NAME else f"{name[: MOST_NAME // 2]}…{name[-MOST_NAME // 2 + 1 :]}"
        label = tr("Save") if self.width() < self._theme.px(NARROW_PX) else tr("Save {name}", name=short)
        _label(self.save, self._progress or (tr("Save partial") if self._is_partial else label))

    def _arrange(self) -> None:
        is_narrow = self.width() < self._flow.sizeHint().width() + self._theme.px(
            SMALL_TITLE_PX if self.width() < self._theme.px(SMALL_PX) else TITLE_PX
        )
        to = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if self._row.direction() != to:
            self._row.setDirection(to)

    def _on_theme_changed(self) -> None:
        px, theme = self._theme.px, self._theme
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(px(10))
        self._flow.gap_px = px(10)
        self.title.setFont(theme.font(21, 600))
        for button, name in ((self.glossary, "book-bookmark"), (self.flagged, "flag"), (self.save, "download-simple")):
            button.setFont(theme.font(13.5, 500))
            button.setIcon(icon(name, theme.tokens.muted))
            # A push button keeps its text four pixels from the icon; a wider icon gives it air.
            button.setIconSize(QSize(px(24), px(15)))


def _label(button: QPushButton, text: str) -> None:
    button.setText(text.replace("&", "&&"))
    button.setAccessibleName(text)
