"""Above a document: its name, where in it one is, and what can be done with it; two lines where it is narrow."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.names import name_widgets
from app.ui.widgets.plain_tip import plain_tip

LEAST_NAME_PX = 48


class DocumentHeader(QWidget):
    """Buttons say their keys in their tool tips; a document without pages has no arrows."""

    turn_wanted = Signal(int)
    text_wanted = Signal(bool)
    zoom_wanted = Signal(int)
    """One step nearer (1) or farther (-1)."""
    search_wanted = Signal()
    close_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._unit = ""
        self._whole_name = ""
        self._can_zoom = False
        self.name = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.name.setObjectName("document_name")
        self.name.setProperty("elides", True)
        self.name.setMinimumWidth(1)  # or a long name would keep the view from becoming narrower
        self.where = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.where.setObjectName("document_where")
        self.search = IconButton(theme, "magnifying-glass", tr("Search in the document"), size_px=18)
        self.text = IconButton(theme, "text-align-left", tr("Show as text"), size_px=18)
        self.text.setCheckable(True)
        self.farther = IconButton(theme, "magnifying-glass-minus", tr("Smaller"), size_px=18)
        self.nearer = IconButton(theme, "magnifying-glass-plus", tr("Larger"), size_px=18)
        for button, keys, step in ((self.farther, "−", -1), (self.nearer, "+", 1)):
            button.setToolTip(f"{button.accessibleName()} ({keys})")
            button.clicked.connect(lambda _=False, step=step: self.zoom_wanted.emit(step))
        self.previous = IconButton(theme, "caret-left", "", size_px=18)
        self.next = IconButton(theme, "caret-right", "", size_px=18)
        self.close_button = IconButton(theme, "x", tr("Close the document"), size_px=18)
        self.search.setToolTip(f"{tr('Search in the document')} (Ctrl+F)")
        self.close_button.setToolTip(f"{tr('Close the document')} (Esc)")
        self.search.clicked.connect(self.search_wanted)
        self.text.clicked.connect(self.text_wanted)
        self.previous.clicked.connect(lambda: self.turn_wanted.emit(-1))
        self.next.clicked.connect(lambda: self.turn_wanted.emit(1))
        self.close_button.clicked.connect(self.close_wanted)
        self._row, self._below = QHBoxLayout(), QHBoxLayout()
        self._row.addWidget(self.name, 0)
        self._row.addWidget(self.where, 0)
        self._row.addStretch(1)
        self._tools = (self.search, self.text, self.farther, self.nearer, self.previous, self.next)
        for button in (*self._tools, self.close_button):
            self._row.addWidget(button)
        self._below.addStretch(1)
        self._lines = QVBoxLayout(self)
        self._lines.addLayout(self._row)
        self._lines.addLayout(self._below)
        self._is_narrow = False
        self.setMinimumWidth(1)  # or the one line would keep it from ever becoming two
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(
            document_name=self.name,
            document_where=self.where,
            search_document=self.search,
            show_text=self.text,
            smaller=self.farther,
            larger=self.nearer,
            previous_page=self.previous,
            next_page=self.next,
            close_document=self.close_button,
        )

    def show_document(self, name: str, unit: str, *, can_draw: bool) -> None:
        """A document's name, what its pages are ("" for none), and whether they can be shown as pictures."""
        self._unit = unit
        self._whole_name = name
        self.name.setToolTip(plain_tip(name))
        self.name.setAccessibleName(name)
        self.text.setVisible(can_draw)
        self._mirror()
        self._fit()

    def show_page(self, page: int, pages: int) -> None:
        """Page 3 of 12."""
        self._show_where(page_words(self._unit, page, pages))
        self._enable(self.previous, page > 1)
        self._enable(self.next, page < pages)

    def show_share(self, percent: int | None) -> None:
        """How far one is in a document without pages; None where all of it is in view."""
        self._show_where("" if percent is None else f"{percent}\u00a0%")

    def show_form(self, *, is_text: bool) -> None:
        """Which of the two is shown."""
        self._can_zoom = not is_text
        self.text.setChecked(is_text)
        self.text.setToolTip(tr("Show the page") if is_text else tr("Show as text"))
        self._fit()

    def show_zoom(self, *, can_go_nearer: bool, can_go_farther: bool) -> None:
        """Whether there is a step either way."""
        self.nearer.setEnabled(can_go_nearer)
        self.farther.setEnabled(can_go_farther)

    def _enable(self, button: IconButton, is_enabled: bool) -> None:
        had_focus = button.hasFocus()
        button.setEnabled(is_enabled)
        if had_focus and not is_enabled:  # the keyboard stays beside where it was
            (self.next if button is self.previous else self.previous).setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_where(self, words: str) -> None:
        # The dot stays beside the name, whatever the direction of the words.
        direction = "\u200f" if self.isRightToLeft() else "\u200e"
        self.where.setText(f"{direction}\u00a0· {words}" if words else "")
        self._fit()

    def _fit(self) -> None:
        """Shortens the name to the room it has; what follows it stands right behind it. Where too little is left of it
        the buttons go into a line of their own."""
        margins = self._lines.contentsMargins()
        for pair, is_wanted in (
            ((self.farther, self.nearer), self._can_zoom),
            ((self.previous, self.next), bool(self._unit)),
        ):
            for button in pair:
                button.setVisible(is_wanted)
        tools_px = sum(one.sizeHint().width() for one in self._tools if not one.isHidden())
        room = self.width() - margins.left() - margins.right() - self.close_button.sizeHint().width()
        room -= self.where.sizeHint().width()
        self._place_tools(is_narrow=room - tools_px < self._theme.px(LEAST_NAME_PX))
        if not self._is_narrow:
            room -= tools_px
        elif tools_px > self.width() - margins.left() - margins.right():
            for button in (self.previous, self.next):  # pages are turned with keys and by scrolling, too
                button.hide()
        self.name.setText(self.name.fontMetrics().elidedText(self._whole_name, Qt.TextElideMode.ElideMiddle, room))

    def _place_tools(self, *, is_narrow: bool) -> None:
        if is_narrow == self._is_narrow:
            return
        self._is_narrow = is_narrow
        for button in self._tools:
            if is_narrow:
                self._below.addWidget(button)
            else:
                self._row.insertWidget(self._row.count() - 1, button)

    def _mirror(self) -> None:
        """Back points to where reading begins."""
        back, on = ("caret-right", "caret-left") if self.isRightToLeft() else ("caret-left", "caret-right")
        self.previous.set_glyph(back)
        self.next.set_glyph(on)
        keys = ("Alt+→", "Alt+←") if self.isRightToLeft() else ("Alt+←", "Alt+→")
        for button, key, step in ((self.previous, keys[0], -1), (self.next, keys[1], 1)):
            button.set_name(_turn_words(self._unit, step))
            button.setToolTip(f"{_turn_words(self._unit, step)} ({key})")

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        sides = (px(6), px(14)) if self.isRightToLeft() else (px(14), px(6))
        self._lines.setContentsMargins(sides[0], px(5), sides[1], px(5))
        for layout in (self._lines, self._row, self._below):
            layout.setSpacing(0)
        for label in (self.name, self.where):
            label.setFont(self._theme.font(13))
        self.where.setProperty("kind", "muted")
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._mirror()
            self._on_theme_changed()
        super().changeEvent(event)


def page_words(unit: str, page: int, pages: int) -> str:
    """Where one is, in the words of the format."""
    text = {
        "slide": tr("slide {page} of {pages}", page=page, pages=pages),
        "sheet": tr("sheet {page} of {pages}", page=page, pages=pages),
        "chapter": tr("chapter {page} of {pages}", page=page, pages=pages),
        "file": tr("file {page} of {pages}", page=page, pages=pages),
    }
    return text.get(unit) or tr("page {page} of {pages}", page=page, pages=pages)


def _turn_words(unit: str, step: int) -> str:
    if step < 0:
        words = {"slide": tr("Previous slide"), "sheet": tr("Previous sheet"), "chapter": tr("Previous chapter")}
        words["file"] = tr("Previous file")
        return words.get(unit) or tr("Previous page")
    words = {"slide": tr("Next slide"), "sheet": tr("Next sheet"), "chapter": tr("Next chapter")}
    words["file"] = tr("Next file")
    return words.get(unit) or tr("Next page")
