"""The person's desktop: a folder and a text to paste, and what it shows of long work outside the window."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QSocketNotifier, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from app import APP_ID, APP_NAME
from app.ui.i18n import tr
from app.ui.shared_labels import OPEN

if TYPE_CHECKING:
    from jeepney import Message
    from jeepney.io.blocking import DBusConnection


# What the desktop shows of long work outside the window: a bar on the task bar's button, and a notification.
#
# Linux: D-Bus, spoken by jeepney, because PySide cannot write the unsigned numbers that notifications are made of.
# Windows: ITaskbarList3, a COM interface, through ctypes. macOS: the notification only.


log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 1.0
DESKTOP_FILE = f"application://{APP_ID}.desktop"
NOTIFICATION_MS = 10_000
ACTIVATION = "XDG_ACTIVATION_TOKEN"
"""Where Qt looks for what lets a window come to the front on Wayland."""
NOTIFICATIONS = "org.freedesktop.Notifications"


Click = Callable[[], object] | None
"""What a click on a notification does, on the window's thread."""


class Desktop(Protocol):
    """What a system shows of long work outside the window; each kind of system has its own."""

    def show_progress(self, fraction: float | None) -> None:
        """None takes the bar away."""

    def notify_user(self, title: str, text: str, on_click: Click = None) -> None:
        """A notification beside the window."""

    def close(self) -> None:
        """At quit."""


class TaskBar:
    """Nothing of it is made before it is needed; a desktop that cannot do it is left alone.

    `is_wanted`: whether the person wants notifications.
    """

    def __init__(
        self,
        window: QWidget,
        desktop: Callable[[QWidget], Desktop] | None = None,
        *,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._window, self._is_wanted = window, is_wanted
        self._make = desktop or _desktop
        self._desktop: Desktop | None = None
        self._shown: int | None = None

    def show_progress(self, fraction: float | None) -> None:
        """How much is done of all that runs; None when nothing runs. Told on when it is another percent."""
        percent = None if fraction is None else int(100 * min(max(fraction, 0.0), 1.0))
        if percent != self._shown:
            self._shown = percent
            self._get().show_progress(None if percent is None else percent / 100)

    def tell_system(self, title: str, text: str, on_click: Click = None) -> None:
        """A notification, when the person is looking at something else; the window's button asks for a look, too."""
        if self._is_wanted() and not self._window.isActiveWindow():
            self._get().notify_user(title, text, on_click)
            QApplication.alert(self._window)

    def close(self) -> None:
        """Takes the bar away."""
        if self._desktop is not None:
            self._desktop.show_progress(None)
            self._desktop.close()
            self._desktop = None

    def _get(self) -> Desktop:
        if self._desktop is None:
            self._desktop = self._make(self._window)
        return self._desktop


def _desktop(window: QWidget) -> Desktop:
    if sys.platform == "win32":
        return WindowsDesktop(window)
    if sys.platform == "darwin":
        return TrayOnly(window)
    return BusDesktop()


class BusDesktop:
    """Linux. Docks follow the sender, so the connection stays open as long as there is a bar."""

    def __init__(self) -> None:
        self._bus: DBusConnection | None = None
        self._is_tried = False
        self._heard: QSocketNotifier | None = None
        self._asked: dict[int, Callable[[], object]] = {}
        """What a click does, by the number of the message that asked for a notification."""
        self._shown: dict[int, Callable[[], object]] = {}
        """The same, by the number that the desktop gave it."""

    def show_progress(self, fraction: float | None) -> None:
        from jeepney import DBusAddress, new_signal

        entry = DBusAddress("/com/fireside/launcher", interface="com.canonical.Unity.LauncherEntry")
        values = {"progress": ("d", fraction or 0.0), "progress-visible": ("b", fraction is not None)}
        with self._spoken() as bus:
            bus.send(new_signal(entry, "Update", "sa{sv}", (DESKTOP_FILE, values)))

    def notify_user(self, title: str, text: str, on_click: Click = None) -> None:
        from html import escape

        from jeepney import DBusAddress, MessageFlag, new_method_call

        address = DBusAddress("/org/freedesktop/Notifications", bus_name=NOTIFICATIONS, interface=NOTIFICATIONS)
        hints = {"desktop-entry": ("s", APP_ID)}
        actions = ["default", tr(OPEN)] if on_click is not None else []
        # The standard allows some markup in the text, so what is none has to say so.
        body: tuple[Any, ...] = (APP_NAME, 0, APP_ID, title, escape(text, quote=False), actions, hints, NOTIFICATION_MS)
        call = new_method_call(address, "Notify", "susssasa{sv}i", body)
        with self._spoken() as bus:
            if on_click is None or bus is _NoBus:
                call.header.flags |= MessageFlag.no_reply_expected
                bus.send(call)
                return
            self._listen(bus)
            serial = next(bus.outgoing_serial)
            self._asked[serial] = on_click
            bus.send(call, serial=serial)

    def _listen(self, bus: DBusConnection) -> None:
        """From the first notification on that somebody may click at; nothing runs for it meanwhile."""
        if self._heard is not None:
            return
        from jeepney import MatchRule, MessageFlag
        from jeepney.bus_messages import message_bus

        wanted = message_bus.AddMatch(MatchRule(type="signal", interface=NOTIFICATIONS))
        wanted.header.flags |= MessageFlag.no_reply_expected
        bus.send(wanted)
        self._heard = QSocketNotifier(bus.sock.fileno(), QSocketNotifier.Type.Read)
        self._heard.activated.connect(lambda *_: self._on_heard())

    def _on_heard(self) -> None:
        try:
            while self._bus is not None:
                self._take_message(self._bus.receive(timeout=0))
        except TimeoutError:
            return  # that was all
        except OSError as error:
            log.info("the desktop's bus is gone: %s", error)
            self.close()

    def _take_message(self, message: Message) -> None:
        from jeepney import HeaderFields, MessageType

        fields, kind, body = message.header.fields, message.header.message_type, message.body
        if kind in (MessageType.method_return, MessageType.error):
            on_click = self._asked.pop(fields.get(HeaderFields.reply_serial), None)
            if on_click is not None and kind is MessageType.method_return:
                self._shown[body[0]] = on_click
            return
        member = fields.get(HeaderFields.member)
        if member == "ActivationToken" and body[0] in self._shown:
            os.environ[ACTIVATION] = body[1]
        elif member == "ActionInvoked" and body[0] in self._shown:
            self._take_back(body[0])
            self._shown.pop(body[0])()
        elif member == "NotificationClosed":
            self._shown.pop(body[0], None)

    def _take_back(self, number: int) -> None:
        """Some desktops leave a notification where it is after a click."""
        from jeepney import DBusAddress, MessageFlag, new_method_call

        address = DBusAddress("/org/freedesktop/Notifications", bus_name=NOTIFICATIONS, interface=NOTIFICATIONS)
        call = new_method_call(address, "CloseNotification", "u", (number,))
        call.header.flags |= MessageFlag.no_reply_expected
        with self._spoken() as bus:
            bus.send(call)

    def close(self) -> None:
        if self._heard is not None:
            self._heard.setEnabled(False)
            self._heard.deleteLater()
            self._heard = None
        self._asked.clear()
        self._shown.clear()
        if self._bus is not None:
            self._bus.close()
            self._bus = None

    @contextmanager
    def _spoken(self) -> Iterator[Any]:
        """The bus, or one that takes no message where there is none; a bus that leaves is not looked for again."""
        if self._bus is None and not self._is_tried:
            self._is_tried = True
            self._bus = _open_bus()
        try:
            yield self._bus or _NoBus
        except OSError as error:
            log.info("the desktop's bus is gone: %s", error)
            self.close()


class _NoBus:
    @staticmethod
    def send(message: object) -> None:
        """Goes nowhere."""


def _open_bus() -> DBusConnection | None:
    # Only where there is one: some systems start a bus for whoever asks.
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS", "").startswith("unix:"):
        return None
    found: list[DBusConnection] = []

    def look() -> None:
        from jeepney.io.blocking import open_dbus_connection

        try:
            found.append(open_dbus_connection("SESSION", auth_timeout=CONNECT_TIMEOUT_S))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a bus, downloads go on without it
            log.info("the desktop's bus cannot be reached: %s", error)

    # The window never waits for a desktop that hangs, and jeepney waits for its greeting without end.
    thread = threading.Thread(target=look, name="desktop bus", daemon=True)
    thread.start()
    thread.join(CONNECT_TIMEOUT_S)
    if not found:
        return None
    found[0].sock.settimeout(CONNECT_TIMEOUT_S)
    return found[0]


class TrayOnly:
    """Notifications through the program's icon beside the clock, or one that is there only while something is said."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._own = QSystemTrayIcon(window.windowIcon(), window)
        self._speaks: QSystemTrayIcon | None = None
        self._click: Click = window.activateWindow

    def show_progress(self, fraction: float | None) -> None:
        pass

    def notify_user(self, title: str, text: str, on_click: Click = None) -> None:
        self._click = on_click or self._click
        others = (one for one in self._window.findChildren(QSystemTrayIcon) if one is not self._own)
        icon = next((one for one in others if one.isVisible()), self._own)
        if icon is not self._speaks:
            icon.messageClicked.connect(self._on_clicked)
            self._speaks = icon
        icon.show()
        icon.showMessage(title, text, self._window.windowIcon(), NOTIFICATION_MS)

    def _on_clicked(self) -> None:
        if self._click is not None:
            self._click()

    def close(self) -> None:
        self._own.hide()


class WindowsDesktop(TrayOnly):
    """ITaskbarList3, called by its place in the interface's table. Written after the documentation, not tried yet."""

    HR_INIT, SET_VALUE, SET_STATE, RELEASE = 3, 9, 10, 2
    NO_PROGRESS, NORMAL = 0, 2
    STEPS = 100

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._handle = int(window.winId())
        self._list = self._create()

    def show_progress(self, fraction: float | None) -> None:
        import ctypes

        if not self._list:
            return
        if fraction is None:
            self._call(self.SET_STATE, [ctypes.c_void_p, ctypes.c_int], self._handle, self.NO_PROGRESS)
            return
        done = round(fraction * self.STEPS)
        self._call(self.SET_STATE, [ctypes.c_void_p, ctypes.c_int], self._handle, self.NORMAL)
        numbers = [ctypes.c_void_p, ctypes.c_ulonglong, ctypes.c_ulonglong]
        self._call(self.SET_VALUE, numbers, self._handle, done, self.STEPS)

    def close(self) -> None:
        super().close()
        if self._list:
            self._call(self.RELEASE, [])
            self._list = None

    def _create(self) -> Any:
        """The interface, or None where the system refuses; Qt has started COM on this thread already."""
        import ctypes
        import uuid

        class_id = uuid.UUID("{56FDF344-FD6D-11D0-958A-006097C9A090}").bytes_le
        interface_id = uuid.UUID("{EA1AFB91-9E28-4B86-90E9-9E9F8A5EEFAF}").bytes_le
        found = ctypes.c_void_p()
        in_process = 1
        ole = ctypes.WinDLL("ole32")  # type: ignore[attr-defined]
        if ole.CoCreateInstance(class_id, None, in_process, interface_id, ctypes.byref(found)) != 0 or not found:
            return None
        self._list = found
        if self._call(self.HR_INIT, []) != 0:
            self._call(self.RELEASE, [])
            return None
        return found

    def _call(self, place: int, types: list[Any], *values: Any) -> int:
        import ctypes

        table = ctypes.cast(self._list, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
        method = ctypes.WINFUNCTYPE(ctypes.c_long, ctypes.c_void_p, *types)(table[place])  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):  # a task bar that was restarted
            return int(method(self._list, *values))
        return -1


def open_folder(folder: Path) -> None:
    """Shows a folder in the system's file program; the nearest one above it when it is not there yet."""
    there = next((parent for parent in (folder, *folder.parents) if parent.is_dir()), folder)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(there)))


def copy_text(text: str) -> None:
    """Puts a text on the clipboard."""
    QGuiApplication.clipboard().setText(text)


def bring_to_front(window: QWidget) -> None:
    """Above the others, also out of the task bar or where it was out of sight."""
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
