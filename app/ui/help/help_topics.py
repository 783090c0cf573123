"""The pages of help in the order of their list, and the page that explains each screen."""

from __future__ import annotations

from app.core.catalogue import Translatable
from app.features.help_pages import CHANGES

GROUPS: tuple[tuple[Translatable, tuple[str, ...]], ...] = (
    ("First steps", ("start", "keyboard", "finding", "quick-ask")),
    (
        "What you can do",
        (
            "chat", "documents", "tools", "assistants", "projects", "memories", "summarize", "translate", "write",
            "voice", "inside",
        ),
    ),
    ("Models", ("models", "hub", "compare")),
    (
        "Settings",
        ("appearance", "system", "your-data", "performance", "network", "servers", "check", CHANGES),
    ),
)  # fmt: skip
"""Headings of the list, and the names of the pages below each."""
PAGES = tuple(name for _, names in GROUPS for name in names)
SCREENS = {
    "chat": "chat",
    "chat/inside_panel": "inside",
    "chat/document_view": "documents",
    "summarize": "summarize",
    "summarize/document_view": "documents",
    "translate": "translate",
    "write": "write",
    "write/inside_panel": "inside",
    "models": "models",
    "models/suggested": "models",
    "models/installed": "models",
    "models/others": "models",
    "models/storage": "models",
    "models/downloads": "hub",
    "models/search": "hub",
    "models/anatomy": "inside",
    "models/compare": "compare",
    "models/blind": "compare",
    "models/how": "inside",
    "settings/appearance": "appearance",
    "settings/system": "system",
    "settings/data": "your-data",
    "settings/trash": "your-data",
    "settings/check": "check",
    "settings/about": "check",
    "settings/chat": "chat",
    "settings/memories": "memories",
    "settings/engine": "performance",
    "settings/network": "network",
    "settings/connections": "servers",
    "settings/tools": "tools",
    "AddDialog": "models",
    "DiskDialog": "models",
    "AddServerDialog": "tools",
    "AssistantDialog": "assistants",
    "ChatSettings": "chat",
    "ExportDialog": "your-data",
    "ImportDialog": "your-data",
    "ImportServersDialog": "tools",
    "LargePicture": "documents",
    "LicenceSheet": "check",
    "LongText": "chat",
    "MemoryDialog": "translate",
    "PrintPreview": "your-data",
    "ProjectDialog": "projects",
    "PromptDialog": "assistants",
    "SeenDialog": "inside",
    "ServerDialog": "servers",
    "ShortcutSheet": "keyboard",
    "SnapshotDialog": "your-data",
    "ToolServerDialog": "tools",
}
"""Page by the name of a screen: a tab with the part that is shown or has the keyboard, a page of the settings, or the
class of a dialog.
"""


def page_of(screen: str) -> str:
    """Return the page that explains a screen; a page's own name stays."""
    return SCREENS.get(screen) or SCREENS.get(screen.partition("/")[0]) or (screen if screen in PAGES else PAGES[0])
