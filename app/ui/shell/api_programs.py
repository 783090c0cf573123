"""The server for other programs, as a window has it: turned on a thread, and on again at the next start."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import AppError
from app.ui.shell import tasks
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.server.running import ServerAddress, ServerSwitch


SHOWN_MS = 1500
"""How long a program is shown after its answer: who asks again and again would make the line flicker."""


class OtherPrograms(QObject):
    """Nothing of the server is imported before it is wanted."""

    changed = Signal()
    used = Signal()
    """Other programs are being answered than before."""
    _heard = Signal(object)

    def __init__(self, app: Fireside, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self.error: AppError | None = None
        """Why it is off although it is wanted."""
        self._renews = False
        self.users: list[str] = []
        """Names of the programs that are being answered, or were a moment ago."""
        self._leave_later = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._leave_later.timeout.connect(lambda: self._show_users([]))
        self._heard.connect(self._on_use)

    @property
    def is_wanted(self) -> bool:
        """Whether it is to be on, also at the next start."""
        return self._app.settings.serving.on

    @property
    def is_turning(self) -> bool:
        """Whether it is not yet as it is wanted."""
        return "_rounds" in self.__dict__ and self._rounds.is_running

    @property
    def door(self) -> ServerAddress | None:
        """None while it is off."""
        return self.switch.door if "switch" in self.__dict__ else None

    @cached_property
    def switch(self) -> ServerSwitch:
        """What was never wanted is not made."""
        from app.server.running import ServerSwitch

        switch = ServerSwitch(self._app.serving, self._app.token)
        self._app.serving.on_use = lambda: self._heard.emit(self._app.serving.users)
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
        """At start: on, where it was on."""
        if self.is_wanted:
            self._turn()

    def want(self, *, wanted: bool) -> None:
        """In force at once, and kept."""
        with self._notify.guard():
            self._app.change_settings("serving", on=wanted)
        self._turn()

    def use(self, **values: object) -> None:
        """Fields of `settings.Serving`: in force at once, and kept."""
        with self._notify.guard():
            self._app.change_settings("serving", **values)
        if values.keys() & {"port", "origins"}:
            self._turn()

    def renew_key(self) -> None:
        """Who has the old key is not answered any more."""
        self._turn(renew=True)

    @cached_property
    def _rounds(self) -> tasks.Rounds:
        """One after the other: who switches twice has what was wanted last."""
        switch = self.switch

        def turned(_token: object) -> Iterator[None]:
            serving, renews, self._renews = self._app.settings.serving, self._renews, False
            switch.turn_off()
            if renews:
                switch.renew_key()
            if serving.on:
                switch.turn_on(serving.port, serving.origins)
            yield None

        rounds = tasks.Rounds(turned, self)
        rounds.happened.connect(lambda _: self._on_turned())
        rounds.failed.connect(self._on_failed)
        rounds.over.connect(self.changed)
        return rounds

    def _turn(self, *, renew: bool = False) -> None:
        self._renews = self._renews or renew
        self.error = None
        self._rounds.start()
        self.changed.emit()

    def _on_turned(self) -> None:
        self.error = None

    def _on_failed(self, error: BaseException) -> None:
        self.error = error if isinstance(error, AppError) else None
        self._notify.error(error)
