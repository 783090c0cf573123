"""What a tab is: its line in the list of tabs, what stands behind it, and what the window lends to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.shell.status_line import StatusLine
from app.ui.theme import Theme
from app.ui.widgets.input_fields import SearchField

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from app.bootstrap import Fireside
    from app.ui.shell.api_programs import OtherPrograms
    from app.ui.shell.passage_indexing import PassageIndexing
    from app.ui.shell.picture_reading import PictureReading

CHAT, SUMMARIZE, TRANSLATE, WRITE, MODELS = "chat", "summarize", "translate", "write", "models"
"""Names by which the tabs of the program send a person to each other; the window itself knows none of them."""

ASSISTANT = "assistant:"
"""A command of the chat, with the number of an assistant behind it that a new chat is to begin with."""
PROJECT = "project:"
"""The same with the number of a project that it is to be in."""
PROMPT = "prompt:"
"""A command of the chat, with the key of a prompt behind it that is to be put into the message."""


@dataclass(frozen=True)
class Drops:
    """What is said while files are held above the window: `alone` above the open tab, else a zone for each tab."""

    alone: str
    title: str
    note: str
    only: Callable[[Path], bool] | None = None
    """Which files it has its zone for beside those of the others; None is all."""
    otherwise: tuple[Callable[[Path], bool], str] | None = None
    """Of which files something else is true, and that note."""

    def note_of(self, files: Sequence[Path]) -> str:
        """What is said of these."""
        return self.otherwise[1] if self.otherwise is not None and any(map(self.otherwise[0], files)) else self.note

    def suits(self, files: Sequence[Path]) -> bool:
        """Whether the tab does something with these."""
        return self.only is None or all(map(self.only, files))


class TabCommand(NamedTuple):
    """Something to do in a tab, or one of its pages, which only the palette offers by words: `Tab.do` takes `name`."""

    name: str
    words: str
    also: str = ""
    """Other words by which people look for it."""


@dataclass(frozen=True)
class TabSpec:
    """One tab. Texts are English, as `tr` takes them; `build` imports what the tab is made of."""

    name: str
    label: str
    icon: str
    build: Callable[[Fireside, UiContext], Tab]
    keys: tuple[str, ...] = ()
    """What opens it; the first is the one shown."""
    also: str = ""
    """Other words by which people look for it."""
    commands: Sequence[TabCommand] = ()
    drops: Drops | None = None
    """None: files that are dropped go to one of the others."""
    imports: Drops | None = None
    """Files that are dropped can also come into its list, by `Tab.import_files`."""
    shortcuts: Sequence[tuple[str, str]] = ()
    """Keys inside the tab and what they do, for the sheet of shortcuts."""
    task: str = CHAT
    """Whose model the picker shows and chooses: the chat's, or one of the tab's own."""
    kept_id: str = ""
    """The field of the window's settings that has what was open in it, by its number."""
    jobs: str = ""
    """The kind of stored jobs that an earlier run may have left for it."""
    has_inside: bool = False
    """Whether it has a panel at its right that looks into the model: its command `inside` opens and closes that."""
    is_at_foot: bool = False
    """Opened at the foot of the left column; nothing is begun or dropped in it, and a start does not return to it."""


class Navigation(Protocol):
    """Where a widget can send the person: the window."""

    def show_tab(self, name: str) -> Tab:
        """Opens a tab, ready to type into or to drop files on."""

    def tab(self, name: str) -> Tab:
        """A tab without opening it."""

    def open_models(self, page: str = "suggested") -> None:
        """The models; `page`: suggested, installed, others, downloads, storage, search, compare, blind or how."""

    def open_settings(self, page: str = "") -> None:
        """The settings above the window, on the page that is named, or at one of its rows: "page/row"."""

    def ask_for_model(self) -> None:
        """Asks for a model file to use where it is, in the tab that is open."""

    def add_model(self) -> None:
        """Asks for a model file to make one of Fireside's."""

    def use_model(self, path: Path) -> None:
        """Chooses a model for the tab that is open."""

    def open_shortcuts(self, above: QWidget) -> None:
        """Every key of the window and of its tabs, on a sheet above a window."""

    def store(self) -> None:
        """What is typed and what is open is stored now."""

    def show_network(self) -> None:
        """Whether the network may be used is another than before."""


class SystemLink(QObject):
    """Between the settings of the system and what stands outside the window, neither of which needs the other."""

    changed = Signal()
    """The settings of that section are others."""
    shortcut_said = Signal()
    """`shortcut_words` are others."""
    shortcut_words = ""
    """What the system said to the keys that open the small window from any program."""
    ask_wanted = Signal(str)
    """The small window for a quick question, with these words in it."""


@dataclass
class UiContext:
    """What every part of the window may need of the others."""

    theme: Theme
    notify: Notify
    loader: ModelLoader
    status: StatusLine
    go: Navigation
    window: QWidget
    system: SystemLink = field(default_factory=SystemLink)
    programs: OtherPrograms | None = None
    """The server for other programs; only a whole window has one."""
    pictures: PictureReading | None = None
    """What reads pages that are pictures, in a whole window."""
    passages: PassageIndexing | None = None
    """What makes vectors of passages, in a whole window."""


@dataclass(frozen=True)
class EndOfWork:
    """Long work is over, which somebody may not have seen. `words` do not say what it was about, `about` does."""

    words: str
    about: str = ""
    number: int = 0
    """What shows it in its tab; 0: the tab itself."""


class OwnModelOf(Protocol):
    """Which model answers in what is open in a tab, where that may have one for itself."""

    @property
    def path(self) -> Path | None:
        """Its own, or that of all while another's is in; None is whichever is in."""

    @property
    def is_own(self) -> bool:
        """Whether what is open has a model for itself, or what it belongs to."""

    def choose(self, path: Path | None) -> None:
        """Another one for what is open alone; None: that of all."""


class OwnEngine(Protocol):
    """What keeps a tab's own model in memory, beside that of the chats."""

    @property
    def state(self) -> str:
        """Of the model: asleep, loading or ready."""

    def wake(self, model: Path, /) -> None:
        """Brings it before anything is asked of it."""

    def sleep(self) -> None:
        """Frees its memory; the next that is asked brings it back."""


class Tab(QObject):
    """What stands behind a tab. It can work before it is seen: `view` and `column` are built when asked for."""

    changed = Signal()
    """Something else is shown in it: the window's title follows, and what covers it in a narrow window goes."""
    title_changed = Signal()
    state_changed = Signal(str)
    """What it does, in words for the status line; "" when nothing is at work."""
    work_ended = Signal(object)
    """An `EndOfWork`."""
    inside_changed = Signal()
    """The panel that looks into the model was opened or closed."""
    model_changed = Signal()
    """It has another model now, which was not chosen in the picker, or its own woke up or went to sleep."""

    @property
    def view(self) -> QWidget:
        """What stands in the middle of the window."""
        raise NotImplementedError

    @property
    def column(self) -> QWidget:
        """What stands at the window's left."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """Of what is open in it; "" where that has none."""
        return ""

    @property
    def open_id(self) -> int | None:
        """The number of what is open; None for something new."""
        return None

    @property
    def is_at_work(self) -> bool:
        """Whether its model is answering."""
        return False

    @property
    def own_model(self) -> OwnModelOf | None:
        """Of what is open in it, in the chat; the other tabs have one for all that is done in them."""
        return None

    @property
    def own_engine(self) -> OwnEngine | None:
        """What keeps its own model at hand; None where that comes and goes with each job."""
        return None

    def restore(self, kept_id: int) -> None:
        """Seen for the first time: as it was before a restart. 0: something new."""

    def show_stored(self, number: int, message_id: int = 0, words: str = "") -> None:
        """Opens one of what it keeps; a chat at a message, where words are marked for a moment."""

    def take_keyboard(self) -> None:
        """It was opened: the keyboard goes to where it is wanted first."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_shown(self, *, is_shown: bool) -> None:
        """It is open now, or another one is."""

    def show_new(self) -> None:
        """Something new is to be begun in it."""

    def do(self, command: str) -> None:
        """A command of its own, by the name that it has in the table of shortcuts; or one of its pages, by name."""

    def find(self) -> bool:
        """A bar that finds words in what is open; whether there is anything to find in."""
        return False

    def search_text(self) -> bool:
        """The keyboard to the search field of its column; whether it has one."""
        field = self.column.findChild(SearchField)
        if field is not None:
            field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            field.selectAll()
        return field is not None

    def ask_for_files(self) -> None:
        """Asks which files to take."""

    def take_files(self, files: Sequence[Path]) -> None:
        """Files that were dropped, or sent from elsewhere."""

    def take_picture(self, picture: bytes | QImage, name: str) -> None:
        """One that was dropped and is no file."""

    def restore_list(self) -> None:
        """What it keeps has changed elsewhere: its list is read again."""

    def import_files(self, files: Sequence[Path]) -> None:
        """Files from which something comes into its list, see `TabSpec.imports`."""

    def take_documents(self, ids: Sequence[int], title: str = "") -> None:
        """Documents that were read already, by their numbers, and what they are about together."""

    def take_text(self, text: str) -> None:
        """A text from elsewhere, such as an answer."""

    def on_model_chosen(self) -> None:
        """Its model is another: what was said of it is asked anew."""

    def go_on(self) -> None:
        """Works off what an earlier run left."""

    def store(self) -> None:
        """What is typed is stored now, and nothing ends by that: the session may be about to end."""

    def close(self) -> None:
        """The window closes: nothing is asked any more, what was typed is kept."""
