"""Screenshot of a part of the screen: selected on a still picture, or by the desktop portal on Wayland."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from app.core.events import CancelToken
from app.features.error_messages import PersonMessage
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

AWAY_MS = 250
"""Delay until the desktop has hidden a window."""
LEAST_PX = 8
"""Least size of a selection; a smaller one is taken as a click."""


class ScreenRegion(QObject):
    """Takes one screenshot at a time. `take` gets a QImage, or the Path of a file that the desktop created."""

    def __init__(self, theme: Theme, notify: Notify, window: QWidget, *, take: Callable[[Any], object]) -> None:
        super().__init__(window)
        self.take, self._theme, self._notify, self._window = take, theme, notify, window
        self._stills: list[ScreenStill] = []
        self._task: tasks.BackgroundTask | None = None
        self._state = Qt.WindowState.WindowNoState

    def ask(self) -> None:
        """Start a screenshot, hiding the program's own window meanwhile."""
        if self._stills or self._task is not None:
            return
        if is_by_portal():
            self._task = tasks.ask(ask_portal, self, self._on_portal, self._on_refused, self._on_end)
            return
        window = self._window.window()
        self._state = window.windowState()
        # What is to be seen is mostly behind the program itself.
        window.showMinimized()
        # The picture would show the window on its way out.
        QTimer.singleShot(AWAY_MS, self, self._show_stills)

    def _show_stills(self) -> None:
        # One still for each screen: a window in full screen covers only one.
        for screen in QGuiApplication.screens():
            picture = screen.grabWindow(0)
            # Null where the system denies it.
            if picture.isNull():
                continue
            still = ScreenStill(self._theme, picture, take=self._on_chosen)
            still.setGeometry(screen.geometry())
            self._stills.append(still)
            still.showFullScreen()
            still.activateWindow()
        if not self._stills:
            self._restore_window()
            self._notify.show_notice(PersonMessage("The system didn’t allow a picture of the screen."))

    def _on_chosen(self, picture: QImage) -> None:
        for still in self._stills:
            still.close()
            still.deleteLater()
        self._stills = []
        self._restore_window()
        if not picture.isNull():
            self.take(picture)

    def _restore_window(self) -> None:
        window = self._window.window()
        # Maximized windows come back maximized.
        window.setWindowState(self._state & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()

    def _on_portal(self, path: Path | None) -> None:
        if path is not None:
            self.take(path)

    def _on_refused(self, error: BaseException) -> None:
        if not isinstance(error, OSError):
            raise error
        self._notify.show_notice(PersonMessage("This desktop can’t capture part of the screen."))

    def _on_end(self) -> None:
        self._task = None


class ScreenStill(QWidget):
    """Full-screen still to select from: dragging selects a part, Enter takes everything, Escape cancels (a null
    picture).
    """

    def __init__(self, theme: Theme, picture: QPixmap, *, take: Callable[[Any], object]) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self.take, self._theme, self._picture = take, theme, picture
        self._from: QPoint | None = None
        self._to = QPoint()
        self.setObjectName("screen_still")
        self.setAccessibleName(tr("Choose part of the screen"))
        self.setAccessibleDescription(tr("Drag to select. Enter captures the whole screen, Esc cancels."))
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def region(self) -> QRect:
        """Selected part, empty before the first press of the mouse button."""
        return QRect(self._from, self._to).normalized() if self._from is not None else QRect()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._from = self._to = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._to = event.position().toPoint()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._to = event.position().toPoint()
        region, self._from = self.region, None
        # After a click the still stays.
        if region.width() >= LEAST_PX and region.height() >= LEAST_PX:
            self._choose(region)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.rect())
        elif event.key() == Qt.Key.Key_Escape:
            self.take(QImage())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(self.rect(), self._picture)
        veil = QColor(0, 0, 0, 110)
        region = self.region
        if region.isEmpty():
            painter.fillRect(self.rect(), veil)
            self._paint_words(painter)
            return
        for part in self._parts_outside(region):
            painter.fillRect(part, veil)
        painter.setPen(QPen(QColor(self._theme.tokens.accent), 2))
        painter.drawRect(region)

    def _parts_outside(self, region: QRect) -> list[QRect]:
        wide, high = self.width(), self.height()
        below = region.bottom() + 1
        return [
            QRect(0, 0, wide, region.top()),
            QRect(0, below, wide, high - below),
            QRect(0, region.top(), region.left(), region.height()),
            QRect(region.right() + 1, region.top(), wide - region.right() - 1, region.height()),
        ]

    def _paint_words(self, painter: QPainter) -> None:
        words = self.accessibleDescription()
        painter.setFont(self._theme.font("body"))
        # The box grows with the words of each language.
        box = painter.fontMetrics().boundingRect(words).adjusted(-20, -12, 20, 12)
        box.moveCenter(self.rect().center())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.raised))
        painter.drawRoundedRect(box, 10, 10)
        painter.setPen(QColor(self._theme.tokens.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def _choose(self, region: QRect) -> None:
        # On high-DPI screens the picture has more pixels than the widget has logical ones.
        scale = self._picture.width() / max(1, self.width())
        part = QRect(
            round(region.x() * scale), round(region.y() * scale),
            round(region.width() * scale), round(region.height() * scale),
        )  # fmt: skip
        picture = self._picture.toImage().copy(part)
        # The picture is one of pixels from now on; a ratio would have it shown smaller.
        picture.setDevicePixelRatio(1.0)
        self.take(picture)


# Wayland lets no program read the screen; the desktop's portal asks the user.

PORTAL, PORTAL_PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
REQUEST, SCREENSHOT = "org.freedesktop.portal.Request", "org.freedesktop.portal.Screenshot"
CALL_TIMEOUT_S, LOOK_EVERY_S, MOST_S = 10.0, 0.5, 600.0


def is_by_portal() -> bool:
    """Return whether screenshots must go through the desktop portal."""
    is_wayland = QGuiApplication.platformName() == "wayland" or os.environ.get("XDG_SESSION_TYPE") == "wayland"
    return sys.platform == "linux" and is_wayland


def ask_portal(cancel: CancelToken) -> Path | None:
    """Return the file in which the desktop saved the user's selection; None if they cancelled. Raises OSError without a
    portal.
    """
    from jeepney import MatchRule
    from jeepney.bus_messages import message_bus
    from jeepney.io.blocking import open_dbus_connection

    try:
        with contextlib.closing(open_dbus_connection("SESSION", auth_timeout=CALL_TIMEOUT_S)) as bus:
            # Before the call: the answer may come before its handle is known.
            rule = MatchRule(type="signal", sender=PORTAL, interface=REQUEST)
            bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=CALL_TIMEOUT_S)
            return _wait_for_response(bus, cancel)
    except OSError:
        raise
    # jeepney has exceptions of its own; the caller knows only OSError.
    except Exception as error:
        raise OSError(repr(error)) from error


def _wait_for_response(bus: DBusConnection, cancel: CancelToken) -> Path | None:
    from jeepney import DBusAddress, HeaderFields, MatchRule, MessageType, new_method_call

    responses_rule = MatchRule(type="signal", interface=REQUEST, member="Response")
    with bus.filter(responses_rule, bufsize=8) as responses:
        address = DBusAddress(PORTAL_PATH, bus_name=PORTAL, interface=SCREENSHOT)
        body = ("", {"interactive": ("b", True), "handle_token": ("s", "fireside_screen")})
        reply = bus.send_and_get_reply(new_method_call(address, "Screenshot", "sa{sv}", body), timeout=CALL_TIMEOUT_S)
        if reply.header.message_type is MessageType.error:
            raise OSError("no portal for screenshots")
        # The user chooses meanwhile, for as long as that takes.
        until_s = time.monotonic() + MOST_S
        while not cancel.cancelled and time.monotonic() < until_s:
            try:
                response: Any = bus.recv_until_filtered(responses, timeout=LOOK_EVERY_S)
            except TimeoutError:
                continue
            # A response may belong to another program's or an earlier request.
            if response.header.fields.get(HeaderFields.path) == reply.body[0]:
                code, results = response.body
                # Any other code: the user cancelled.
                return _path_of(str(results["uri"][1])) if code == 0 and "uri" in results else None
    return None


def _path_of(uri: str) -> Path | None:
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None
