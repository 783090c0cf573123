"""Notices: a sentence with buttons and a cross, floating over the page, at its end or, for errors, at its top."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QCursor, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.ui.i18n import breakable, tr
from app.ui.locale_formats import join_facts
from app.ui.screen_reader import read_as
from app.ui.shared_labels import CANCEL
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.elevation import elevate
from app.ui.widgets.labels import ProgressStripe, announce, plain_label
from app.ui.widgets.layouts import FlowLayout, drop_margins, fill_layout

LEAST_PX, MOST_PX = 320, 520
LEAST_WORDS_PX = 140
"""Width that a sentence keeps beside its button."""
EDGE_PX, GAP_PX = 24, 16
ERROR_PX = 20


class Notice(QFrame):
    """Notice with buttons. With a lifetime it closes by itself, but not while hovered or focused.

    An error has an icon, and its button is a plain one; other notices have links.
    """

    left = Signal()

    def __init__(self, theme: Theme, text: str, lifetime_ms: int = 0, *, is_error: bool = False) -> None:
        super().__init__()
        self.text, self.is_error = text, is_error
        self.can_undo = False
        """True if its button takes something back."""
        self._theme = theme
        self.setObjectName("notice")
        # Readers say by themselves what is an alert, and then it would be said twice.
        read_as(self, QAccessible.Role.Grouping).setAccessibleName(text)
        self._label = plain_label(breakable(text), wraps=True)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # A new policy drops what a wrapped label has set by itself, and its lines would be cut.
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self._label.setSizePolicy(policy)
        self._close = IconButton(theme, "x", tr("Dismiss"), size_px=16, on_click=self.dismiss)
        self.buttons: list[QPushButton] = []
        self._row, self._below = QHBoxLayout(), FlowLayout(is_at_end=True)
        if is_error:
            sign = theme.dress(QLabel(), picture=("warning-circle", "danger", ERROR_PX), margins=(0, 5, 0, 5))
            self._row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        fill_layout(self._row, (self._label, 1), (self._close, 0, Qt.AlignmentFlag.AlignTop))
        self._column = theme.dress(fill_layout(QVBoxLayout(self), self._row, self._below), margins=(16, 8, 8, 8))
        self._timer = QTimer(self, singleShot=True, interval=lifetime_ms)
        self._timer.timeout.connect(self._on_time_up)
        theme.dress(self._label, font="row", margins=(0, 6, 0, 6))
        theme.dress(self._column, self._row, self._below, spacing=8)
        if lifetime_ms:
            self._timer.start()

    @property
    def can_wait(self) -> bool:
        """True if something would be lost with it."""
        return bool(self.buttons) or not self._timer.interval()

    @property
    def natural_px(self) -> int:
        """Width with the sentence in one line, and with a single button beside it."""
        return self._label.fontMetrics().horizontalAdvance(self._label.text()) + self._beside_px

    @property
    def _beside_px(self) -> int:
        row = [item.widget() for item in map(self._row.itemAt, range(self._row.count())) if item is not None]
        beside = {*row, *(self.buttons if len(self.buttons) == 1 else ())} - {self._label}
        gaps = len(beside) * self._row.spacing() + 2 * self._theme.px(16)
        widths = [widget.sizeHint().width() for widget in beside if widget is not None]
        return int(sum(widths)) + gaps

    def fit_width(self, width: int) -> None:
        """Place a single button beside the sentence, or below it where it would leave that no room."""
        if len(self.buttons) == 1:
            self._place_buttons(is_below=width - self._beside_px < self._theme.px(LEAST_WORDS_PX))

    def set_aside(self) -> None:
        """Hide while a newer notice is shown."""
        self._timer.stop()
        self.hide()

    def bring_back(self) -> None:
        """Show, with the full time ahead."""
        if self.isHidden() and self._timer.interval():
            self._timer.start()
        self.show()

    def add_button(self, text: str, on_click: Callable[[], object], kind: str = "", *, leaves: bool = True) -> None:
        """Add a button that dismisses the notice first, unless `leaves` is False.

        A single one is next to the text, several are below it, to leave it room.
        """
        kind = kind or ("plain" if self.is_error else "link")
        button = text_button(text, kind, on_click=lambda _checked: on_click())
        self._theme.dress(button, font="strong" if kind == "link" else "control")
        if leaves:
            button.clicked.connect(self.dismiss)
        button.installEventFilter(self)
        self.buttons.append(button)
        self._place_buttons(is_below=len(self.buttons) > 1)
        # Made after the cross, but reached before it.
        QWidget.setTabOrder(button, self._close)

    def _place_buttons(self, *, is_below: bool) -> None:
        for button in self.buttons:
            if (self._below if is_below else self._row).indexOf(button) >= 0:
                continue
            (self._row if is_below else self._below).removeWidget(button)
            if is_below:
                self._below.addWidget(button)
            else:
                self._row.insertWidget(self._row.count() - 1, button, 0, Qt.AlignmentFlag.AlignVCenter)

    def dismiss(self) -> None:
        self._timer.stop()
        self.hide()
        self.left.emit()

    def _on_time_up(self) -> None:
        inside = self.rect().contains(self.mapFromGlobal(QCursor.pos())) and self.underMouse()
        focus = QApplication.focusWidget()
        # A screen reader comes to the buttons only after everything else it has to say.
        is_awaited = self.can_wait and QAccessible.isActive()
        if inside or (focus is not None and self.isAncestorOf(focus)) or not self.isActiveWindow() or is_awaited:
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


class NoticeSlot(QWidget):
    """Place for one notice; the newest covers the others, which wait for it to leave.

    A covered notice waits if it lasts or has a button, so that no Undo is lost, and comes back with its full time.
    Others were seen and go.
    """

    resized = Signal()
    """Another notice is shown, or it has another size."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(tr("Notices"))
        self.queue: list[Notice] = []
        """The shown notice, last, and those that wait."""
        self._column = drop_margins(QVBoxLayout(self), 0)
        elevate(self)
        self.hide()

    def add_notice(self, notice: Notice) -> None:
        notice.left.connect(lambda: self._on_left(notice))
        self.queue.append(notice)
        self._column.addWidget(notice)
        for covered in self.queue[:-1]:
            (covered.set_aside if covered.can_wait else covered.dismiss)()
        notice.show()
        self._column.invalidate()
        self.resized.emit()  # placed before it is shown: a widget that appears under the pointer counts as hovered
        self.show()
        announce(
            notice, join_facts((notice.text, *(button.text() for button in notice.buttons))), is_urgent=notice.is_error
        )

    def size_within(self, room_px: int) -> QSize:
        """Return the size of the shown notice in a page of this width."""
        px, shown = self._theme.px, self.queue[-1]
        width = min(max(shown.natural_px, px(LEAST_PX)), px(MOST_PX), room_px - 2 * px(EDGE_PX))
        shown.fit_width(width)
        wanted = self._column.totalHeightForWidth(width) if self._column.hasHeightForWidth() else -1
        return QSize(max(1, width), wanted if wanted > 0 else self._column.totalSizeHint().height())

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.resized.emit()  # a notice was wrapped differently
        return done

    def _on_left(self, notice: Notice) -> None:
        if notice in self.queue:
            self.queue.remove(notice)
            self._column.removeWidget(notice)
            notice.deleteLater()
        self.setVisible(bool(self.queue))
        if self.queue:
            self.queue[-1].bring_back()
        self._column.invalidate()
        self.resized.emit()


class NoticeBar(NoticeSlot):
    """Notice at the page's end, above the feet (see `stand_above`), and one for errors at its top."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._under: QWidget | None = None
        self._feet: list[QWidget] = []
        self.setObjectName("notice_bar")
        self.notices: list[Notice] = []
        """All, shown or waiting, the newest last."""
        self.errors = NoticeSlot(theme)
        self.errors.setParent(self)  # until there is a page to float over
        for slot in (self, self.errors):
            slot.resized.connect(self._place_slots)
        theme.changed.connect(self._place_slots)

    def float_over(self, parent: QWidget, under: QWidget) -> None:
        """Float over `under`, a child of `parent`."""
        self.setParent(parent)
        self.errors.setParent(parent)
        self._under = under
        under.installEventFilter(self)
        self._place_slots()

    def stand_above(self, *feet: QWidget) -> None:
        """Place notices above these widgets, such as the message field, while they are visible."""
        for foot in feet:
            self._feet.append(foot)
            foot.installEventFilter(self)
            # `destroyed` comes when only Qt's part is left of the widget, so it is known by its id.
            foot.destroyed.connect(partial(self._forget, id(foot)))

    def add(self, notice: Notice) -> None:
        """Show a notice; one that says the same without an Undo is replaced."""
        for known in self.notices[:]:
            if known.text == notice.text and not known.can_undo:
                known.dismiss()
        self.notices.append(notice)
        notice.left.connect(lambda: self._on_over(notice))
        (self.errors if notice.is_error else self).add_notice(notice)

    def leave_screen(self) -> None:
        """Take away each Undo, which belongs to the screen that is left."""
        for notice in [notice for notice in self.notices if notice.can_undo]:
            notice.dismiss()

    def _on_over(self, notice: Notice) -> None:
        if notice in self.notices:
            self.notices.remove(notice)

    def _forget(self, gone: int) -> None:
        self._feet = [foot for foot in self._feet if id(foot) != gone]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kinds = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)
        if event.type() in kinds and (watched is self._under or watched in self._feet):
            self._place_slots()
        return super().eventFilter(watched, event)

    def _place_slots(self) -> None:
        under, parent, gap = self._under, self.parentWidget(), self._theme.px(GAP_PX)
        if under is None or parent is None:
            return
        room = under.geometry()
        feet = [foot for foot in self._feet if foot.isVisible() and under.isAncestorOf(foot)]
        tops = [foot.mapTo(parent, QPoint(0, 0)).y() for foot in feet]
        bottom = min([room.y() + room.height(), *tops]) - gap
        for slot in (self, self.errors):
            if slot.queue:
                size = slot.size_within(room.width())
                y = bottom - size.height() if slot is self else room.y()
                x = room.x() + (room.width() - size.width()) // 2
                slot.setGeometry(QRect(QPoint(x, max(room.y(), y)), size))
                slot.raise_()
