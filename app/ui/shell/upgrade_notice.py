"""Upgrade notice: the running window keeps its code, but child processes started from now on run the new one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication

from app.core.build import ProgramFile
from app.features.error_messages import UPGRADED
from app.ui.shell.notify import Notify


class UpgradeNotice(QObject):
    """Tells once that the program's files were upgraded, checked whenever the window is activated."""

    def __init__(self, notify: Notify, program: ProgramFile, parent: QObject) -> None:
        super().__init__(parent)
        self._notify, self._program = notify, program
        self._was_told = False
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.applicationStateChanged.connect(self._on_state_changed)

    def _on_state_changed(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive and not self._was_told and self._program.is_another:
            self._was_told = True
            self._notify.show_notice(UPGRADED)
