"""Check for updates: a click asks for the newest release; its notes are shown as they are, and its page on request."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QPlainTextEdit, QVBoxLayout, QWidget

from app import APP_NAME, __version__
from app.core.errors import AppError
from app.features.messages import sentence_for
from app.features.updates import Release, Standing, Updates
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.text.links import ask_to_open
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce, plain_label

Opener = Callable[[QUrl], bool]


class UpdateCheck(QWidget):
    """What a check said, below the row with the button that begins it and, while it runs, ends it."""

    def __init__(self, updates: Updates, theme: Theme, opener: Opener = QDesktopServices.openUrl) -> None:
        super().__init__()
        self._updates, self._theme, self._opener = updates, theme, opener
        self._task: tasks.Task | None = None
        self._page = ""
        self.button = text_button(tr("Check for updates"))
        self.button.clicked.connect(self._on_clicked)
        self.explanation = tr("Nothing is asked by itself, and nothing is installed.")
        if updates.host:
            self.explanation += " " + tr("A click asks {host} for one small file.", host=updates.host)
        self.said = plain_label(wraps=True)
        self.said.setObjectName("update_said")
        self.notes = QPlainTextEdit(readOnly=True)
        self.notes.setObjectName("release_notes")
        self.notes.setAccessibleName(tr("What is new"))
        self.notes.setTabChangesFocus(True)
        self.page = text_button(tr("Open its page"))
        self.page.clicked.connect(self.ask_to_open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.said)
        column.addWidget(self.notes)
        column.addWidget(self.page, 0, Qt.AlignmentFlag.AlignLeading)
        self.notes.hide()
        self.page.hide()
        self.hide()
        theme.dress(column, spacing=8)
        theme.changed.connect(self._dress_notes)
        self._dress_notes()

    def ask_to_open(self) -> QMessageBox | None:
        """The whole address is shown before the browser opens it."""
        return ask_to_open(self._page, self, self._opener)

    def _dress_notes(self) -> None:
        self.notes.setFont(self._theme.font(13.5))
        self.notes.setFixedHeight(self._theme.px(132))

    def _on_clicked(self) -> None:
        self.notes.hide()
        self.page.hide()
        if self._task is not None:
            self._forget()
            self._say(tr("Given up. Nothing was changed."))
        elif not self._updates.host:
            self._say(tr("This build does not know where releases are told, so there is nothing to ask."))
        else:
            self._name_button(tr("Cancel"))
            self._say(tr("Asking {host}…", host=self._updates.host))
            self._task = tasks.ask(self._updates.check, self, self._show_release, self._show_problem)

    def _forget(self) -> None:
        if self._task is not None:
            self._task.abandon()
        self._task = None
        self._name_button(tr("Check for updates"))

    def _name_button(self, text: str) -> None:
        self.button.setText(text)
        self.button.setAccessibleName(text)

    def _show_release(self, release: Release) -> None:
        self._forget()
        self._page = release.page
        self._say(_WORDS[release.standing]().format(name=APP_NAME, theirs=release.version, ours=__version__))
        if release.standing is Standing.NEWER:
            self.notes.setPlainText(release.notes)
            self.notes.setVisible(bool(release.notes))
            self.page.show()

    def _show_problem(self, error: BaseException) -> None:
        self._forget()
        if not isinstance(error, AppError):
            raise error
        self._say(tr(sentence_for(error).text))

    def _say(self, text: str) -> None:
        self.said.setText(text)
        self.show()
        announce(self.said, text)


_WORDS: dict[Standing, Callable[[], str]] = {
    Standing.NEWER: lambda: tr("{name} {theirs} is there. You have {ours}."),
    Standing.SAME: lambda: tr("You have the newest version, {ours}."),
    Standing.OLDER: lambda: tr("The newest release is {theirs}. You have {ours}, which is newer."),
}
