"""What the model sees of a chat: counted while a message is written, shown in parts, asked about when it is full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.features.chat.prompts import Parts
from app.ui.i18n import tr, window_title
from app.ui.shell import tasks
from app.ui.theme import Theme
from app.ui.widgets.dialogs import QuestionDialog

if TYPE_CHECKING:
    from app.features.chat.answers import Chat


class ContextFull(QuestionDialog):
    """`compact_wanted` or `new_chat_wanted`; closed otherwise, everything stays as it is."""

    compact_wanted = Signal()
    new_chat_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        words = tr(
            "Your message was kept and nothing was sent. Compact leaves out the oldest turns; "
            "they stay in the chat and can be brought back. Or take the message to a new chat."
        )
        super().__init__(theme, tr("This chat no longer fits into the model’s context."), words, parent)
        self.setObjectName("context_full")
        self.setWindowTitle(window_title(tr("The context is full")))
        self.add_choice(tr("New chat"), self.new_chat_wanted.emit)
        self.add_choice(tr("Compact"), self.compact_wanted.emit, "primary")


# Counts what the next prompt is made of while a message is written: a moment after the last key, on a thread.


DELAY_MS = 500


@dataclass(frozen=True)
class Subject:
    """What is looked at: a conversation, or a new one with its system prompt, and the message being written."""

    talk: Chat
    conversation_id: int | None
    system: str
    draft: str
    documents: tuple[object, ...] = ()
    """Which documents go with it, and how they are shown."""


class ContextWatch(QObject):
    """`subject` says what to count, or None while the model is away or at work; one counting at a time."""

    measured = Signal(object)
    """`Parts` of what is still the subject."""

    def __init__(self, subject: Callable[[], Subject | None], parent: QObject) -> None:
        super().__init__(parent)
        self._subject = subject
        self._running: Subject | None = None
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.look)

    @property
    def is_counting(self) -> bool:
        """Whether the model's tokenizer is at work for this."""
        return self._running is not None

    def look_later(self) -> None:
        """After a key: once nothing was typed for a moment."""
        self._timer.start()

    def look(self) -> None:
        """Counts now."""
        self._timer.stop()
        subject = self._subject()
        if subject is None:
            return
        if self._running is not None:
            self._timer.start()
            return
        self._running = subject
        task = tasks.run(lambda _token: _parts(subject), self)
        task.event.connect(self._on_parts)
        task.finished.connect(self._on_end)
        task.failed.connect(self._on_failed)

    def _on_parts(self, parts: Parts | None) -> None:
        if parts is not None and self._subject() == self._running:
            self.measured.emit(parts)

    def _on_end(self) -> None:
        self._running = None

    def _on_failed(self, error: BaseException) -> None:
        """An engine that went away says so when it is asked something; here nobody asked."""
        self._running = None
        if not isinstance(error, AppError):
            raise error


def _parts(subject: Subject) -> Iterator[Parts | None]:
    yield subject.talk.parts(subject.conversation_id, subject.system, subject.draft)


# What the model sees, in tokens: a bar of the context and a line for each part of the next prompt.


WIDTH_PX = 340
BAR_PX = 10
SWATCH_PX = 10

Row = tuple[str, int, float]
"""Words, tokens, and how strong its tint is: 0 is the track's own."""


def rows_of(parts: Parts) -> list[Row]:
    """The lines in the bar's order; parts that a chat does not have are left out."""
    free = parts.budget.context_tokens - parts.used_tokens - parts.budget.reserve_tokens
    return [
        (tr("System prompt"), parts.system, 0.95),
        *([(tr("Instructions from before"), parts.carried, 0.85)] if parts.carried else []),
        *([(tr("Pinned"), parts.pinned, 0.75)] if parts.pinned else []),
        *([(tr("Documents"), parts.documents, 0.65)] if parts.documents else []),
        (tr("Earlier turns"), parts.earlier, 0.5),
        (tr("This message"), parts.message, 0.35),
        (tr("Free"), max(0, free), 0.0),
        (tr("Kept for the answer"), parts.budget.reserve_tokens, 0.2),
    ]


def tint(theme: Theme, strength: float) -> QColor:
    """A tone between the track and the text: the same order of strength in light and dark."""
    low, high = QColor(theme.tokens.line), QColor(theme.tokens.text)
    mixed = [
        round(a + (b - a) * strength)
        for a, b in zip(low.getRgb()[:3], high.getRgb()[:3], strict=True)  # type: ignore[index]
    ]
    return QColor(*mixed)


class ContextPanel(QFrame):
    """A popup: a click beside it, or Escape, closes it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme = theme
        px = theme.px
        self.setObjectName("context_panel")
        self.setAccessibleName(tr("What the model sees"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedWidth(px(WIDTH_PX))
        title = QLabel(tr("What the model sees"))
        title.setFont(theme.font(15, 600))
        self._sum = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._sum.setProperty("kind", "muted")
        self._sum.setFont(theme.font(13))
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self._sum)
        self._bar = _Bar(theme)
        self._table = self._table_of([])
        self._words = QLabel(tr("Counting…"), textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._words.setProperty("kind", "muted")
        self._words.setFont(theme.font(13))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(px(16), px(14), px(16), px(16))
        self._column.setSpacing(px(10))
        self._column.addLayout(head)
        self._column.addWidget(self._bar)
        self._column.addWidget(self._table)
        self._column.addWidget(self._words)
        self._fit()

    def show_parts(self, parts: Parts) -> None:
        """Fills in or refreshes the numbers."""
        rows = rows_of(parts)
        before, self._table = self._table, self._table_of(rows)
        self._column.replaceWidget(before, self._table)
        before.hide()
        before.deleteLater()
        self._table.show()  # at once: the height is taken from what is shown
        self._bar.show_rows(rows, parts.budget.context_tokens)
        whole = f"{parts.budget.context_tokens:,}"
        self._sum.setText(tr("{used} of {size} tokens", used=f"{parts.used_tokens:,}", size=whole))
        text = notes_on(parts)
        self._words.setText(text)
        self._words.setVisible(bool(text))
        self._words.setProperty("kind", "danger" if parts.is_over else "muted")
        self._words.style().polish(self._words)
        said = "; ".join(tr("{part}: {count} tokens", part=words, count=f"{tokens:,}") for words, tokens, _ in rows)
        self.setAccessibleDescription(" ".join(part for part in (said + ".", text) if part))
        self._fit()

    def say(self, text: str) -> None:
        """Words in place of numbers."""
        self._words.setText(text)
        self._fit()

    def place_above(self, widget: QWidget) -> None:
        """Its lower edge above the widget, its leading edge at the widget's."""
        mirrored = widget.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x = widget.width() - self.width() + self._theme.px(16) if mirrored else -self._theme.px(16)
        self.move(widget.mapToGlobal(QPoint(x, -self.height() - self._theme.px(8))))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        else:
            super().keyPressEvent(event)

    def _table_of(self, rows: list[Row]) -> QWidget:
        """A line for each part: its tint, its name, its number."""
        table = QWidget(self)
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self._theme.px(10))
        grid.setVerticalSpacing(self._theme.px(6))
        grid.setColumnStretch(1, 1)
        for number, (words, tokens, strength) in enumerate(rows):
            name, count = QLabel(words), QLabel(f"{tokens:,}")
            count.setAccessibleName(tr("{part}: {count} tokens", part=words, count=f"{tokens:,}"))
            for label in (name, count):
                label.setFont(self._theme.font(13))
            grid.addWidget(_Swatch(self._theme, strength), number, 0)
            grid.addWidget(name, number, 1)
            grid.addWidget(count, number, 2, Qt.AlignmentFlag.AlignTrailing)
        return table

    def _fit(self) -> None:
        """Grows upwards: its foot stays above the gauge."""
        self.ensurePolished()
        self._column.activate()
        bottom = self.geometry().bottom()
        column = self._column  # without words that wrap it has no height for a width
        height = column.totalHeightForWidth(self.width()) if column.hasHeightForWidth() else -1
        self.setFixedHeight(height if height > 0 else column.totalSizeHint().height())
        self.move(self.x(), bottom - self.height() + 1)


def notes_on(parts: Parts) -> str:
    """What the numbers mean for the next message, in a sentence or two; empty when there is nothing to say."""
    notes = []
    if parts.is_over:
        notes.append(tr("The next message does not fit as things are: the oldest turns will have to go."))
    if parts.hidden == 1:
        notes.append(tr("1 earlier message is not shown to the model."))
    elif parts.hidden:
        notes.append(tr("{count} earlier messages are not shown to the model.", count=parts.hidden))
    return " ".join(notes)


class _Bar(QWidget):
    """The parts beside each other, as wide as they are large."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[Row] = []
        self._whole = 1
        self.setFixedHeight(theme.px(BAR_PX))

    def show_rows(self, rows: list[Row], context_tokens: int) -> None:
        """Parts of the whole context."""
        self._rows, self._whole = rows, max(1, context_tokens)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QPainterPath()
        whole.addRoundedRect(QRectF(self.rect()), self.height() / 2, self.height() / 2)
        painter.setClipPath(whole)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.line))
        x = 0.0
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        for _, tokens, strength in self._rows:
            width = self.width() * tokens / self._whole
            left = self.width() - x - width if mirrored else x
            painter.fillRect(QRectF(left, 0, width, self.height()), tint(self._theme, strength))
            x += width


class _Swatch(QWidget):
    """The tint of a part beside its name."""

    def __init__(self, theme: Theme, strength: float) -> None:
        super().__init__()
        self._theme, self._strength = theme, strength
        self.setFixedSize(QSize(theme.px(SWATCH_PX), theme.px(SWATCH_PX)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(self._theme.tokens.outline))
        painter.setBrush(tint(self._theme, self._strength))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
