"""The pages of help in the order of their list, and the page that explains each screen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.core.catalogue import Translatable
from app.features.help_pages import CHANGES
from app.ui.i18n import tr
from app.ui.shell.keyboard import WINDOW_SHORTCUTS
from app.ui.shell.settings_index import PAGES as SETTINGS_PAGES
from app.ui.shell.tab_spec import TabSpec

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


COMMANDS = {
    "new": "chat", "temporary_chat": "chat", "new_project": "projects", "palette": "finding", "quick_ask": "quick-ask",
    "find": "finding", "search": "finding", "inside": "inside", "context": "chat", "choose_model": "models",
    "attach": "documents", "prompts": "assistants", "dictate": "voice", "read_aloud": "voice", "export": "your-data",
    "print": "your-data", "import_chats": "your-data", "assistants": "assistants", "chat_settings": "chat",
    "open_model": "models", "zoom_in": "appearance", "shortcuts": "keyboard", "record": "documents",
    "pictures": "documents", "screen_region": "documents",
}  # fmt: skip
"""Page by the name of a command, whose other words lead to it, too."""
ROWS = {
    "dictation_language": "voice", "reading_speed": "voice", "reading_voice": "voice", "read_scans": "documents",
    "access_token": "hub", "web_pages": "tools", "search_engine": "tools",
}  # fmt: skip
"""Page by the name of a row of the settings, where it isn't that of the row's page."""


def find_keywords(specs: Sequence[TabSpec]) -> dict[str, str]:
    """Return by page the other words for what it is about: those of settings, tabs and commands."""
    words = defaultdict[str, list[str]](list)
    for settings in SETTINGS_PAGES:
        page = SCREENS[f"settings/{settings.name}"]
        words[page].append(tr(settings.also))
        for row in settings.settings:
            words[ROWS.get(row.key, page)] += [tr(row.label), tr(row.also)]
    for spec in specs:
        words[SCREENS[spec.name]].append(tr(spec.also))
        for command in spec.commands:
            words[COMMANDS.get(command.name) or page_of(f"{spec.name}/{command.name}")].append(tr(command.also))
    for shortcut in WINDOW_SHORTCUTS:
        if shortcut.name in COMMANDS:
            words[COMMANDS[shortcut.name]].append(tr(shortcut.also))
    return {page: " ".join(found) for page, found in words.items()}


def page_of(screen: str) -> str:
    """Return the page that explains a screen; a page's own name stays."""
    return SCREENS.get(screen) or SCREENS.get(screen.partition("/")[0]) or (screen if screen in PAGES else PAGES[0])
