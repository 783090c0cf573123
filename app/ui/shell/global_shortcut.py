"""Global shortcut for the quick-ask window: a key grab on X11, the desktop portal on Wayland, hot keys elsewhere.

X11 is reached through libxcb, which Qt's plugin loads anyway; the portal through jeepney, on a thread. The calls for
Windows and macOS follow their documentation and are untested.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from PySide6.QtCore import QObject, QSocketNotifier, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence

from app import APP_ID
from app.ui.i18n import tr
from app.ui.shared_labels import QUICK_ASK
from app.ui.shell.desktop import ACTIVATION
from app.ui.shell.keyboard import written

if TYPE_CHECKING:
    from jeepney import Message
    from jeepney.io.blocking import DBusConnection

KEYS_NEED_MODIFIER = "Add Ctrl or Alt. Otherwise you couldn’t type this key anymore."

KEYS_TAKEN = "Another program already uses this shortcut. Choose another."
KEYS_ANSWERED = "The desktop answered: {keys}"
KEYS_ALLOWED = "Choose the shortcut in your desktop’s settings."
KEYS_REFUSED = "Your desktop blocked the shortcut. Allow it in the desktop’s settings."
KEYS_OPEN_IT = "Press {keys} in any program to open it."
KEYS_WITHDRAWN = "Your desktop removed the shortcut."

log = logging.getLogger(__name__)

ID, COMMAND = "quick-ask", f"{APP_ID} --ask"
Modifier = Qt.KeyboardModifier
Said = Callable[[str], object]


class NotPossible(Exception):
    """Raised when no global shortcut can be registered; carries the reason as a text for the user."""


class Keys:
    """Key with modifiers, parsed from `QKeySequence` text. Raises NotPossible for a key that no system can register."""

    def __init__(self, text: str) -> None:
        sequence = QKeySequence(text)
        if sequence.count() != 1:
            raise NotPossible(tr("Choose one key combined with Ctrl, Alt or a similar key."))
        combination = sequence[0]  # type: ignore[index]
        self.key, self.modifiers = combination.key(), combination.keyboardModifiers()
        number, first = self.key.value, Qt.Key.Key_F1.value
        self.function = number - first + 1 if first <= number <= Qt.Key.Key_F24.value else 0
        """Number of the function key, 1 for F1; 0 for any other key."""
        is_plain = Qt.Key.Key_0 <= self.key <= Qt.Key.Key_9 or Qt.Key.Key_A <= self.key <= Qt.Key.Key_Z
        if not self.function and not is_plain and self.key != Qt.Key.Key_Space:
            raise NotPossible(
                tr("Choose a letter, digit, Space or function key, combined with Ctrl, Alt or a similar key.")
            )
        if not self.function and not self.modifiers & (
            Modifier.ControlModifier | Modifier.AltModifier | Modifier.MetaModifier
        ):
            raise NotPossible(tr(KEYS_NEED_MODIFIER))

    @property
    def character(self) -> str:
        """The key's character in lower case; "" for a function key."""
        return "" if self.function else chr(self.key.value).lower()

    def among(self, values: dict[Qt.KeyboardModifier, Any]) -> list[Any]:
        """Translate the modifiers by a system's table."""
        return [value for modifier, value in values.items() if self.modifiers & modifier]


class ShortcutListener(Protocol):
    """Registration of a shortcut. The constructor raises NotPossible if the system refuses at once."""

    def close(self) -> None:
        """Unregister the shortcut and stop listening for it."""


class GlobalShortcut(QObject):
    """Registers at most one shortcut at a time; `words` has the outcome for the settings."""

    pressed = Signal()
    said = Signal()
    """`words` changed."""
    _heard = Signal()
    _answered = Signal(int, str)
    """Answer from a thread: the number of the request, and the system's text."""

    def __init__(self, parent: QObject, make: Callable[[Keys, GlobalShortcut], ShortcutListener] | None = None) -> None:
        super().__init__(parent)
        self._make = make or _listener
        self._listener: ShortcutListener | None = None
        self._number = 0
        self.words = ""
        self._heard.connect(self.pressed)
        self._answered.connect(self._on_answered)

    def want(self, keys: str) -> None:
        """Register a shortcut in place of the previous one; "" only unregisters."""
        self.close()
        if not keys:
            self._set_words("")
            return
        try:
            # Said first: on X11 the answer comes while the constructor runs.
            self._set_words(tr("Asking the desktop for {keys}…", keys=written(keys)))
            self._listener = self._make(Keys(keys), self)
        except NotPossible as problem:
            self._set_words(str(problem))

    def close(self) -> None:
        """Unregister the shortcut and ignore answers that are still to come."""
        # Answers to earlier requests are ignored from now on.
        self._number += 1
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def report_pressed(self) -> None:
        """Report that the shortcut was pressed; callable from any thread."""
        self._heard.emit()

    def answer_callback(self) -> Said:
        """Return a callback for the system's answer to the current request, callable from any thread."""
        number = self._number
        return lambda words: self._answered.emit(number, words)

    def _on_answered(self, number: int, words: str) -> None:
        if number == self._number:
            self._set_words(words)

    def _set_words(self, words: str) -> None:
        if words != self.words:
            self.words = words
            self.said.emit()


def in_force(keys: Keys) -> str:
    """Return the text for a shortcut that was registered."""
    combination = QKeySequence(int(keys.modifiers.value) | int(keys.key.value))
    return tr(KEYS_OPEN_IT, keys=combination.toString(QKeySequence.SequenceFormat.NativeText))


def _listener(keys: Keys, shortcut: GlobalShortcut) -> ShortcutListener:
    if (platform := QGuiApplication.platformName()) == "windows":
        return WindowsKeys(keys, shortcut)
    if platform == "cocoa":
        return MacKeys(keys, shortcut)
    # Under Wayland a grab of X11 hears only what is typed into other X11 windows.
    if platform == "xcb" and os.environ.get("XDG_SESSION_TYPE") != "wayland":
        return X11Keys(keys, shortcut)
    if sys.platform == "linux" and platform in ("wayland", "xcb"):
        return PortalKeys(keys, shortcut)
    raise NotPossible(_by_hand())


def _by_hand() -> str:
    return tr(
        "Programs can’t set shortcuts on this desktop. Add one for the command “{command}” in the desktop’s settings.",
        command=COMMAND,
    )


X_MODIFIERS = {
    Modifier.ShiftModifier: 1,
    Modifier.ControlModifier: 4,
    Modifier.AltModifier: 8,
    Modifier.MetaModifier: 64,
}
X_LOCKS = (0, 2, 16, 18)
"""Masks of caps lock and num lock: X11 grabs match modifiers exactly, so each combination needs its own grab."""
X_KEY_PRESS, X_MAPPING_NOTIFY, X_ASYNC = 2, 34, 1
X_FIRST_FUNCTION_KEYSYM = 0xFFBE


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _Screens(ctypes.Structure):
    _fields_ = (("data", ctypes.POINTER(ctypes.c_uint32)), ("rem", ctypes.c_int), ("index", ctypes.c_int))


class _Mapping(ctypes.Structure):
    """Header of xcb's keyboard mapping reply; the keysyms follow it in memory."""

    _fields_ = (
        ("kind", ctypes.c_uint8),
        ("per_code", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("length", ctypes.c_uint32),
        ("pad", ctypes.c_uint8 * 24),
    )


class _Setup(ctypes.Structure):
    """Leading fields of xcb's setup structure, up to the last one used here."""

    _fields_ = (("before", ctypes.c_uint8 * 34), ("min_code", ctypes.c_uint8), ("max_code", ctypes.c_uint8))


class X11Keys:
    """Key grab through xcb. Raises NotPossible if another program has the keys, or the keyboard has no such key."""

    def __init__(self, keys: Keys, shortcut: GlobalShortcut) -> None:
        self._keys, self._shortcut = keys, shortcut
        self._xcb, self._free = _load_xcb()
        self._connection = self._xcb.xcb_connect(None, None)
        self._notifier: QSocketNotifier | None = None
        try:
            self._grab()
        except NotPossible:
            self.close()
            raise
        self._notifier = QSocketNotifier(
            self._xcb.xcb_get_file_descriptor(self._connection), QSocketNotifier.Type.Read, shortcut
        )
        self._notifier.activated.connect(lambda *_: self._on_readable())
        shortcut.answer_callback()(in_force(keys))

    def close(self) -> None:
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        if self._connection is not None:
            # The grabs end with their connection.
            self._xcb.xcb_disconnect(self._connection)
            self._connection = None

    def _grab(self) -> None:
        if self._xcb.xcb_connection_has_error(self._connection):
            raise NotPossible(_by_hand())
        if not (codes := self._codes()):
            raise NotPossible(tr("This keyboard doesn’t have that key."))
        held = sum(self._keys.among(X_MODIFIERS))
        # Every screen, every key that has this sign, with and without each lock.
        for root, code, lock in itertools.product(self._roots(), codes, X_LOCKS):
            cookie = self._xcb.xcb_grab_key_checked(self._connection, 1, root, held | lock, code, X_ASYNC, X_ASYNC)
            if error := self._xcb.xcb_request_check(self._connection, cookie):
                self._free(error)
                raise NotPossible(tr(KEYS_TAKEN))

    def _roots(self) -> Iterator[int]:
        screens = self._xcb.xcb_setup_roots_iterator(self._xcb.xcb_get_setup(self._connection))
        while screens.rem > 0:
            yield screens.data[0]
            self._xcb.xcb_screen_next(ctypes.byref(screens))

    def _codes(self) -> list[int]:
        """Return the key codes that produce the key's symbol without a modifier."""
        function = self._keys.function
        wanted = X_FIRST_FUNCTION_KEYSYM + function - 1 if function else ord(self._keys.character)
        setup = self._xcb.xcb_get_setup(self._connection).contents
        first, count = setup.min_code, setup.max_code - setup.min_code + 1
        cookie = self._xcb.xcb_get_keyboard_mapping(self._connection, first, count)
        if not (reply := self._xcb.xcb_get_keyboard_mapping_reply(self._connection, cookie, None)):
            return []
        per_code, signs = reply.contents.per_code, self._xcb.xcb_get_keyboard_mapping_keysyms(reply)
        # The first symbol of each key is the one without a modifier.
        found = [first + number for number in range(count) if per_code and signs[number * per_code] == wanted]
        self._free(reply)
        return found

    def _on_readable(self) -> None:
        is_pressed = is_remapped = False
        while self._connection is not None and (event := self._xcb.xcb_poll_for_event(self._connection)):
            kind = event[0] & 0x7F  # the highest bit marks what another client has sent
            is_pressed, is_remapped = is_pressed or kind == X_KEY_PRESS, is_remapped or kind == X_MAPPING_NOTIFY
            self._free(event)
        if self._connection is None:
            return
        if self._xcb.xcb_connection_has_error(self._connection):
            self.close()
        # The keyboard's layout has changed: the sign may be on another key.
        elif is_remapped:
            for root in self._roots():
                self._xcb.xcb_ungrab_key(self._connection, 0, root, 1 << 15)  # of any key, with any modifiers
            with contextlib.suppress(NotPossible):
                self._grab()
        if is_pressed:
            self._shortcut.report_pressed()


def _load_xcb() -> tuple[Any, Callable[[Any], object]]:
    """Load libxcb and declare the functions used. Return it with the `free` for its replies. Raises NotPossible."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise NotPossible(_by_hand()) from error
    pointer, u8, u16, u32 = ctypes.c_void_p, ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32
    for name, result, *arguments in (
        ("connect", pointer, ctypes.c_char_p, pointer),
        ("disconnect", None, pointer),
        ("connection_has_error", ctypes.c_int, pointer),
        ("get_file_descriptor", ctypes.c_int, pointer),
        ("get_setup", ctypes.POINTER(_Setup), pointer),
        ("setup_roots_iterator", _Screens, ctypes.POINTER(_Setup)),
        ("screen_next", None, ctypes.POINTER(_Screens)),
        ("get_keyboard_mapping", _Cookie, pointer, u8, u8),
        ("get_keyboard_mapping_reply", ctypes.POINTER(_Mapping), pointer, _Cookie, pointer),
        ("get_keyboard_mapping_keysyms", ctypes.POINTER(u32), ctypes.POINTER(_Mapping)),
        ("grab_key_checked", _Cookie, pointer, u8, u32, u16, u8, u8, u8),
        ("ungrab_key", _Cookie, pointer, u8, u32, u16),
        ("request_check", pointer, pointer, _Cookie),
        ("poll_for_event", ctypes.POINTER(u8), pointer),
    ):
        function = getattr(xcb, f"xcb_{name}")
        function.restype, function.argtypes = result, arguments
    # Replies of xcb are made by malloc, and their receiver frees them.
    free = ctypes.CDLL(None).free
    free.argtypes = (pointer,)
    return xcb, lambda memory: free(ctypes.cast(memory, pointer))


PORTAL, PORTAL_PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
SHORTCUTS, REGISTRY = "org.freedesktop.portal.GlobalShortcuts", "org.freedesktop.host.portal.Registry"
REQUEST, SESSION = "org.freedesktop.portal.Request", "org.freedesktop.portal.Session"
PORTAL_MODIFIERS = {
    Modifier.ControlModifier: "CTRL",
    Modifier.AltModifier: "ALT",
    Modifier.ShiftModifier: "SHIFT",
    Modifier.MetaModifier: "LOGO",
}
CALL_TIMEOUT_S = 10.0
JOIN_TIMEOUT_S = 2.0


def portal_trigger(keys: Keys) -> str:
    """Return the keys in the XDG shortcuts syntax, such as "CTRL+ALT+space"."""
    sign = f"F{keys.function}" if keys.function else {" ": "space"}.get(keys.character, keys.character)
    return "+".join([*keys.among(PORTAL_MODIFIERS), sign])


class PortalKeys:
    """Registration through the desktop portal, on its own thread: the user may take minutes to answer the dialog."""

    def __init__(self, keys: Keys, shortcut: GlobalShortcut) -> None:
        self._trigger, self._shortcut, self._say = portal_trigger(keys), shortcut, shortcut.answer_callback()
        self._bus: DBusConnection | None = None
        self._is_closed = False
        self._session = ""
        self._thread = threading.Thread(target=self._run, name="global shortcut", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_closed = True
        if (bus := self._bus) is not None:
            with contextlib.suppress(OSError):
                # Wakes the thread, whose end closes the connection; the portal then ends the session.
                bus.sock.shutdown(2)
        self._thread.join(JOIN_TIMEOUT_S)

    def _run(self) -> None:
        try:
            with self._opened() as bus:
                self._bind(bus)
                while not self._is_closed:
                    self._take_message(bus.receive())
        except NotPossible as problem:
            self._say(str(problem))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a bus, the program goes on without it
            if not self._is_closed:
                log.info("the portal for global shortcuts: %r", error)
                self._say(_by_hand())

    @contextlib.contextmanager
    def _opened(self) -> Iterator[DBusConnection]:
        from jeepney.io.blocking import open_dbus_connection

        if not os.environ.get("DBUS_SESSION_BUS_ADDRESS", "").startswith("unix:"):
            raise NotPossible(_by_hand())
        with contextlib.closing(open_dbus_connection("SESSION", auth_timeout=CALL_TIMEOUT_S)) as bus:
            self._bus = bus
            yield bus

    def _bind(self, bus: DBusConnection) -> None:
        from jeepney import MatchRule
        from jeepney.bus_messages import message_bus

        for interface in (REQUEST, SHORTCUTS, SESSION):
            rule = MatchRule(type="signal", sender=PORTAL, interface=interface)
            bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=CALL_TIMEOUT_S)
        # A portal has to know whose keys these are; older ones take it from how the program was started.
        self._call(bus, REGISTRY, "Register", "sa{sv}", (APP_ID, {}))
        options = {"handle_token": ("s", "fireside_session"), "session_handle_token": ("s", "fireside")}
        found = self._asked(bus, "CreateSession", "a{sv}", (options,))
        self._session = str(found["session_handle"][1])
        wish = {"description": ("s", tr(QUICK_ASK)), "preferred_trigger": ("s", self._trigger)}
        body = (self._session, [(ID, wish)], "", {"handle_token": ("s", "fireside_keys")})
        found = self._asked(bus, "BindShortcuts", "oa(sa{sv})sa{sv}", body)
        self._say_bound(found.get("shortcuts", ("", []))[1])

    def _say_bound(self, shortcuts: list[tuple[str, dict[str, tuple[str, Any]]]]) -> None:
        """Report the trigger that the desktop assigned, in the desktop's own words, or its refusal."""
        found = dict(shortcuts).get(ID)
        words = str(found.get("trigger_description", ("s", ""))[1]) if found is not None else ""
        if found is None:
            self._say(tr(KEYS_REFUSED))
        elif words:
            self._say(tr(KEYS_ANSWERED, keys=words))
        else:
            self._say(tr(KEYS_ALLOWED))

    def _call(self, bus: DBusConnection, interface: str, method: str, kinds: str, body: tuple[Any, ...]) -> Any:
        """Call a D-Bus method and return the body of the reply; None for an error."""
        from jeepney import DBusAddress, MessageType, new_method_call

        address = DBusAddress(PORTAL_PATH, bus_name=PORTAL, interface=interface)
        reply = bus.send_and_get_reply(new_method_call(address, method, kinds, body), timeout=CALL_TIMEOUT_S)
        return None if reply.header.message_type is MessageType.error else reply.body

    def _asked(self, bus: DBusConnection, method: str, kinds: str, body: tuple[Any, ...]) -> dict[str, Any]:
        """Return the results of a portal request, which arrive once the user answered. Raises NotPossible if
        refused.
        """
        from jeepney import HeaderFields, MatchRule

        rule = MatchRule(type="signal", interface=REQUEST, member="Response")
        # Listened for before the call: the answer may be quicker than its handle.
        with bus.filter(rule, bufsize=8) as responses:
            if (handle := self._call(bus, SHORTCUTS, method, kinds, body)) is None:
                raise NotPossible(_by_hand())
            while True:
                response = bus.recv_until_filtered(responses)
                # Answers to other requests come through the same filter.
                if response.header.fields.get(HeaderFields.path) == handle[0]:
                    break
        code, results = response.body
        if code != 0:
            raise NotPossible(tr(KEYS_REFUSED))
        return dict(results)

    def _take_message(self, message: Message) -> None:
        from jeepney import HeaderFields

        fields, body = message.header.fields, message.body
        member = fields.get(HeaderFields.member)
        if member == "Closed" and fields.get(HeaderFields.path) == self._session:
            raise NotPossible(tr(KEYS_WITHDRAWN))
        if not body or body[0] != self._session:
            return
        if member == "Activated" and body[1] == ID:
            token = body[3].get("activation_token") if len(body) > 3 else None
            if token is not None:
                os.environ[ACTIVATION] = str(token[1])
            self._shortcut.report_pressed()
        elif member == "ShortcutsChanged":
            self._say_bound(body[1])


class WindowsKeys:
    """Hot key through RegisterHotKey. Written from the documentation, untested."""

    MODIFIERS: ClassVar = {Modifier.AltModifier: 1, Modifier.ControlModifier: 2, Modifier.ShiftModifier: 4}
    META, NO_REPEAT = 8, 0x4000
    WM_QUIT, WM_HOTKEY, FIRST_FUNCTION_KEY = 0x0012, 0x0312, 0x70

    def __init__(self, keys: Keys, shortcut: GlobalShortcut) -> None:
        self._keys, self._shortcut, self._say = keys, shortcut, shortcut.answer_callback()
        self._thread_id = 0
        self._is_there = threading.Event()
        self._thread = threading.Thread(target=self._run, name="global shortcut", daemon=True)
        self._thread.start()
        # `close` needs the thread's id.
        self._is_there.wait(JOIN_TIMEOUT_S)

    def close(self) -> None:
        windll: Any = getattr(ctypes, "windll")  # noqa: B009 - only Windows has it
        windll.user32.PostThreadMessageW(self._thread_id, self.WM_QUIT, 0, 0)
        self._thread.join(JOIN_TIMEOUT_S)

    def _run(self) -> None:
        from ctypes import wintypes

        windll: Any = getattr(ctypes, "windll")  # noqa: B009
        keys, message = self._keys, wintypes.MSG()
        held = sum(keys.among({**self.MODIFIERS, Modifier.MetaModifier: self.META}))
        code = self.FIRST_FUNCTION_KEY + keys.function - 1 if keys.function else ord(keys.character.upper())
        self._thread_id = windll.kernel32.GetCurrentThreadId()
        is_ours = windll.user32.RegisterHotKey(None, 1, held | self.NO_REPEAT, code)
        self._is_there.set()
        if not is_ours:
            self._say(tr(KEYS_TAKEN))
            return
        self._say(in_force(keys))
        while windll.user32.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            if message.message == self.WM_HOTKEY:
                self._shortcut.report_pressed()
        windll.user32.UnregisterHotKey(None, 1)


class _HotKeyId(ctypes.Structure):
    _fields_ = (("signature", ctypes.c_uint32), ("id", ctypes.c_uint32))


class _EventType(ctypes.Structure):
    _fields_ = (("event_class", ctypes.c_uint32), ("kind", ctypes.c_uint32))


class MacKeys:
    """Hot key through RegisterEventHotKey. Written from the documentation, untested."""

    MODIFIERS: ClassVar = {  # Qt calls the command key Control
        Modifier.ControlModifier: 0x0100,
        Modifier.ShiftModifier: 0x0200,
        Modifier.AltModifier: 0x0800,
        Modifier.MetaModifier: 0x1000,
    }
    CODES: ClassVar[dict[str, int]] = dict(
        zip("asdfhgzxcv", range(10), strict=True),
        b=11, q=12, w=13, e=14, r=15, y=16, t=17, o=31, u=32, i=34, p=35, l=37, j=38, k=40, n=45, m=46,
        **dict(zip("1234657890", (18, 19, 20, 21, 22, 23, 26, 28, 25, 29), strict=True)),
        **{" ": 49},
    )  # fmt: skip
    FUNCTIONS = (122, 120, 99, 118, 96, 97, 98, 100, 101, 109, 103, 111)
    KEYBOARD, PRESSED, SIGNATURE = 0x6B657962, 5, 0x46495245

    def __init__(self, keys: Keys, shortcut: GlobalShortcut) -> None:
        self._carbon: Any = ctypes.CDLL("/System/Library/Frameworks/Carbon.framework/Carbon")
        self._carbon.GetApplicationEventTarget.restype = ctypes.c_void_p
        if (function := keys.function) > len(self.FUNCTIONS):
            raise NotPossible(tr("This keyboard doesn’t have that key."))
        code = self.FUNCTIONS[function - 1] if function else self.CODES[keys.character]
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
        # Kept, since Carbon holds only its address.
        self._handler = kind(lambda *_: self._on_pressed(shortcut))
        target = ctypes.c_void_p(self._carbon.GetApplicationEventTarget())
        self._installed, self._hot_key = ctypes.c_void_p(), ctypes.c_void_p()
        wanted = _EventType(self.KEYBOARD, self.PRESSED)
        self._carbon.InstallEventHandler(
            target, self._handler, 1, ctypes.byref(wanted), None, ctypes.byref(self._installed)
        )
        held = sum(keys.among(self.MODIFIERS))
        which = _HotKeyId(self.SIGNATURE, 1)
        if self._carbon.RegisterEventHotKey(code, held, which, target, 0, ctypes.byref(self._hot_key)) != 0:
            self.close()
            raise NotPossible(tr(KEYS_TAKEN))
        shortcut.answer_callback()(in_force(keys))

    def close(self) -> None:
        if self._hot_key:
            self._carbon.UnregisterEventHotKey(self._hot_key)
        if self._installed:
            self._carbon.RemoveEventHandler(self._installed)
        self._hot_key = self._installed = ctypes.c_void_p()

    @staticmethod
    def _on_pressed(shortcut: GlobalShortcut) -> int:
        shortcut.report_pressed()
        return 0
