"""Every window, dialog, popover and state that the program can show, and how a person comes there.

Each step leaves it open, and names the classes that are seen then. A class of a kind in `KINDS` that no step names
fails a test: whoever adds a dialog adds its step to `SCREENS`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QMenu, QWidget

import app.ui
from app.core.errors.lock_errors import WrongPassphrase
from app.core.errors.saving_errors import DiskFull
from app.core.events import Role
from app.features.chat import session_messages as m
from app.features.mcp.server_config import ServerConfig
from app.features.reading_aloud.sentence_reading import ReadingState
from app.ui.chat.actions import ActionMenu
from app.ui.chat.answer_view import REGENERATE
from app.ui.chat.assistant_dialog import AssistantDialog
from app.ui.chat.chat_context import ContextFull, ContextPanel
from app.ui.chat.chat_options import ChatSettings
from app.ui.chat.chat_tags import TagBar, TagDialog
from app.ui.chat.details import AnswerDetails, BranchMap
from app.ui.chat.draft_pictures import DetailPopup, PictureChip
from app.ui.chat.large_picture import LargePicture
from app.ui.chat.message_field import LongText
from app.ui.chat.permission_card import PermissionCard
from app.ui.chat.project_dialog import ProjectDialog
from app.ui.chat.prompt_dialog import PromptDialog
from app.ui.chat.prompt_view import SeenDialog
from app.ui.chat.remembering import RememberDialog
from app.ui.chat.sent_pictures import SentPicture
from app.ui.chat.tools_choice import TOOLS_LABEL
from app.ui.document.document_dialogs import LargeFile, PagesDialog, PasswordDialog
from app.ui.document.document_view import DocumentView
from app.ui.exchange.export_dialog import ExportDialog, PrintPreview
from app.ui.exchange.import_dialog import ImportDialog
from app.ui.exchange.snapshot_dialog import SnapshotDialog
from app.ui.help.help_window import HelpWindow
from app.ui.inside.attention import AttentionView
from app.ui.inside.how_it_works import LESSONS, HowItWorks, TemperatureView
from app.ui.inside.inside_panel import ATTENTION, LAYERS, PROBABILITIES, TOKENS, InsidePanel
from app.ui.inside.layers import LayersView
from app.ui.inside.look import LookPage
from app.ui.inside.tokens import ProbabilitiesPage, TokensPage
from app.ui.models.add_model_file import AddDialog
from app.ui.models.anatomy_view import AnatomyPage
from app.ui.models.blind import BlindPage
from app.ui.models.compare_page import ComparePage
from app.ui.models.download_rows import DownloadsPage
from app.ui.models.installed_page import InstalledPage
from app.ui.models.model_disk_dialog import DiskDialog
from app.ui.models.models_page import ModelsPage
from app.ui.models.models_tab import ModelsView, SuggestedPage
from app.ui.models.storage import StoragePage
from app.ui.settings.about import AboutPage, LicenceSheet
from app.ui.settings.appearance_page import AppearancePage
from app.ui.settings.chat_page import ChatPage
from app.ui.settings.check_page import ComputerCheckPage
from app.ui.settings.data import DataPage, TrashPage
from app.ui.settings.dialog import SettingsDialog
from app.ui.settings.engine_page import EnginePage
from app.ui.settings.lock_section import LockSection, PassphraseDialog
from app.ui.settings.memories import MemoriesPage
from app.ui.settings.network_page import NetworkPage
from app.ui.settings.servers_page import ServerDialog, ServersSection
from app.ui.settings.settings_pages import SET_BY_ADMINISTRATOR, SettingsPage
from app.ui.settings.system_page import SystemPage
from app.ui.settings.tool_server_adding import AddServerDialog
from app.ui.settings.tool_server_dialog import ToolServerDialog
from app.ui.settings.tool_server_import import ImportServersDialog
from app.ui.settings.tool_servers_section import ToolServersSection
from app.ui.settings.tools_page import ToolsPage
from app.ui.settings.translation_memory import MemoryDialog
from app.ui.shared_labels import CHOOSE_PAGES, EDIT_LABEL, READ_ALOUD, SUMMARIZE
from app.ui.shell.incoming_files import IMPORT_LABEL
from app.ui.shell.keyboard import ShortcutSheet
from app.ui.shell.lock_screen import ChangingLock, LockScreen
from app.ui.shell.model_about import ModelAbout
from app.ui.shell.model_picker import ModelMenu
from app.ui.shell.palette import Palette
from app.ui.shell.reading_bar import PAUSE_READING, ReadingBar
from app.ui.shell.settings_index import label_of
from app.ui.shell.single_instance import InstanceState
from app.ui.shell.startup import StartupProblem, StillEnding
from app.ui.translate.language_popup import LanguagePopup
from app.ui.widgets.buttons import IconPopup
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.popovers import FloatingPanel
from app.ui.write.writing_options import OptionsSheet
from tests.helpers.attached import lease_pdf, notes
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame
from tests.helpers.documents import good_pdf
from tests.helpers.models_on_disk import write_model
from tests.helpers.tiny_models import make_tiny
from tests.helpers.tool_configs import config

KINDS = (QDialog, QMenu, FloatingPanel, ModelsPage, SettingsPage, LookPage)
"""What a step shows at least once; of each the classes that no other one builds on."""


def classes_to_show() -> set[type[QWidget]]:
    """Return every class of the program that is one of `KINDS` and has no heirs, or is made by itself, too."""
    for module in pkgutil.walk_packages(app.ui.__path__, "app.ui."):
        importlib.import_module(module.name)
    found = {heir for kind in KINDS for heir in _heirs(kind) if heir.__module__.startswith("app.")}
    return {kind for kind in found if not any(other.__module__.startswith("app.") for other in kind.__subclasses__())}


def _heirs(kind: type) -> Iterator[type]:
    for heir in kind.__subclasses__():
        yield heir
        yield from _heirs(heir)


@dataclass
class Visitor:
    """A person at an open window whose model is scripted; `folder` is theirs."""

    frame: Frame
    chat: ChatDesk
    folder: Path

    def load_model(self, **facts: object) -> None:
        """Load the scripted model, as the picker would."""
        list(self.frame.app.engine.load(self.folder / "model.gguf"))
        self.frame.chat.set_model_state("ready")
        self.wait(self.chat.send.isVisible)

    def wait(self, condition: Callable[[], object]) -> None:
        self.frame.wait(condition)

    def seen(self, kind: type[QWidget]) -> list[QWidget]:
        """Return the widgets of a class that can be seen in any window."""
        around = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
        every = [*around, *(part for window in around for part in window.findChildren(kind))]
        return [widget for widget in every if isinstance(widget, kind) and widget.isVisible()]

    def press(self, words: str, inside: QWidget | None = None) -> None:
        """Click the button that a reader calls so, or whose words begin so."""
        buttons = (inside or self.frame.window).findChildren(QAbstractButton)
        found = [one for one in buttons if words in (one.accessibleName(), one.text(), one.objectName())]
        shown = next(one for one in found if one.isVisible())
        QTest.mouseClick(shown, Qt.MouseButton.LeftButton)

    def choose(self, words: str) -> None:
        """Choose a line of the menu that is open."""
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        self.frame.choose(menu, words)

    def settings(self, page: str) -> SettingsDialog:
        self.frame.window.open_settings(page)
        return self.frame.find_step(SettingsDialog)

    # The chat.

    def answer(self, question: str = "Hello") -> None:
        self.load_model()
        self.chat.ask(question)

    def answer_menu(self) -> None:
        self.answer()
        self.chat.open_menu(self.chat.last)

    def answer_running(self) -> None:
        self.load_model()
        self.chat.type("hold")
        self.chat.press(Qt.Key.Key_Return)
        self.wait(lambda: "One" in self.chat.last_text)
        self.chat.queue_up("And then?")

    def tool_asked(self) -> None:
        self.frame.app.tool_servers.add_servers([config("notes")])
        self.load_model()
        self.chat.choose_entry(TOOLS_LABEL)
        self.chat.type("note down milk")
        self.chat.press(Qt.Key.Key_Return)
        self.wait(lambda: any(card.is_ready for card in self.seen(PermissionCard)))
        self.frame.activate()  # the menu has closed

    def read_aloud(self) -> None:
        self.answer("read long")
        self.chat.click_action(self.chat.last, READ_ALOUD)
        reading = self.frame.window.ui.reading
        assert reading is not None
        self.wait(lambda: reading.state is ReadingState.SPEAKING)
        self.press(PAUSE_READING)  # or it ends while it is looked at

    def answer_failed(self) -> None:
        self.load_model()
        self.chat.type("fail")
        self.chat.press(Qt.Key.Key_Return)
        self.wait(lambda: not self.chat.chat.busy and self.chat.last_state)

    def answer_details(self) -> None:
        self.answer()
        row = self.chat.last.toolbar.row
        assert row is not None
        row.about.setFocus()
        QTest.keyClick(row.about, Qt.Key.Key_Return)

    def prompt_seen(self) -> None:
        self.answer_details()
        self.press("what_the_model_saw", self.frame.find_step(AnswerDetails))

    def branches(self) -> None:
        self.answer()
        self.chat.click_action(self.chat.last, REGENERATE)
        self.wait(lambda: not self.chat.chat.busy)
        self.chat.open_map(self.chat.last)

    def question_edited(self) -> None:
        self.answer()
        self.chat.click_action(self.chat.turns[0], EDIT_LABEL)

    def context(self) -> None:
        self.answer()
        self.frame.show_context()

    def remember(self) -> None:
        self.frame.chat.session.send_request(m.RememberText("I live in Cologne."))

    def tag(self) -> None:
        number = self.frame.conversations.create(title="Rent").id
        self.frame.chats.reload()
        self.frame.find_step(TagBar).begin(number)

    def project(self) -> None:
        flat = self.frame.app.preambles.projects.create("Flat")
        self.frame.chats.reload()
        self.frame.chats.root.folders.actions.show_settings(flat.id)

    def icons(self) -> None:
        self.frame.do("assistants")
        dialog = self.frame.find_step(AssistantDialog)
        dialog.icon.click()

    def attach(self, path: Path) -> None:
        self.chat.attaching.add([path])

    def attached(self) -> None:
        self.chat.attach(notes(self.folder / "notes.txt", "The kiln is hot."))

    def locked_file(self) -> None:
        self.attach(lease_pdf(self.folder / "locked.pdf", password="spring"))
        self.wait(lambda: self.seen(PasswordDialog))

    def large_file(self) -> None:
        path = self.folder / "huge.bin"
        with path.open("wb") as file:
            file.truncate(1_000_000_000)  # takes no room
        self.attach(path)
        self.wait(lambda: self.seen(LargeFile))

    def document_beside(self) -> None:
        self.chat.attach(lease_pdf(self.folder / "lease.pdf"))
        self.chat.click(self.chat.chips[0])
        self.wait(lambda: self.frame.reader.is_visible and self.frame.reader.area.isVisible())

    def unreadable_file(self) -> None:
        path = self.folder / "odd.bin"
        path.write_bytes(b"\x7fELF" + bytes(1000))
        self.attach(path)
        self.wait(lambda: self.chat.attached and self.chat.attached[0].error)

    def pages(self) -> None:
        self.chat.attach(good_pdf(self.folder / "three.pdf", pages=3))
        self.frame.choose(self.chat.menu_of(self.chat.chips[0]), CHOOSE_PAGES)

    def paste_long(self) -> None:
        QApplication.clipboard().setText("many words " * 12_000)
        self.chat.chat.focus_composer()
        self.chat.paste()
        self.press(EDIT_LABEL, self.chat.root)

    def picture(self) -> None:
        self.load_model()
        image = QImage(640, 480, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.red)
        path = self.folder / "red.png"
        image.save(str(path))
        self.attach(path)
        self.wait(lambda: any(chip.detail.isVisible() for chip in self.chat.every(PictureChip)))

    def picture_detail(self) -> None:
        self.picture()
        self.chat.click(self.chat.every(PictureChip)[0].detail)

    def picture_large(self) -> None:
        self.picture()
        self.chat.type("Hello")
        self.chat.answer_to_enter()
        (sent,) = self.chat.every(SentPicture)
        self.wait(lambda: sent.has_picture)
        self.chat.click(sent)

    def context_full(self) -> None:
        ContextFull(self.frame.theme, self.chat.root, compact=lambda: None, begin_chat=lambda: None).open()

    def loading(self, ending: str) -> None:
        path = self.folder / f"Small-1B-{ending}.gguf"
        path.write_bytes(b"GGUF")
        self.frame.loader.load(path)

    def load_waits(self) -> None:
        self.loading("slow")
        self.wait(lambda: self.frame.loader.state == "loading")

    def load_failed(self) -> None:
        self.loading("bad")
        self.wait(lambda: self.frame.notices)

    def summary_draft(self) -> None:
        self.frame.show_tab("summarize")
        self.frame.summarize.drop(notes(self.folder / "notes.txt", "The kiln is hot.", "The glaze is blue."))
        self.wait(lambda: not self.frame.summarize.is_reading)

    def translation_draft(self) -> None:
        self.frame.show_tab("translate")
        self.frame.window.tab("translate").take_files([notes(self.folder / "notes.txt", "The kiln is hot.")])
        self.wait(lambda: self.frame.translate.is_document_shown)

    def summary_running(self) -> None:
        self.frame.app.change_settings("engine", model_path=str(self.folder / "model.gguf"))
        self.frame.show_tab("summarize")
        desk = self.frame.summarize
        desk.drop(lease_pdf(self.folder / "lease.pdf"))
        self.wait(lambda: desk.begin_button.text() == SUMMARIZE and desk.begin_button.isEnabled())
        desk.click(desk.begin_button)
        log = self.folder / "script" / "prompts.jsonl"
        self.wait(lambda: log.exists() and "Text to summarize" in log.read_text("utf-8"))  # it is held there
        assert desk.stop.isVisible()

    def translation_running(self) -> None:
        model = self.folder / "Hy-MT2-1.8B-Q4_K_M.gguf"  # a name that tells of its languages
        write_model(model, **{"tokenizer.chat_template": "{{ messages }}"})
        self.frame.app.change_settings("engine", model_path=str(model))
        self.frame.app.change_settings("translations", target="pt-BR")
        self.frame.show_tab("translate")
        text = notes(self.folder / "notes.txt", "The tenants hold both keys of the house.")
        sheet = self.frame.translate.drop(text)
        sheet.click(sheet.begin_button)
        self.wait(lambda: sheet.growing(0))  # it is held there
        assert sheet.stop.isVisible()

    def text_translated(self) -> None:
        self.frame.show_tab("translate")
        self.frame.translate.type("Good morning")

    def page_written(self) -> None:
        self.frame.show_tab("write")
        self.frame.write.edit.textCursor().insertText("# The kiln\n\nIt was hot.")

    # What goes out and comes in.

    def told(self) -> int:
        chats = self.frame.conversations
        chat = chats.create(title="Rent")
        question = chats.add_message(chat.id, None, Role.USER, "How much?")
        chats.add_message(chat.id, question.id, Role.ASSISTANT, "**800** euros")
        self.frame.chats.reload()
        self.frame.show_chat(chat.id)
        return chat.id

    def export(self) -> None:
        self.told()
        self.frame.do("export")

    def print_chat(self) -> None:
        self.told()
        self.frame.do("print")
        self.wait(lambda: self.seen(PrintPreview))

    def import_chats(self) -> None:
        path = self.folder / "chats.json"
        path.write_text('{"format": "fireside-chats", "version": 1, "chats": [{"title": "Kiln", "messages": []}]}')
        self.frame.open_files(path)
        self.wait(lambda: self.frame.notices)
        self.frame.press_notice(IMPORT_LABEL)
        dialog = self.frame.find_step(ImportDialog)
        self.wait(lambda: not dialog.is_reading)

    def snapshots(self) -> None:
        self.press("Choose day…", self.settings("data"))

    # Settings.

    def network_off(self, page: str) -> None:
        self.frame.click(self.frame.network_switch)
        assert not self.frame.app.settings.network.allowed
        self.frame.window.open_models(page)

    def locked_settings(self, page: str) -> None:
        dialog = self.settings(page)
        assert any(SET_BY_ADMINISTRATOR in label.text() for label in dialog.findChildren(QLabel))

    def tool_servers(self) -> ToolServersSection:
        self.settings("tools")
        return self.frame.find_step(ToolServersSection)

    def tool_server(self) -> None:
        self.frame.app.tool_servers.add_servers([ServerConfig("far", url="https://mcp.example/a")])
        self.tool_servers().open_details("far")

    def passphrase_wrong(self) -> None:
        self.settings("data/lock")
        self.frame.find_step(LockSection).ask_change().show_wrong()

    def trash(self) -> None:
        self.frame.conversations.delete(self.told())
        self.settings("trash")
        rows = self.frame.find_step(TrashPage).list
        self.wait(rows.count)
        rows.item(rows.count() - 1).setSelected(True)

    def memory(self) -> None:
        self.frame.window.open_models("storage")
        self.frame.find_step(StoragePage).show_memory()

    # Models, Write, Translate, Inside.

    def anatomy(self) -> None:
        folder = Path(self.frame.paths.models)
        folder.mkdir(parents=True, exist_ok=True)
        make_tiny("llama", folder / "tiny.gguf")
        self.frame.window.open_models("installed")
        view = self.frame.find_step(ModelsView)
        self.wait(view.installed.cards)
        self.frame.click(view.installed.cards()[0].buttons["inside"])
        self.wait(lambda: self.seen(AnatomyPage))

    def lesson(self) -> None:
        self.load_model()
        self.frame.window.open_models("how")
        how = self.frame.find_step(HowItWorks)
        for number in range(len(LESSONS)):
            how.show_lesson(number)
            if self.seen(TemperatureView):
                break

    def add_model(self) -> None:
        self.frame.drop(make_tiny("llama", self.folder / "elsewhere.gguf"))
        self.wait(lambda: self.seen(AddDialog))

    def models_on_disk(self) -> None:
        (self.folder / "stick").mkdir()
        make_tiny("llama", self.folder / "stick" / "elsewhere.gguf")
        self.frame.window.open_models("installed")
        self.frame.drop(self.folder / "stick")
        self.wait(lambda: self.seen(DiskDialog))

    def inside(self, page: str) -> None:
        self.answer("plain")  # there a mark is a token like any other, and is said
        self.frame.do("inside")
        self.frame.find_step(InsidePanel).show_page(page)

    def write_options(self) -> None:
        self.frame.show_tab("write")
        self.frame.write.open_options()

    def languages(self) -> None:
        self.frame.show_tab("translate")
        self.frame.translate.open_languages()

    # Beside the window.

    def notices(self) -> None:
        self.frame.notify.error(DiskFull("/d"))
        self.frame.notify.undo("Deleted.", lambda: None)

    def question(self) -> None:
        self.frame.window.closing.stays = lambda: False
        QuestionDialog(self.frame.theme, "Quit?", "A summary is being written.", self.frame.window).open()

    def lock_screen(self) -> None:
        def refuse(_passphrase: str) -> None:
            raise WrongPassphrase

        self.screen = LockScreen(self.frame.theme, refuse)
        self.screen.show()
        self.screen.field.setText("battery staple")
        self.screen.try_passphrase()

    def show(self, window: QDialog) -> None:
        self.screen = window
        window.show()

    def start_failed(self) -> None:
        self.show(StartupProblem(self.frame.theme, DiskFull("/d"), self.folder))

    def still_ending(self) -> None:
        self.show(StillEnding(self.frame.theme, lambda: InstanceState.ENDING))

    def server(self) -> None:
        self.settings("connections/servers")
        self.frame.find_step(ServersSection).open_dialog(None)


Step = Callable[[Visitor], object]
Screens = dict[str, tuple[Step, tuple[type[QWidget], ...]]]


def _command(name: str) -> Step:
    return lambda person: person.frame.do(name)


def _settings(page: str) -> Step:
    return lambda person: person.settings(page)


def _models(page: str) -> Step:
    return lambda person: person.frame.window.open_models(page)


def _offline(page: str) -> Step:
    return lambda person: person.network_off(page)


def _locked(page: str) -> Step:
    return lambda person: person.locked_settings(page)


def _inside(page: str) -> Step:
    return lambda person: person.inside(page)


SCREENS: Screens = {
    "answer": (Visitor.answer, ()),
    "answer menu": (Visitor.answer_menu, (ActionMenu,)),
    "answer running": (Visitor.answer_running, ()),
    "answer failed": (Visitor.answer_failed, ()),
    "answer details": (Visitor.answer_details, (AnswerDetails,)),
    "tool asked": (Visitor.tool_asked, (PermissionCard,)),
    "read aloud": (Visitor.read_aloud, (ReadingBar,)),
    "document beside": (Visitor.document_beside, (DocumentView,)),
    "branches": (Visitor.branches, (BranchMap,)),
    "question edited": (Visitor.question_edited, ()),
    "temporary chat": (_command("temporary_chat"), ()),
    "found in the chat": (_command("find"), ()),
    "model loads": (Visitor.load_waits, ()),
    "model not loaded": (Visitor.load_failed, ()),
    "summary": (lambda person: person.frame.show_tab("summarize"), ()),
    "summary draft": (Visitor.summary_draft, ()),
    "summary running": (Visitor.summary_running, ()),
    "translation": (lambda person: person.frame.show_tab("translate"), ()),
    "translation draft": (Visitor.translation_draft, ()),
    "translation running": (Visitor.translation_running, ()),
    "text translated": (Visitor.text_translated, ()),
    "page": (Visitor.page_written, ()),
    "context": (Visitor.context, (ContextPanel,)),
    "context full": (Visitor.context_full, (ContextFull,)),
    "prompt seen": (Visitor.prompt_seen, (SeenDialog,)),
    "remember": (Visitor.remember, (RememberDialog,)),
    "tag": (Visitor.tag, (TagDialog,)),
    "project": (Visitor.project, (ProjectDialog,)),
    "assistants": (_command("assistants"), (AssistantDialog,)),
    "icons": (Visitor.icons, (IconPopup,)),
    "prompts": (_command("prompts"), (PromptDialog,)),
    "chat settings": (_command("chat_settings"), (ChatSettings,)),
    "file attached": (Visitor.attached, ()),
    "file locked": (Visitor.locked_file, (PasswordDialog,)),
    "file large": (Visitor.large_file, (LargeFile,)),
    "file unreadable": (Visitor.unreadable_file, ()),
    "pages of a file": (Visitor.pages, (PagesDialog,)),
    "long text": (Visitor.paste_long, (LongText,)),
    "picture": (Visitor.picture, ()),
    "picture detail": (Visitor.picture_detail, (DetailPopup,)),
    "picture large": (Visitor.picture_large, (LargePicture,)),
    "export": (Visitor.export, (ExportDialog,)),
    "print": (Visitor.print_chat, (PrintPreview,)),
    "import": (Visitor.import_chats, (ImportDialog,)),
    "snapshots": (Visitor.snapshots, (SnapshotDialog,)),
    "settings appearance": (_settings("appearance"), (SettingsDialog, AppearancePage)),
    "settings chat": (_settings("chat"), (ChatPage,)),
    "settings memories": (_settings("memories"), (MemoriesPage,)),
    "settings engine": (_settings("engine"), (EnginePage,)),
    "settings tools": (_settings("tools"), (ToolsPage,)),
    "settings network": (_settings("network"), (NetworkPage,)),
    "settings system": (_settings("system"), (SystemPage,)),
    "settings data": (_settings("data"), (DataPage,)),
    "settings trash": (Visitor.trash, (TrashPage,)),
    "settings check": (_settings("check"), (ComputerCheckPage,)),
    "settings about": (_settings("about"), (AboutPage,)),
    "locked appearance": (_locked("appearance"), (AppearancePage,)),
    "locked chat": (_locked("chat"), (ChatPage,)),
    "locked engine": (_locked("engine"), (EnginePage,)),
    "locked tools": (_locked("tools"), (ToolsPage,)),
    "locked network": (_locked("network"), (NetworkPage,)),
    "locked system": (_locked("system"), (SystemPage,)),
    "locked data": (_locked("data"), (DataPage,)),
    "licences": (lambda person: person.press(label_of("licences"), person.settings("about")), (LicenceSheet,)),
    "passphrase wrong": (Visitor.passphrase_wrong, (PassphraseDialog,)),
    "server": (Visitor.server, (ServerDialog,)),
    "tool server": (Visitor.tool_server, (ToolServerDialog,)),
    "tool server added": (lambda person: person.tool_servers().open_adding(), (AddServerDialog,)),
    "tool servers imported": (lambda person: person.tool_servers().open_import(), (ImportServersDialog,)),
    "translation memory": (Visitor.memory, (MemoryDialog,)),
    "models": (_models("suggested"), (SuggestedPage,)),
    "models offline": (_offline("suggested"), (SuggestedPage,)),
    "downloads offline": (_offline("downloads"), (DownloadsPage,)),
    "models installed": (_models("installed"), (InstalledPage,)),
    "models downloads": (_models("downloads"), (DownloadsPage,)),
    "models storage": (_models("storage"), (StoragePage,)),
    "models compared": (_models("compare"), (ComparePage,)),
    "models blind": (_models("blind"), (BlindPage,)),
    "models how": (Visitor.lesson, (TemperatureView,)),
    "model anatomy": (Visitor.anatomy, (AnatomyPage,)),
    "model added": (Visitor.add_model, (AddDialog,)),
    "models on a disk": (Visitor.models_on_disk, (DiskDialog,)),
    "model menu": (lambda person: person.frame.picker.show_menu(), (ModelMenu,)),
    "model about": (lambda person: person.frame.picker.show_about(), (ModelAbout,)),
    "tokens": (_inside(TOKENS), (TokensPage,)),
    "probabilities": (_inside(PROBABILITIES), (ProbabilitiesPage,)),
    "attention": (_inside(ATTENTION), (AttentionView,)),
    "layers": (_inside(LAYERS), (LayersView,)),
    "write options": (Visitor.write_options, (OptionsSheet,)),
    "languages": (Visitor.languages, (LanguagePopup,)),
    "help": (_command("help"), (HelpWindow,)),
    "shortcuts": (_command("shortcuts"), (ShortcutSheet,)),
    "palette": (_command("palette"), (Palette,)),
    "notices": (Visitor.notices, ()),
    "lock screen": (Visitor.lock_screen, (LockScreen,)),
    "lock changed": (lambda person: person.show(ChangingLock(person.frame.theme)), (ChangingLock,)),
    "start failed": (Visitor.start_failed, (StartupProblem,)),
    "still ending": (Visitor.still_ending, (StillEnding,)),
}  # fmt: skip
"""How to come to each screen, and the classes that are seen there."""
