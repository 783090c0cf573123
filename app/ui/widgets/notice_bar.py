"""Notices at the bottom: a sentence with buttons and a cross, floating over the page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.ui.i18n import breakable, tr
from app.ui.shared_labels import CANCEL
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.elevation import elevate
from app.ui.widgets.labels import ProgressStripe
from app.ui.widgets.layouts import drop_margins, fill_layout

WIDTH_PX = 640
EDGE_PX, GAP_PX = 24, 8
MOST_AT_ONCE = 3


class Notice(QFrame):
    """Notice with buttons. With a lifetime it closes by itself, but not while hovered or focused."""

    left = Signal()

    def __init__(self, theme: Theme, text: str, lifetime_ms: int = 0) -> None:
        super().__init__()
        self.text = text
        self._theme = theme
        self.setObjectName("notice")
        self.setAccessibleName(text)
        self._label = QLabel(breakable(text), textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # A new policy drops what a wrapped label has set by itself, and its lines would be cut.
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self._label.setSizePolicy(policy)
        self._close = IconButton(theme, "x", tr("Dismiss"), size_px=16, on_click=self.dismiss)
        self._buttons: list[QPushButton] = []
        self._row, self._below = QHBoxLayout(), QHBoxLayout()
        fill_layout(self._row, (self._label, 1), (self._close, 0, Qt.AlignmentFlag.AlignTop))
        self._below.addStretch(1)
        self._column = theme.dress(fill_layout(QVBoxLayout(self), self._row, self._below), margins=(16, 8, 8, 8))
        self._timer = QTimer(self, singleShot=True, interval=lifetime_ms)
        self._timer.timeout.connect(self._on_time_up)
        theme.dress(self._label, margins=(0, 6, 0, 6))
        theme.dress(self._column, self._row, self._below, spacing=8)
        if lifetime_ms:
            self._timer.start()

    def add_button(
        self, text: str, on_click: Callable[[], object], kind: str = "plain", *, leaves: bool = True
    ) -> None:
        """Add a button that dismisses the notice first, unless `leaves` is False.

        A single one is next to the text, several are below it, to leave it room.
        """
        button = text_button(text, kind)
        if leaves:
            button.clicked.connect(self.dismiss)
        button.clicked.connect(lambda _checked: on_click())
        button.installEventFilter(self)
        self._buttons.append(button)
        if len(self._buttons) == 1:
            self._row.insertWidget(1, button, 0, Qt.AlignmentFlag.AlignTop)
        for added in self._buttons if len(self._buttons) > 1 else []:
            self._row.removeWidget(added)
            self._below.removeWidget(added)
            self._below.addWidget(added)
        # Made after the cross, but reached before it.
        QWidget.setTabOrder(button, self._close)

    def dismiss(self) -> None:
        self._timer.stop()
        self.hide()
        self.left.emit()

    def _on_time_up(self) -> None:
        inside = self.rect().contains(self.mapFromGlobal(QCursor.pos())) and self.underMouse()
        focus = QApplication.focusWidget()
        if inside or (focus is not None and self.isAncestorOf(focus)) or not self.isActiveWindow():
            self._timer.start()  # someone is reading it, about to press, or away: start over with the full time
        else:
            self.dismiss()

    def enterEvent(self, event: QEvent) -> None:
        self._timer.stop()
        super().enterEvent(event)  # type: ignore[arg-type]

    def leaveEvent(self, event: QEvent) -> None:
        if self._timer.interval():
            self._timer.start()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A focused button keeps the notice; the timer restarts when the focus leaves.
        # Without a lifetime there is no timer to restart.
        if self._timer.interval():
            if event.type() == QEvent.Type.FocusIn:
                self._timer.stop()
            elif event.type() == QEvent.Type.FocusOut and self.isVisible():
                self._timer.start()
        return super().eventFilter(watched, event)


class ProgressNotice(Notice):
    """Notice of running work: changing text, progress line, Cancel.

    It stays until dismissed; dismissing doesn't stop the work.
    """

    def __init__(self, theme: Theme, text: str, on_cancel: Callable[[], object]) -> None:
        super().__init__(theme, text)
        self.line = ProgressStripe(theme)
        self.line.setAccessibleName(tr("Progress"))
        self._column.insertWidget(1, self.line)
        self.add_button(tr(CANCEL), on_cancel, leaves=False)

    def show_progress(self, text: str, done: int, total: int) -> None:
        self.text = text
        self.setAccessibleName(text)
        self._label.setText(text)
        self.line.show_share(done, total)


class NoticeBar(QWidget):
    """Stack of up to three notices, newest at the bottom, floating over the content's end without moving it.

    They don't cover titles, panel headers or fields: see `stand_above`.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._under: QWidget | None = None
        self._feet: list[QWidget] = []
        self.setObjectName("notice_bar")
        self.setAccessibleName(tr("Notices"))
        self.notices: list[Notice] = []
        self._column = drop_margins(QVBoxLayout(self))
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        elevate(self)
        self.hide()

    def float_over(self, parent: QWidget, under: QWidget) -> None:
        """Float over the end of `under`, a child of `parent`."""
        self.setParent(parent)
        self._under = under
        under.installEventFilter(self)
        self._place_bar()

    def stand_above(self, *feet: QWidget) -> None:
        """Place notices above these widgets, such as the message field, while they are visible."""
        for foot in feet:
            self._feet.append(foot)
            foot.installEventFilter(self)
            # `destroyed` comes when only Qt's part is left of the widget, so it is known by its id.
            foot.destroyed.connect(partial(self._forget, id(foot)))

    def _forget(self, gone: int) -> None:
        self._feet = [foot for foot in self._feet if id(foot) != gone]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kinds = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)
        if event.type() in kinds and (watched is self._under or watched in self._feet):
            self._place_bar()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._place_bar()  # a notice was added, removed or wrapped differently
        return done

    def _place_bar(self) -> None:
        under, parent, gap = self._under, self.parentWidget(), self._theme.px(GAP_PX)
        if under is None or parent is None or not self.notices:
            return
        room = under.geometry()
        width = max(1, min(self._theme.px(WIDTH_PX), room.width() - 2 * self._theme.px(EDGE_PX)))
        wanted = self._column.totalHeightForWidth(width) if self._column.hasHeightForWidth() else -1
        height = wanted if wanted > 0 else self._column.totalSizeHint().height()
        feet = [foot for foot in self._feet if foot.isVisible() and under.isAncestorOf(foot)]
        tops = [foot.mapTo(parent, QPoint(0, 0)).y() for foot in feet]
        bottom = min([room.y() + room.height(), *tops]) - gap
        self.setGeometry(room.x() + (room.width() - width) // 2, max(room.y() + gap, bottom - height), width, height)
        self.raise_()

    def add(self, notice: Notice) -> None:
        """Show a notice; one with the same text is replaced, and the oldest of four is closed."""
        same = [shown for shown in self.notices if shown.text == notice.text]
        for old in same or self.notices[: max(0, len(self.notices) + 1 - MOST_AT_ONCE)]:
            old.dismiss()
        notice.left.connect(lambda: self._on_left(notice))
        self.notices.append(notice)
        self._column.addWidget(notice)
        notice.show()
        self._column.invalidate()
        self._place_bar()  # placed before it is shown: a widget that appears under the pointer counts as hovered
        self.show()

    def _on_left(self, notice: Notice) -> None:
        if notice in self.notices:
            self.notices.remove(notice)
            self._column.removeWidget(notice)
            notice.deleteLater()
        self.setVisible(bool(self.notices))
        self._column.invalidate()
        self._place_bar()

    def _on_theme_changed(self) -> None:
        self._column.setSpacing(self._theme.px(8))
        self._place_bar()
