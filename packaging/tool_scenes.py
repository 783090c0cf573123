"""Tools in pictures: the page of the settings without and with servers, one of them, and how others are added."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from app.features.mcp.known_files import ServerFile
from app.features.mcp.server_config import ServerConfig
from app.features.tool_calls import CallWay, ToolFunction
from app.features.tools.permissions import PermissionAnswer
from app.features.tools.score_requests import score_requests
from app.features.tools.scoring import ScoredAnswer, WaysCompared, WayScore
from app.features.tools.tool import Tool, ToolResult
from app.features.tools.tool_scores import ToolScores
from app.ui.settings.dialog import SettingsDialog
from app.ui.settings.tool_servers_section import ToolServersSection
from app.ui.shell.model_about import ModelAbout
from tests.helpers import tool_server
from tests.helpers.desks.window import Frame

SCRIPT = Path(tool_server.__file__)
LOAD_MS = 60_000
RIGHT = 6
Step = Callable[[], object]


class Scenes:
    """The steps of these pictures; the servers are our own, shown by other names."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._app = frame, frame.app

    def screens(self) -> list[tuple[str, Step, Step]]:
        """Name, what to do before the picture, what to do after it."""
        return [
            ("settings-tools-none", lambda: self._frame.window.open_settings("tools"), self.leave),
            ("settings-tools", self.show_page, self.leave),
            ("tool-server", self.show_server, self.leave),
            ("tool-server-add", self.show_adding, self.leave),
            ("tool-server-edit", self.show_editing, self.leave),
            ("tool-server-import", self.show_import, self.leave),
            ("model-score", self.show_score, self.leave),
        ]

    def show_page(self) -> ToolServersSection:
        reads = (str(SCRIPT.parent),)
        self._app.tool_servers.add_servers(
            [
                ServerConfig("Notes", sys.executable, (str(SCRIPT), "paging"), readable=reads, is_on=True),
                ServerConfig("Calendar", "uvx", ("no-such-calendar",), is_on=True),
                ServerConfig("Company wiki", url="https://wiki.example.com/mcp"),
            ]
        )
        for name, answer in (("read_note", PermissionAnswer.TOOL), ("delete_note", PermissionAnswer.NEVER)):
            tool = Tool(ToolFunction(name, "", {"type": "object"}), lambda *_: ToolResult(""), server="Notes")
            self._app.tool_grants.keep_answer(tool, answer)
        self._app.change_settings("tools", folders=(str(Path.home() / "Documents"),))
        self._frame.window.open_settings("tools")
        section = self._frame.find_step(ToolServersSection)
        for name in ("Notes", "Calendar"):
            section.server_actions.check(name)
            self._frame.wait(partial(_is_checked, section, name), LOAD_MS)
        return section

    def show_server(self) -> None:
        section = self.show_page()
        self._app.tool_servers.change_server("Notes", environment=(("NOTES_TOKEN", "secret"),))
        details = section.open_details("Notes")
        section.server_actions.check("Notes")
        self._frame.wait(lambda: bool(details.tools.rows) and details.tools.rows[-1].isVisible(), LOAD_MS)

    def show_adding(self) -> None:
        self.show_page().open_adding().line.setText("https://wiki.example.com/mcp")

    def show_editing(self) -> None:
        section = self.show_page()
        environment = (("NOTES_TOKEN", "secret"), ("LEVEL", "2"))
        self._app.tool_servers.change_server("Notes", environment=environment)
        section.open_details("Notes").open_editing()

    def show_import(self) -> None:
        dialog = self.show_page().open_import()
        far = ServerConfig("hub", url="https://hub.example.com/mcp", headers=(("Authorization", "Bearer x"),))
        near = ServerConfig("files", "npx", ("-y", "@modelcontextprotocol/server-filesystem", "/home/ada/Documents"))
        dialog.offer_files([ServerFile("Claude Desktop", Path("claude_desktop_config.json"), (near, far))])
        dialog.show_servers([near, far])

    def show_score(self) -> None:
        path = self._frame.loader.path
        assert path is not None
        requests = score_requests()
        # Those that need no tool are the last.
        answers = [ScoredAnswer(request, request.tool if place < RIGHT else "", {}, True)
                   for place, request in enumerate(requests)]  # fmt: skip
        compared = WaysCompared(len(requests), (WayScore(CallWay.LAZY, answers),))
        ToolScores(self._app.paths.cache).keep_score(path, compared)
        self._frame.picker.show_about()

    def leave(self) -> None:
        for kind in (ModelAbout, SettingsDialog):
            for dialog in self._frame.window.findChildren(kind):
                dialog.close()
        for server in self._app.tool_servers.configs:
            self._app.tool_servers.remove_server(server.name)
        self._app.change_settings("tools", folders=())


def _is_checked(section: ToolServersSection, name: str) -> bool:
    return not section.server_actions.is_busy(name)
