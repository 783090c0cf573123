"""Pages of the settings: titles, and rows with a name, a help text and a field."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.core.gguf import GgufProblem, read_header
from app.engine.protocol import MACHINE, Device, DevicesDescribed
from app.features.claim_checker.fetching import OFFER_WORDS
from app.features.models.model_messages import format_gigabytes
from app.ui.i18n import sentence_for, size_text, tr
from app.ui.settings import connections
from app.ui.settings.claim_checker import CheckerField
from app.ui.settings.connections import Connections, ConnectionTable
from app.ui.shared_labels import AUTOMATIC_LABEL, DOCUMENTS_LABEL, NEVER, RESUME, SAVE, STOP
from app.ui.shell import tasks
from app.ui.shell.keyboard import is_tab_stop
from app.ui.shell.settings_index import label_of, page_label
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.input_fields import CheckRow, RadioRow, SegmentedControl, Stepper, Switch

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.model_loader import ModelLoader
    from app.ui.shell.tab_spec import UiContext

MUST_START_WITH = "It must start with {one} or {other}."
HOST_COUNT = "{count} hosts"

PLAIN_TOKEN_ONLY = "A token contains only letters, digits and symbols, no spaces."

RELOAD_NOW = "Reload model"
LOADING_NEW_VALUES = "The model is loading with the new values."
NO_GPU_FOUND = "No GPU was found, so models run on the CPU."
DEVICE_FREE_MEMORY = "{name} · {free} of {total} GB free"
DEVICES_UNKNOWN = "The engine didn’t report any devices."
LOOK_AGAIN = "Check again"
KEPT_SIZE = "{size} saved."
CLEAR_SAVED_STATES = "Clear saved states"
CLEAR = "Clear"
NOTHING_KEPT = "Nothing saved."
NOTHING = "Nothing"
TOKEN_KEPT_IN_KEYRING = "The token is saved in the system’s keyring and sent only to {host}."
NOT_FOUND_NOW = "Not found"
LET_FIRESIDE_CHOOSE = "Let Fireside choose"
NOT_SAVED = "Not saved. {why}"
NO_TOKEN_KEPT = "No token is saved for {host}."
ACCESS_TOKEN = "Access token"
SAVE_TOKEN = "Save the access token"
FORGET_TOKEN = "Forget the access token"
FORGET = "Forget"
MIRROR = "Mirror"
NO_CONNECTIONS_YET = "No connections yet."
REFRESH_THE_CONNECTIONS = "Refresh the connections"
CONNECTIONS_IN_ALL = "All connections so far: {count}, to {hosts}; {size} received."
ONLY_THE_CPU = "CPU only"
DEVICE = "Device"


NARROW_PX = 340
"""Below this width, fields move under their labels."""


_ANY = 1 << 20  # a field gets its full width next to its label


MARGIN_PX = 28
MARKED_MS = 2500
"""Time a row found by search stays highlighted."""


class SettingsSection(QWidget):
    """Group of settings rows under a title: a page, or a part of one."""

    _title_px = 15.0

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[tuple[QBoxLayout, QWidget, int]] = []
        self.setting_rows: dict[str, QWidget] = {}
        """Rows by the keys of `settings_index`."""
        self.column = self._make_column()
        self.column.addWidget(self.label(title, self._title_px, 600))
        theme.changed.connect(self._arrange)
        self._arrange()

    def _make_column(self) -> QVBoxLayout:
        column = QVBoxLayout(self)
        self._theme.dress(column, margins=(0, 12, 0, 0))
        return column

    def finish(self) -> None:
        """Hook called after the last row was added; a page adds its stretch."""

    def label(self, text: str, size_px: float, weight: int = 400) -> QLabel:
        """Return a wrapping label whose font follows the theme."""
        label = QLabel(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.follow_font(label, size_px, weight)
        return label

    def muted(self, text: str) -> QLabel:
        """Return a wrapping help text in the muted colour, in 13 pixels."""
        label = self.label(text, 13)
        label.setProperty("kind", "muted")
        return label

    def follow_font(self, widget: QWidget, size_px: float, weight: int = 400) -> None:
        self._theme.dress(widget, font=(size_px, weight))

    def add_heading(self, text: str) -> QLabel:
        heading = self.label(text, 14, 600)
        self._theme.dress(heading, margins=(0, 10, 0, 0))
        self.column.addWidget(heading)
        return heading

    def add_row(self, name: str, explanation: str | QLabel, field: QWidget) -> QWidget:
        """Add a row with name and help text on one side and the field on the other; return it, so that it can be
        hidden.
        """
        words = QVBoxLayout()
        self._theme.dress(words, spacing=2)
        words.addWidget(QLabel(name, wordWrap=True))
        if explanation:
            words.addWidget(explanation if isinstance(explanation, QLabel) else self.muted(explanation))
        row = QWidget()
        inside = QBoxLayout(QBoxLayout.Direction.LeftToRight, row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addLayout(words, 1)
        inside.addWidget(field, 0, Qt.AlignmentFlag.AlignTop)
        self.column.addWidget(row)
        self.turn_with_room(inside, field, 16)
        return row

    def add_setting(self, key: str, explanation: str | QLabel, field: QWidget) -> QWidget:
        """Add a row for a setting, named as in `settings_index`."""
        row = self.setting_rows[key] = self.add_row(label_of(key), explanation, field)
        return row

    def add_block(self, key: str, explanation: str, field: QWidget) -> None:
        """Add a setting whose field spans the full width below its name."""
        holder = QWidget()
        block = QVBoxLayout(holder)
        self._theme.dress(block, margins=(0, 0, 0, 0), spacing=4)
        block.addWidget(QLabel(label_of(key)))
        block.addWidget(self.muted(explanation))
        block.addWidget(field)
        self.column.addWidget(holder)
        self.setting_rows[key] = holder

    def turn_with_room(self, row: QBoxLayout, field: QWidget, gap_px: int) -> None:
        """Stack a row's parts when the page is narrow; otherwise keep them `gap_px` apart."""
        self._rows.append((row, field, gap_px))
        self._arrange()

    def ask(self, title: str, words: str, yes: str, do: Callable[[], object]) -> QuestionDialog:
        """Confirm before something is deleted; `do` runs on yes."""
        dialog = QuestionDialog(self._theme, title, words, self)
        dialog.setObjectName("settings_question")
        dialog.add_choice(yes, do, "primary")
        dialog.open()
        return dialog

    def replace(self, layout: QVBoxLayout, old: QWidget, new: QWidget) -> None:
        """Swap a widget in a layout and drop rows of the old one."""
        layout.replaceWidget(old, new)
        gone = {old, *old.findChildren(QWidget)}
        # Rows inside the old widget would be arranged after it was deleted.
        self._rows = [row for row in self._rows if row[0].parentWidget() not in gone]
        old.hide()
        old.deleteLater()

    @property
    def _is_narrow(self) -> bool:
        return self.width() < self._theme.px(NARROW_PX - 2 * MARGIN_PX)

    @property
    def _room_px(self) -> int:
        return self.width()

    def _arrange(self) -> None:
        px, is_narrow = self._theme.px, self._is_narrow
        self.column.setSpacing(px(14))
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        for row, field, gap_px in self._rows:
            row.setDirection(down if is_narrow else along)
            row.setSpacing(px(6 if is_narrow else gap_px))
            if isinstance(field, SegmentedControl):
                field.fit_width(self._room_px if is_narrow else _ANY)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


class SettingsPage(SettingsSection):
    """Scrolling page of settings; what is in `foot` stays visible below."""

    _title_px = 18.0

    def __init__(self, theme: Theme, title: str) -> None:
        self.sections: list[SettingsSection] = []
        self._mark: RowMark | None = None
        super().__init__(theme, title)

    def _make_column(self) -> QVBoxLayout:
        inside = QWidget()
        inside.setObjectName("page")
        column = QVBoxLayout(inside)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        # Otherwise the scroll area would be a stop of Tab before the fields.
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(inside)
        self.foot = QVBoxLayout()
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.setSpacing(0)
        around.addWidget(self._scroll, 1)
        around.addLayout(self.foot)
        return column

    def finish(self) -> None:
        self.column.addStretch(1)

    def add_section(self, section: SettingsSection, key: str = "") -> None:
        """Append a section; with `key` the search finds it as a whole."""
        self.sections.append(section)
        if key:
            self.setting_rows[key] = section
        self.column.addWidget(section)

    def row_of(self, key: str) -> QWidget | None:
        """Return the row of a setting; None if this computer doesn't have it."""
        known = self.setting_rows.get(key) or next(
            (section.setting_rows[key] for section in self.sections if key in section.setting_rows), None
        )
        return known if known is not None and not known.isHidden() else None

    def reveal_later(self, key: str) -> None:
        # Rows get their places with the next pass of the layout.
        QTimer.singleShot(0, self, lambda: self._reveal(key))

    def _reveal(self, key: str) -> None:
        row = self.row_of(key)
        if row is None:
            return
        if self._mark is not None:
            self._mark.remove_mark()
        self._mark = RowMark(self._theme, row, self._scroll)
        field = row if is_tab_stop(row) else next(filter(is_tab_stop, row.findChildren(QWidget)), None)
        if field is not None:
            field.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def marked_row(self) -> QWidget | None:
        """The row that search highlighted; None once the highlight is over."""
        return self._mark.row if self._mark is not None and not self._mark.is_over else None

    @property
    def _is_narrow(self) -> bool:
        return self.width() < self._theme.px(NARROW_PX)

    @property
    def _room_px(self) -> int:
        margins = self.column.contentsMargins()
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        return self.width() - margins.left() - margins.right() - bar

    def _arrange(self) -> None:
        px, is_narrow = self._theme.px, self._is_narrow
        self.column.setContentsMargins(*(px(16 if is_narrow else MARGIN_PX), px(14 if is_narrow else 20)) * 2)
        super()._arrange()


class RowMark(QWidget):
    """Highlight of a row found by search. It keeps the row in view while rows above change height."""

    def __init__(self, theme: Theme, row: QWidget, scroll: QScrollArea) -> None:
        super().__init__(scroll.widget())
        self.setObjectName("row_mark")
        self.row = row
        self.is_over = False
        self._theme, self._scroll = theme, scroll
        around = row.parentWidget()
        # Inside a section a row moves along with it, without an event of its own.
        self._watched = [row] if around is None or around is scroll.widget() else [row, around]
        for widget in self._watched:
            widget.installEventFilter(self)
        # Behind the row, so that its text stays readable.
        self.lower()
        self._follow_row()
        self.show()
        QTimer.singleShot(MARKED_MS, self, self.remove_mark)

    def remove_mark(self) -> None:
        if not self.is_over:
            self.is_over = True
            for widget in self._watched:
                widget.removeEventFilter(self)
            self.hide()
            self.deleteLater()

    def _follow_row(self) -> None:
        px = self._theme.px
        page = self._scroll.widget()
        assert page is not None
        place = QRect(self.row.mapTo(page, QPoint()), self.row.size())
        self.setGeometry(place.adjusted(-px(10), -px(7), px(10), px(7)))
        self._scroll.ensureWidgetVisible(self.row, 0, px(40))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize):
            self._follow_row()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.selection))
        painter.drawRoundedRect(self.rect(), self._theme.px(8), self._theme.px(8))


# Settings of running models: devices, threads, context; they apply when a model is loaded again.


MOST_CONTEXT_TOKENS = 1_048_576
MOST_LAYERS = 999
Save = Callable[..., None]


class EnginePage(SettingsPage):
    """Settings of the engine. Devices are requested on a thread, after the page is shown."""

    reload_wanted = Signal()

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, page_label("engine"))
        self._app, self._save = app, save
        self._loader: ModelLoader | None = None
        self._block = QVBoxLayout()
        self._block.setSpacing(theme.px(4))
        self._block.addWidget(QLabel(label_of("device")))
        self._devices: QWidget = self.muted(tr("Looking for devices…"))
        self._block.addWidget(self._devices)
        holder = self.setting_rows["device"] = QWidget()
        self._block.setContentsMargins(0, 0, 0, 0)
        holder.setLayout(self._block)
        self.column.addWidget(holder)
        self._gpu_rows = [self._add_layers(), self._add_experts(), self._add_eyes()]
        for row in self._gpu_rows:
            row.hide()
        self._add_threads()
        self._add_context()
        self._add_kv_type()
        self.add_section(MemorySection(app, theme, save))
        self.finish()
        self._add_foot()
        self._is_asked = False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.check_model()
        if not self._is_asked:  # the engine is only started for this page when it is opened
            self._look_for_devices()

    # Devices.

    def _look_for_devices(self) -> None:
        self._is_asked = True
        task = tasks.run(lambda _: _describe(self._app), self)
        task.event.connect(self._on_described)
        task.failed.connect(self._on_not_described)

    def _on_described(self, found: tuple[DevicesDescribed, bool]) -> None:
        described, is_mixture = found
        engine = self._app.settings.engine
        choice = DeviceChoice(self._theme, described.devices, engine.devices)
        choice.changed.connect(lambda: self._change(devices=choice.chosen))
        self._replace_devices(choice if choice.has_choice else self.muted(tr(NO_GPU_FOUND)))
        has_gpu = any(device.type in GPU_TYPES for device in described.devices)
        layers, experts, eyes = self._gpu_rows
        # A choice stored before is shown without a GPU, too, so that it can be taken back.
        layers.setVisible(has_gpu or engine.gpu_layers >= 0)
        experts.setVisible((has_gpu and is_mixture) or engine.experts_on_cpu)
        eyes.setVisible(has_gpu or engine.projector_on_cpu)

    def _on_not_described(self, _: object) -> None:
        again = text_button(tr(LOOK_AGAIN))
        again.clicked.connect(self._on_look_again)
        row = QWidget()
        inside = QHBoxLayout(row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.muted(tr(DEVICES_UNKNOWN)), 1)
        inside.addWidget(again)
        self._replace_devices(row)

    def _on_look_again(self) -> None:
        self._replace_devices(self.muted(tr("Looking for devices…")))
        self._look_for_devices()

    def _replace_devices(self, widget: QWidget) -> None:
        self.replace(self._block, self._devices, widget)
        self._devices = widget

    # Rows.

    def _add_layers(self) -> QWidget:
        layers = Stepper(
            self._theme, label_of("gpu_layers"), self._app.settings.engine.gpu_layers,
            lowest=-1, highest=MOST_LAYERS, word_for_lowest=tr(AUTOMATIC_LABEL),
        )  # fmt: skip
        layers.changed.connect(lambda value: self._change(gpu_layers=int(value)))
        explanation = tr("“Automatic” uses as many as fit into its memory; 0 uses none.")
        return self.add_setting("gpu_layers", explanation, layers)

    def _add_experts(self) -> QWidget:
        experts = Switch(self._theme, label_of("experts_on_cpu"), on=self._app.settings.engine.experts_on_cpu)
        experts.toggled.connect(lambda wanted: self._change(experts_on_cpu=wanted))
        explanation = tr("For mixture-of-experts models. Experts stay in main memory, everything else goes to the GPU.")
        return self.add_setting("experts_on_cpu", explanation, experts)

    def _add_eyes(self) -> QWidget:
        eyes = Switch(self._theme, label_of("projector_on_cpu"), on=self._app.settings.engine.projector_on_cpu)
        eyes.toggled.connect(lambda wanted: self._change(projector_on_cpu=wanted))
        explanation = tr(
            "Slower, but leaves a small GPU’s memory to the model. Applies the next time a model is loaded."
        )
        return self.add_setting("projector_on_cpu", explanation, eyes)

    def _add_threads(self) -> None:
        most = max(64, os.cpu_count() or 1)
        threads = Stepper(
            self._theme, label_of("threads"), self._app.settings.engine.threads,
            lowest=0, highest=most, word_for_lowest=tr(AUTOMATIC_LABEL),
        )  # fmt: skip
        threads.changed.connect(lambda value: self._change(threads=int(value)))
        explanation = tr("How many CPU cores a model may use. “Automatic” leaves room for other programs.")
        self.add_setting("threads", explanation, threads)

    def _add_context(self) -> None:
        context = Stepper(
            self._theme, label_of("context_tokens"), self._app.settings.engine.context_tokens,
            lowest=0, highest=MOST_CONTEXT_TOKENS, step=1024, word_for_lowest=tr(AUTOMATIC_LABEL),
        )  # fmt: skip
        context.changed.connect(lambda value: self._change(context_tokens=int(value)))
        explanation = tr("How many tokens a model can hold. More tokens need more memory.")
        self.add_setting("context_tokens", explanation, context)

    def _add_kv_type(self) -> None:
        choices = [("", tr(AUTOMATIC_LABEL)), ("f16", tr("16-bit")), ("q8_0", tr("8-bit"))]
        name = label_of("kv_type")
        field = SegmentedControl(
            name, choices, self._app.settings.engine.kv_type, lambda key: self._change(kv_type=key)
        )
        self.add_setting("kv_type", tr("16-bit is exact; 8-bit uses half the memory."), field)

    # Reloading.

    def _add_foot(self) -> None:
        px = self._theme.px
        self._foot = QWidget()
        self._foot.setObjectName("settings_foot")
        self._foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inside = QHBoxLayout(self._foot)
        inside.setContentsMargins(px(28), px(10), px(28), px(10))
        inside.setSpacing(px(16))
        self._note = self.muted("")
        self.reload = text_button(tr(RELOAD_NOW), "primary")
        self.reload.clicked.connect(self.reload_wanted)
        inside.addWidget(self._note, 1)
        inside.addWidget(self.reload)
        self._foot.hide()
        self.foot.addWidget(self._foot)

    def _change(self, **values: Any) -> None:
        self._save("engine", **values)
        self.check_model()

    def watch_loader(self, loader: ModelLoader) -> None:
        """Follow the loader, as the loaded model changes what the page offers."""
        self._loader = loader
        loader.changed.connect(self.check_model)

    def check_model(self) -> None:
        """Offer a reload while the loaded model uses older settings."""
        is_loading = self._loader is not None and self._loader.state == "loading"
        is_outdated = self._app.is_outdated and not is_loading
        if is_loading:
            self._note.setText(tr(LOADING_NEW_VALUES))
        elif is_outdated:
            self._note.setText(tr("Saved. Applies when the model is reloaded."))
        self.reload.setVisible(is_outdated)
        # While loading, the line stays only if it offered the reload: other loads don't show it.
        self._foot.setVisible(is_outdated or (is_loading and self._foot.isVisibleTo(self)))


def _describe(app: Fireside) -> Iterator[tuple[DevicesDescribed, bool]]:
    """Describe the devices and tell whether the model is a mixture of experts. Runs on a thread."""
    yield app.engine.describe_devices(), _is_mixture(app)


def _is_mixture(app: Fireside) -> bool:
    path = app.model_path()
    try:
        if path is None:
            return False
        with path.open("rb") as file:
            experts = read_header(file).architecture_value("expert_count")
    except (OSError, GgufProblem):
        return False
    return isinstance(experts, int) and experts > 0


# Settings of memory and disk: when a model sleeps, and which context states are saved.


MOST_MINUTES = 24 * 60
MOST_GB = 1000


class MemorySection(SettingsSection):
    """Settings of sleeping models and of the saved states of contexts."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, tr("Sleep"))
        self._app, self._save = app, save
        self._add_sleep()
        self._add_states()
        self.finish()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._with_states(lambda: None)

    def _add_sleep(self) -> None:
        engine = self._app.settings.engine
        self.column.addWidget(self.muted(tr("A sleeping model uses no memory. It wakes up when you send a message.")))
        short = Switch(self._theme, label_of("memory"), on=engine.unload_when_memory_short)
        short.toggled.connect(lambda wanted: self._save("engine", unload_when_memory_short=wanted))
        explanation = tr("Frees memory for other programs. Never during an answer.")
        self.add_setting("memory", explanation, short)
        after = Stepper(
            self._theme, label_of("unload_after"), engine.unload_after_min,
            lowest=0, highest=MOST_MINUTES, step=5, word_for_lowest=tr(NEVER), suffix=tr(" min"),
        )  # fmt: skip
        after.changed.connect(lambda value: self._save("engine", unload_after_min=int(value)))
        self.add_setting("unload_after", tr("After this long without a message."), after)

    def _add_states(self) -> None:
        self.add_heading(tr("Saved states"))
        self.column.addWidget(
            self.muted(
                tr(
                    "Keeps what a model has read of a chat, so answers start at once when you return. Deleted "
                    "with the chat."
                )
            )
        )
        budget = Stepper(
            self._theme, label_of("states"), self._app.settings.engine.states_budget_mb / 1000,
            lowest=0, highest=MOST_GB, word_for_lowest=tr(NOTHING), suffix=tr(" GB"),
        )  # fmt: skip
        budget.changed.connect(self._on_budget)
        self.add_setting("states", tr("The least recently used are deleted first."), budget)
        self._size = self.muted(tr("Checking…"))
        self._size.setObjectName("states_size")
        self._clear = text_button(tr(CLEAR))
        self._clear.setAccessibleName(tr(CLEAR_SAVED_STATES))
        self._clear.setEnabled(False)
        self._clear.clicked.connect(self._ask_to_clear)
        row = QWidget()
        inside = QBoxLayout(QBoxLayout.Direction.LeftToRight, row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self._size, 1)
        inside.addWidget(self._clear)
        self.column.addWidget(row)
        self.turn_with_room(inside, self._clear, 16)

    def _on_budget(self, gigabytes: float) -> None:
        self._save("engine", states_budget_mb=round(gigabytes * 1000))
        self._with_states(self._app.states.trim)

    def _ask_to_clear(self) -> None:
        words = tr("The next answer in each chat and about each document will take longer.")
        self.ask(tr("Clear saved states?"), words, tr(CLEAR), lambda: self._with_states(self._app.states.clear))

    def _with_states(self, do: Callable[[], object]) -> None:
        """Run `do` on a thread, then show the folder's size."""

        def sized(_token: CancelToken) -> int:
            do()
            return self._app.states.size_bytes()

        # The folder may be on a slow disk.
        tasks.ask(sized, self, self._show_size)

    def _show_size(self, size_bytes: int) -> None:
        if size_bytes:
            self._size.setText(tr(KEPT_SIZE, size=size_text(size_bytes)))
        else:
            self._size.setText(tr(NOTHING_KEPT))
        self._clear.setEnabled(size_bytes > 0)


# Settings of documents, shared by all tabs.


class PassagesField(QWidget):
    """Choice of the embedding model that finds passages, with its progress and buttons to change, stop or remove it."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._app, self._ui = app, ui
        self.explanation = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.explanation.setProperty("kind", "muted")
        self.choose = text_button(tr("Choose…"), "plain")
        self.pause = text_button("", "quiet")
        self.off = text_button(tr("Turn off"), "plain")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for button, do in ((self.choose, self._on_choose), (self.off, self._on_off), (self.pause, self._on_pause)):
            button.clicked.connect(lambda _=False, do=do: do())
            column.addWidget(button)
            ui.theme.dress(button, font=(13, 500))
        ui.theme.dress(self.explanation, font=(13, 400))
        ui.theme.dress(column, spacing=6)
        if ui.passages is not None:
            ui.passages.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        path, indexing = self._app.settings.models.passages_path, self._ui.passages
        progress = indexing.progress if indexing is not None else None
        is_stopped = bool(path) and indexing is not None and indexing.is_stopped
        self.choose.setVisible(not path)
        self.off.setVisible(bool(path))
        self.pause.setVisible(bool(path) and (is_stopped or progress is not None))
        self.pause.setText(tr(RESUME) if is_stopped else tr(STOP))
        self.pause.setAccessibleName(self.pause.text())
        words = [tr("A second model finds passages by meaning, in any language it knows.")]
        if path:
            words = [tr("{name} finds passages by meaning.", name=self._app.name_of(Path(path)))]
        if is_stopped:
            words.append(tr("Preparing documents is paused."))
        elif path and progress is not None:
            share = 100 * progress.done // max(1, progress.total)
            values = {"name": progress.name, "share": share, "count": progress.documents_left}
            words.append(tr("Preparing {name}: {share} %. Documents left: {count}.", **values))
        elif path:
            words.append(tr("All documents in your chats are ready."))
        self.explanation.setText(" ".join(words))

    def _on_choose(self) -> None:
        # The settings would stay in front of the tab that opens.
        self.window().close()
        self._ui.go.open_models("passages")

    def _on_off(self) -> None:
        with self._ui.notify.guard():
            self._app.change_settings("models", passages_path="")
        self._show()

    def _on_pause(self) -> None:
        indexing = self._ui.passages
        if indexing is not None:
            (indexing.resume if indexing.is_stopped else indexing.stop)()


class DocumentsSection(SettingsSection):
    """Settings of documents. Length, form and language are chosen in the tabs, which remember them."""

    def __init__(self, app: Fireside, theme: Theme, save: Save, ui: UiContext | None = None) -> None:
        super().__init__(theme, tr(DOCUMENTS_LABEL))
        if ui is not None:
            self.passages = PassagesField(app, ui)
            self.add_setting("passages_model", self.passages.explanation, self.passages)
        awake = Switch(theme, label_of("stay_awake"), on=app.settings.summaries.stay_awake)
        awake.toggled.connect(lambda wanted: save("summaries", stay_awake=wanted))
        explanation = tr("Only when plugged in. The screen may still turn off.")
        self.add_setting("stay_awake", explanation, awake)
        scans = Switch(theme, label_of("read_scans"), on=app.settings.documents.pictures != "none")
        scans.toggled.connect(lambda wanted: save("documents", pictures="" if wanted else "none"))
        explanation = tr("Figures, and pages read by a model on another computer, are read only when you ask.")
        self.add_setting("read_scans", explanation, scans)
        self.add_setting("check_claims", tr(OFFER_WORDS), CheckerField(app, theme, save))
        self.finish()


# Settings of the network: on or off, proxy, access token, log of connections.


HUB = "https://huggingface.co"
PROXY_SCHEMES = ("http://", "https://", "socks5://")
MIRROR_SCHEMES = ("https://", "http://")


def address_problem(text: str, schemes: tuple[str, ...]) -> str:
    """Return why an address is invalid; "" if it is valid."""
    if not text:
        return ""  # the system's proxy, or the Hub itself
    if not text.startswith(schemes):
        return tr(MUST_START_WITH, one=schemes[0], other=schemes[1])
    if any(character.isspace() for character in text):
        return tr("It contains a space.")
    try:
        parts = urlsplit(text)
        # `port` raises ValueError if it isn't a port.
        host, _ = parts.hostname, parts.port
    except ValueError:
        return tr("The port must be a number up to 65535.")
    return "" if host else tr("The computer’s name is missing.")


def token_problem(text: str) -> str:
    """Return why a text can't be an access token; "" if it can."""
    if not text.isascii() or any(character.isspace() for character in text):
        return tr(PLAIN_TOKEN_ONLY)
    return ""


class AddressField(QWidget):
    """Address input, saved on Return or focus loss, if it is valid."""

    def __init__(self, page: SettingsPage, name: str, value: str, schemes: tuple[str, ...], hint: str) -> None:
        super().__init__()
        self._schemes = schemes
        self._saved = value
        self.on_save: Callable[[str], object] = lambda _text: None
        self.line = QLineEdit(value, placeholderText=hint)
        self.line.setAccessibleName(name)
        self.line.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # addresses are left to right in every language
        self.problem = page.label("", 13)
        self.problem.setProperty("kind", "danger")
        self.problem.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.line)
        column.addWidget(self.problem)
        self.line.textEdited.connect(lambda _: self._show_problem(""))
        self.line.editingFinished.connect(self._on_finished)

    def _on_finished(self) -> None:
        text = self.line.text().strip()
        problem = address_problem(text, self._schemes)
        self._show_problem(tr(NOT_SAVED, why=problem) if problem else "")
        if not problem and text != self._saved:
            self._saved = text
            self.on_save(text)

    def _show_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self.line.setAccessibleDescription(text)


class NetworkPage(SettingsPage):
    """Network settings: what may be reached, addresses, access token, connections made."""

    network_changed = Signal()
    """The offline switch was toggled."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, page_label("network"))
        self._app, self._save = app, save
        self._is_first = True
        self._add_switch()
        self._add_addresses()
        self._add_token()
        self._add_connections()
        self.finish()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        if self._is_first:  # the keyring may ask for a password, so only when the page is opened
            self._is_first = False
            self._look_for_token()

    def refresh(self) -> None:
        # On a thread, as the ledger may be long.
        tasks.ask(lambda _: connections.read(self._app.ledger), self, self._show_connections)

    # Switch and proxy.

    def _add_switch(self) -> None:
        intro = tr(
            "Fireside uses the network only to find and download models when you ask. What you write is only "
            "sent to model servers you choose."
        )
        self.column.addWidget(self.muted(intro))
        self.allowed = Switch(self._theme, label_of("allow_network"), on=self._app.settings.network.allowed)
        self.allowed.toggled.connect(self._on_allowed)
        explanation = tr("When off, Fireside makes no connections. Models on this computer still work.")
        self.add_setting("allow_network", explanation, self.allowed)
        self.internet = Switch(self._theme, label_of("allow_internet"), on=self._app.settings.network.internet)
        self.internet.toggled.connect(self._on_internet)
        explanation = tr("When off, only this computer and your own network can be reached.")
        self.add_setting("allow_internet", explanation, self.internet)

    def _on_internet(self, wanted: bool) -> None:
        self._save("network", internet=wanted)
        self.network_changed.emit()

    def _on_allowed(self, wanted: bool) -> None:
        self._save("network", allowed=wanted)
        self.network_changed.emit()

    def _add_addresses(self) -> None:
        network = self._app.settings.network
        proxy = AddressField(self, label_of("proxy"), network.proxy, PROXY_SCHEMES, tr("System proxy"))
        proxy.on_save = lambda text: self._save("network", proxy=text)
        explanation = tr("For example http://proxy.example:3128. Leave empty to use the system proxy.")
        self.add_block("proxy", explanation, proxy)
        mirror = AddressField(self, tr(MIRROR), network.mirror, MIRROR_SCHEMES, HUB)
        mirror.on_save = self._on_mirror
        explanation = tr("Used instead of the Hub. It never gets the Hub’s access token, but can have its own.")
        self.add_block("mirror", explanation, mirror)

    def _on_mirror(self, text: str) -> None:
        self._save("network", mirror=text)
        # Each host has a token of its own.
        self._look_for_token()

    # Access token.

    def _add_token(self) -> None:
        self.token = QLineEdit(echoMode=QLineEdit.EchoMode.Password, placeholderText="hf_…")
        self.token.setAccessibleName(tr(ACCESS_TOKEN))
        self.token.textEdited.connect(self._on_token_edited)
        self.token.returnPressed.connect(self._on_keep)
        self.keep = text_button(tr(SAVE))
        self.keep.setAccessibleName(tr(SAVE_TOKEN))
        self.keep.setEnabled(False)
        self.keep.clicked.connect(self._on_keep)
        self.forget = text_button(tr(FORGET))
        self.forget.setAccessibleName(tr(FORGET_TOKEN))
        self.forget.setEnabled(False)
        self.forget.clicked.connect(self._ask_to_forget)
        self.token_note = self.muted(tr("Checking…"))
        self.token_note.setObjectName("token_note")
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(self._theme.px(4))
        row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.addWidget(self.token, 1)
        row.addWidget(self.keep, 0, Qt.AlignmentFlag.AlignLeading)
        row.addWidget(self.forget, 0, Qt.AlignmentFlag.AlignLeading)
        column.addLayout(row)
        self.turn_with_room(row, self.token, 8)
        column.addWidget(self.token_note)
        self.add_block("access_token", tr("For models that require you to sign in."), holder)

    def _ask_to_forget(self) -> None:
        words = tr("This removes it from the system’s keyring. You can create a new one on the Hub.")
        self.ask(
            tr("Forget the access token?"), words, tr(FORGET), lambda: self._with_token(lambda: self._save_token(""))
        )

    def _look_for_token(self) -> None:
        host = self._app.hub_host
        self._with_token(lambda: self._app.token.load(host))

    def _on_token_edited(self, text: str) -> None:
        problem = token_problem(text.strip())
        self.keep.setEnabled(bool(text.strip()) and not problem)
        if problem:
            self._say_token(problem, is_problem=True)
        elif self.token_note.property("kind") == "danger":
            self._say_token("")

    def _on_keep(self) -> None:
        text = self.token.text().strip()
        if text and not token_problem(text):
            self._with_token(lambda: self._save_token(text))

    def _save_token(self, text: str) -> str:
        self._app.token.save(text, self._app.hub_host)
        return text

    def _with_token(self, do: Callable[[], str]) -> None:
        """Run a keyring call that returns the token, and show whether there is one."""
        self.keep.setEnabled(False)
        self.forget.setEnabled(False)
        # On a thread, as the keyring may ask for its password meanwhile.
        tasks.ask(lambda _: bool(do()), self, self._show_token, self._on_not_kept)

    def _show_token(self, is_there: bool) -> None:
        self.token.clear()
        self.forget.setEnabled(is_there)
        host = self._app.hub_host
        kept = tr(TOKEN_KEPT_IN_KEYRING, host=host)
        self._say_token(kept if is_there else tr(NO_TOKEN_KEPT, host=host))

    def _on_not_kept(self, error: BaseException) -> None:
        if not isinstance(error, AppError):
            raise error
        sentence = sentence_for(error)
        self.token.clear()
        # Whether one is kept is not known, so forgetting it is offered.
        self.forget.setEnabled(True)
        self._say_token(f"{tr(sentence.text)} {tr(sentence.kept)}".strip(), is_problem=True)

    def _say_token(self, text: str, *, is_problem: bool = False) -> None:
        self.token_note.setProperty("kind", "danger" if is_problem else "muted")
        self.token_note.style().polish(self.token_note)
        self.token_note.setText(text)

    # Log of connections.

    def _add_connections(self) -> None:
        self.setting_rows["connections_made"] = self.add_heading(label_of("connections_made"))
        self.connections = ConnectionTable(self._theme)
        self.connections.hide()
        self.totals = self.muted(tr("Checking…"))
        self.totals.setObjectName("totals")
        again = text_button(tr("Refresh"))
        again.setAccessibleName(tr(REFRESH_THE_CONNECTIONS))
        again.clicked.connect(self.refresh)
        row = QHBoxLayout()
        row.addWidget(self.totals, 1)
        row.addWidget(again)
        self.column.addLayout(row)
        self.column.addWidget(self.connections)

    def _show_connections(self, found: Connections) -> None:
        self.connections.rows.show_rows(found.rows)
        self.connections.setVisible(bool(found.rows))
        if not found.rows:
            self.totals.setText(tr(NO_CONNECTIONS_YET))
            return
        self.totals.setText(
            tr(
                CONNECTIONS_IN_ALL,
                count=f"{len(found.rows):,}",
                hosts=tr("1 host") if found.hosts == 1 else tr(HOST_COUNT, count=found.hosts),
                size=size_text(found.received_bytes),
            )
        )


# Devices for models: automatic, CPU only, or GPUs by name.


CPU = "CPU"
GPU_TYPES = ("gpu", "igpu", "accel", MACHINE)
AUTOMATIC: tuple[str, ...] = ()


class DeviceChoice(QWidget):
    """Choice of devices; `chosen` holds names as stored, empty for automatic.

    `has_choice` is False without a GPU, unless one was chosen before.
    """

    changed = Signal()

    def __init__(self, theme: Theme, devices: Sequence[Device], chosen: tuple[str, ...]) -> None:
        super().__init__()
        self._theme, self.chosen = theme, chosen
        self.setAccessibleName(tr(DEVICE))
        self._rows: dict[str, RadioRow | CheckRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.px(2))
        gpus = [device for device in devices if device.type in GPU_TYPES]
        # A device that was chosen but isn't found now is listed, so that it can be taken out.
        gone = [name for name in chosen if name != CPU and name not in {gpu.name for gpu in gpus}]
        self.has_choice = bool(gpus or gone or chosen)
        if not self.has_choice:
            return
        words = tr("Uses the GPU as far as a model fits, otherwise the CPU.")
        if any(gpu.type == MACHINE for gpu in gpus):
            words = tr("Uses the GPU as far as a model fits, then the CPU, then other computers.")
        self._add("", RadioRow(theme, tr(LET_FIRESIDE_CHOOSE), words))
        row_kind = CheckRow if len(gpus) + len(gone) > 1 else RadioRow
        for gpu in gpus:
            self._add(gpu.name, row_kind(theme, gpu.description or gpu.name, _detail(gpu)))
        for name in gone:
            self._add(name, row_kind(theme, name, tr(NOT_FOUND_NOW)))
        self._add(CPU, RadioRow(theme, tr(ONLY_THE_CPU), _detail_of_cpu(devices)))
        self._show()

    def _add(self, name: str, row: RadioRow | CheckRow) -> None:
        row.setAutoExclusive(False)  # check boxes and radio buttons form one choice here
        row.clicked.connect(lambda checked: self._on_clicked(name, checked=checked))
        self._rows[name] = row
        self._column.addWidget(row)

    def _on_clicked(self, name: str, *, checked: bool) -> None:
        if not isinstance(self._rows[name], CheckRow):
            chosen = (name,) if name else AUTOMATIC
        else:
            # "Only the CPU" excludes all others.
            wanted = set(self.chosen) - {CPU} | {name} if checked else set(self.chosen) - {name}
            chosen = tuple(row for row in self._rows if row and row in wanted)
        was, self.chosen = self.chosen, chosen
        self._show()
        if chosen != was:
            self.changed.emit()

    def _show(self) -> None:
        for name, row in self._rows.items():
            row.setChecked(name in self.chosen if name else not self.chosen)


def _detail(device: Device) -> str:
    if device.total_bytes <= 0:
        return device.name
    if device.type == MACHINE:
        free, total = format_gigabytes(device.free_bytes), format_gigabytes(device.total_bytes)
        return tr("Another computer · {free} of {total} GB free", free=free, total=total)
    return tr(
        DEVICE_FREE_MEMORY,
        name=device.name,
        free=format_gigabytes(device.free_bytes),
        total=format_gigabytes(device.total_bytes),
    )


def _detail_of_cpu(devices: Sequence[Device]) -> str:
    return next((device.description for device in devices if device.type == "cpu" and device.description), "")
