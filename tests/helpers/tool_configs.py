"""Tool servers as the settings have them: how the one for tests is started, and settings without a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from app.core.settings import Settings
from app.features.mcp.server_config import ServerConfig
from tests.helpers import tool_server

SCRIPT = Path(tool_server.__file__)


class StoredSettings:
    """Settings without a file, changed as the program's are."""

    def __init__(self) -> None:
        self.settings = Settings()

    def change(self, section: str, **values: Any) -> None:
        self.settings = self.settings.changed(section, **values)


def config(mode: str, name: str = "") -> ServerConfig:
    return ServerConfig(
        name or mode, sys.executable, (str(SCRIPT), mode), (("KEY", "k"),), readable=(str(SCRIPT.parent),), is_on=True
    )
