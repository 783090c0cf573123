"""The window: its tabs, columns, picker and bottom line, over the real store and a scripted model in the real child."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPointF, Qt, Signal, SignalInstance
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.bootstrap import Fireside, build_program
from app.features.chat import session_messages as m
from app.features.chat.message_draft import ChatPlace
from app.ui.chat.chat_tab import ChatTab
from app.ui.models.models_page import ModelsPage
from app.ui.screen_reader import install_interfaces
from app.ui.shell import tasks
from app.ui.shell.main_window import MainWindow
from app.ui.shell.model_about import OtherModels
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.model_picker import ModelPicker
from app.ui.shell.notify import Notify
from app.ui.shell.status_line import ContextGauge, StatusLine
from app.ui.shell.tab_spec import TabSpec
from app.ui.shell.tabs import LeftColumn, TabRow, Tabs
from app.ui.shell.window_geometry import ColumnVeil
from app.ui.summarize.summarize_tab import SummarizeView
from app.ui.tab_list import TABS, open_help, open_settings
from app.ui.theme import Theme
from app.ui.translate.translate_tab import TranslateView
from app.ui.widgets.input_fields import SearchField
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.menus import Menu
from app.ui.widgets.row_list import ID_ROLE, RowList
from app.ui.work.job_column import WorkColumn
from app.ui.work.job_runner import JobRunner
from app.ui.work.job_tab import WorkTab
from app.ui.write.write_tab import PagesColumn, WriteView
from tests.helpers.attached import urls_of
from tests.helpers.desks.desk import NO_KEYS, Desk, Found
from tests.helpers.desks.document import ReaderDesk
from tests.helpers.desks.summarize import SummarizeDesk
from tests.helpers.desks.translate import TranslateDesk
from tests.helpers.desks.write import WriteDesk


class PlainScans(QObject):
    passed = Signal(object, int, int)

    def watch(self, pictures: object, open_models: object) -> None:
        """It reads none."""


class PlainAttaching(QObject):
    """Remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.scans = PlainScans()
        self.files: list[Path] = []
        self.asked = 0

    def add(self, files: Sequence[Path]) -> None:
        self.files += files

    def ask(self) -> None:
        self.asked += 1


class PlainOwnModel(QObject):
    """A chat without a model of its own."""

    changed = Signal()
    path = of_project = None
    is_own = False


class PlainAssistants(QObject):
    """A chat that has none."""

    begin_wanted = Signal(object)

    def fill_new_menu(self, menu: Menu) -> None:
        """Nothing to offer."""


class PlainBanner(QObject):
    """Asks for nothing."""

    wanted = Signal(int)
    project = None

    def refresh_project(self) -> None:
        pass


class PlainComposer(QPlainTextEdit):
    """A field for a message, and nothing beside it."""

    def add_way(self, way: QWidget) -> None:
        way.setParent(self)
        way.hide()


class PlainChat(QWidget):
    """Stands in for the chat view where a test is about the frame around it."""

    title_changed = Signal(int)
    context_changed = Signal(int)
    documents_known = Signal(object)
    answer_started = Signal(int)
    answer_finished = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.conversation_id: int | None = None
        self.model_states: list[str] = []
        self.busy = False
        self.is_temporary = False
        self.is_counting = True
        self.memory = PlainMemory(self)
        self.open_chat = SimpleNamespace(live=PlainStream(self))
        self.session = PlainSession(self)
        self.transcript = SimpleNamespace(count=0, maker=SimpleNamespace())
        self.shown_message = (0, "")
        self.attaching = PlainAttaching()
        self.memory_offer = SimpleNamespace(show_fact=lambda _fact: None)
        self.models = SimpleNamespace(
            project_banner=PlainBanner(),
            others=OtherModels(lambda: None, self),
            own=PlainOwnModel(self),
            assistants=PlainAssistants(self),
            options=SimpleNamespace(model=None, offer_test=lambda _scoring: None),
            state="ready",
        )
        self.composer = PlainComposer()
        self.composer.setAccessibleName("Message")
        self.composer.setAcceptDrops(False)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(self.composer)

    def show_conversation(self, conversation_id: int | None) -> None:
        self.conversation_id, self.is_temporary = conversation_id, False

    def show_temporary(self) -> None:
        self.conversation_id, self.is_temporary = None, True

    def set_model_state(self, state: str, _path: Path | None = None) -> None:
        self.model_states.append(state)

    def show_message(self, message_id: int, words: str = "") -> None:
        self.shown_message = (message_id, words)

    def focus_composer(self) -> None:
        self.composer.setFocus()

    @property
    def files(self) -> list[Path]:
        """What was attached."""
        return self.attaching.files

    def ask_to_translate(self, text: str) -> None:
        """As from an answer."""
        self.session.send_request(m.OpenTranslation(text))

    def send_to_translations(self, path: Path) -> None:
        """As from a document beside the message."""
        self.session.send_request(m.TranslateFile(path))

    def tell_title(self, conversation_id: int) -> None:
        """As when the title of a chat, or its last message, is another."""
        self.title_changed.emit(conversation_id)

    def stop(self) -> None:
        self.busy = False


class PlainMemory(QObject):
    """Counts nothing."""

    parts_changed = Signal(object)

    def __init__(self, chat: PlainChat) -> None:
        super().__init__(chat)
        self._chat = chat

    def count_context(self) -> bool:
        return self._chat.is_counting


class PlainStream(QObject):
    grew = Signal()


class PlainSession:
    """What a column asks of the session: the project of a new chat, whether answers run, and what is requested."""

    def __init__(self, chat: PlainChat) -> None:
        self._chat = chat
        self._serving: dict[type, Callable[[Any], object]] = {}
        place = SimpleNamespace(talk=SimpleNamespace(documents=None))
        self.state = SimpleNamespace(project_id=None, answers_in=self.answers_in, place=place)

    def serve(self, handlers: Mapping[type, Callable[[Any], object]]) -> None:
        self._serving.update(handlers)

    def listen(self, listener: Callable[[], object]) -> None:
        """Nothing of its state changes by itself."""

    def send_request(self, message: object) -> None:
        self._serving[type(message)](message)

    def answers_in(self, place: ChatPlace) -> tuple[int, ...]:
        return (1,) if self._chat.busy and place.conversation_id == self._chat.conversation_id else ()

    def dispatch(self, message: object) -> None:
        if isinstance(message, m.ChooseProject):
            self.state.project_id = message.project_id
        elif isinstance(message, m.StopAnswers) and message.place is not None and self.answers_in(message.place):
            self._chat.busy = False


class ListDesk(Desk):
    """A column of the window: the chats, the summaries or the translations, with their search."""

    search_text = Found(SearchField)
    list = Found(RowList)
    nothing = Found(QLabel, "nothing_found")

    @property
    def rows(self) -> Sequence[str]:
        """What its rows say, headings too."""
        return [str(self.model.index(row, 0).data()) for row in range(self.model.rowCount())]

    @property
    def current(self) -> Any:
        """The id of the row that is marked."""
        return self.list.currentIndex().data(ID_ROLE)

    @property
    def model(self) -> Any:
        """What the list shows."""
        return self.list.model()

    def index_of(self, number: int) -> QModelIndex:
        """Where one stands."""
        index: QModelIndex = self.model.index_of(number)
        return index

    def has_row(self, number: int) -> bool:
        """Whether one is in the list."""
        return self.index_of(number).isValid()

    def row_of(self, number: int) -> str:
        """What the row of one says."""
        return str(self.index_of(number).data())

    def open(self, number: int) -> None:
        """Clicks its row, once it is there."""
        self.wait(lambda: self.has_row(number))
        self.click_at(self.list, self.list.visualRect(self.index_of(number)).center())

    def reload(self) -> None:
        """Reads the list again."""
        self.root.reload()

    def find_words(self, words: str) -> None:
        """Puts words into the search."""
        self.search_text.setText(words)

    def press_in_list(self, key: Qt.Key) -> None:
        """A key, after the keyboard went to the list."""
        self.list.setFocus()
        QTest.keyClick(self.list, key)

    @property
    def row_editor(self) -> QLineEdit:
        """Where a title is typed in its row."""
        return self.list.findChild(QLineEdit, "row_editor")

    def rename(self, number: int, title: str) -> None:
        """Types another title in its row."""
        self.root.rename(self.index_of(number))
        self.row_editor.setText(title)
        QTest.keyClick(self.row_editor, Qt.Key.Key_Return)

    def choose_for(self, number: int, name: str) -> None:
        """What its menu offers under a name."""
        self.choose(self.menu_of(number), name)

    def menu_of(self, number: int) -> QMenu:
        """What can be done with one."""
        return self.root.menu_for(self.index_of(number))

    def row_changes(self, told: Callable[[], object]) -> None:
        """Tells of every change of a row from now on."""
        for signal in (self.model.modelReset, self.model.dataChanged):
            signal.connect(lambda *_: told())


class Frame(Desk):
    """One open window with its parts around the tabs; the chat in it is a plain one, unless a test puts in the real."""

    root: MainWindow

    picker = Found(ModelPicker)
    tabs = Found(TabRow)
    left = Found(LeftColumn)
    status_line = Found(StatusLine)
    device = Found(ElidedLabel, "device")
    gauge = Found(ContextGauge)
    work_line = Found(ElidedLabel, "work")
    veil = Found(ColumnVeil)
    toggle = Found(QAbstractButton, "toggle_sidebar")
    network_switch = Found(QPushButton, "network_switch")

    def __init__(
        self, window: MainWindow, app: Fireside, notify: Notify, *, theme: Theme, loader: ModelLoader, chat: Any
    ) -> None:
        super().__init__(window, app, notify)
        self.window, self.theme, self.loader, self.chat = window, theme, loader, chat

    # Tabs and columns.

    @property
    def shown(self) -> str:
        """Which of the tabs is marked, and what stands in the middle and at the left."""
        names = [name for name, spec in self._tabs.specs.items() if not spec.is_at_foot]
        marked = [name for name in names if self.find_step(QAbstractButton, f"tab_{name}").isChecked()]
        middle, column = self._tabs.content.currentWidget(), self.left.views.currentWidget()
        return " ".join([*marked, type(middle).__name__, column.objectName()])

    @property
    def middle(self) -> QWidget:
        """Everything between the columns and the bottom line."""
        return self._tabs.content

    @property
    def current_tab(self) -> str:
        """Its name; also before it has been built."""
        return self._tabs.current

    def show_tab(self, name: str) -> None:
        """Chat, summarize, translate or models."""
        if name == "models":
            self.show_models()
        else:
            self.window.show_tab(name)

    def show_models(self, page: str = "suggested") -> None:
        """A page of the models."""
        self.window.open_models(page)

    def show_chat(self, number: int | None) -> None:
        """Opens a chat; None is a new one."""
        self._chat_tab.show_chat(number)

    def show_context(self) -> None:
        """What the model sees, above the gauge."""
        self.gauge.clicked.emit()

    def new_chat(self) -> None:
        """An empty one, whatever is open."""
        self._chat_tab.open_new()

    def click_tab(self, name: str) -> None:
        """With the mouse."""
        self.click(self.find_step(QAbstractButton, f"tab_{name}"))

    @property
    def chats(self) -> ListDesk:
        """The column of the chats."""
        return ListDesk(self._chat_tab.sidebar, self.app, self.notify)

    @property
    def summary_list(self) -> ListDesk:
        """The column of the summaries."""
        return ListDesk(self.find_step(WorkColumn, "summaries_column"), self.app, self.notify)

    @property
    def translation_list(self) -> ListDesk:
        """The column of the translations."""
        return ListDesk(self.find_step(WorkColumn, "translations_column"), self.app, self.notify)

    @property
    def summarize(self) -> SummarizeDesk:
        """The middle of the tab, once it is built."""
        return SummarizeDesk(self.find_step(SummarizeView), self.app, self.notify)

    @property
    def translate(self) -> TranslateDesk:
        """The tab, once it is built."""
        return TranslateDesk(self.find_step(TranslateView), self.app, self.notify)

    @property
    def page_list(self) -> ListDesk:
        """The column of the pages."""
        return ListDesk(self.find_step(PagesColumn, "pages_column"), self.app, self.notify)

    @property
    def write(self) -> WriteDesk:
        """The page that is open, once its tab is built."""
        return WriteDesk(self.find_step(WriteView), self.app, self.notify)

    @property
    def reader(self) -> ReaderDesk:
        """The document beside the chat."""
        return ReaderDesk(self._chat_tab.document.view, self.app, self.notify)

    def close_document(self) -> None:
        """The one beside the chat."""
        self._chat_tab.document.close_document()

    def new_summary(self) -> None:
        """The place where one begins."""
        self.window.tab("summarize").show_new()
        self.window.show_tab("summarize")

    def new_translation(self) -> None:
        """The place where one begins."""
        self.window.tab("translate").show_new()

    @property
    def open_summary(self) -> int | None:
        """The one that is shown; None for a new one."""
        return self.find_step(SummarizeView).open_id

    @property
    def models_title(self) -> QLabel:
        """The title of the page of models that is shown."""
        return self.find_step(ModelsPage).title

    @property
    def open_translation(self) -> int | None:
        """The one that is shown; None for a new one."""
        return self.find_step(TranslateView).open_id

    @property
    def typed_text(self) -> str:
        """What is typed there to be translated."""
        return self.translate.source.text

    # The work.

    @property
    def work_changed(self) -> SignalInstance:
        """What is at work, in words."""
        return self._tabs.work.changed

    @property
    def is_at_work(self) -> bool:
        """Whether a summary or a translation is being made."""
        return self._tabs.work.is_going_on

    def go_on(self) -> None:
        """What an earlier run left is worked off."""
        self._tabs.go_on()

    def work_off_translations(self) -> JobRunner[Any]:
        """What waits in the queue begins."""
        tab = self.window.tab("translate")
        assert isinstance(tab, WorkTab)
        tab.go_on()
        return tab.runner

    # Keys, menus, files.

    def do(self, name: str) -> None:
        """A command by its name, as its key does it."""
        self.window.commands.actions[name].trigger()

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.ControlModifier) -> None:
        """With Ctrl, wherever the keyboard is in the window."""
        self.activate()
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifier)

    def activate(self) -> None:
        """The window is the one in front."""
        if not self.window.isActiveWindow():
            self.window.activateWindow()
            self.wait(self.window.isActiveWindow)

    @property
    def is_typing(self) -> bool:
        """Whether the keyboard is in the message field."""
        return self.chat.composer.hasFocus()

    @property
    def model_said(self) -> str:
        """What the picker says to a screen reader: name, size, state."""
        return self.picker.accessibleDescription()

    @property
    def model_words(self) -> list[str]:
        """What is seen of it."""
        return [label.text() for label in self.picker.findChildren(QLabel) if label.isVisible() and label.text()]

    @property
    def model_menu(self) -> QMenu:
        """What the picker offers now; a test closes it."""
        return self.picker.menu_now()

    def choose_model(self, name: str) -> None:
        """From the picker, by the beginning of its line."""
        self.choose(self.model_menu, name)

    def open_files(self, *paths: Path | str) -> None:
        """As from the system."""
        self.window.files.open([str(path) for path in paths])

    def drag_column(self, width: int) -> None:
        """Moves the left column's edge, as the mouse does."""
        QApplication.processEvents()
        self.window._splitter.moveSplitter(width, 1)
        QApplication.processEvents()

    def drop(self, *files: Path, share: float = 0.01) -> None:
        """Files are let go so far across the window: 0 at the left, 1 at the right."""
        at = QPointF(self.window.width() * share, self.window.height() / 2)
        how = (Qt.DropAction.CopyAction, urls_of(*files), Qt.MouseButton.LeftButton, NO_KEYS)
        enter = QDragEnterEvent(at, *how)
        QApplication.sendEvent(self.window, enter)
        assert enter.isAccepted()
        QApplication.sendEvent(self.window, QDropEvent(at, *how, QEvent.Type.Drop))

    def hint(self, *files: Path) -> str:
        """What is said while files are held above the window."""
        how = (Qt.DropAction.CopyAction, urls_of(*files), Qt.MouseButton.LeftButton, NO_KEYS)
        QApplication.sendEvent(self.window, QDragEnterEvent(QPointF(5, 5), *how))
        found = self.find_step(QWidget, "drop_hint")
        assert found.isVisible()
        found.hide()
        return found.accessibleName()

    @property
    def _tabs(self) -> Tabs:
        return self.window.tabs

    @property
    def _chat_tab(self) -> ChatTab:
        tab = self.window.tab("chat")
        assert isinstance(tab, ChatTab)
        return tab


@contextmanager
def open_window(
    application: QApplication,
    *,
    scheme: str = "light",
    make_chat: Callable[..., Any] = lambda *_: PlainChat(),
    more: Sequence[TabSpec] = (),
) -> Iterator[Frame]:
    """The window as `application.run` makes it, not yet loading a model, with `more` tabs; closed at the end."""
    app = build_program()
    theme = Theme(scheme, app.settings.appearance.zoom, system_font=app.settings.appearance.system_font)
    theme.install(application)
    install_interfaces()
    notify = Notify(theme)
    loader = ModelLoader(app, notify)
    chat = make_chat(app.chats, theme, notify)
    first = replace(TABS[0], build=lambda app, ui: ChatTab(app, ui, chat))
    window = MainWindow(
        app, theme, notify, loader, (first, *TABS[1:], *more), open_settings=open_settings, open_help=open_help
    )
    window.show()
    try:
        yield Frame(window, app, notify, theme=theme, loader=loader, chat=chat)
    finally:
        window.close()
        assert tasks.running.stop_all(60)
        tasks.running.reopen()
        app.close()
        window.deleteLater()
        application.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # it goes with its own test, not in the next
        application.setStyleSheet("")
