"""F1 in every dialog of the program opens the page about it, on the screen, and gives the focus back when it closes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPlainTextEdit, QWidget
from shiboken6 import isValid

from app.core.events import Role
from app.features.chat import session_messages as m
from app.features.chat.prompt_inspector import SeenPart, SeenPrompt
from app.features.mcp.server_config import ServerConfig
from app.hub.model_disks import DiskContents
from app.store.media_store import MediaUse
from app.ui.chat.chat_context import ContextFull
from app.ui.chat.chat_tags import TagBar
from app.ui.chat.chat_view import ChatView
from app.ui.chat.message_field import LongText
from app.ui.chat.prompt_view import SeenDialog
from app.ui.document.document_dialogs import LargeFile, PagesDialog, PasswordDialog
from app.ui.exchange.export_dialog import PrintPreview
from app.ui.exchange.import_dialog import ImportDialog
from app.ui.exchange.snapshot_dialog import ask_for_day
from app.ui.help.help_topics import PAGES, SCREENS
from app.ui.help.help_window import HelpWindow
from app.ui.models.add_model_file import AddDialog, ModelFileFacts
from app.ui.models.model_disk_dialog import DiskChoice, DiskDialog
from app.ui.settings.about import AboutPage
from app.ui.settings.lock_section import LockSection
from app.ui.settings.servers_page import ServersSection
from app.ui.settings.tool_servers_section import ToolServersSection
from app.ui.settings.translation_memory import MemoryDialog
from app.ui.widgets import dialogs, layouts
from app.ui.widgets.dialogs import Dialog, QuestionDialog
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.window_tour import cut_texts, settle
from tests.ui.help.test_help_window import every_dialog

GB = 1_000_000_000
NOTHING_FOUND = DiskChoice(DiskContents((), ()), frozenset(), 40 * GB, is_other_disk=True)
FIELDS = (QLineEdit, QPlainTextEdit, QAbstractButton)
BASES = {"HelpWindow", "LibraryDialog"}
Step = Callable[[], object]


@pytest.fixture
def frame(qapp: QApplication) -> Iterator[Frame]:
    with open_window(qapp, make_chat=ChatView) as frame:
        frame.activate()
        yield frame


def nothing(*_: object) -> None:
    """What a dialog is to do at its end."""


class Openers:
    """How each dialog is opened, by its class; most by the way that leads there."""

    def __init__(self, frame: Frame) -> None:
        self._frame, self._theme, self._window = frame, frame.theme, frame.window
        conversations = frame.conversations
        self._chat = conversations.create(title="Cats").id
        answer = conversations.add_message(self._chat, None, Role.USER, "What do cats eat?")
        conversations.add_message(self._chat, answer.id, Role.ASSISTANT, "Fish.")

    def of_chats(self) -> dict[str, Step]:
        theme, window, chat = self._theme, self._window, self._frame.chat
        return {
            "AssistantDialog": chat.models.assistants.open_all,
            "ChatSettings": chat.models.options.show_dialog,
            "ContextFull": lambda: ContextFull(theme, chat, compact=nothing, begin_chat=nothing).open(),
            "ExportDialog": lambda: self._frame.do("export_chats"),
            "ImportDialog": lambda: ImportDialog(self._frame.app, window.ui, window).open(),
            "LargePicture": self._open_picture,
            "LongText": lambda: LongText(theme, "Many words. ", window, save=nothing).open(),
            "PrintPreview": self._print,
            "ProjectDialog": lambda: self._frame.do("new_project"),
            "PromptDialog": lambda: chat.session.send_request(m.OpenPrompts()),
            "RememberDialog": lambda: chat.session.send_request(m.RememberText("I live in Cologne.")),
            "SeenDialog": self._open_seen,
            "SnapshotDialog": lambda: ask_for_day(self._frame.app, window.ui),
            "TagDialog": lambda: self._frame.find_step(TagBar).begin(self._chat),
        }

    def of_files(self) -> dict[str, Step]:
        theme, window, frame = self._theme, self._window, self._frame
        facts = ModelFileFacts(6 * GB, 40 * GB, is_same_disk=True)
        return {
            "AddDialog": lambda: AddDialog(theme, Path("model.gguf"), facts, window).open(),
            "DiskDialog": lambda: DiskDialog(theme, Path("stick"), NOTHING_FOUND, window).open(),
            "LargeFile": lambda: LargeFile(theme, "book.pdf", GB, window).open(),
            "MemoryDialog": lambda: MemoryDialog(frame.app.translations, theme, frame.notify, window).open(),
            "PagesDialog": lambda: PagesDialog(theme, "book.pdf", "page", 30, parent=window).open(),
            "PasswordDialog": lambda: PasswordDialog(
                theme, "book.pdf", is_wrong=False, parent=window, take=nothing
            ).open(),
            "QuestionDialog": lambda: QuestionDialog(theme, "Sure?", "It asks something.", window).open(),
            "ShortcutSheet": lambda: frame.do("shortcuts"),
        }

    def of_settings(self) -> dict[str, Step]:
        return {
            "AddServerDialog": lambda: self._section("tools", ToolServersSection).open_adding(),
            "ImportServersDialog": lambda: self._section("tools", ToolServersSection).open_import(),
            "LicenceSheet": self._open_licences,
            "PassphraseDialog": lambda: self._section("data/lock", LockSection).ask_new(),
            "ServerDialog": lambda: self._section("connections/servers", ServersSection).open_dialog(None),
            "SettingsDialog": lambda: self._window.open_settings("memories"),
            "ToolServerDialog": self._open_tool_server,
        }

    def _section(self, page: str, kind: type[QWidget]) -> QWidget:
        self._window.open_settings(page)
        return self._frame.find_step(kind)

    def _open_tool_server(self) -> None:
        self._frame.app.tool_servers.add_servers([ServerConfig("Notes", sys.executable, ("-V",))])
        self._section("tools", ToolServersSection).open_details("Notes")

    def _open_licences(self) -> None:
        self._window.open_settings("about")
        self._frame.find_step(AboutPage).setting_rows["licences"].click()

    def _open_seen(self) -> None:
        seen = SeenPrompt((SeenPart("system", "Be brief.", 3),), tokens=3, told_tokens=3, hidden=0)
        SeenDialog(self._theme, lambda _token: seen, "Seen", self._frame.chat).open()

    def _print(self) -> None:
        self._frame.show_chat(self._chat)
        self._frame.do("print")
        self._frame.wait(lambda: self._frame.has(PrintPreview))

    def _open_picture(self) -> None:
        path = Path(self._frame.paths.data) / "red.png"
        image = QImage(4, 4, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.red)
        image.save(str(path))
        picture = MediaUse(1, self._frame.app.media.add_picture(path), 0, path.name)
        self._frame.chat.session.send_request(m.ShowPictures((picture,), 0))


def shown_dialog(name: str) -> Dialog | None:
    """The dialog of this class that can be seen."""
    windows = (window for window in QApplication.topLevelWidgets() if isinstance(window, Dialog) and window.isVisible())
    return next((window for window in windows if type(window).__name__ == name), None)


def press_f1(frame: Frame, widget: QWidget) -> HelpWindow:
    """The help that opens over this widget's window."""
    QTest.keyClick(widget, Qt.Key.Key_F1)
    above = widget.window()
    frame.wait(lambda: any(found.isVisible() for found in above.findChildren(HelpWindow)))
    opened = next(found for found in above.findChildren(HelpWindow) if found.isVisible())
    frame.wait(opened.isActiveWindow)
    return opened


def close_all(frame: Frame) -> None:
    """Every dialog; what is below closes after what is above."""
    while open_ones := [d for d in frame.window.findChildren(Dialog) if isValid(d) and d.isVisible()]:
        open_ones[-1].close()
        settle()
    frame.activate()


def faults_of(frame: Frame, name: str, page: str) -> Iterator[str]:
    """What is wrong with F1 in the dialog of this class, wherever the keyboard is in it."""
    dialog = shown_dialog(name)
    if dialog is None:
        yield f"{name} is not there"
        return
    frame.wait(dialog.isActiveWindow)
    fields = [next((f for f in dialog.findChildren(kind) if f.isVisible() and f.isEnabled()), None) for kind in FIELDS]
    for place in filter(None, [QApplication.focusWidget() or dialog, *fields]):
        place.setFocus()
        before = QApplication.focusWidget()
        opened = press_f1(frame, place)
        if opened.page != page:
            yield f"{name}: {opened.page} from {type(place).__name__}, not {page}"
        room = layouts.screen_room(opened).size()
        is_there = opened.screen().availableGeometry().contains(opened.frameGeometry())
        if not is_there or room != room.expandedTo(opened.size()):
            yield f"{name}: the help of {opened.geometry()} is not on the screen"
        if cut := cut_texts():
            yield f"{name}: {cut} is cut"
        opened.close()
        settle()
        # What a dialog still read may have taken the field away by now.
        if QApplication.focusWidget() is not before and isValid(before) and before.isVisible() and before.isEnabled():
            yield f"{name}: the focus does not return to {type(before).__name__}"


@pytest.mark.parametrize("group", ["of_chats", "of_files", "of_settings"])
def test_f1_in_every_dialog_opens_its_page_on_the_screen(
    frame: Frame, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = QRect(0, 0, 640, 480)
    for module in (layouts, dialogs):
        monkeypatch.setattr(module, "screen_room", lambda _window: room)
    faults = []
    for name, open_dialog in getattr(Openers(frame), group)().items():
        open_dialog()
        settle()
        behind = SCREENS["settings/data"] if name == "PassphraseDialog" else SCREENS["chat"]
        page = SCREENS["settings/memories"] if name == "SettingsDialog" else SCREENS.get(name, behind)
        assert page in PAGES
        faults += faults_of(frame, name, page)
        close_all(frame)
    assert faults == []


def test_every_dialog_of_the_program_is_opened_here(frame: Frame) -> None:
    openers = Openers(frame)
    opened = {*openers.of_chats(), *openers.of_files(), *openers.of_settings()}
    assert opened == {kind.__name__ for kind in every_dialog()} - BASES
