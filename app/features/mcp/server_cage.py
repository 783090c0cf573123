"""What a tool server is kept from, as its cage tried it, in words for a person."""

from __future__ import annotations

from pathlib import Path

from app import APP_NAME
from app.core.cage_report import CageReport, CageWall
from app.core.catalogue import tr
from app.features.mcp.server_config import ServerConfig
from app.features.protection import cage_sentence

SERVER = "Outside its folders it"
NOT_OURS = "{program} doesn’t start this server. It gets only what the model sends it."
NO_CONTAINERS = (
    "Fireside can’t protect you from what runs in {container}, so the server can’t use it. "
    "Start the server yourself and add its address."
)
NOT_YET = "It’s checked when it starts."


def server_cage_sentence(config: ServerConfig, report: CageReport | None) -> str:
    """Return what a server can't do, and what this system could not prevent."""
    if config.is_remote:
        return tr(NOT_OURS, program=APP_NAME)
    if config.container_program:
        return tr(NO_CONTAINERS, container=config.container_program.capitalize())
    if report is None:
        return tr(NOT_YET)
    granted = _granted_walls(config)
    held, missing = (tuple(wall for wall in walls if wall not in granted) for walls in (report.held, report.missing))
    return cage_sentence(tr(SERVER), CageReport(held, missing))


def _granted_walls(config: ServerConfig) -> set[CageWall]:
    """Return the walls that were tried in the home folder, which the person opened to the server."""
    home = Path.home()
    may_write = any(home.is_relative_to(folder) for folder in config.writable)
    may_read = may_write or any(home.is_relative_to(folder) for folder in config.readable)
    return {wall for wall, is_open in ((CageWall.FILES, may_read), (CageWall.WRITING, may_write)) if is_open}
