"""The local API server as the window controls it: switched on a thread, and restored at the next start."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.errors.app_error import AppError
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.server.running import ServerAddress, ServerSwitch


SHOWN_MS = 1500
"""Time for which a program stays listed after its answer: repeated requests would make the line flicker."""


class OtherPrograms(QObject):
    """Controls the API server, importing it only once it is wanted."""

    changed = Signal()
    used = Signal()
    """The list of programs being answered changed."""
    _heard = Signal(object)

    def __init__(self, app: Fireside, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self.error: AppError | None = None
        """Reason why the server is off although it is wanted."""
        self._renews = False
        self.users: list[str] = []
        """Names of the programs being answered, or answered a moment ago."""
        self._leave_later = new_timer(self, SHOWN_MS, lambda: self._show_users([]))
        # Emitted on the server's threads; this object lives on the window's.
        self._heard.connect(self._on_use)

    @property
    def is_wanted(self) -> bool:
        """True if the user wants the server on, now and at the next start."""
        return self._app.settings.serving.on

    @property
    def is_turning(self) -> bool:
        """True while the server is being switched to the wanted state."""
        # Asking must not create the switch: that imports the server.
        return "_rounds" in self.__dict__ and self._rounds.is_running

    @property
    def door(self) -> ServerAddress | None:
        """Address of the running server; None while it is off."""
        # As in `is_turning`.
        return self.switch.door if "switch" in self.__dict__ else None

    @cached_property
    def switch(self) -> ServerSwitch:
        """The server's switch, created on first access and closed with the program."""
        from app.server.running import ServerSwitch

        list_tools = lambda: self._app.lent_documents.list_tools()  # noqa: E731, PLW0108 - made when a program asks
        switch = ServerSwitch(self._app.serving, self._app.token, list_tools)
        self._app.serving.journal.on_use = lambda: self._heard.emit(self._app.serving.journal.users)
        self._app.before_closing.append(switch.close)
        return switch

    def _on_use(self, users: list[str]) -> None:
        if users:
            self._leave_later.stop()
            self._show_users(users)
        else:
            self._leave_later.start()

    def _show_users(self, users: list[str]) -> None:
        if users != self.users:
            self.users = users
            self.used.emit()

    def begin(self) -> None:
        """Start the server if it was on before the restart."""
        if self.is_wanted:
            self._start_round()

    def want(self, *, wanted: bool) -> None:
        """Store whether the server should be on, and apply it at once."""
        with self._notify.guard():
            self._app.change_settings("serving", on=wanted)
        self._start_round()

    def use(self, **values: object) -> None:
        """Store fields of `settings.Serving` and apply them at once."""
        with self._notify.guard():
            self._app.change_settings("serving", **values)
        # The other fields are read with each request; these are fixed when the server starts.
        if values.keys() & {"port", "origins"}:
            self._start_round()

    def renew_key(self) -> None:
        """Replace the API key; the old one stops working."""
        self._start_round(renew=True)

    @cached_property
    def _rounds(self) -> tasks.RepeatedTask:
        """Serializes switching, so that the last choice wins however fast the user toggles."""
        switch = self.switch

        def turned(_token: object) -> Iterator[None]:
            # Read in the round that applies it, so that the last choice counts.
            serving, renews, self._renews = self._app.settings.serving, self._renews, False
            switch.turn_off()
            if renews:
                switch.renew_key()
            if serving.on:
                switch.turn_on(serving.port, serving.origins)
            yield None

        return tasks.RepeatedTask(
            turned, self, on_event=self._on_turned, on_failed=self._on_failed, on_over=self.changed.emit
        )

    def _start_round(self, *, renew: bool = False) -> None:
        self._renews = self._renews or renew
        self.error = None
        self._rounds.start()
        self.changed.emit()

    def _on_turned(self, _turned: None) -> None:
        self.error = None

    def _on_failed(self, error: BaseException) -> None:
        self.error = error if isinstance(error, AppError) else None
        self._notify.error(error)
