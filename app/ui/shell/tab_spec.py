"""Interfaces between the window and its tabs: a tab's entry in the tab list, its base class, and the window's
services.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.core.catalogue import Translatable
from app.core.lazy_dataclasses import dataclass, field
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.shell.status_line import StatusLine
from app.ui.theme import Theme

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from app.bootstrap import Fireside
    from app.ui.shell.api_programs import OtherPrograms
    from app.ui.shell.field_dictation import FieldDictation
    from app.ui.shell.passage_indexing import PassageIndexing
    from app.ui.shell.picture_reading import PictureReading
    from app.ui.shell.text_reading import TextReading
    from app.ui.shell.tool_scoring import ToolScoring

CHAT, SUMMARIZE, TRANSLATE, WRITE, MODELS = "chat", "summarize", "translate", "write", "models"
"""Names of the built-in tabs, for navigating from one to another. The window itself does not depend on them."""

ASSISTANT = "assistant:"
"""Prefix of a chat command that starts a new chat with an assistant; the assistant's id follows."""
PROJECT = "project:"
"""Prefix of a chat command that starts a new chat in a project; the project's id follows."""
PROMPT = "prompt:"
"""Prefix of a chat command that inserts a saved prompt into the message; the prompt's key follows."""


@dataclass(frozen=True)
class Drops:
    """Texts of a tab's drop zone while files are dragged over the window.

    `alone` is shown when the open tab is the only target; otherwise every tab has a zone.
    """

    alone: Translatable
    title: Translatable
    note: Translatable
    only: Callable[[Path], bool] | None = None
    """Predicate for the files that get this zone next to the other tabs' zones; None accepts all."""
    otherwise: tuple[Callable[[Path], bool], Translatable] | None = None
    """Predicate and the note shown instead of `note` when any dragged file satisfies it."""

    def note_of(self, files: Sequence[Path]) -> Translatable:
        """Return the zone's note for these files: `otherwise`'s if any file matches it, else `note`."""
        return self.otherwise[1] if self.otherwise is not None and any(map(self.otherwise[0], files)) else self.note

    def suits(self, files: Sequence[Path]) -> bool:
        """Return whether the tab accepts all of these files."""
        return self.only is None or all(map(self.only, files))


class TabCommand(NamedTuple):
    """Command of a tab, or one of its pages, that only the command palette lists. `Tab.do` receives `name`."""

    name: str
    words: Translatable
    also: Translatable = ""
    """Search synonyms, matched by the palette in addition to the label."""


@dataclass(frozen=True)
class TabSpec:
    """Static description of one tab. Texts are English source strings for `tr`; `build` imports the tab's modules
    lazily.
    """

    name: str
    label: Translatable
    icon: str
    build: Callable[[Fireside, UiContext], Tab]
    keys: tuple[str, ...] = ()
    """Shortcuts that open the tab; the first one is displayed."""
    also: Translatable = ""
    """Search synonyms, matched by the palette in addition to the label."""
    commands: Sequence[TabCommand] = ()
    drops: Drops | None = None
    """Texts of the drop zone; with None, dropped files go to another tab."""
    imports: Drops | None = None
    """Drop zone for files to be imported into the tab's list with `Tab.import_files`; None for no import."""
    shortcuts: Sequence[tuple[str, Translatable]] = ()
    """Shortcuts inside the tab and what they do, listed on the sheet of shortcuts."""
    task: str = CHAT
    """Task whose model the picker shows and chooses: the chat's, or the tab's own."""
    kept_id: str = ""
    """Field of the window's settings that stores the id of the item open in this tab."""
    jobs: str = ""
    """Kind of stored jobs that an earlier run may have left unfinished for this tab."""
    has_inside: bool = False
    """True if the tab has an inspector panel at its right, toggled by its command `inside`."""
    is_at_foot: bool = False
    """True if the tab's button is at the foot of the left column. Nothing is created or dropped there, and it is not
    restored at start.
    """


class Navigation(Protocol):
    """Services of the window for the widgets in it: opening tabs, pages, settings and models."""

    def show_tab(self, name: str) -> Tab:
        """Open a tab and focus it, ready for typing or dropped files."""

    def tab(self, name: str) -> Tab:
        """Return a tab, building it if necessary, without opening it."""

    def open_models(self, page: str = "suggested") -> None:
        """Open the models tab at `page`: suggested, installed, others, downloads, storage, search, compare, blind or
        how.
        """

    def open_settings(self, page: str = "") -> None:
        """Open the settings over the window, at a page, or at one of its rows: "page/row"."""

    def ask_for_model(self) -> None:
        """Let the user pick a model file for the open tab, used from where it is."""

    def add_model(self) -> None:
        """Let the user pick a model file to be added to Fireside's models."""

    def use_model(self, path: Path) -> None:
        """Choose a model for the open tab and its task."""

    def open_help(self, screen: str = "", above: QWidget | None = None) -> None:
        """Show the help page about a screen or of this name, over a window; without them about what is shown."""

    def open_shortcuts(self, above: QWidget) -> None:
        """Show every shortcut of the window and its tabs on a sheet over the given window."""

    def store(self) -> None:
        """Save drafts and the window's state immediately."""

    def show_network(self) -> None:
        """Update what depends on network access after that setting changed."""


class SystemLink(QObject):
    """Signals and state shared by the system settings and the desktop integration, so that neither imports the
    other.
    """

    changed = Signal()
    """The system section of the settings changed."""
    shortcut_said = Signal()
    """`shortcut_words` changed."""
    shortcut_words = ""
    """The system's answer to the registration of the global shortcut, for display."""
    ask_wanted = Signal(str)
    """The quick-ask window was requested, with this initial text."""


@dataclass
class UiContext:
    """Services that the parts of the window share."""

    theme: Theme
    notify: Notify
    loader: ModelLoader
    status: StatusLine
    go: Navigation
    window: QWidget
    system: SystemLink = field(default_factory=SystemLink)
    programs: OtherPrograms | None = None
    """Programs that use the local API server; None outside a full window."""
    pictures: PictureReading | None = None
    """Background OCR of scanned pages; None outside a full window."""
    passages: PassageIndexing | None = None
    """Background embedding of passages; None outside a full window."""
    scoring: ToolScoring | None = None
    """Background test of a model's tool calls; None outside a full window."""
    dictation: FieldDictation | None = None
    """Writes what is said into the field with the keyboard; None outside a full window."""
    reading: TextReading | None = None
    """Reads texts aloud; None outside a full window, or where Qt can't speak."""


@dataclass(frozen=True)
class EndOfWork:
    """Notification that long work ended while the user may have looked elsewhere. `about` names its subject; `words`
    does not.
    """

    words: str
    about: str = ""
    number: int = 0
    """Id of the item that shows the result; 0 for the tab itself."""


class OwnModelOf(Protocol):
    """Model override of the item open in a tab, such as a chat with its own model."""

    @property
    def path(self) -> Path | None:
        """The override, or the common model while another item's override is loaded; None means whichever is loaded."""

    @property
    def is_own(self) -> bool:
        """True if the open item, or the project it belongs to, overrides the model."""

    def choose(self, path: Path | None) -> None:
        """Override the model for the open item only; None returns to the common model."""


class OwnEngine(Protocol):
    """Control of a tab's own model, which is in memory next to the chat model."""

    @property
    def state(self) -> str:
        """State of the model: "asleep", "loading" or "ready"."""

    def wake(self, model: Path, /) -> None:
        """Load the model before it gets its first request."""

    def sleep(self) -> None:
        """Free the model's memory; the next request loads it again."""


class Tab(QObject):
    """Base class of a tab's controller. It can work before it is shown: `view` and `column` are built on first
    access.
    """

    changed = Signal()
    """Another item is shown in the tab: the window updates its title and closes overlays of a narrow window."""
    title_changed = Signal()
    state_changed = Signal(str)
    """Current activity for the status line; "" when idle."""
    work_ended = Signal(object)
    """Long work ended; carries an `EndOfWork`."""
    inside_changed = Signal()
    """The inspector panel was opened or closed."""
    model_changed = Signal()
    """The model changed other than by the picker, or the tab's own model woke up or went to sleep."""

    own_model: OwnModelOf | None = None
    """Model override of the open item, in the chat; None for tabs with one model for everything."""
    own_engine: OwnEngine | None = None
    """Control of the tab's own model; None where it is loaded and freed with each job."""

    @property
    def view(self) -> QWidget:
        """The widget in the middle of the window."""
        raise NotImplementedError

    @property
    def column(self) -> QWidget:
        """The widget in the window's left column."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """Title of the open item; "" if it has none."""
        return ""

    @property
    def open_id(self) -> int | None:
        """Id of the open item; None for a new one."""
        return None

    @property
    def is_at_work(self) -> bool:
        """True while the tab's model generates."""
        return False

    def restore(self, kept_id: int) -> None:
        """Reopen, when first shown, the item that was open before a restart; 0 starts a new one."""

    def show_stored(self, number: int, message_id: int = 0, words: str = "") -> None:
        """Open a stored item; a chat scrolls to a message and highlights `words` briefly."""

    @property
    def help_part(self) -> str:
        """Name of the page that the tab shows, for help; "" if it has none of its own."""
        return ""

    def take_keyboard(self) -> None:
        """Focus the widget that should have the keyboard when the tab opens."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_shown(self, *, is_shown: bool) -> None:
        """React to the tab being opened (`is_shown`) or another one taking its place."""

    def show_new(self) -> None:
        """Start a new item in the tab."""

    def do(self, command: str) -> None:
        """Run a command by its name in the table of shortcuts, or open one of the tab's pages by name."""

    def find(self) -> bool:
        """Open the find bar for the open item. Return False if there is nothing to search."""
        return False

    def ask_for_files(self) -> None:
        """Let the user choose files to work on."""

    def take_files(self, files: Sequence[Path]) -> None:
        """Accept files that were dropped or sent from elsewhere."""

    def take_picture(self, picture: bytes | QImage, name: str) -> None:
        """Accept a dropped picture that is not a file."""

    def restore_list(self) -> None:
        """Reload the tab's list after its items changed elsewhere."""

    def import_files(self, files: Sequence[Path]) -> None:
        """Import dropped files into the tab's list; see `TabSpec.imports`."""

    def take_documents(self, ids: Sequence[int], title: str = "") -> None:
        """Accept documents that were already read, by their ids, with a common title."""

    def take_text(self, text: str) -> None:
        """Accept a text from elsewhere, such as an answer."""

    def on_model_chosen(self) -> None:
        """Update what depends on the model after another was chosen."""

    def go_on(self) -> None:
        """Resume the stored jobs that an earlier run left unfinished."""

    def store(self) -> None:
        """Save drafts immediately without ending any work: the session may be about to end."""

    def close(self) -> None:
        """Save drafts and stop all requests because the window closes."""
