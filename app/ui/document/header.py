"""Header of a document: name, position, actions."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.shared_labels import LARGER, NEXT_PAGE
from app.ui.text.search_row import SEARCH_DOCUMENT
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout, name_widgets

PAGE_OF = "page {page} of {pages}"
CHAPTER_OF = "chapter {page} of {pages}"
PREVIOUS_PAGE = "Previous page"
CLOSE_DOCUMENT = "Close the document"

LEAST_NAME_PX = 48
RECORDING_UNIT = "minute"
"""Unit of recordings, as in `app.features.transcribe`, which isn't imported just to show one."""


class DocumentHeader(QWidget):
    """Header with buttons whose tooltips name their keys; without pages there are no arrows."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._unit = ""
        self._whole_name = ""
        self._can_zoom = False
        self.name = plain_label()
        self.name.setProperty("elides", True)
        self.name.setMinimumWidth(1)  # a long name would set a minimum width of the view
        self.where = plain_label(kind="muted")
        self.search = IconButton(theme, "magnifying-glass", tr(SEARCH_DOCUMENT), size_px=18)
        self.text = IconButton(theme, "text-align-left", tr("Show as text"), size_px=18)
        self.text.setCheckable(True)
        self.compare = IconButton(theme, "columns", tr("Compare the picture with its text"), size_px=18)
        self.compare.setCheckable(True)
        self.compare.hide()
        self.save = IconButton(theme, "floppy-disk", tr("Save as subtitles or text"), size_px=18)
        self.save.hide()
        self.farther = IconButton(theme, "magnifying-glass-minus", tr("Smaller"), size_px=18)
        self.nearer = IconButton(theme, "magnifying-glass-plus", tr(LARGER), size_px=18)
        self.previous = IconButton(theme, "caret-left", "", size_px=18)
        self.next = IconButton(theme, "caret-right", "", size_px=18)
        self.close_button = IconButton(theme, "x", tr(CLOSE_DOCUMENT), size_px=18)
        self._show_keys()
        self._row, self._below = QHBoxLayout(), QHBoxLayout()
        fill_layout(self._row, (self.name, 0), (self.where, 0), 1)
        self._tools = (
            self.search, self.text, self.compare, self.save, self.farther, self.nearer, self.previous, self.next,
        )  # fmt: skip
        for button in (*self._tools, self.close_button):
            self._row.addWidget(button)
        self._below.addStretch(1)
        self._lines = fill_layout(QVBoxLayout(self), self._row, self._below)
        self._is_narrow = False
        self.setMinimumWidth(1)  # the single line would set a minimum width and never wrap
        theme.dress(self._lines, self._row, self._below, spacing=0)
        theme.dress(self.name, self.where, font="small")
        theme.changed.connect(self._fit_name)
        self._mirror()
        self._fit_name()
        name_widgets(
            document_name=self.name,
            document_where=self.where,
            search_document=self.search,
            show_text=self.text,
            compare_reading=self.compare,
            save_words=self.save,
            smaller=self.farther,
            larger=self.nearer,
            previous_page=self.previous,
            next_page=self.next,
            close_document=self.close_button,
        )

    def _show_keys(self) -> None:
        for button, keys in (
            (self.farther, "−"),
            (self.nearer, "+"),
            (self.search, "Ctrl+F"),
            (self.close_button, "Esc"),
        ):
            button.setToolTip(f"{button.accessibleName()} ({keys})")

    def show_document(self, name: str, unit: str, *, can_draw: bool) -> None:
        """Set the name, the unit of pages ("" for none), and whether pages can be shown as pictures."""
        self._unit = unit
        self._whole_name = name
        self.name.setToolTip(plain_tip(name))
        self.name.setAccessibleName(name)
        self.text.setVisible(can_draw)
        self.save.setVisible(unit == RECORDING_UNIT)
        self._mirror()
        self._fit_name()

    def show_page(self, page: int, pages: int) -> None:
        """Show the position, such as page 3 of 12."""
        self._show_where(page_words(self._unit, page, pages))
        self._enable(self.previous, page > 1)
        self._enable(self.next, page < pages)

    def show_share(self, percent: int | None) -> None:
        """Show the percentage read in a document without pages; nothing at its start or if all is visible (None)."""
        self._show_where(f"{percent}\u00a0%" if percent else "")

    def show_comparing(self, *, can_compare: bool, is_comparing: bool) -> None:
        """Set whether there is recognized text, and whether it is shown."""
        self.compare.setVisible(can_compare)
        self.compare.setChecked(is_comparing)
        self._fit_name()

    def show_form(self, *, is_text: bool) -> None:
        self._can_zoom = not is_text
        self.text.setChecked(is_text)
        self.text.setToolTip(tr("Show the page") if is_text else tr("Show as text"))
        self._fit_name()

    def show_zoom(self, *, can_go_nearer: bool, can_go_farther: bool) -> None:
        self.nearer.setEnabled(can_go_nearer)
        self.farther.setEnabled(can_go_farther)

    def _enable(self, button: IconButton, is_enabled: bool) -> None:
        had_focus = button.hasFocus()
        button.setEnabled(is_enabled)
        if had_focus and not is_enabled:  # the focus moves to the neighbour
            (self.next if button is self.previous else self.previous).setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_where(self, words: str) -> None:
        # The dot stays next to the name in right-to-left text, too.
        direction = "\u200f" if self.isRightToLeft() else "\u200e"
        self.where.setText(f"{direction}\u00a0· {words}" if words else "")
        self._fit_name()

    def _fit_name(self) -> None:
        """Elide the name to the available width; if little is left, the buttons move to a second line."""
        margins = self._lines.contentsMargins()
        for pair, is_wanted in (
            ((self.farther, self.nearer), self._can_zoom),
            ((self.previous, self.next), bool(self._unit)),
        ):
            for button in pair:
                button.setVisible(is_wanted)
        tools_px = sum(tool.sizeHint().width() for tool in self._tools if not tool.isHidden())
        room = self.width() - margins.left() - margins.right() - self.close_button.sizeHint().width()
        room -= self.where.sizeHint().width()
        self._place_tools(is_narrow=room - tools_px < self._theme.px(LEAST_NAME_PX))
        if not self._is_narrow:
            room -= tools_px
        elif tools_px > self.width() - margins.left() - margins.right():
            for button in (self.previous, self.next):  # keys and scrolling turn pages, too
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
                self._row.insertWidget(self._row.count() - 1, button)  # before the close button

    def _mirror(self) -> None:
        """Set arrows, their keys and the margins for the reading direction."""
        back, on = ("caret-right", "caret-left") if self.isRightToLeft() else ("caret-left", "caret-right")
        self.previous.set_glyph(back)
        self.next.set_glyph(on)
        keys = ("Alt+→", "Alt+←") if self.isRightToLeft() else ("Alt+←", "Alt+→")
        for button, key, step in ((self.previous, keys[0], -1), (self.next, keys[1], 1)):
            button.set_name(_turn_words(self._unit, step))
            button.setToolTip(f"{_turn_words(self._unit, step)} ({key})")
        self._theme.dress(self._lines, margins=(6, 5, 14, 5) if self.isRightToLeft() else (14, 5, 6, 5))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_name()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._mirror()
            self._fit_name()
        super().changeEvent(event)


def page_words(unit: str, page: int, pages: int) -> str:
    """Return the position in the format's terms, such as "slide 3 of 12"."""
    text = {
        "slide": tr("slide {page} of {pages}", page=page, pages=pages),
        "sheet": tr("sheet {page} of {pages}", page=page, pages=pages),
        "chapter": tr(CHAPTER_OF, page=page, pages=pages),
        "file": tr("file {page} of {pages}", page=page, pages=pages),
        "minute": tr("minute {page} of {pages}", page=page, pages=pages),
    }
    return text.get(unit) or tr(PAGE_OF, page=page, pages=pages)


def _turn_words(unit: str, step: int) -> str:
    if step < 0:
        words = {"slide": tr("Previous slide"), "sheet": tr("Previous sheet"), "chapter": tr("Previous chapter")}
        words |= {"file": tr("Previous file"), "minute": tr("Previous minute")}
        return words.get(unit) or tr(PREVIOUS_PAGE)
    words = {"slide": tr("Next slide"), "sheet": tr("Next sheet"), "chapter": tr("Next chapter")}
    words |= {"file": tr("Next file"), "minute": tr("Next minute")}
    return words.get(unit) or tr(NEXT_PAGE)
