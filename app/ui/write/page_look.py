"""How a page looks: letters and margins, the tint of what a model wrote, the line where the model begins to read."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QHelpEvent, QPainter, QPen, QTextCursor, QTextOption
from PySide6.QtWidgets import QTextEdit, QToolTip

from app.ui.i18n import tr
from app.ui.theme import CODE_PX, EDGE_PX, Theme
from app.ui.widgets.buttons import set_text_font
from app.ui.widgets.fields import PlainEdit
from app.ui.write.page_document import PageDocument, range_at, units_of

TEXT_PX, MEASURE_PX, CODE_MEASURE_PX = 16, 576, 940
"""Letters, and how wide lines get: about 72 characters of prose."""
ABOVE_PX = 22


class Letters:
    """Of prose, in lines that are read well, or of code, whose lines are not broken."""

    def __init__(self, edit: QTextEdit, theme: Theme) -> None:
        self._edit, self._theme, self._is_code = edit, theme, False

    def show_code(self, is_code: bool) -> None:
        edit, self._is_code = self._edit, is_code
        edit.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap if is_code else QTextEdit.LineWrapMode.WidgetWidth)
        bar = Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_code else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        edit.setHorizontalScrollBarPolicy(bar)
        option = edit.document().defaultTextOption()
        option.setTextDirection(Qt.LayoutDirection.LeftToRight if is_code else Qt.LayoutDirection.LayoutDirectionAuto)
        modes = QTextOption.WrapMode
        option.setWrapMode(modes.NoWrap if is_code else modes.WrapAtWordBoundaryOrAnywhere)
        edit.document().setDefaultTextOption(option)
        self.dress()

    def dress(self) -> None:
        edit = self._edit
        font: QFont = self._theme.code_font(CODE_PX + 0.5) if self._is_code else self._theme.font(TEXT_PX)
        set_text_font(edit, font)
        edit.document().setDefaultFont(font)
        edit.setTabStopDistance(4 * edit.fontMetrics().horizontalAdvance(" "))
        self.arrange()

    def arrange(self) -> None:
        """The margins, in the room that there is."""
        px, room = self._theme.px, self._edit.width()
        measure = min(px(CODE_MEASURE_PX if self._is_code else MEASURE_PX), room - 2 * px(EDGE_PX))
        side = max(0, (room - measure) // 2)
        bar = self._edit.verticalScrollBar().sizeHint().width()
        self._edit.setViewportMargins(side, px(ABOVE_PX), max(0, side - bar), 0)
        document, width = self._edit.document(), self._edit.viewport().width()
        if not self._is_code and document.textWidth() != width:  # Qt has wrapped for the room before the margins
            document.setTextWidth(width)


class Tint(QObject):
    """Of what a model wrote, which a tip says, too. Only what can be seen is tinted: a long page costs as much as a
    short one."""

    def __init__(self, edit: PlainEdit, theme: Theme, page: PageDocument) -> None:
        super().__init__(edit)
        self._edit, self._theme, self._page = edit, theme, page
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self.look)
        edit.verticalScrollBar().valueChanged.connect(lambda _value: self.look())
        edit.viewport().installEventFilter(self)

    def follow(self, page: PageDocument) -> None:
        """Another text is shown."""
        self._page = page
        page.edited.connect(self.look)
        page.documentLayout().documentSizeChanged.connect(lambda _size: self._later.start())

    def look(self) -> None:
        """What is seen is another now."""
        edit, page = self._edit, self._page
        room = edit.viewport().rect()
        first = edit.cursorForPosition(QPoint(0, 0)).position()
        last = edit.cursorForPosition(QPoint(room.width(), room.height())).position()
        selections = []
        for start, end in page.ranges:
            if start > last or end < first:
                continue
            selection = QTextEdit.ExtraSelection()
            cursor = QTextCursor(page)
            cursor.setPosition(min(max(start, first), page.last))
            cursor.setPosition(min(end, last + 1, page.last), QTextCursor.MoveMode.KeepAnchor)
            selection.cursor = cursor
            selection.format.setBackground(QColor(self._theme.tokens.written))
            selections.append(selection)
        edit.set_marks("written", selections)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self._edit.cursorForPosition(event.pos()).position()
            words = tr("Written by the model. Where you change it, the tint goes.")
            is_there = range_at(self._page.ranges, place) is not None
            QToolTip.showText(event.globalPos(), words if is_there else "", self._edit)
            return True
        return super().eventFilter(watched, event)


class ReadingLine:
    """Dashed, above the place where the model begins to read."""

    def __init__(self, edit: QTextEdit, theme: Theme) -> None:
        self._edit, self._theme = edit, theme
        self._place: int | None = None

    def show_at(self, start: int | None) -> None:
        """In characters; None: at the beginning, where no line is needed."""
        self._place = None if not start else units_of(self._edit.document().toRawText(), [start])[0]
        self._edit.viewport().update()

    def scroll_to(self) -> None:
        """The cursor stays, by which the place is found."""
        if self._place is not None:
            bar = self._edit.verticalScrollBar()
            bar.setValue(bar.value() + self._top_of(self._place) - self._edit.viewport().height() // 3)

    def paint(self) -> None:
        room, px, tokens = self._edit.viewport().rect(), self._theme.px, self._theme.tokens
        if self._place is None or self._place >= self._edit.document().characterCount():
            return
        y = self._top_of(self._place) - px(8)
        if not -2 < y < room.height():
            return
        painter = QPainter(self._edit.viewport())
        painter.setPen(QPen(QColor(tokens.outline), 1, Qt.PenStyle.DashLine))
        painter.drawLine(0, y, room.width(), y)
        painter.setFont(self._theme.font(11.5, 500))
        words = tr("The model reads from here")
        width, height = painter.fontMetrics().horizontalAdvance(words) + px(12), painter.fontMetrics().height()
        x = 0 if self._edit.isRightToLeft() else room.width() - width
        box = QRect(x, y - height // 2, width, height)
        painter.fillRect(box, QColor(tokens.background))
        painter.setPen(QColor(tokens.muted))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def _top_of(self, place: int) -> int:
        cursor = QTextCursor(self._edit.document())
        cursor.setPosition(min(place, self._edit.document().characterCount() - 1))
        return self._edit.cursorRect(cursor).top()
