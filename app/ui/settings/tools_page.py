"""Tools page of the settings: servers, the program's own tools, and what was allowed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.i18n import tr
from app.ui.settings.folder_list import FolderList
from app.ui.settings.settings_pages import Save, SettingsPage
from app.ui.settings.tool_grants_section import ToolGrantsSection
from app.ui.settings.tool_servers_section import ToolServersSection
from app.ui.shell.settings_index import label_of, page_label
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.input_fields import Stepper

if TYPE_CHECKING:
    from app.bootstrap import Fireside

MOST_ROUNDS = 100


class ToolsPage(SettingsPage):
    """Settings of what models may do besides writing. Tools are switched on in each chat."""

    def __init__(self, app: Fireside, ui: UiContext, save: Save) -> None:
        super().__init__(ui.theme, page_label("tools"))
        self.column.addWidget(self.muted(tr("You turn tools on in each chat, with the + next to the message.")))
        self.servers = ToolServersSection(app, ui)
        self.grants = ToolGrantsSection(app.tool_grants, ui.theme, ui.notify)
        # A server takes what was allowed with it.
        self.servers.server_actions.changed.connect(self.grants.refresh)
        self.add_section(self.servers, "tool_servers")
        self.add_heading(tr("In chats"))
        tools = app.settings.tools
        self.folders = FolderList(
            ui.theme, label_of("tool_folders"), tools.folders, lambda folders: save("tools", folders=folders)
        )
        self.add_block("tool_folders", tr("Models can read the files in them, and change none."), self.folders)
        self.rounds = Stepper(
            ui.theme, label_of("tool_rounds"), tools.rounds, lowest=1, highest=MOST_ROUNDS,
            on_change=lambda value: save("tools", rounds=int(value)),
        )  # fmt: skip
        self.add_setting("tool_rounds", tr("After that, the model answers."), self.rounds)
        self.add_section(self.grants, "tool_grants")
        self.finish()
