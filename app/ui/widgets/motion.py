"""Fades where something appears; none if the system or the user asks for less motion."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QEasingCurve,
    QObject,
    QPoint,
    QRect,
    QSocketNotifier,
    QStandardPaths,
    Qt,
    QVariantAnimation,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QGraphicsOpacityEffect, QWidget
from shiboken6 import isValid

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

log = logging.getLogger(__name__)

FADE_MS = 120
WAIT_MS = FADE_MS + 32
"""How long costly work waits for a fade: two frames more, or it would fall into the last of them."""
SLIDE_PX = 16
PORTAL, PORTAL_PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
PORTAL_INTERFACES, PORTAL_S = "org.freedesktop.portal", 10.0
ANIMATIONS = ("org.gnome.desktop.interface", "enable-animations")
"""The portal's name for the switch: namespace and key."""
EFFECT = Qt.UIEffect.UI_General
"""Qt's own switch for motion, which holds for all widgets; a process starts without."""


def allow_motion(application: QApplication, *, is_reduced: bool) -> None:
    """Switch motion on unless the setting or the system reduces it."""
    is_system_reduced = system_reduces_motion()  # asked first, as Qt forgets the system's answer below
    if (portal := application.findChild(AnimationsPortal)) is None:
        portal = AnimationsPortal(application)
        portal.answered.connect(lambda: allow_motion(application, is_reduced=portal.is_reduced_here))
        portal.ask()
    portal.is_reduced_here = is_reduced
    application.setEffectEnabled(EFFECT, not (is_reduced or is_system_reduced or portal.are_switched_off))


_until_s = 0.0
"""When what began to move last is in its place, by `time.monotonic`."""


def is_moving() -> bool:
    """Return whether something fades or slides just now, and costly work may wait for the blink that it takes."""
    return time.monotonic() < _until_s


def _begin_moving() -> None:
    global _until_s  # noqa: PLW0603 - of the process, like Qt's own switch
    _until_s = time.monotonic() + FADE_MS / 1000


def may_move() -> bool:
    return QApplication.isEffectEnabled(EFFECT)


class AnimationsPortal(QObject):
    """The desktop's own switch for animations, such as GNOME's: asked off the window's thread, then followed."""

    answered = Signal()
    """The switch was read and is off, or somebody turned it meanwhile."""
    _heard = Signal(object, bool)

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.are_switched_off = False
        self.is_reduced_here = False
        """The program's own setting."""
        self._bus: DBusConnection | None = None
        self._notifier: QSocketNotifier | None = None
        self._heard.connect(self._on_heard, Qt.ConnectionType.QueuedConnection)
        application.aboutToQuit.connect(self.close)

    @property
    def is_followed(self) -> bool:
        """True once the desktop has answered, and for as long as its bus is there."""
        return self._bus is not None

    def ask(self) -> None:
        # Only if a bus is running: some systems start one for any client that asks.
        if sys.platform == "linux" and os.environ.get("DBUS_SESSION_BUS_ADDRESS", "").startswith("unix:"):
            threading.Thread(target=self._ask, name="animations portal", daemon=True).start()

    def close(self) -> None:
        """Leave the bus; what the desktop switches from now on is not followed any more."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
        if self._bus is not None:
            self._bus.close()
        self._bus = self._notifier = None

    def _ask(self) -> None:
        from jeepney import DBusAddress, MatchRule, MessageType, new_method_call
        from jeepney.bus_messages import message_bus
        from jeepney.io.blocking import open_dbus_connection

        interface = f"{PORTAL_INTERFACES}.Settings"
        address = DBusAddress(PORTAL_PATH, bus_name=PORTAL, interface=interface)
        message = new_method_call(address, "Read", "ss", ANIMATIONS)
        rule = MatchRule(type="signal", sender=PORTAL, interface=interface, member="SettingChanged", path=PORTAL_PATH)
        with contextlib.ExitStack() as unless_heard:
            try:
                bus = open_dbus_connection("SESSION", auth_timeout=PORTAL_S)
                unless_heard.callback(bus.close)
                # Before it is read, so that no change is missed in between.
                bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=PORTAL_S)
                reply = bus.send_and_get_reply(message, timeout=PORTAL_S)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with a bus, things move as they did
                log.info("the desktop's animation switch is unknown: %r", error)
                return
            if reply.header.message_type is not MessageType.error and isValid(self):
                unless_heard.pop_all()
                # A variant in a variant.
                self._heard.emit(bus, reply.body[0][1][1] is False)

    def _on_heard(self, bus: DBusConnection, is_off: bool) -> None:
        self._bus = bus
        self._notifier = QSocketNotifier(bus.sock.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_readable)
        self._note_switch(is_off)
        self._on_readable()  # what came with the answer

    def _on_readable(self) -> None:
        """Read what came on the bus, of which the last change counts."""
        try:
            while self._bus is not None:
                body = self._bus.receive(timeout=0).body
                if body[:2] == ANIMATIONS:
                    self._note_switch(body[2][1] is False)
        except TimeoutError:
            return  # that was all
        except Exception as error:  # noqa: BLE001 - as above
            log.info("the desktop's animation switch is no longer followed: %r", error)
            self.close()

    def _note_switch(self, is_off: bool) -> None:
        if is_off != self.are_switched_off:
            self.are_switched_off = is_off
            self.answered.emit()


def system_reduces_motion(config: Path | None = None) -> bool:
    """Return whether the desktop's animations are switched off, as far as its files tell.

    Read from Windows and macOS through Qt; of Linux desktops, from KDE's and GTK's settings in `config`.
    """
    if sys.platform in ("win32", "darwin"):
        return _qt_reduces_motion()
    folder = config or Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation))
    off = (
        ("kdeglobals", "KDE", "AnimationDurationFactor", ("0", "0.0")),
        ("gtk-4.0/settings.ini", "Settings", "gtk-enable-animations", ("0", "false")),
        ("gtk-3.0/settings.ini", "Settings", "gtk-enable-animations", ("0", "false")),
    )
    return any(_value_in(folder / file, section, key).lower() in values for file, section, key, values in off)


@cache
def _qt_reduces_motion() -> bool:
    return not may_move()


def _value_in(file: Path, section: str, key: str) -> str:
    if not file.is_file():
        return ""
    import configparser  # asked for at each start, and most desktops have none of these files

    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read(file, "utf-8")
    except (OSError, ValueError, configparser.Error):
        return ""
    return parser.get(section, key, fallback="")


class FadeBackdrop(QWidget):
    """Picture of what is behind a shadow, below it."""

    def __init__(self, shadow: QWidget, host: QWidget) -> None:
        super().__init__(host)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setGeometry(shadow.geometry().intersected(host.rect()))
        # Of the whole window: the host may let through what lies behind it.
        window = host.window()
        self._picture = window.grab(QRect(host.mapTo(window, self.pos()), self.size()))
        self.stackUnder(shadow)
        self.show()

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).drawPixmap(0, 0, self._picture)


class FadeIn(QObject):
    """Fades a floating widget in, whenever `start` is called, together with its shadow."""

    def __init__(self, floating: QWidget) -> None:
        super().__init__(floating)
        self._floating = floating
        self._shadow: QGraphicsOpacityEffect | None = None
        self._own: QGraphicsOpacityEffect | None = None
        self._backdrop: FadeBackdrop | None = None
        self._run = QVariantAnimation(self, duration=FADE_MS, startValue=0.0, endValue=1.0)
        self._run.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._run.valueChanged.connect(self._on_value)
        self._run.finished.connect(self.stop)

    def start(self, shadow: QWidget) -> None:
        if not may_move():
            return
        self.stop()
        self._shadow = QGraphicsOpacityEffect(shadow)
        shadow.setGraphicsEffect(self._shadow)
        if not self._floating.isWindow():
            self._own = QGraphicsOpacityEffect(self._floating)
            self._floating.setGraphicsEffect(self._own)
        self._on_value(0.0)
        _begin_moving()
        # Taken while neither is seen; what is behind them would else be painted again with every frame.
        host = shadow.parentWidget()
        self._backdrop = FadeBackdrop(shadow, host) if host is not None else None
        self._run.start()

    def stop(self) -> None:
        """Show the widget as it is."""
        self._run.stop()
        if self._backdrop is not None and isValid(self._backdrop):
            self._backdrop.hide()
            self._backdrop.deleteLater()
        self._backdrop = None
        for effect in (self._shadow, self._own):
            # Deleted with its widget, or here: an effect costs a second drawing as long as it is there.
            if effect is not None and isValid(effect):
                widget = effect.parent()
                if isinstance(widget, QWidget):
                    widget.setGraphicsEffect(None)  # type: ignore[arg-type] # which deletes the effect
        self._shadow = self._own = None
        if self._floating.isWindow():
            self._floating.setWindowOpacity(1.0)

    def _on_value(self, share: float) -> None:
        if self._floating.isWindow():
            self._floating.setWindowOpacity(share)  # where there is no compositor it has no effect
        for effect in (self._shadow, self._own):
            if effect is not None and isValid(effect):
                effect.setOpacity(share)


class SlideIn(QWidget):
    """Picture of a pane that slides to its place over the pane, which isn't drawn meanwhile."""

    def __init__(self, pane: QWidget) -> None:
        super().__init__(pane)
        self.setObjectName("slide_in")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._picture: QPixmap = pane.grab()
        self._share = 0.0
        self._is_mirrored = pane.isRightToLeft()
        self.setGeometry(pane.rect())
        self._run = QVariantAnimation(self, duration=FADE_MS, startValue=0.0, endValue=1.0)
        self._run.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._run.valueChanged.connect(self._on_value)
        self._run.finished.connect(self.deleteLater)
        self.show()
        self.raise_()
        _begin_moving()
        self._run.start()

    def _on_value(self, share: float) -> None:
        self._share = share
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.palette().color(QPalette.ColorRole.Window)))
        painter.setOpacity(self._share)
        away = round(SLIDE_PX * (1 - self._share)) * (-1 if self._is_mirrored else 1)
        painter.drawPixmap(QPoint(away, 0), self._picture)


def slide_in(pane: QWidget) -> None:
    """Slide a pane that was just opened to its place."""
    if may_move() and pane.isVisible():
        SlideIn(pane)
