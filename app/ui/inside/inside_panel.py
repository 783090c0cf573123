"""Inside: the panel next to a chat or page that shows what happens in the model, with a page per view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.ui.i18n import Translatable, tr, tr_count
from app.ui.inside.look import OWN, SELECTION, InspectedText, LendEngine, LookPage, Subjects
from app.ui.shared_labels import HOW_IT_WORKS
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import ChoiceButton, IconButton
from app.ui.widgets.dialogs import DOCUMENTS, file_dialog
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.file_drop import FileDrop, FileDropAction
from app.ui.widgets.input_fields import PlainEdit, SegmentedControl
from app.ui.widgets.labels import ElidedLabel, plain_label
from app.ui.widgets.layouts import FittingScroll, drop_margins, fill_layout, name_widgets
from app.ui.widgets.pane_head import PANE_EDGE_PX, PaneHead
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    pass

OWN_TEXT = "Your own text"
NAME_AND_CHARACTERS = "{name} ({count} characters)"
LEAVE_FILE = "Close the file"

TOKENS, PROBABILITIES, ATTENTION, LAYERS = "tokens", "probabilities", "attention", "layers"
TYPING_MS = 500
"""Pause after typing or a change of selection."""
FILE_PX = 66
MOST_LINES = 4
"""Lines up to which the field for one's own text grows."""


class InsidePage(Protocol):
    """Protocol of a page of Inside; `look_at_subject` gets more than the text (see `InspectedText`)."""

    def look_at(self, text: str) -> None:
        """Show another text."""

    def clear(self) -> None:
        """Show nothing."""


@dataclass(frozen=True)
class PageSpec:
    """Description of a page. `make` imports and builds it, only when it is first shown."""

    name: str
    label: Translatable
    make: Callable[[UiContext, LendEngine], QWidget]
    takes_prompts: bool = False
    """True if it can show a prompt, which is tokens; other pages need text."""
    takes_answers: bool = False
    """True if it can show an answer while that is written."""


def _tokens(ui: UiContext, lend: LendEngine) -> QWidget:
    from app.ui.inside.tokens import TokensPage  # each page is imported when it is opened

    return TokensPage(ui, lend)


def _probabilities(ui: UiContext, lend: LendEngine) -> QWidget:
    from app.ui.inside.tokens import ProbabilitiesPage

    return ProbabilitiesPage(ui, lend)


def _attention(ui: UiContext, lend: LendEngine) -> QWidget:
    from app.ui.inside.attention import AttentionView

    return AttentionView(ui, lend)


def _layers(ui: UiContext, lend: LendEngine) -> QWidget:
    from app.ui.inside.layers import LayersView

    return LayersView(ui, lend)


PAGES: tuple[PageSpec, ...] = (
    PageSpec(TOKENS, "Tokens", _tokens, takes_prompts=True),
    PageSpec(PROBABILITIES, "Probabilities", _probabilities, takes_answers=True),
    PageSpec(ATTENTION, "Attention", _attention),
    PageSpec(LAYERS, "Layers", _layers),
)
"""Pages in order; to add one, write a module here and an entry."""


class InsidePanel(QWidget):
    """Panel with one page at a time, for the selection, else a chosen subject or text typed here.

    While hidden, it asks nothing of the engine.
    """

    closed = Signal()
    """The user closed the panel; its owner should hide it."""
    page_shown = Signal(str)
    """Name of the visible page; "" if there is none."""

    def __init__(self, ui: UiContext, lend: LendEngine, subjects: Subjects, *, is_chats: bool = True) -> None:
        """`is_chats`: `lend` lends the chat's engine, not a tab's own."""
        super().__init__()
        self._is_chats = is_chats
        self.setObjectName("inside_panel")
        self.setAccessibleName(tr("Inside"))
        self._ui, self._lend, self._subjects = ui, lend, subjects
        self._pages: dict[str, QWidget] = {}
        self._shown_subjects: dict[str, InspectedText] = {}
        """Subject shown on each page."""
        self._offered: list[InspectedText] = []
        self._is_own = False
        self.page = ""
        """Name of the current page."""
        names = [(spec.name, tr(spec.label)) for spec in PAGES]
        self._segments = SegmentedControl(ui.theme, tr("Page"), names, PAGES[0].name, self.show_page)
        self._choice = ChoiceButton(
            ui.theme, tr("Text"), [(OWN, tr(OWN_TEXT))], shows_change=False, on_change=self._on_chosen
        )
        self._field = OwnText(ui)
        self._stack = QStackedWidget()
        self._delay = new_timer(self, TYPING_MS, self._inspect_chosen)
        self._field.edit.textChanged.connect(self._delay.start)
        self._field.changed.connect(self._inspect_chosen)
        self._drop = FileDrop(ui.theme, lambda _files: [FileDropAction("", tr("Analyze this text"))], self)
        self._drop.dropped.connect(lambda files, _zone: self._on_dropped(files))
        subjects.changed.connect(self._on_subjects_changed)
        self._lay_out()
        self.show_page(PAGES[0].name)

    def _lay_out(self) -> None:
        theme, title = self._ui.theme, plain_label(tr("Inside"))
        how = IconButton(
            theme, "question", tr(HOW_IT_WORKS), size_px=18, on_click=lambda: self._ui.go.open_models("how")
        )
        head = PaneHead(theme, title, self._choice, 1, how, close=tr("Close"), name="close_inside")
        head.closer.clicked.connect(self.closed)
        row, body = QHBoxLayout(), QVBoxLayout()
        fill_layout(row, self._segments, 1)
        fill_layout(body, row, self._field, (self._stack, 1))
        fill_layout(drop_margins(QVBoxLayout(self), 0), head, (body, 1))
        theme.dress(body, margins=(PANE_EDGE_PX, 0, PANE_EDGE_PX, PANE_EDGE_PX), spacing=8)
        self._segments.setProperty("is_tight", True)
        name_widgets(inside_title=title, how_it_works=how, inside_choice=self._choice)

    @property
    def subject(self) -> InspectedText | None:
        return self._shown_subjects.get(self.page)

    def show_page(self, name: str) -> None:
        """Show a page by its name in `PAGES`; the first time this imports and builds it."""
        if name == self.page:
            return
        spec = _spec(name)
        if name not in self._pages:
            page = self._pages[name] = spec.make(self._ui, self._lend)
            if isinstance(page, LookPage):
                page.is_chats = self._is_chats
            self._stack.addWidget(area := FittingScroll(page))
            fade_ends(area, self._ui.theme)
        self.page = name
        self._segments.show_value(name)
        # The panel has no focus of its own: to focus it is to focus its current segment.
        self.setFocusProxy(self._segments.chosen)
        self._stack.setCurrentIndex(list(self._pages).index(name))
        # While hidden nothing is asked; `showEvent` does this then.
        if self.isVisible():
            self._offer()
            self._inspect_chosen()
            self.page_shown.emit(name)

    def _on_subjects_changed(self) -> None:
        if self.isVisible():
            self._offer()
            # A selection changes with every step of the mouse.
            self._delay.start()

    def _offer(self) -> None:
        """Update the list of subjects; the chosen one stays while it exists."""
        spec = _spec(self.page)
        self._offered = []
        for inspected_text in self._subjects.now():
            # A prompt is tokens with places, which only one page can show; the others would ask for a text.
            is_for_it = (spec.takes_prompts or inspected_text.prompt is None) and (
                spec.takes_answers or not inspected_text.is_being_written
            )
            if is_for_it and all(inspected_text.name != known.name for known in self._offered):
                self._offered.append(inspected_text)
        choices = [(inspected_text.name, inspected_text.label) for inspected_text in self._offered]
        # Before the list is replaced: a value that is gone falls back to the first.
        is_there = any(text.name == self._choice.value for text in self._offered)
        self._choice.offer([*choices, (OWN, tr(OWN_TEXT))])
        # A selection is followed, unless a text of one's own was chosen on purpose.
        if self._offered and not self._is_own and (self._offered[0].name == SELECTION or not is_there):
            self._choice.show_value(self._offered[0].name)
        self._field.setVisible(self._choice.value == OWN)

    def _on_chosen(self, name: str) -> None:
        self._is_own = name == OWN
        self._field.setVisible(self._is_own)
        if self._is_own:
            self._field.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self._inspect_chosen()

    def _on_dropped(self, files: list[str]) -> None:
        """Inspect a dropped text file in place of typed text."""
        self._choice.show_value(OWN)
        self._is_own = True
        self._field.show()
        self._field.take_file(Path(files[0]))

    def _inspect_chosen(self) -> None:
        """Show the chosen subject on the current page, unless it is there already."""
        # It may be called while the pause after typing still runs.
        self._delay.stop()
        if self._choice.value == OWN:
            subject: InspectedText | None = InspectedText(OWN, "", self._field.text)
        else:
            subject = next(
                (inspected_text for inspected_text in self._offered if inspected_text.name == self._choice.value), None
            )
        # Otherwise every switch between pages would ask the model again.
        if subject == self._shown_subjects.get(self.page):
            return
        page = cast("InsidePage", self._pages[self.page])
        if subject is None:
            self._shown_subjects.pop(self.page, None)
            page.clear()
            return
        self._shown_subjects[self.page] = subject
        # Optional: two pages can show more of a subject than its text.
        if (look := getattr(page, "look_at_subject", None)) is not None:
            look(subject)
        else:
            page.look_at(subject.text)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._offer()
        self._inspect_chosen()
        self.page_shown.emit(self.page)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.page_shown.emit("")
        self._delay.stop()
        for name, page in self._pages.items():
            if getattr(page, "is_looking", False):
                # What was cut off must be asked again when the panel is shown.
                cast("InsidePage", page).clear()
                self._shown_subjects.pop(name, None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._segments.fit_width(self.contentsRect().width() - 2 * self._ui.theme.px(PANE_EDGE_PX))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)


def _spec(name: str) -> PageSpec:
    return next(spec for spec in PAGES if spec.name == name)


class OwnText(QFrame):
    """Field for any text, typed, pasted or read from a file."""

    changed = Signal()
    """A file was opened or removed."""

    def __init__(self, ui: UiContext) -> None:
        super().__init__()
        self._ui = ui
        self.file_text: str | None = None
        """Content of the file; None without one."""
        self.setObjectName("own_text")
        self.setProperty("kind", "card")
        self.edit = PlainEdit()
        self.edit.setAccessibleName(tr(OWN_TEXT))
        self.edit.setPlaceholderText(tr("Type or paste any text, or drop a text file"))
        self._name = ui.theme.dress(ElidedLabel(), font="control", margins=(2, 6, 0, 6))
        self._open = IconButton(ui.theme, "folder-open", tr("Open a text file"), size_px=17, on_click=self._ask)
        self._drop = IconButton(ui.theme, "x", tr(LEAVE_FILE), size_px=15, on_click=self._clear_text)
        row, tools = QHBoxLayout(self), QVBoxLayout()
        fill_layout(tools, self._open, self._drop, 1)
        # One icon is as high as one line.
        ui.theme.dress(self._open, size=(27, 27))
        fill_layout(row, (self.edit, 1), (self._name, 1, Qt.AlignmentFlag.AlignTop), tools)
        ui.theme.dress(row, margins=(8, 4, 4, 4), spacing=4)
        ui.theme.dress(tools, margins=(0, 0, 0, 0), spacing=2)
        ui.theme.dress(self.edit, text=("body", 2))
        self.edit.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit_height())
        ui.theme.changed.connect(self._fit_height)
        name_widgets(own_text_field=self.edit, own_file=self._name, open_own_file=self._open, leave_own_file=self._drop)
        self._show("", None)
        self.hide()

    @property
    def text(self) -> str:
        """Text of the file, else the typed one."""
        return self.edit.toPlainText() if self.file_text is None else self.file_text

    def take_file(self, path: Path) -> None:
        """Read a text file on a thread; if it isn't text, say so."""

        def read(_token: CancelToken) -> tuple[str, str]:
            # For files only: this brings in the detection of encodings.
            from app.features.write_pages import text_of

            return path.name, text_of(path)

        tasks.ask(read, self, lambda found: self._take_text(*found), self._ui.notify.error)

    def _take_text(self, name: str, text: str) -> None:
        self._show(tr_count("{name} ({count} character)", NAME_AND_CHARACTERS, len(text), name=name), text)
        self.changed.emit()

    def _clear_text(self) -> None:
        self._show("", None)
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    def _show(self, name: str, text: str | None) -> None:
        self.file_text = text
        self._name.setText(name)
        self._name.setVisible(text is not None)
        self._drop.setVisible(text is not None)
        self.edit.setVisible(text is None)
        self._fit_height()

    def _fit_height(self) -> None:
        """Fit the height to the lines of the text, up to `MOST_LINES`."""
        px = self._ui.theme.px
        if self.file_text is not None:
            self.setFixedHeight(px(FILE_PX))
            return
        line, margins = self.edit.fontMetrics().lineSpacing(), round(2 * self.edit.document().documentMargin())
        text = min(self.edit.document().size().height(), line * MOST_LINES + margins)
        self.setFixedHeight(round(max(text, line + margins)) + px(10) + 2)

    def _ask(self) -> None:
        mode, words = QFileDialog.FileMode.ExistingFile, tr("Open a text file")
        take = self.take_file
        file_dialog(
            self.window(), words, DOCUMENTS, lambda paths: take(paths[0]), name="inside_dialog", mode=mode
        ).open()
