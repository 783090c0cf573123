"""The translation file of the window's texts: saved to be mended, used in place of the built-in one, taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from app.core.catalogue import language_in_use
from app.core.errors.app_error import AppError, expected_error
from app.core.installed_languages import own_file
from app.features.own_translation import (
    UsedTranslation,
    can_export,
    export_name,
    export_translation,
    remove_own_translation,
    use_translation_file,
)
from app.ui.i18n import sentence_for, tr, tr_count
from app.ui.shared_labels import SAVED_AS
from app.ui.shell import tasks
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import SAVED, file_dialog
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import FlowLayout, drop_margins, fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

TRANSLATION_FILE_ABOUT = "Export the texts, edit them, and use your file."
EXPORT_TEXTS, USE_FILE, USE_BUILT_IN = "Export translation…", "Use a file…", "Use the built-in texts"
OWN_FILE_USED, FILE_TRANSLATES = "Your own file is used.", ("Translates 1 text.", "Translates {count} texts.")


class TranslationFileField(QWidget):
    """Buttons of the file, and what has come of them; `use_language` shows the window in a language and keeps it."""

    def __init__(self, app: Fireside, theme: Theme, use_language: Callable[[str], object]) -> None:
        super().__init__()
        self._app, self._use_language = app, use_language
        self.export = text_button(tr(EXPORT_TEXTS), on_click=self._ask_where)
        self.use = text_button(tr(USE_FILE), on_click=self._ask_which)
        self.use_built_in = text_button(tr(USE_BUILT_IN), on_click=self._remove)
        self.state = theme.dress(plain_label(wraps=True), font="small")
        self.state.setProperty("kind", "muted")
        buttons = theme.dress(FlowLayout(), spacing=8)
        for button in (self.export, self.use, self.use_built_in):
            buttons.addWidget(button)
        theme.dress(fill_layout(drop_margins(QVBoxLayout(self)), buttons, self.state), spacing=6)
        theme.changed.connect(self.show_state)
        self.show_state()

    def show_state(self, said: str = "") -> None:
        """Show whether a file of one's own is used, after what has just happened."""
        is_own = own_file(language_in_use()).is_file()
        self.use_built_in.setVisible(is_own)
        self.export.setVisible(can_export(language_in_use()))
        words = " ".join(filter(None, [said, tr(OWN_FILE_USED) if is_own else ""]))
        self.state.setText(words)
        self.state.setVisible(bool(words))
        if said:
            announce(self.state, said)

    def _ask_where(self) -> None:
        language = language_in_use()
        dialog = file_dialog(
            self,
            tr("Export the translation"),
            SAVED,
            lambda paths: self._export(language, paths[0]),
            name="export_translation",
            filters=[tr("Translation files (*.po *.pot)")],
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(export_name(language))
        dialog.open()

    def _export(self, language: str, path: Path) -> None:
        tasks.ask(
            lambda _token: export_translation(language, path),
            self,
            lambda _nothing: self.show_state(tr(SAVED_AS, name=path.name)),
            self._on_failed,
        )

    def _ask_which(self) -> None:
        file_dialog(
            self,
            tr("Choose a translation file"),
            SAVED,
            lambda paths: self._check(paths[0]),
            name="use_translation",
            mode=QFileDialog.FileMode.ExistingFile,
            filters=[tr("Translation files (*.po *.pot)"), tr("All files (*)")],
        ).open()

    def _check(self, path: Path) -> None:
        self.use.setEnabled(False)
        tasks.ask(
            lambda _token: use_translation_file(path),
            self,
            self._on_used,
            self._on_failed,
            lambda: self.use.setEnabled(True),
        )

    def _on_used(self, used: UsedTranslation) -> None:
        self._use_language(used.language)
        self.show_state(tr_count(*FILE_TRANSLATES, used.count))

    def _remove(self) -> None:
        try:
            remove_own_translation(language_in_use())
        except AppError as error:
            self._on_failed(error)
            return
        self._use_language(self._app.settings.appearance.language)

    def _on_failed(self, error: BaseException) -> None:
        error = expected_error(error)
        self.show_state(sentence_for(error).text)
