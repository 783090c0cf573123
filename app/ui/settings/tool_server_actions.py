"""Changes and checks of tool servers off the window's thread: changes in the order they were made, checks at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from app.core.errors.tool_errors import ToolServerFailed
from app.core.events import CancelToken
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.tool_servers import ToolServers
from app.ui.shell import tasks

Work = Callable[[], object]
EDITED = ("command", "arguments", "environment", "url", "headers", "client_id")
"""What the form changes; what a server may use was perhaps changed while it was open."""


class ToolServerActions(QObject):
    """Runs what the settings do with tool servers; what fails of a server itself is kept in its state."""

    changed = Signal()
    """Servers were changed, or a check began or ended."""
    page_wanted = Signal(str)
    """A browser is to be opened, as the person asked for."""

    def __init__(self, servers: ToolServers, on_error: Callable[[BaseException], object], parent: QObject) -> None:
        super().__init__(parent)
        # Asked for by a thread; a browser is opened by the window's.
        self.page_wanted.connect(lambda page: QDesktopServices.openUrl(QUrl(page)))
        self.servers, self._on_error = servers, on_error
        self._waiting: deque[tuple[Work, Callable[[Any], object]]] = deque()
        self._is_changing = False
        self._checked: dict[str, tasks.BackgroundTask] = {}

    def is_busy(self, name: str) -> bool:
        """Return whether a server is being checked at the moment."""
        return name in self._checked

    def add(self, config: ServerConfig, client_secret: str = "") -> None:
        """Add a server, keep the secret of its client, and check it."""

        def add_server() -> str:
            (name,) = self.servers.add_servers([config])
            if client_secret:
                self.servers.keep_client_secret(name, client_secret)
            return name

        self._enqueue(add_server, lambda name: self.check(name) if config.is_on else None)

    def edit(self, config: ServerConfig, client_secret: str = "") -> None:
        """Put a server in the place of the one with its name; one that is on is checked."""
        name, values = config.name, {key: value for key, value in vars(config).items() if key in EDITED}

        def edit_server() -> None:
            self.servers.change_server(name, **values)
            if client_secret:
                self.servers.keep_client_secret(name, client_secret)

        self._enqueue(edit_server, lambda _: self.check(name) if config.is_on else None)

    def add_all(self, configs: Sequence[ServerConfig]) -> None:
        """Add servers, then check those of them that are on."""

        def check_all(names: Sequence[str]) -> None:
            for name, config in zip(names, configs, strict=True):
                if config.is_on:
                    self.check(name)

        self._enqueue(lambda: self.servers.add_servers(configs), check_all)

    def change(self, name: str, **values: Any) -> None:
        """Change a server; one that was switched on is checked."""
        then: Callable[[Any], object] = lambda _: self.check(name) if values.get("is_on") else None  # noqa: E731
        self._enqueue(lambda: self.servers.change_server(name, **values), then)

    def remove(self, name: str) -> None:
        """Remove a server with its folder and its grants."""
        self._enqueue(lambda: self.servers.remove_server(name))

    def check(self, name: str) -> None:
        """Connect to a server and ask for its tools; its state says what came of it."""
        if name in self._checked:
            return

        def list_tools(_cancel: CancelToken) -> None:
            try:
                self.servers.session_of(name).list_tools()
            except (ToolServerFailed, KeyError):  # kept in its state; or it was removed meanwhile
                pass

        self._checked[name] = tasks.ask(list_tools, self, lambda _: None, self._on_error, lambda: self._end_check(name))
        self.changed.emit()

    def sign_in(self, name: str) -> None:
        """Let the person sign in to a server with their browser, then check it."""
        if name in self._checked:
            return

        def wait_for_person(cancel: CancelToken) -> None:
            self.servers.sign_in(name, self.page_wanted.emit, lambda: cancel.cancelled)

        def end() -> None:
            self._end_check(name)
            self.check(name)

        self._checked[name] = tasks.ask(wait_for_person, self, lambda _: None, self._on_error, end)
        self.changed.emit()

    def stop(self, name: str) -> None:
        """End the check of a server by closing its conversation, or the wait for a sign-in."""
        if name in self._checked:
            self._checked[name].cancel()
        self._enqueue(lambda: self.servers.session_of(name).close())

    def _end_check(self, name: str) -> None:
        self._checked.pop(name, None)
        self.changed.emit()

    def _enqueue(self, work: Work, then: Callable[[Any], object] = lambda _: None) -> None:
        self._waiting.append((work, then))
        self._begin_next()

    def _begin_next(self) -> None:
        if self._is_changing or not self._waiting:
            return
        self._is_changing = True
        work, then = self._waiting.popleft()
        tasks.ask(lambda _: work(), self, then, self._on_error, self._end_change)

    def _end_change(self) -> None:
        self._is_changing = False
        self.changed.emit()
        self._begin_next()
