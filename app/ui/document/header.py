"""Header of a document: name, position, search, pages, and a menu of what else can be done."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction, QResizeEvent

from app.ui.document.document_page import ZOOMS
from app.ui.i18n import tr
from app.ui.screen_reader import read_as
from app.ui.shared_labels import LARGER, MORE_LABEL, NEXT_PAGE, READ_ALOUD
from app.ui.shown_texts import keep_words
from app.ui.text.search_row import SEARCH_DOCUMENT
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import ElidedLabel, plain_label
from app.ui.widgets.layouts import name_widgets
from app.ui.widgets.menus import Menu, new_menu
from app.ui.widgets.pane_head import PaneHead

PAGE_OF = "page {page} of {pages}"
CHAPTER_OF = "chapter {page} of {pages}"
PREVIOUS_PAGE = "Previous page"
CLOSE_DOCUMENT = "Close the document"
SHOW_AS_TEXT, SHOW_THE_PAGE = "Show as text", "Show the page"
SMALLER = "Smaller"
COMPARE_READING = "Compare the picture with its text"
SAVE_WORDS = "Save as subtitles or text"

RECORDING_UNIT = "minute"
"""Unit of recordings, as in `app.features.transcribe`, which isn't imported just to show one."""


class DocumentHeader(PaneHead):
    """Header with buttons whose tooltips name their keys; without pages there are no arrows."""

    def __init__(self, theme: Theme) -> None:
        self._unit = ""
        self.name = keep_words(ElidedLabel("", Qt.TextElideMode.ElideMiddle))
        self.where = plain_label(kind="muted")
        self.search, self.previous, self.next, self.more = (
            IconButton(theme, glyph, words, size_px=18)
            for glyph, words in (
                ("magnifying-glass", tr(SEARCH_DOCUMENT)),
                ("caret-left", ""),
                ("caret-right", ""),
                ("dots-three-bold", tr(MORE_LABEL)),
            )
        )
        buttons = (self.search, self.previous, self.next, self.more)
        super().__init__(theme, self.name, self.where, 1, *buttons, close=tr(CLOSE_DOCUMENT), name="close_document")
        self.text, self.aloud, self.compare, self.save, self.nearer, self.farther = self.actions_of_menu = [
            QAction(tr(words), self)
            for words in (SHOW_AS_TEXT, READ_ALOUD, COMPARE_READING, SAVE_WORDS, LARGER, SMALLER)
        ]
        self.setMinimumWidth(1)  # the panel sets its own
        self.compare.setCheckable(True)
        for action, keys in ((self.nearer, "+"), (self.farther, "\u2212")):
            action.setText(f"{action.text()}\t{keys}")  # pressed in the page; a shortcut would work in the whole window
        for action in (self.aloud, self.compare, self.save):
            action.setVisible(False)
        self.search.setToolTip(f"{self.search.accessibleName()} (Ctrl+F)")
        read_as(self.more, has_menu=True).clicked.connect(self.show_menu)
        theme.dress(self.where, font="small")
        self._mirror()
        name_widgets(
            document_name=self.name,
            document_where=self.where,
            search_document=self.search,
            document_more=self.more,
            show_text=self.text,
            read_document_aloud=self.aloud,
            compare_reading=self.compare,
            save_words=self.save,
            smaller=self.farther,
            larger=self.nearer,
            previous_page=self.previous,
            next_page=self.next,
        )

    def show_menu(self) -> Menu:
        """Open the menu of what has no button, below the button and within the panel."""
        menu = new_menu(self, "document_menu", tr(MORE_LABEL))
        menu.addActions(self.actions_of_menu)
        x = 0 if self.isRightToLeft() else self.more.width() - menu.sizeHint().width()
        menu.popup(self.more.mapToGlobal(QPoint(x, self.more.height())))
        return menu

    def show_document(self, name: str, unit: str, *, can_draw: bool) -> None:
        """Set the name, the unit of pages ("" for none), and whether pages can be shown as pictures."""
        self._unit = unit
        self.name.setText(name)
        self.name.setAccessibleName(name)
        self.text.setVisible(can_draw)
        self.save.setVisible(unit == RECORDING_UNIT)
        for button in (self.previous, self.next):
            button.setVisible(bool(unit))
        self._mirror()
        self._update_more()

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
        self._update_more()

    def show_form(self, *, is_text: bool) -> None:
        self.text.setText(tr(SHOW_THE_PAGE) if is_text else tr(SHOW_AS_TEXT))
        for action in (self.nearer, self.farther):
            action.setVisible(not is_text)
        self._update_more()

    def show_zoom(self, zoom: float) -> None:
        self.nearer.setEnabled(zoom < ZOOMS[-1])
        self.farther.setEnabled(zoom > ZOOMS[0])

    def _show_where(self, words: str) -> None:
        self.where.setText(words)
        self._fit_where()

    def _fit_where(self) -> None:
        """Hide the position where the name would have no room next to it."""
        parts = [self.name.minimumSizeHint(), self.where.sizeHint()]
        parts += [button.sizeHint() for button in self.findChildren(IconButton) if not button.isHidden()]
        margins = self.row.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        self.where.setVisible(sum(part.width() for part in parts) <= room)

    def _update_more(self) -> None:
        self.more.setVisible(any(action.isVisible() for action in self.actions_of_menu))

    def _enable(self, button: IconButton, is_enabled: bool) -> None:
        had_focus = button.hasFocus()
        button.setEnabled(is_enabled)
        if had_focus and not is_enabled:  # the focus moves to the neighbour
            (self.next if button is self.previous else self.previous).setFocus(Qt.FocusReason.OtherFocusReason)

    def _mirror(self) -> None:
        """Set arrows and their keys for the reading direction."""
        back, on = ("caret-right", "caret-left") if self.isRightToLeft() else ("caret-left", "caret-right")
        self.previous.set_glyph(back)
        self.next.set_glyph(on)
        keys = ("Alt+→", "Alt+←") if self.isRightToLeft() else ("Alt+←", "Alt+→")
        for button, key, step in ((self.previous, keys[0], -1), (self.next, keys[1], 1)):
            button.set_name(_turn_words(self._unit, step))
            button.setToolTip(f"{_turn_words(self._unit, step)} ({key})")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_where()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._mirror()
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
