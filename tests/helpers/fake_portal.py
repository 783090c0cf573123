"""A desktop's portal for global shortcuts and settings, on a bus of the test's own, which keeps what it is asked."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

DESKTOP = "/org/freedesktop/portal/desktop"
SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"
SESSION = f"{DESKTOP}/session/fireside"


class FakePortal:
    """`code` is what the person answers to the question for keys: 0 yes, 1 no. Without `has_shortcuts` it is older."""

    def __init__(self, *, code: int = 0, trigger: str = "Ctrl+Alt+Space", has_shortcuts: bool = True) -> None:
        self.code, self.trigger, self.has_shortcuts = code, trigger, has_shortcuts
        self.picture = "file:///tmp/a%20part.png"
        """Where the picture of the screen is that it was asked for."""
        self.has_animations = True
        """The desktop's switch for animations."""
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._bus = open_dbus_connection("SESSION")
        self._bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.portal.Desktop", 0), timeout=10)
        self._thread = threading.Thread(target=self._serve, name="fake portal")
        self._thread.start()

    def close(self) -> None:
        """Leaves the bus."""
        with contextlib.suppress(OSError):
            self._bus.sock.shutdown(2)
        self._thread.join(10)
        self._bus.close()

    def press(self, session: str = SESSION, shortcut: str = "quick-ask", token: str = "") -> None:
        """As when somebody presses the keys."""
        options = {"activation_token": ("s", token)} if token else {}
        self._tell(SHORTCUTS, "Activated", "osta{sv}", (session, shortcut, 7, options))

    def change(self, trigger: str) -> None:
        """As when somebody chooses other keys in the desktop's settings."""
        self._tell(SHORTCUTS, "ShortcutsChanged", "oa(sa{sv})", (SESSION, self._shortcuts(trigger)))

    def switch_animations(self, *, is_on: bool) -> None:
        """As when somebody turns the desktop's switch; another setting is told with it."""
        self.has_animations = is_on
        for key, value in (("cursor-size", ("i", 24)), ("enable-animations", ("b", is_on))):
            body = ("org.gnome.desktop.interface", key, value)
            self._tell("org.freedesktop.portal.Settings", "SettingChanged", "ssv", body)

    def end_session(self) -> None:
        """As when somebody takes the right away."""
        self._tell("org.freedesktop.portal.Session", "Closed", None, (), path=SESSION)

    def _tell(self, interface: str, member: str, kinds: str | None, body: tuple[Any, ...], path: str = DESKTOP) -> None:
        self._bus.send(new_signal(DBusAddress(path, interface=interface), member, kinds, body))

    @staticmethod
    def _shortcuts(trigger: str) -> list[Any]:
        return [("quick-ask", {"trigger_description": ("s", trigger)})]

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                message = self._bus.receive()
                if message.header.message_type is MessageType.method_call:
                    self._answer(message)

    def _answer(self, message: Message) -> None:
        fields = message.header.fields
        member = str(fields[HeaderFields.member])
        self.calls.append((member, message.body))
        is_known = self.has_shortcuts or fields.get(HeaderFields.interface) != SHORTCUTS
        if not is_known:
            self._bus.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))
            return
        if member == "Read":
            self._bus.send(new_method_return(message, "v", (("v", ("b", self.has_animations)),)))
            return
        if member == "Register":
            self._bus.send(new_method_return(message))
            return
        request = f"{DESKTOP}/request/{len(self.calls)}"
        self._bus.send(new_method_return(message, "o", (request,)))
        results: dict[str, Any] = {"session_handle": ("s", SESSION)}
        code = 0
        if member == "BindShortcuts":
            code, results = self.code, {"shortcuts": ("a(sa{sv})", self._shortcuts(self.trigger))}
        elif member == "Screenshot":
            code, results = self.code, {"uri": ("s", self.picture)}
        answer = (code, {} if code else results)
        self._tell("org.freedesktop.portal.Request", "Response", "ua{sv}", answer, path=request)
