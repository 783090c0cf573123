"""Desktop integration: opening folders, the clipboard, progress in the task bar, and notifications."""

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
from app.core.visible import settle_directions, visible_line, visible_text
from app.ui.i18n import tr
from app.ui.shared_labels import OPEN

if TYPE_CHECKING:
    from jeepney import Message
    from jeepney.io.blocking import DBusConnection


log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 1.0
DESKTOP_FILE = f"application://{APP_ID}.desktop"
NOTIFICATION_MS = 10_000
ACTIVATION = "XDG_ACTIVATION_TOKEN"
"""Environment variable from which Qt takes the token that lets a window come to the front on Wayland."""
NOTIFICATIONS = "org.freedesktop.Notifications"


Click = Callable[[], object] | None
"""Callback for a click on a notification, run on the window's thread."""


class Desktop(Protocol):
    """Task bar progress and notifications of one kind of system.

    Linux: D-Bus, spoken by jeepney, because PySide cannot write the unsigned numbers that notifications are made of.
    Windows: ITaskbarList3, a COM interface, through ctypes. macOS: the notification only.
    """

    def show_progress(self, fraction: float | None) -> None:
        """Show progress from 0 to 1 in the task bar; None removes the bar."""

    def notify_user(self, title: str, text: str, on_click: Click = None) -> None:
        """Show a system notification."""

    def close(self) -> None:
        """Close connections and icons; nothing is shown afterwards."""


class TaskBar:
    """Progress and notifications for long work, set up on first use and silent where the desktop lacks them.

    `is_wanted` returns whether the user enabled notifications.
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
        """Show the overall progress, from 0 to 1; None if nothing runs. Forwards only changes of a whole percent."""
        percent = None if fraction is None else int(100 * min(max(fraction, 0.0), 1.0))
        # Each change is a message to the desktop; downloads report many times a second.
        if percent != self._shown:
            self._shown = percent
            self._get().show_progress(None if percent is None else percent / 100)

    def tell_system(self, title: str, text: str, on_click: Click = None) -> None:
        """Notify the user and flash the task bar button, but only while the window is inactive."""
        if self._is_wanted() and not self._window.isActiveWindow():
            self._get().notify_user(visible_line(title), settle_directions(visible_text(text)), on_click)
            QApplication.alert(self._window)

    def close(self) -> None:
        """Remove the progress bar and release the desktop's resources."""
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
    """Linux, by D-Bus. Docks drop the bar when its sender disconnects, so the connection stays open while
    there is one.
    """

    def __init__(self) -> None:
        self._bus: DBusConnection | None = None
        self._is_tried = False
        self._heard: QSocketNotifier | None = None
        self._asked: dict[int, Callable[[], object]] = {}
        """Click callbacks by the serial of the request, until the desktop answers with an id."""
        self._shown: dict[int, Callable[[], object]] = {}
        """Click callbacks by the desktop's notification id."""

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
        # The standard allows markup in the text, so plain text must be escaped.
        body: tuple[Any, ...] = (APP_NAME, 0, APP_ID, title, escape(text, quote=False), actions, hints, NOTIFICATION_MS)
        call = new_method_call(address, "Notify", "susssasa{sv}i", body)
        with self._spoken() as bus:
            # Nobody waits for the id of a notification that leads nowhere.
            if on_click is None or bus is _NoBus:
                call.header.flags |= MessageFlag.no_reply_expected
                bus.send(call)
                return
            self._listen(bus)
            serial = next(bus.outgoing_serial)
            self._asked[serial] = on_click
            bus.send(call, serial=serial)

    def _listen(self, bus: DBusConnection) -> None:
        # At the first notification with a callback: nothing listens before.
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
        # Reading without waiting ends so; that was all.
        except TimeoutError:
            return
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
        if (member := fields.get(HeaderFields.member)) == "ActivationToken" and body[0] in self._shown:
            os.environ[ACTIVATION] = body[1]
        elif member == "ActionInvoked" and body[0] in self._shown:
            self._take_back(body[0])
            self._shown.pop(body[0])()
        elif member == "NotificationClosed":
            self._shown.pop(body[0], None)

    def _take_back(self, number: int) -> None:
        """Close a notification after its click: some desktops leave it open."""
        from jeepney import DBusAddress, MessageFlag, new_method_call

        address = DBusAddress("/org/freedesktop/Notifications", bus_name=NOTIFICATIONS, interface=NOTIFICATIONS)
        call = new_method_call(address, "CloseNotification", "u", (number,))
        call.header.flags |= MessageFlag.no_reply_expected
        with self._spoken() as bus:
            bus.send(call)

    def close(self) -> None:
        if self._heard is not None:
            # Before its socket is closed, or it would watch whatever file gets that number next.
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
        """Yield the session bus, or a stand-in that drops messages without one. A lost bus is not reconnected."""
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
        """Drop the message."""


def _open_bus() -> DBusConnection | None:
    # Only if a bus is running: some systems start one for any client that asks.
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS", "").startswith("unix:"):
        return None
    found: list[DBusConnection] = []

    def open_connection() -> None:
        from jeepney.io.blocking import open_dbus_connection

        try:
            found.append(open_dbus_connection("SESSION", auth_timeout=CONNECT_TIMEOUT_S))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a bus, downloads go on without it
            log.info("the desktop's bus cannot be reached: %s", error)

    # jeepney waits for the bus's greeting without a timeout, and a hanging desktop must not block the window.
    thread = threading.Thread(target=open_connection, name="desktop bus", daemon=True)
    thread.start()
    thread.join(CONNECT_TIMEOUT_S)
    if not found:
        return None
    # A desktop that hangs later must not hold a send, either.
    found[0].sock.settimeout(CONNECT_TIMEOUT_S)
    return found[0]


class TrayOnly:
    """Notifications through the program's tray icon, or a temporary icon while one is shown."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._own = QSystemTrayIcon(window.windowIcon(), window)
        self._heard_icons: list[QSystemTrayIcon] = []
        self._click: Click = window.activateWindow

    def show_progress(self, fraction: float | None) -> None:
        pass

    def notify_user(self, title: str, text: str, on_click: Click = None) -> None:
        self._click = on_click or self._click
        # Where the program has an icon in the tray, that one speaks: a second one would say nothing new.
        others = (tray_icon for tray_icon in self._window.findChildren(QSystemTrayIcon) if tray_icon is not self._own)
        icon = next((tray_icon for tray_icon in others if tray_icon.isVisible()), self._own)
        if icon not in self._heard_icons:
            icon.messageClicked.connect(self._on_clicked)
            self._heard_icons.append(icon)
        icon.show()
        icon.showMessage(title, text, self._window.windowIcon(), NOTIFICATION_MS)

    def _on_clicked(self) -> None:
        if self._click is not None:
            self._click()

    def close(self) -> None:
        self._own.hide()


class WindowsDesktop(TrayOnly):
    """Windows, through ITaskbarList3's function table. Written from the documentation, untested."""

    # Places in the interface's function table.
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
        """Return the COM interface, or None if the system refuses. Qt has initialized COM on this thread already."""
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
        # A task bar that was restarted.
        with contextlib.suppress(OSError):
            return int(method(self._list, *values))
        return -1


def open_folder(folder: Path) -> None:
    """Open a folder in the file manager, or its nearest existing parent."""
    there = next((parent for parent in (folder, *folder.parents) if parent.is_dir()), folder)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(there)))


def copy_text(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


def bring_to_front(window: QWidget) -> None:
    """Show, raise and activate a window, restoring it if it was minimized or hidden."""
    # Only this one bit: a maximized window comes back maximized.
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
