"""The card below an answer that asks whether a tool may be called: what is sent, what it may touch, and the choices."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from app.core.visible import visible_name
from app.features.chat.tool_questions import ToolQuestion, shown_arguments
from app.features.tools.call_words import reach_words, title_words
from app.features.tools.permissions import PermissionAnswer
from app.ui.i18n import tr
from app.ui.locale_formats import join_list
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import FlowLayout
from app.ui.widgets.timers import new_timer

NOT_NOW = "Not now"
ANSWERS = {
    PermissionAnswer.ONCE: "Allow once",
    PermissionAnswer.CHAT: "Allow in this chat",
    PermissionAnswer.TOOL: "Always allow",
    PermissionAnswer.SERVER: "Always allow all that only read",
    PermissionAnswer.NEVER: "Never allow",
}
ARGUMENTS = "Sent to the tool"
GUARD_MS = 400
"""A card comes by itself: a click that was meant for what stood there before must not answer it."""
MOST_LINES, MOST_LOW_LINES, LOW_PX = 7, 3, 600
"""Lines of arguments before they scroll, in a normal and in a low window: the name of the tool stays in sight."""
PAD_PX = 16


class PermissionCard(QFrame):
    """Takes no focus when it comes, so that no key that is typed on answers it; Escape in it means not now."""

    def __init__(
        self, theme: Theme, parent: QWidget, question: ToolQuestion, on_answer: Callable[[str | None], object]
    ) -> None:
        super().__init__(parent)
        self.question, self._theme, self._on_answer = question, theme, on_answer
        self.setObjectName("permission_card")
        self.setProperty("kind", "card")
        call = question.call
        title, about = title_words(call), " ".join(reach_words(call, join_list))
        self._title = plain_label(title, wraps=True, parent=self)
        self._about = plain_label(about, kind="muted", wraps=True, parent=self)
        self._arguments = SentArguments(theme, visible_name(call.address) or shown_arguments(call.arguments), self)
        buttons = QWidget(self)
        flow = FlowLayout(buttons)
        for answer in (*map(PermissionAnswer, question.answers), None):
            kind = "primary" if answer is PermissionAnswer.ONCE else "plain" if answer is not None else "quiet"
            button = text_button(tr(ANSWERS[answer] if answer is not None else NOT_NOW), kind, buttons)
            button.setObjectName(f"permission_{answer.value if answer is not None else 'later'}")
            button.setAccessibleDescription(title)
            button.clicked.connect(lambda _=False, answer=answer: self._take_answer(answer))
            flow.addWidget(theme.dress(button, font="control"))
        column = QVBoxLayout(self)
        for part in (self._title, self._arguments, self._about, buttons):
            column.addWidget(part)
        theme.dress(column, margins=(PAD_PX, 12, PAD_PX, 14), spacing=8)
        theme.dress(flow, spacing=8)
        theme.dress(self._title, font="strong")
        theme.dress(self._about, font="small")
        self.setAccessibleName(f"{title} {about}")
        self._guard = new_timer(self, GUARD_MS, lambda: None)
        self._guard.start()
        announce(parent, f"{title} {about}")

    @property
    def is_ready(self) -> bool:
        """True once it has been seen long enough to be answered."""
        return not self._guard.isActive()

    def height_for(self, width: int) -> int:
        room = width - 2 * self._theme.px(PAD_PX) - 2 * self.frameWidth()
        self._arguments.fit_width(room)
        layout = self.layout()
        assert layout is not None
        layout.invalidate()
        return layout.totalHeightForWidth(width)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.accept()
            self._take_answer(None)
        else:
            super().keyPressEvent(event)

    def _take_answer(self, answer: PermissionAnswer | None) -> None:
        if answer is None or self.is_ready:
            self._on_answer(answer.value if answer is not None else None)


class SentArguments(QPlainTextEdit):
    """Arguments as they are sent, whole; more than a few lines scroll."""

    def __init__(self, theme: Theme, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self._theme = theme
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setAccessibleName(tr(ARGUMENTS))
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        # In the order in which it is sent, also with words that read from right to left.
        option = QTextOption(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute)
        option.setTextDirection(Qt.LayoutDirection.LeftToRight)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)

    def fit_width(self, width: int) -> None:
        """Set the height for a width: that of the text, up to a few lines."""
        if (font := self._theme.fonts.code()) != self.font():
            self.setFont(font)
        metrics, px = self.fontMetrics(), self._theme.px
        letters = max(1, (width - 2 * px(12)) // max(1, metrics.horizontalAdvance("m")))
        lines = sum(max(1, math.ceil(len(line) / letters)) for line in self.toPlainText().split("\n"))
        most = MOST_LINES if self.window().height() >= px(LOW_PX) else MOST_LOW_LINES
        self.setFixedHeight(min(lines, most) * metrics.lineSpacing() + px(24))
