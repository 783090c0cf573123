"""Every icon has one meaning in the whole program, and every action one icon; this table is where both are written.

Taken from the sources: each icon's name with the words beside it in the call or tuple that names it.
"""

from __future__ import annotations

import ast
import importlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from app.core.paths import resource_path

ROOT = Path(__file__).resolve().parents[2]

MEANINGS = {
    "arrow-clockwise": "regenerate, reload",
    "arrow-down": "jump to latest",
    "arrow-elbow-down-left": "wrap lines",
    "arrow-left": "go back",
    "arrow-right": "go back (right to left)",
    "arrow-square-out": "open in the browser, open drawing",
    "arrow-u-down-left": "translate back",
    "arrow-u-up-left": "undo",
    "arrow-u-up-right": "redo",
    "arrow-up": "send",
    "arrows-clockwise": "look for a newer version",
    "arrows-left-right": "swap",
    "article": "summary, summarize",
    "book-bookmark": "glossary",
    "book-open": "an EPUB",
    "bookmark-simple": "remember",
    "brackets-angle": "show markdown, show formatted",
    "brain": "thinking",
    "wrench": "tools, tool servers",
    "calendar-blank": "an idea: moving a meeting",
    "caret-down": "next match, in another format, other ways, a group that is open",
    "caret-down-bold": "a choice",
    "caret-left": "previous",
    "caret-right": "next, a group that is closed",
    "caret-up": "previous match, move up",
    "cat": "an idea: names for a cat",
    "chat-circle-text": "chat, ask about",
    "check": "what is chosen or done",
    "check-bold": "what is chosen",
    "circle-fill": "a state, a tag’s colour",
    "clipboard-text": "an idea: what to do",
    "clock": "what waits",
    "cloud": "a model elsewhere",
    "cloud-sun": "an idea: weather",
    "code": "copy code",
    "columns": "another model, two models",
    "copy": "copy",
    "corners-out": "fit to window",
    "cube": "models",
    "dots-three": "a mark of another kind",
    "dots-three-bold": "more",
    "download-simple": "import, add models",
    "envelope": "a mail",
    "exam": "test",
    "export": "export, copy to a disk",
    "eye": "look inside",
    "file-pdf": "a PDF",
    "file-search": "an idea: what a document is about",
    "file-text": "a text document",
    "files": "drop documents",
    "flag": "flagged segments",
    "flag-fill": "a flag",
    "floppy-disk": "save",
    "folder": "a project, move to",
    "folder-open": "open a text, open text files, show in folder, open another",
    "folder-plus": "new project",
    "gear-six": "settings",
    "ghost": "temporary chat",
    "git-diff": "two versions",
    "git-fork": "fork",
    "hand-palm": "waits for you",
    "hash": "as markdown",
    "image": "pictures, picture support",
    "heartbeat": "check this computer",
    "info": "about this",
    "lightning": "a command",
    "list-numbers": "an idea: dates of a document",
    "lock-simple": "consent",
    "magnifying-glass": "find, search",
    "magnifying-glass-minus": "smaller",
    "magnifying-glass-plus": "larger",
    "microphone": "dictate",
    "minus": "less",
    "moon": "put to sleep",
    "note": "prompt",
    "paperclip": "attach",
    "pause": "pause",
    "pen-nib": "page",
    "pencil-simple": "edit, rename",
    "play": "continue",
    "plus": "files, prompts, new, add, : more",
    "push-pin": "pin, this chat only",
    "push-pin-slash": "unpin",
    "question": "how it works",
    "queue": "send after",
    "quotes": "quote",
    "rainbow": "an idea: a rainbow",
    "record": "record",
    "sidebar-simple": "the list",
    "sign-in": "bring back",
    "sliders": "detail",
    "sliders-horizontal": "chat settings, instructions, options",
    "skip-back": "previous sentence",
    "skip-forward": "next sentence",
    "speaker-high": "read aloud",
    "stop": "stop",
    "sun": "wake up",
    "table": "a spreadsheet",
    "tag": "tag",
    "terminal-window": "an idea: a function",
    "text-t": "copy as text",
    "translate": "translate this, translation",
    "trash": "delete, trash",
    "tree-structure": "versions, map of",
    "triangle-fill": "a warning",
    "user-circle-gear": "assistant",
    "warning-circle": "what failed",
    "waves": "an idea: the sea",
    "wifi-slash": "network is off",
    "x": "close, remove, clear, dismiss, turn thinking off, without the assistant, only this chat’s",
}
"""What each icon stands for: words of which one is in every label beside it, in small letters."""

ICON_CALLS = {"icon", "glyph", "IconButton", "PanelButton", "OptionChip", "TurnAction", "PaletteEntry", "set_glyph"}
KEYS = ("Del",)
NO_ICONS = {"download"}  # names of jobs and columns, beside words as well


def icon_names() -> frozenset[str]:
    names = json.loads(resource_path("icons/phosphor-charmap.json").read_text("utf-8"))
    return (frozenset(names) | {"sidebar-simple"}) - NO_ICONS


NAMES = icon_names()


def named_in(node: ast.AST) -> list[str]:
    """Icon names in an expression, of each branch of a choice."""
    if isinstance(node, ast.Constant):
        return [node.value] if node.value in NAMES else []
    if isinstance(node, ast.IfExp):
        return [*named_in(node.body), *named_in(node.orelse)]
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("icon", "glyph") and node.args:
        return named_in(node.args[0])
    if isinstance(node, ast.Tuple) and node.elts:
        return named_in(node.elts[0])
    return []


def words_in(node: ast.AST, module: ModuleType) -> list[str]:
    """Texts that an expression shows: what `tr` is called with, here or by the name of a constant."""
    calls = (part for part in ast.walk(node) if isinstance(part, ast.Call) and getattr(part.func, "id", "") == "tr")
    texts = (argument for call in calls for argument in ast.walk(call.args[0]))
    values = (
        text.value if isinstance(text, ast.Constant) else getattr(module, text.id, None)
        for text in texts
        if isinstance(text, (ast.Constant, ast.Name))
    )
    return [value for value in values if isinstance(value, str) and value not in KEYS]


def is_about_icons(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        return name in ICON_CALLS or name in ("addAction", "addMenu", "add_action", "insertAction")
    return isinstance(node, ast.Tuple)


def icons_with_words() -> Iterator[tuple[str, str, str]]:
    """Every icon's name in the window's sources, the words beside it or "", and where that is."""
    for path in sorted((ROOT / "app" / "ui").rglob("*.py")):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            place = f"{path.name}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.keyword) and node.arg in ("glyph", "picture", "icon"):
                yield from ((name, "", place) for name in named_in(node.value))
            if not is_about_icons(node):
                continue
            parts = node.args if isinstance(node, ast.Call) else node.elts
            for number, part in enumerate(parts):
                beside = [words for other in parts[number + 1 : number + 2] for words in words_in(other, module)]
                is_sure = bool(beside) or isinstance(node, ast.Call)
                for name in named_in(part) if is_sure and not isinstance(part, ast.Tuple) else ():
                    yield from ((name, words, place) for words in beside or [""])


def test_every_icon_has_one_meaning_and_every_action_one_icon() -> None:
    found = list(icons_with_words())
    assert len(found) > 150
    unknown = sorted({f"{name} at {place}" for name, _, place in found if name not in MEANINGS})
    assert unknown == [], "a new icon needs its meaning in the table"
    wrong = [
        f"{name} means “{MEANINGS[name]}”, not “{words}”, at {place}"
        for name, words, place in found
        if words and not any(part in words.lower() for part in MEANINGS[name].split(", "))
    ]
    assert wrong == []
    icons_of: dict[str, set[str]] = defaultdict(set)
    for name, words, _ in found:
        if words:
            icons_of[words.rstrip("…")].add(name)
    assert {words: names for words, names in icons_of.items() if len(names) > 1} == {}


def test_the_table_names_no_meaning_twice_and_no_icon_that_is_gone() -> None:
    meant = [meaning for meanings in MEANINGS.values() for meaning in set(meanings.split(", "))]
    assert {meaning for meaning in meant if meant.count(meaning) > 1} == set()
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "app").rglob("*.py"))
    assert [name for name in MEANINGS if f'"{name}"' not in sources] == []
