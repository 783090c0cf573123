"""Rows of settings: cards with lines between rows, names, short descriptions, and the rest behind a question mark."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QHBoxLayout, QLabel, QToolTip, QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.theme import FontRole, Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.input_fields import Switch
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout

MORE_ABOUT = "More about {name}"
INSET_PX, ROW_PX = 16, 52
"""Inset of a card's content, and the least height of its rows."""
RING_PX = 2
"""Room that a switch keeps at its end for its focus ring."""
DESCRIPTION = "setting_description"


class HelpMark(IconButton):
    """Question mark with an explanation as tooltip and accessible description; pressing it shows the tooltip, too."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__(theme, "question", tr(MORE_ABOUT, name=name), size_px=14, name="help_mark")
        from html import escape  # with a table of all entities, so not before the window is shown

        theme.dress(self, size=(18, 18))
        self.setAccessibleDescription(words)
        # Qt breaks the lines of rich text only.
        self.setToolTip(f"<p>{escape(words)}</p>")
        self.clicked.connect(self._show_tip)

    def _show_tip(self) -> None:
        QToolTip.showText(self.mapToGlobal(QPoint(0, self.height() // 2)), self.toolTip(), self)


class RowName(QLabel):
    """Label as wide as its text where there is room, so that a mark can follow it; otherwise it wraps."""

    def __init__(self, theme: Theme, text: str, role: FontRole) -> None:
        super().__init__(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        theme.dress(self, font=role)

    def sizeHint(self) -> QSize:
        # Qt's own hint for a wrapping label is narrower than its text. Lines are broken by fractions of a pixel.
        width = self.fontMetrics().horizontalAdvance(self.text()) + 3
        return QSize(width, self.heightForWidth(width))


def named_line(theme: Theme, label: QLabel, more: str) -> QHBoxLayout:
    """Return a line of a name and, if there is more to say, its question mark."""
    line = theme.dress(fill_layout(QHBoxLayout(), label), spacing=2)
    if more:
        line.addWidget(HelpMark(theme, label.text(), more), 0, Qt.AlignmentFlag.AlignVCenter)
    line.addStretch(1)
    return line


def group_title(theme: Theme, text: str, more: str = "") -> QHBoxLayout:
    """Return the title of the card below it."""
    label = RowName(theme, text, "group")
    label.setProperty("kind", "muted")
    return named_line(theme, label, more)


def description_label(theme: Theme, text: str) -> QLabel:
    """Return the muted line under a setting's name."""
    label = theme.dress(plain_label(text, kind="muted", wraps=True), font="small")
    label.setObjectName(DESCRIPTION)
    return label


class SettingCard(QFrame):
    """Card of settings rows with a line between each two that are visible."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("setting_card")
        self._column = drop_margins(QVBoxLayout(self), 0)
        self.rows: list[QWidget] = []
        self._words: dict[QWidget, QVBoxLayout] = {}
        self._insets: list[tuple[QBoxLayout | QGridLayout, int]] = []
        self._inset_px = INSET_PX

    def add_row(
        self, name: str, description: str | QLabel, field: QWidget, more: str = "", buddy: QWidget | None = None
    ) -> QWidget:
        """Add a row with name and description on one side and the field on the other."""
        label = RowName(self._theme, name, "row")
        label.setBuddy(buddy or field)
        words = self._theme.dress(fill_layout(QVBoxLayout(), named_line(self._theme, label, more)), spacing=2)
        if description:
            line = description if isinstance(description, QLabel) else description_label(self._theme, description)
            words.addWidget(line)
        inside = self._theme.dress(QBoxLayout(QBoxLayout.Direction.LeftToRight), spacing=INSET_PX)
        fill_layout(inside, (words, 1), (field, 0, Qt.AlignmentFlag.AlignVCenter))
        row = self.add_content(inside, ring_px=RING_PX if isinstance(field, Switch) else 0)
        self._words[row] = words
        return row

    def add_block(self, name: str, description: str, field: QWidget, more: str = "") -> QWidget:
        """Add a row whose field spans the full width below its name."""
        label = RowName(self._theme, name, "row")
        block = self._theme.dress(fill_layout(QVBoxLayout(), named_line(self._theme, label, more)), spacing=2)
        if description:
            block.addWidget(description_label(self._theme, description))
        block.addSpacing(self._theme.px(4))
        block.addWidget(field)
        row = self.add_content(block)
        self._words[row] = block
        return row

    def add_note(self, row: QWidget, text: str) -> None:
        """Add a line to the words of a row."""
        self._words[row].addWidget(description_label(self._theme, text))

    def add_content(self, content: QBoxLayout | QGridLayout, ring_px: int = 0) -> QWidget:
        """Add a row with a layout of its own; return it, so that it can be hidden."""
        row = QWidget()
        row.setLayout(content)
        self._insets.append((content, ring_px))
        self._put_insets_on()
        self._theme.dress(row, least_height=ROW_PX)
        self._column.addWidget(row)
        self.rows.append(row)
        return row

    def fit_narrow(self, is_narrow: bool) -> None:
        """Halve the inset on a narrow page."""
        inset_px = INSET_PX // 2 if is_narrow else INSET_PX
        if inset_px != self._inset_px:
            self._inset_px = inset_px
            self._put_insets_on()

    def _put_insets_on(self) -> None:
        for content, ring_px in self._insets:
            self._theme.dress(content, margins=(self._inset_px, 9, self._inset_px - ring_px, 9))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter, inset, ratio = QPainter(self), self._theme.px(self._inset_px), self.devicePixelRatioF()
        # Where a pixel of the window is one and a half of the screen, whole pixels of the screen are all alike.
        top, thick = self.mapTo(self.window(), QPoint(0, 0)).y(), max(1, int(ratio)) / ratio
        for row in [row for row in self.rows if not row.isHidden()][1:]:
            y = round((top + row.y()) * ratio) / ratio - top
            painter.fillRect(QRectF(inset, y, self.width() - 2 * inset, thick), QColor(self._theme.tokens.line))
