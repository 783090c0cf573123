"""Settings of colours, fonts, motion and zoom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from app.core.installed_languages import SYSTEM
from app.ui.i18n import InContext, tr
from app.ui.settings.settings_pages import Save, SettingsPage
from app.ui.settings.translation_file import TRANSLATION_FILE_ABOUT, TranslationFileField
from app.ui.shell.settings_index import label_of, page_label
from app.ui.theme import ZOOM_STEPS, Theme
from app.ui.widgets.buttons import ChoiceButton
from app.ui.widgets.input_fields import SegmentedControl, Stepper
from app.ui.widgets.motion import allow_motion
from app.ui.window_language import offered_languages, use_language

if TYPE_CHECKING:
    from app.bootstrap import Fireside


AS_SYSTEM = InContext("as the system", "System")


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
