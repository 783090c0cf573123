"""About page: version, update check, licences, folders, diagnostics."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QMessageBox, QPlainTextEdit, QVBoxLayout, QWidget

from app import APP_NAME, __version__
from app.core.build import this_build
from app.core.catalogue import language_in_use
from app.core.errors.app_error import expected_error
from app.core.installed_languages import ENGLISH, own_file
from app.core.paths import resource_root
from app.features.help_pages import CHANGES, WHATS_NEW
from app.features.updates import ReleaseFile, ReleaseStanding, ReleaseUpdates
from app.ui.i18n import Translatable, sentence_for, tr, window_title
from app.ui.settings.settings_pages import SettingsPage
from app.ui.shared_labels import CANCEL, HELP, KEYBOARD_SHORTCUTS, OPEN_FOLDER, OPEN_ITS_PAGE
from app.ui.shell import tasks
from app.ui.shell.desktop import copy_text, open_folder
from app.ui.shell.settings_index import label_of, page_label
from app.ui.text.links import ask_to_open
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.labels import ElidedLabel, announce, plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout, within_screen

if TYPE_CHECKING:
    from app.bootstrap import Fireside

DIAGNOSTICS_COPIED = "Copied. It lists devices, folders and models, but nothing you wrote."
CHECK_FOR_UPDATES = "Check for updates"


MACHINE_TRANSLATED: Translatable = (
    "The texts in this language were translated by AI and not reviewed by native speakers. To improve them, "
    "export them under Settings › Appearance › Translation file, edit them, and use your file there."
)
NO_ADDRESS = "This build has no update address."
GIVEN_UP = "Canceled. Nothing was changed."


class AboutPage(SettingsPage):
    """About page. Diagnostics are the text of `doctor`: devices, folders and models, nothing the user wrote."""

    def __init__(
        self, app: Fireside, theme: Theme, *, open_help: Callable[[str], object], open_shortcuts: Callable[[], object]
    ) -> None:
        super().__init__(theme, page_label("about"))
        self._app = app
        version = QLabel(this_build().line, wordWrap=True)
        version.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        version.setObjectName("version")
        self.column.addWidget(version)
        what = tr(
            "Chat with language models on this computer. What you write stays here unless you choose a model on "
            "another server."
        )
        self.column.addWidget(self.muted(what))
        self.translated = self.muted(tr(MACHINE_TRANSLATED))
        self.column.addWidget(self.translated)
        self._show_translated()
        theme.changed.connect(self._show_translated)
        self.updates = UpdateCheck(app.updates, theme)
        self.add_setting("updates", self.updates.explanation, self.updates.button, self.updates.more)
        self.column.addWidget(self.updates)
        self.add_heading(tr("Folders"))
        self._add_folders()
        buttons = theme.dress(FlowLayout(), spacing=14)
        for page, label in (("", HELP), (CHANGES, WHATS_NEW)):
            buttons.addWidget(text_button(tr(label), on_click=lambda _=False, page=page: open_help(page)))
        keys = text_button(tr(KEYBOARD_SHORTCUTS), on_click=open_shortcuts)
        buttons.addWidget(keys)
        notices, texts = licence_notices(), licence_texts()
        if notices is not None:
            button = self.setting_rows["licences"] = text_button(
                label_of("licences"), on_click=lambda: LicenceSheet(theme, notices, self, texts=texts).show()
            )
            buttons.addWidget(button)
        self.diagnostics = self.setting_rows["diagnostics"] = text_button(
            label_of("diagnostics"), on_click=self._on_diagnostics
        )
        self.diagnostics.setToolTip(tr("Copies devices, folders and models, but nothing you wrote"))
        buttons.addWidget(self.diagnostics)
        self.column.addLayout(buttons)
        self.said = self.muted("")
        self.column.addWidget(self.said)
        self.finish()

    def _show_translated(self) -> None:
        language = language_in_use()
        self.translated.setVisible(language != ENGLISH and not own_file(language).is_file())

    def _add_folders(self) -> None:
        paths = self._app.paths
        for key, folder in (("folder_data", paths.data), ("folder_settings", paths.config), ("folder_log", paths.logs)):
            button = text_button(tr(OPEN_FOLDER), on_click=lambda _=False, folder=folder: open_folder(folder))
            button.setAccessibleName(tr("Open folder: {name}", name=label_of(key)))
            # `clicked` passes its state first; the default holds this round's folder.
            where = ElidedLabel(str(folder), Qt.TextElideMode.ElideMiddle)
            where.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # paths are left to right in every language
            where.setProperty("kind", "muted")
            self.follow_font(where, "small")
            self.add_setting(key, where, button)

    def _on_diagnostics(self) -> None:
        # The engine's process may have to start first; a second click would wait for the same.
        self.diagnostics.setEnabled(False)
        tasks.ask(lambda _token: self._diagnosed(), self, self._show_copied, self._on_not_diagnosed)

    def _diagnosed(self) -> str:
        """Return the diagnostics as text; blocks, so it runs on a thread."""
        from app.features.computer_check import shared_report
        from app.ui.settings.check_page import checked_parts

        return shared_report(checked_parts(self._app))

    def _show_copied(self, text: str) -> None:
        copy_text(text)
        self._show_result(tr(DIAGNOSTICS_COPIED))

    def _on_not_diagnosed(self, error: BaseException) -> None:
        error = expected_error(error)
        self._show_result(sentence_for(error).text)

    def _show_result(self, text: str) -> None:
        self.diagnostics.setEnabled(True)
        self.said.setText(text)
        announce(self.said, text)


class LicenceSheet(Dialog):
    """Dialog with the notices of third-party software and a button to their licence texts."""

    def __init__(self, theme: Theme, path: Path, parent: QWidget | None = None, *, texts: Path | None = None) -> None:
        """Open the notices; `texts` is the folder of full licence texts, if there is one."""
        super().__init__(parent)
        self.setWindowTitle(window_title(label_of("licences")))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(within_screen(self, QSize(theme.px(640), theme.px(480))))
        text = QPlainTextEdit(path.read_text("utf-8"), readOnly=True)
        text.setObjectName("licences")
        text.setAccessibleName(label_of("licences"))
        text.setFont(theme.fonts.code(12.5))
        close = text_button(tr("Close"), on_click=self.close)
        column = fill_layout(QVBoxLayout(self), text)
        column.setContentsMargins(*(theme.px(16),) * 4)
        row = FlowLayout(is_at_end=True)
        if texts is not None:
            folder = text_button(tr("Open license folder"), "plain", on_click=lambda: open_folder(texts))
            row.addWidget(folder)
        row.addWidget(close)
        column.addLayout(row)


def licence_notices() -> Path | None:
    """Return the third-party notices, which are next to resources/ in a checkout and in a package."""
    path = resource_root().parent / "THIRD_PARTY.md"
    return path if path.is_file() else None


def licence_texts() -> Path | None:
    """Return the folder of full licence texts in packages: beside the program, inside it, or the system's."""
    beside, within = Path(sys.executable).parents[1] / "licences", resource_root().parent / "licences"
    # Where a system's package and Flatpak's put them.
    systems = (Path("/usr/share/doc/fireside/licences"), Path("/app/share/licenses/io.github.fireside.Fireside"))
    places = (beside, within, *systems, resource_root().parent / "packaging" / "licences")
    return next((place for place in places if place.is_dir()), None)


Opener = Callable[[QUrl], bool]


class UpdateCheck(QWidget):
    """Result of an update check, below its button, which also cancels it."""

    def __init__(self, updates: ReleaseUpdates, theme: Theme, opener: Opener = QDesktopServices.openUrl) -> None:
        super().__init__()
        self._updates, self._theme, self._opener = updates, theme, opener
        self._task: tasks.BackgroundTask | None = None
        self._page = ""
        self.button = text_button(tr(CHECK_FOR_UPDATES), on_click=self._on_clicked)
        self.explanation, self.more = tr(NO_ADDRESS), ""
        self.button.setVisible(bool(updates.host))
        if updates.host:
            self.explanation = tr("{program} never checks or installs updates on its own.", program=APP_NAME)
            self.more = tr("Checking downloads one small file from {host}.", host=updates.host)
        self.said = plain_label(wraps=True)
        self.said.setObjectName("update_said")
        self.notes = QPlainTextEdit(readOnly=True)
        self.notes.setObjectName("release_notes")
        self.notes.setAccessibleName(tr("Release notes"))
        self.notes.setTabChangesFocus(True)
        self.page = text_button(tr(OPEN_ITS_PAGE), on_click=self.ask_to_open)
        column = fill_layout(QVBoxLayout(self), self.said, self.notes, (self.page, 0, Qt.AlignmentFlag.AlignLeading))
        column.setContentsMargins(0, 0, 0, 0)
        self.notes.hide()
        self.page.hide()
        self.hide()
        theme.dress(column, spacing=8)
        theme.changed.connect(self._dress_notes)
        self._dress_notes()

    def ask_to_open(self) -> QMessageBox | None:
        """Show the whole address before the browser opens it."""
        return ask_to_open(self._page, self, self._opener)

    def _dress_notes(self) -> None:
        self.notes.setFont(self._theme.font("body"))
        self.notes.setFixedHeight(self._theme.px(132))

    def _on_clicked(self) -> None:
        self.notes.hide()
        self.page.hide()
        if self._task is not None:
            self._forget()
            self._show_result(tr(GIVEN_UP))
        else:
            self._name_button(tr(CANCEL))
            self._show_result(tr("Contacting {host}…", host=self._updates.host))
            self._task = tasks.ask(self._updates.check, self, self._show_release, self._show_problem)

    def _forget(self) -> None:
        if self._task is not None:
            self._task.abandon()
        self._task = None
        self._name_button(tr(CHECK_FOR_UPDATES))

    def _name_button(self, text: str) -> None:
        self.button.setText(text)
        self.button.setAccessibleName(text)

    def _show_release(self, release: ReleaseFile) -> None:
        self._forget()
        self._page = release.page
        self._show_result(_WORDS[release.standing]().format(name=APP_NAME, theirs=release.version, ours=__version__))
        if release.standing is ReleaseStanding.NEWER:
            self.notes.setPlainText(release.notes)
            self.notes.setVisible(bool(release.notes))
            self.page.show()

    def _show_problem(self, error: BaseException) -> None:
        self._forget()
        error = expected_error(error)
        self._show_result(sentence_for(error).text)

    def _show_result(self, text: str) -> None:
        self.said.setText(text)
        self.show()
        announce(self.said, text)


_WORDS: dict[ReleaseStanding, Callable[[], str]] = {
    ReleaseStanding.NEWER: lambda: tr("{name} {theirs} is available. You have {ours}."),
    ReleaseStanding.SAME: lambda: tr("You have the newest version, {ours}."),
    ReleaseStanding.OLDER: lambda: tr("The newest release is {theirs}. You have {ours}, which is newer."),
}
