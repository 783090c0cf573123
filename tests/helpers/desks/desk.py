"""What every desk can do: find a widget, click, type, press keys, wait, hear notices, answer dialogs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt, SignalInstance
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QMenu, QPushButton, QWidget

from app.bootstrap import Fireside
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.notice_bar import Notice

WAIT_MS = 60_000
"""A limit for what never comes; a machine at work may take its time."""
NO_KEYS = Qt.KeyboardModifier.NoModifier
Kind = TypeVar("Kind", bound=QObject)


class Found(Generic[Kind]):
    """A part of a desk, looked for each time: by its type, and by its object name where the type is not enough."""

    def __init__(self, kind: type[Kind], name: str = "") -> None:
        self._kind, self._name = kind, name

    @overload
    def __get__(self, desk: None, owner: type) -> Found[Kind]: ...

    @overload
    def __get__(self, desk: Desk, owner: type) -> Kind: ...

    def __get__(self, desk: Desk | None, owner: type) -> Any:
        return self if desk is None else desk.find_step(self._kind, self._name)


def _shown(widget: QObject) -> int:
    """2: it can be seen, 1: it could be, where it stands, 0: nothing there can be."""
    if not isinstance(widget, QWidget):
        return 0
    parent = widget.parentWidget()
    return 2 if widget.isVisible() else 1 if parent is not None and parent.isVisible() else 0


class Desk:
    """Everything below `root`. The façades of the program stand here too, for what a test arranges or looks up."""

    def __init__(self, root: QWidget, app: Fireside | Any = None, notify: Notify | Any = None) -> None:
        self.root, self.app, self.notify = root, app, notify

    # Finding.

    def find_step(self, kind: type[Kind], name: str = "") -> Kind:
        """The one that can be seen; or else the one that is hidden by itself, and not with the page it is on."""
        every = self.every(kind, name)
        assert every, f"no {kind.__name__} {name} below {type(self.root).__name__}"
        return max(every, key=_shown)

    def every(self, kind: type[Kind], name: str = "") -> list[Kind]:
        """All of a kind, in the order in which they were made."""
        return self.root.findChildren(kind, name) if name else self.root.findChildren(kind)

    def has(self, kind: type[QWidget], name: str = "") -> bool:
        """Whether one can be seen."""
        return any(one.isVisible() for one in self.every(kind, name))

    def button(self, name: str) -> QAbstractButton:
        """By what a screen reader says of it."""
        every = [one for one in self.every(QAbstractButton) if name in (one.accessibleName(), one.text())]
        assert every, f"no button {name!r}"
        return max(every, key=_shown)

    # Doing.

    def click(self, button: QWidget) -> None:
        """With the mouse; what cannot be seen or is disabled cannot be clicked."""
        assert button.isVisible(), button.accessibleName()
        assert button.isEnabled(), button.accessibleName()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def click_at(self, widget: QWidget, place: QPoint) -> None:
        """At a place of a widget, or of the viewport that it has."""
        QTest.mouseClick(getattr(widget, "viewport", lambda: widget)(), Qt.MouseButton.LeftButton, NO_KEYS, place)

    def press(self, *keys: Qt.Key, modifier: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Keys to whatever has the keyboard, one after the other."""
        for key in keys:
            QTest.keyClick(self.focus, key, modifier)

    def keys(self, text: str) -> None:
        """Types it into whatever has the keyboard."""
        QTest.keyClicks(self.focus, text)

    @property
    def focus(self) -> QWidget:
        """What has the keyboard."""
        self.wait(lambda: QApplication.focusWidget() is not None)  # a window that opens gets it a moment later
        focus = QApplication.focusWidget()
        assert focus is not None
        return focus

    def wait(self, condition: Callable[[], object], timeout_ms: int = WAIT_MS) -> None:
        """Lets the window work until it is so."""
        end_s = time.monotonic() + timeout_ms / 1000
        while not condition():
            assert time.monotonic() < end_s, f"waited {timeout_ms} ms"
            QTest.qWait(5)

    def choose(self, menu: QMenu, name: str) -> None:
        """The action of a menu whose text begins so; the menu is closed."""
        lines = [*menu.actions(), *(one for group in menu.actions() if group.menu() for one in group.menu().actions())]
        next(action for action in lines if action.text().startswith(name)).trigger()
        menu.close()

    def choose_file(self, path: Path, name: str = "") -> None:
        """Answers the dialog for files that is open."""
        dialog = self.find_step(QFileDialog, name)
        dialog.filesSelected.emit([str(path)])
        dialog.close()

    def end(self, view: QWidget) -> None:
        """Closes what a test opened, and the program behind it."""
        view.close()
        assert tasks.running.stop_all(60)
        tasks.running.reopen()
        for widget in (view, self.notify.bar):  # before the program: a timer of theirs would ask a store that is closed
            widget.deleteLater()
            QCoreApplication.sendPostedEvents(widget, QEvent.Type.DeferredDelete.value)
        self.app.close()

    # Hearing.

    def heard(self, signal: SignalInstance) -> list[tuple[Any, ...]]:
        """What a signal tells from now on."""
        told: list[tuple[Any, ...]] = []
        signal.connect(lambda *values: told.append(values))
        return told

    @contextmanager
    def hears(self, signal: SignalInstance, timeout_ms: int = 2 * WAIT_MS) -> Iterator[list[tuple[Any, ...]]]:
        """Waits at its end until the signal has told something, and listens no longer."""
        told: list[tuple[Any, ...]] = []
        listening = signal.connect(lambda *values: told.append(values))
        yield told
        self.wait(lambda: told, timeout_ms)
        QObject.disconnect(listening)

    @property
    def notices(self) -> list[str]:
        """The sentences that are shown."""
        return [notice.text for notice in self.notify.bar.notices]

    @property
    def notice(self) -> Notice:
        """The newest one."""
        return self.notify.bar.notices[-1]

    @property
    def notice_buttons(self) -> list[str]:
        """What the newest one offers."""
        return [one.text() for one in self.notice.findChildren(QPushButton)]

    def press_notice(self, name: str) -> None:
        """Presses what a notice offers."""
        next(
            one for notice in reversed(self.notify.bar.notices) for one in notice.buttons if one.text() == name
        ).click()

    # Looking up.

    @property
    def settings(self) -> Any:
        """What is kept of a person's choices."""
        return self.app.settings

    @property
    def engine(self) -> Any:
        """The child with the model in it."""
        return self.app.engine

    @property
    def models(self) -> Any:
        """What there is of models."""
        return self.app.models

    @property
    def paths(self) -> Any:
        """Where everything is kept."""
        return self.app.paths

    @property
    def database(self) -> Any:
        """What the stores write to."""
        return self.app.database

    @property
    def conversations(self) -> Any:
        """The stored chats."""
        return self.app.conversations

    @property
    def documents(self) -> Any:
        """The documents that were read."""
        return self.app.documents

    @property
    def summaries(self) -> Any:
        """The stored summaries."""
        return self.app.summaries

    @property
    def translations(self) -> Any:
        """The stored translations."""
        return self.app.translations
