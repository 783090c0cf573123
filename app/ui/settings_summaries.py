"""The settings of the summaries: what the computer does while one is at work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.ui.settings_page import SettingsPage
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.fields import Switch

if TYPE_CHECKING:
    from app.bootstrap import Fireside

Save = Callable[..., None]


class SummariesPage(SettingsPage):
    """One switch so far; length, form and language are chosen beside the documents, and remembered there."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, tr("Summarize"))
        name = tr("Keep the computer awake during summaries and translations")
        awake = Switch(theme, name, on=app.settings.summaries.stay_awake)
        awake.toggled.connect(lambda wanted: save("summaries", stay_awake=wanted))
        explanation = tr("On mains power only. The screen may still go dark, and on battery the computer may sleep.")
        self.add_row(name, explanation, awake)
        self.finish()
