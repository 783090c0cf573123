"""A line of words and page chips: where an answer may come from, or which passages the model was shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QWidget

from app.ui.chat.branch_documents import Place
from app.ui.document.files import PageChip
from app.ui.theme import Theme
from app.ui.widgets.layouts import FlowLayout


class SourceRow(QWidget):
    """Wraps into several lines; empty, it takes no room."""

    place_wanted = Signal(int, object)
    """A document's id and the `Mark` in it."""

    def __init__(self, theme: Theme, parent: QWidget, *, is_at_end: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[object, ...] = ()
        self._flow = FlowLayout(self, is_at_end=is_at_end)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def chips(self) -> list[PageChip]:
        """The chips, in order."""
        return [chip for chip in self.findChildren(PageChip) if not chip.isHidden()]

    @property
    def text(self) -> str:
        """All that is said, chips included."""
        items = [self._flow.itemAt(place) for place in range(self._flow.count())]
        widgets = [item.widget() for item in items if item is not None]
        return " ".join(widget.text() for widget in widgets if isinstance(widget, QLabel | PageChip))

    def show_places(self, lead: str, places: Sequence[Place], tail: str = "") -> None:
        """Words, chips, and more words; without places nothing is shown."""
        shown = (lead, tuple(places), tail)
        if shown == self._shown:
            return
        self._shown = shown
        self._flow.clear()
        self.setVisible(bool(places))
        if not places:
            return
        self._add_words(lead)
        for place in places:
            chip = PageChip(self._theme, place.text.replace("&", "&&"), place.spoken)
            chip.clicked.connect(lambda _=False, place=place: self.place_wanted.emit(place.document_id, place.mark))
            self._flow.addWidget(chip)
            chip.show()
        if tail:
            self._add_words(tail)
        self.setAccessibleName(lead)

    def height_for(self, width: int) -> int:
        """How high the line is at this width; 0 without places."""
        return 0 if self.isHidden() else self._flow.heightForWidth(width)

    def _add_words(self, words: str) -> None:
        label = QLabel(words, textFormat=Qt.TextFormat.PlainText)
        label.setProperty("kind", "muted")
        label.setFont(self._theme.font(13))
        self._flow.addWidget(label)
        label.show()

    def _on_theme_changed(self) -> None:
        self._flow.gap_px = self._theme.px(6)
        for label in self.findChildren(QLabel):
            label.setFont(self._theme.font(13))
