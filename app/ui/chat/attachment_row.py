"""The documents beside what is being written: a chip for each, and what there is to tell of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.store.conversations import Use
from app.ui.chat.draft_document import DraftDocument
from app.ui.chat.too_long import TooLong
from app.ui.document.files import DocumentChip, Stage, remarks_words, short_name, size_words, spoken_size, tokens_words
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import FlowLayout

MOST_LINES = 3
LOW_PX = 560
"""A window lower than that has room for one line of chips; the others are scrolled to."""
MOST_REMARKS = 2


class DraftChip(DocumentChip):
    """A chip that names the page which is being read."""

    def show_reading(self, one: DraftDocument) -> None:
        """How far the reading is."""
        self.show_progress(one.page, one.pages)
        unit = one.unit or "page"
        self._say(tr("reading, {unit} {page} of {pages}", unit=unit, page=one.page, pages=f"{one.pages:,}"))


class AttachmentRow(QWidget):
    """Chips in several lines, of which at most three are seen at once."""

    opened = Signal(object)
    remove_wanted = Signal(object)
    menu_wanted = Signal(object, QPoint)
    """A `DraftDocument`, and where on the screen."""
    height_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chips: dict[DraftDocument, DraftChip] = {}
        self.too_long = TooLong(theme)
        self._page = QWidget()
        self._page.setObjectName("page")
        self._flow = FlowLayout(self._page)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidget(self._page)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.setAccessibleName(tr("Attached documents"))
        self._remarks = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._remarks.setProperty("kind", "muted")
        self._remarks.hide()
        self._page.installEventFilter(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._scroll, self._remarks, self.too_long):
            self._column.addWidget(widget)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)  # words that wrap need more
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def chips(self) -> list[DraftChip]:
        """The chips, in order."""
        return list(self._chips.values())

    @property
    def remarks(self) -> str:
        """What there is to tell of them."""
        return self._remarks.text()

    def show_documents(self, documents: Sequence[DraftDocument]) -> None:
        """The whole draft, in order; chips that stay are kept."""
        if list(self._chips) != list(documents):
            for gone in [one for one in self._chips if one not in documents]:
                chip = self._chips.pop(gone)
                self._flow.removeWidget(chip)
                chip.hide()
                chip.deleteLater()
            for one in documents:
                if one not in self._chips:
                    self._chips[one] = self._new_chip(one)
        for one in documents:
            self._fill(self._chips[one], one)
        told = [one for one in documents if one.document is not None and remarks_words(one.document)]
        lines = [_remark_line(one, is_alone=len(documents) == 1) for one in told[:MOST_REMARKS]]
        if len(told) > MOST_REMARKS:
            lines.append(tr("{count} more have remarks; see their tool tips.", count=len(told) - MOST_REMARKS))
        self._remarks.setText("\n".join(lines))
        self._remarks.setVisible(bool(lines))
        self.too_long.show_documents([one for one in documents if one.is_too_long])
        self.setVisible(bool(documents))
        self._fit()

    def show_progress(self, one: DraftDocument) -> None:
        """One document is further."""
        if one in self._chips:
            self._fill(self._chips[one], one)
            self._fit()

    def _new_chip(self, one: DraftDocument) -> DraftChip:
        chip = DraftChip(self._theme)
        chip.show_name(one.name)
        chip.set_removable(True)
        chip.clicked.connect(lambda: self.opened.emit(one))
        chip.remove_wanted.connect(lambda: self.remove_wanted.emit(one))
        chip.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chip.customContextMenuRequested.connect(lambda at: self.menu_wanted.emit(one, chip.mapToGlobal(at)))
        self._flow.addWidget(chip)
        chip.show()
        return chip

    def _fill(self, chip: DraftChip, one: DraftDocument) -> None:
        if one.stage is Stage.FAILED:
            chip.show_error(one.error)
        elif one.stage is Stage.READING and one.pages:
            chip.show_reading(one)
        elif one.stage is Stage.READING:
            chip.show_words(tr("reading"))
        elif one.stage is Stage.LOCKED:
            chip.show_words(tr("needs a password"))
        elif one.stage in (Stage.ASKED, Stage.WAITS):
            chip.show_words(tr("waits"))
        elif one.document is not None:
            self._fill_read(chip, one)

    def _fill_read(self, chip: DraftChip, one: DraftDocument) -> None:
        assert one.document is not None
        tokens = one.fit.tokens if one.fit is not None else None
        words = size_words(one.document)
        if one.use is Use.BACKGROUND:
            words = " · ".join(part for part in (words, tr("background")) if part)
        chip.show_words(words)
        size = spoken_size(one.document)
        chip.setAccessibleName(", ".join(part for part in (one.name, size, tr("attached")) if part))
        remarks = remarks_words(one.document)
        chip.setAccessibleDescription(remarks)
        chip.setToolTip(plain_tip("\n".join(part for part in (one.name, tokens_words(tokens), remarks) if part)))

    def _fit(self) -> None:
        """As high as the chips, up to three lines of them where there is room."""
        width = self._scroll.viewport().width() or self.width()
        wanted = self._flow.heightForWidth(max(1, width))
        line = max((chip.sizeHint().height() for chip in self._chips.values()), default=0)
        lines = MOST_LINES if self.window().height() >= self._theme.px(LOW_PX) else 1
        most = lines * line + (lines - 1) * self._flow.gap_px
        self._scroll.setFixedHeight(max(1, min(wanted, most)))
        margins = self._column.contentsMargins()
        self._remarks.setMinimumHeight(0)  # or it is as high as before
        room = max(1, self.width() - margins.left() - margins.right())
        self._remarks.setMinimumHeight(max(0, self._remarks.heightForWidth(room)))
        self.updateGeometry()
        self.height_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._page and event.type() == QEvent.Type.LayoutRequest:
            self._fit()  # a chip says something else now
        return super().eventFilter(watched, event)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._column.setSpacing(px(8))
        self._column.setContentsMargins(0, 0, px(6), px(6))
        self._flow.gap_px = px(6)
        self._remarks.setFont(self._theme.font(13))
        self._fit()


def _remark_line(one: DraftDocument, *, is_alone: bool) -> str:
    assert one.document is not None
    words = remarks_words(one.document)
    return words if is_alone else f"{short_name(one.name)}: {words}"
