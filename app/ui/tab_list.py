"""Tabs of the program in order, and the settings. To add a tab, make a folder here and an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.composition.model_parts import WRITING
from app.store.jobs import SUMMARY, TRANSLATION
from app.ui.shared_labels import CHAT_LABEL, WRITE_LABEL
from app.ui.shell.tab_spec import CHAT, MODELS, SUMMARIZE, TRANSLATE, WRITE, Drops, Tab, TabCommand, TabSpec, UiContext

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from app.bootstrap import Fireside
    from app.ui.shell.main_window import MainWindow
    from app.ui.theme import Theme


def _chat(app: Fireside, ui: UiContext) -> Tab:
    from app.ui.chat.chat_tab import ChatTab  # each tab is imported when it is built

    return ChatTab(app, ui)


def _summarize(app: Fireside, ui: UiContext) -> Tab:
    from app.ui.summarize.summarize_tab import SummarizeTab

    return SummarizeTab(app, ui)


def _translate(app: Fireside, ui: UiContext) -> Tab:
    from app.ui.translate.translate_tab import TranslateTab

    return TranslateTab(app, ui)


def _write(app: Fireside, ui: UiContext) -> Tab:
    from app.ui.write.write_tab import WriteTab

    return WriteTab(app, ui)


def _is_text_file(path: Path) -> bool:
    from app.ui.write.kept_page import is_text_file

    return is_text_file(path)


def _is_made_anew(path: Path) -> bool:
    """Return whether files of this type can't be written back, such as PDF files and recordings."""
    from app.documents.formats.registry import formats

    return any(file_format.has(path.suffix) and not file_format.rewrite for file_format in formats())


def _may_be_chats(path: Path) -> bool:
    return path.suffix.lower() in (".json", ".jsonl", ".zip")


def _models(app: Fireside, ui: UiContext) -> Tab:
    from app.ui.models.models_tab import ModelsTab

    return ModelsTab(app, ui)


TABS = (
    TabSpec(
        CHAT,
        CHAT_LABEL,
        "chat-circle-text",
        _chat,
        keys=("Ctrl+1",),
        also="ask talk conversation question",
        commands=(
            TabCommand("fork", "Fork this chat", "branch copy duplicate split"),
            TabCommand("map", "Versions of the last message", "map branches tree alternatives history regenerated"),
            TabCommand(
                "compare_with", "Ask another model…", "compare two models side by side duel second answer regenerate"
            ),
            TabCommand("tags", "Tags of this chat…", "tag label labels category organize"),
            TabCommand("record", "Record with the microphone", "mic voice audio speech dictate dictation sound"),
            TabCommand("screen_region", "Capture part of the screen", "screenshot capture snip image"),
            TabCommand("pictures", "Attach pictures…", "picture image photo vision see"),
        ),
        drops=Drops("", "Ask about it", "Attached to your next message"),
        imports=Drops("", "Import chats", "An export from this or another program", only=_may_be_chats),
        shortcuts=(
            ("Return", "Send the message"),
            ("Shift+Return", "New line"),
            ("Escape", "Stop the answer"),
            ("F3", "Next match"),
            ("Up", "Edit the last message"),
            ("Ctrl+Up", "Previous message"),
            ("Ctrl+Down", "Next message"),
            ("Shift+F10", "Message menu"),
            ("Shift+Down", "Select text"),
        ),
        kept_id="conversation_id",
        has_inside=True,
    ),
    TabSpec(
        SUMMARIZE,
        "Summarize",
        "article",
        _summarize,
        keys=("Ctrl+2",),
        also="summary summaries shorten digest key points report",
        drops=Drops("Drop to summarize", "Summarize", "Every page is read"),
        shortcuts=(
            ("Return", "Start, or open a source"),
            ("Down", "Next statement"),
            ("Right", "Next source"),
            ("Escape", "Close the document"),
        ),
        task=SUMMARIZE,
        kept_id="summary_id",
        jobs=SUMMARY,
    ),
    TabSpec(
        TRANSLATE,
        "Translate",
        "translate",
        _translate,
        keys=("Ctrl+3",),
        also="translation language languages glossary localize",
        drops=Drops(
            "Drop to translate", "Translate", "Keeps its layout", otherwise=(_is_made_anew, "Becomes a new document")
        ),
        shortcuts=(
            ("Ctrl+Return", "Translate at once"),
            ("Return", "Other wordings"),
            ("Escape", "Stop"),
            ("F8", "Next flagged segment"),
        ),
        task=TRANSLATE,
        kept_id="translation_id",
        jobs=TRANSLATION,
    ),
    TabSpec(
        WRITE,
        WRITE_LABEL,
        "pen-nib",
        _write,
        keys=("Ctrl+4",),
        also="writing continue complete autocomplete editor page draft fill in the middle",
        drops=Drops("Drop to open as a page", "Write", "Opens as a page to continue", only=_is_text_file),
        shortcuts=(
            ("Ctrl+Return", "Continue at the cursor"),
            ("Escape", "Stop, or dismiss"),
            ("1", "Choose the first continuation"),
            ("Ctrl+S", "Save as a file"),
        ),
        task=WRITING,
        kept_id="page_id",
        has_inside=True,
    ),
    TabSpec(
        MODELS,
        "Models",
        "cube",
        _models,
        commands=(
            TabCommand("suggested", "Models for this computer", "suggested recommended download which model"),
            TabCommand("installed", "Installed models", "downloaded delete remove model on disk"),
            TabCommand("others", "Models from other programs", "ollama lm studio jan import gguf"),
            TabCommand("downloads", "Downloads", "progress pause resume fetch"),
            TabCommand("storage", "Storage", "disk space folder move free clean up"),
            TabCommand("compare", "Benchmark on a text", "compare perplexity measure evaluate speed models score"),
            TabCommand("blind", "Blind test", "duel compare arena vote elo two models side by side"),
            TabCommand("how", "How a language model works", "learn explain transformer tutorial help"),
        ),
        shortcuts=(("Return", "Go to results"), ("Ctrl+Return", "Download the chosen version")),
        is_at_foot=True,
    ),
)


def open_settings(app: Fireside, window: MainWindow, page: str) -> None:
    """Open the settings at a named page or row, or at the first page."""
    from app.ui.settings.dialog import SettingsDialog  # not needed at start

    SettingsDialog(app, window.ui, page or "appearance").open()


def open_help(theme: Theme, screen: str, above: QWidget) -> None:
    """Show the help page about a screen over a window."""
    from app.ui.help.help_window import show_help  # not needed at start

    show_help(theme, screen, above, TABS)
