"""What is known of one answer: who wrote it, how much was read and re-used for it, how long that took."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from app.core.events import AnswerStats, FinishReason
from app.features.messages import model_words
from app.features.survey.wanted import made_of
from app.store.messages import StoredMessage
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label

WIDTH_PX = 340
Row = tuple[str, str]


class AnswerDetails(QFrame):
    """A popup: a click beside it, Escape or Return closes it."""

    seen_wanted = Signal()
    """The prompt that it was written to is to be shown."""

    def __init__(self, theme: Theme, message: StoredMessage, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme = theme
        self.setObjectName("answer_details")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        rows = rows_of(message)
        title = plain_label(tr("About this answer"))
        self.setAccessibleName(title.text())
        self.setAccessibleDescription("; ".join(f"{name}: {value}" for name, value in rows))
        self._grid = grid = QGridLayout(self)
        grid.addWidget(title, 0, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        for number, (name, value) in enumerate(rows, 1):
            label, told = plain_label(name, kind="muted"), plain_label(value, wraps=True)
            told.setAccessibleName(f"{name}: {value}")
            told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            told.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(told, number, 1)
            theme.dress(label, told, font=(13, 400))
        self.seen = text_button(tr("What the model saw"), "link", self)
        self.seen.setObjectName("what_the_model_saw")
        self.seen.clicked.connect(self._on_seen)
        self.seen.setVisible(made_of(message.sources) is None)  # else there were many prompts
        grid.addWidget(self.seen, len(rows) + 1, 0, 1, 2, Qt.AlignmentFlag.AlignLeading)
        theme.dress(self.seen, font=(13, 500))
        theme.dress(title, font=(15, 600))
        theme.dress(grid, margins=(16, 14, 16, 16), spacing=7)
        theme.dress(self, width=WIDTH_PX)
        self.rows = rows

    @property
    def labels(self) -> list[QLabel]:
        return self.findChildren(QLabel)

    def show_at(self, widget: QWidget) -> None:
        """Above a widget, its end at the widget's; below it where there is no room."""
        self.ensurePolished()
        for label in self.labels:
            label.ensurePolished()
        self._grid.invalidate()
        self.setFixedHeight(self._grid.totalHeightForWidth(self.width()))
        gap = self._theme.px(4)
        mirrored = widget.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x = 0 if mirrored else widget.width() - self.width()
        place = QRect(widget.mapToGlobal(QPoint(x, -self.height() - gap)), self.size())
        room = widget.screen().availableGeometry()
        if place.top() < room.top():
            place.moveTop(widget.mapToGlobal(QPoint(0, widget.height() + gap)).y())
        place.moveLeft(max(room.left(), min(place.left(), room.right() - self.width())))
        self.move(place.topLeft())
        self.show()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def _on_seen(self) -> None:
        self.close()
        self.seen_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.close()
        else:
            super().keyPressEvent(event)


def rows_of(message: StoredMessage) -> list[Row]:
    """Name and value of everything that is known."""
    rows = [(tr("Written by"), model_words(message.model) or tr("not known, or changed by you"))]
    if message.stats is not None:
        rows += _figures(message.stats)
    if message.thinking_s is not None:
        rows.append((tr("Thought for"), _time(message.thinking_s)))
    if len(message.versions) > 1 and message.id in message.versions:
        place, count = message.versions.index(message.id) + 1, len(message.versions)
        rows.append((tr("Version"), tr("{place} of {count}", place=place, count=count)))
    when = datetime.fromtimestamp(message.created_at).astimezone()
    rows.append((tr("Begun"), when.strftime("%Y-%m-%d %H:%M")))
    return rows


def _figures(stats: AnswerStats) -> list[Row]:
    read = max(0, stats.prompt_tokens - stats.reused_tokens)
    rows = [
        (tr("Prompt"), tr("{count} tokens", count=f"{stats.prompt_tokens:,}")),
        (tr("Of that"), tr("re-used {kept}, read {count}", kept=f"{stats.reused_tokens:,}", count=f"{read:,}")),
        (tr("Written"), tr("{count} tokens", count=f"{stats.generated_tokens:,}")),
    ]
    if stats.media_tokens:
        told = tr("{count} tokens, remembered", count=f"{stats.media_tokens:,}")
        if stats.encoded_media:
            told = tr("{count} tokens, looked at now: {new}", count=f"{stats.media_tokens:,}", new=stats.encoded_media)
        rows.insert(2, (tr("For pictures"), told))
    if stats.thinking_tokens:
        rows.append((tr("Of that"), tr("{count} of thinking", count=f"{stats.thinking_tokens:,}")))
    rows.append((tr("First token after"), _time(stats.time_to_first_token_s)))
    if stats.tokens_per_s > 0:
        speed = f"{stats.tokens_per_s:.0f}" if stats.tokens_per_s >= 10 else f"{stats.tokens_per_s:.1f}"
        rows.append((tr("Speed"), tr("{speed} tokens/s", speed=speed)))
        whole_s = stats.time_to_first_token_s + max(0, stats.generated_tokens - 1) / stats.tokens_per_s
        rows.append((tr("In all"), _time(whole_s)))
    ends = {
        FinishReason.STOP: tr("by itself"),
        FinishReason.LENGTH: tr("at its length limit"),
        FinishReason.CONTEXT: tr("when the context was full"),
        FinishReason.CANCELLED: tr("when it was stopped"),
    }
    if stats.finish_reason in ends:
        rows.append((tr("Ended"), ends[stats.finish_reason]))
    return rows


def _time(seconds: float) -> str:
    if seconds < 60:
        return tr("{seconds} s", seconds=f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    return tr("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
