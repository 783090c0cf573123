"""Settings of colours, fonts, motion, zoom and language, with the file in which the window’s texts can be mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QFileDialog, QVBoxLayout, QWidget

from app.core.catalogue import language_in_use
from app.core.errors.app_error import AppError, expected_error
from app.core.installed_languages import SYSTEM, own_file
from app.features.own_translation import (
    UsedTranslation,
    can_export,
    export_name,
    export_translation,
    remove_own_translation,
    use_translation_file,
)
from app.ui.i18n import InContext, sentence_for, tr, tr_count
from app.ui.settings.settings_pages import Save, SettingsPage
from app.ui.shared_labels import SAVED_AS
from app.ui.shell import tasks
from app.ui.shell.settings_index import label_of, page_label
from app.ui.theme import ZOOM_STEPS, Theme
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.dialogs import SAVED, file_dialog
from app.ui.widgets.input_fields import SegmentedControl, Stepper
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import FlowLayout, drop_margins, fill_layout
from app.ui.widgets.motion import allow_motion
from app.ui.window_language import offered_languages, use_language

if TYPE_CHECKING:
    from app.bootstrap import Fireside

AS_SYSTEM = InContext("as the system", "System")
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


class AppearancePage(SettingsPage):
    """Page of what the window looks like; each choice is seen at once."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, page_label("appearance"))
        self._app, self._save, appearance = app, save, app.settings.appearance
        choices = [("system", tr(AS_SYSTEM)), ("light", tr("Light")), ("dark", tr("Dark"))]
        field = SegmentedControl(theme, label_of("scheme"), choices, appearance.scheme, self._on_scheme)
        self.add_setting("scheme", "", field)
        switches: tuple[tuple[str, str, Callable[[bool], object]], ...] = (
            ("high_contrast", tr("Always used when the system asks for it."), self._on_high_contrast),
            ("dim_pages", tr("White paper is darker in dark mode."), self._on_dim_pages),
            ("system_font", tr("Replaces Inter everywhere except in code."), self._on_system_font),
            ("reduce_motion", tr("Menus, notices and panels appear at once."), self._on_reduce_motion),
        )
        for key, explanation, on_change in switches:
            self.add_switch(key, explanation, on_change, is_on=getattr(appearance, key))
        zoom = Stepper(
            theme, label_of("zoom"), theme.zoom * 100, on_change=self._on_zoom,
            lowest=ZOOM_STEPS[0] * 100, highest=ZOOM_STEPS[-1] * 100, step=10, suffix=" %",
        )  # fmt: skip
        self.add_setting("zoom", tr("Also with Ctrl + and Ctrl −."), zoom)
        self.language = ChoiceButton(
            theme, label_of("interface_language"), self._languages(), shows_change=False, on_change=self.use_language
        )
        self.show_language()
        told = tr("Chats and documents can be in any language.")
        self.add_setting("interface_language", told, self.language)
        self.add_block(
            "translation_file", tr(TRANSLATION_FILE_ABOUT), TranslationFileField(app, theme, self.use_language)
        )
        self.finish()

    def _languages(self) -> list[tuple[str, str]]:
        return [(SYSTEM, tr(AS_SYSTEM)), *offered_languages().items()]

    def show_language(self) -> None:
        """Offer the languages that there are now, and show which one is chosen."""
        languages, chosen = self._languages(), self._app.settings.appearance.language
        self.language.offer(languages)
        self.language.show_value(chosen if chosen in dict(languages) else SYSTEM)

    def _on_scheme(self, scheme: str) -> None:
        self._theme.scheme = scheme
        self._save("appearance", scheme=scheme)

    def use_language(self, choice: str) -> None:
        """Show the window in another language, and keep that choice."""
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self._save("appearance", language=choice)
        use_language(application, choice)
        self.show_language()
        # Emitted for whatever paints its words itself.
        self._theme.changed.emit()

    def _on_high_contrast(self, wanted: bool) -> None:
        self._theme.high_contrast = wanted
        self._save("appearance", high_contrast=wanted)

    def _on_dim_pages(self, wanted: bool) -> None:
        self._theme.dims_pages = wanted
        self._save("appearance", dim_pages=wanted)

    def _on_system_font(self, wanted: bool) -> None:
        self._theme.system_font = wanted
        self._save("appearance", system_font=wanted)

    def _on_reduce_motion(self, wanted: bool) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        allow_motion(application, is_reduced=wanted)
        self._save("appearance", reduce_motion=wanted)

    def _on_zoom(self, percent: float) -> None:
        self._theme.zoom = percent / 100
        self._save("appearance", zoom=self._theme.zoom)
