"""What a person allowed or refused tools for good, each with a button that takes it back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.visible import visible_name
from app.features.tools.permissions import WEB_SERVER, PermissionAnswer
from app.features.tools.stored_grants import StoredGrant, StoredGrants
from app.ui.i18n import tr
from app.ui.settings.settings_pages import SettingsSection
from app.ui.shell.notify import Notify
from app.ui.shell.settings_index import label_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.layouts import fill_layout

TAKE_BACK = "Take back"
WEBSITE = "Website"
"""In place of a server, for pages that a model asked for."""
NO_GRANTS = "Nothing yet. When a tool asks, you can allow or refuse it for good."
ALWAYS_ALLOWED = "Always allowed: {tool}"
ALL_ALLOWED = "Always allowed: all tools that change nothing"
NEVER_ALLOWED = "Never allowed: {tool}"
_GRANT_WORDS = {
    PermissionAnswer.TOOL: ALWAYS_ALLOWED,
    PermissionAnswer.SERVER: ALL_ALLOWED,
    PermissionAnswer.NEVER: NEVER_ALLOWED,
}


class ToolGrantsSection(SettingsSection):
    """Section of the answers that hold across restarts, oldest first."""

    def __init__(self, grants: StoredGrants, theme: Theme, notify: Notify) -> None:
        super().__init__(theme, label_of("tool_grants"))
        self._grants, self._notify = grants, notify
        self._shown: tuple[StoredGrant, ...] = ()
        self.rows: list[GrantRow] = []
        self.empty = self.muted(tr(NO_GRANTS))
        self._list = theme.dress(QVBoxLayout(), spacing=12)
        self.add_content(self.empty, self._list)
        self.finish()
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Show the answers as they are stored now; unchanged rows stay."""
        if (grants := self._grants.list_grants()) != self._shown:
            self._shown = grants
            for row in self.rows:
                self._list.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = [GrantRow(self, self._theme, grant) for grant in grants]
            fill_layout(self._list, *self.rows)
        self.empty.setVisible(not grants)

    def take_back(self, grant: StoredGrant) -> None:
        """Forget an answer, so that the person is asked again."""
        with self._notify.guard():
            self._grants.take_back(grant)
        place = self._shown.index(grant) if grant in self._shown else 0
        self.refresh()
        if self.rows:
            self.rows[min(place, len(self.rows) - 1)].button.setFocus(Qt.FocusReason.OtherFocusReason)


class GrantRow(QWidget):
    """Row of an answer: what it is about, the server, and the button."""

    def __init__(self, section: ToolGrantsSection, theme: Theme, grant: StoredGrant) -> None:
        super().__init__()
        said = tr(_GRANT_WORDS[grant.answer], tool=visible_name(grant.tool))
        server = tr(WEBSITE) if grant.server == WEB_SERVER else visible_name(grant.server)
        self.button = text_button(tr(TAKE_BACK), "plain", on_click=lambda _=False: section.take_back(grant))
        self.button.setAccessibleName(f"{tr(TAKE_BACK)}: {said}, {server}")
        texts = theme.dress(fill_layout(QVBoxLayout(), section.label(said, "row"), section.muted(server)), spacing=2)
        row = fill_layout(QHBoxLayout(self), (texts, 1), (self.button, 0, Qt.AlignmentFlag.AlignVCenter))
        theme.dress(row, margins=(0, 0, 0, 0), spacing=8)
