"""Settings of running models: devices, threads, context; they apply when a model is loaded again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.gguf import GgufProblem, read_header
from app.engine.protocol import MACHINE, Device, DevicesDescribed
from app.features.models.model_messages import format_gigabytes
from app.ui.i18n import tr
from app.ui.settings.library_field import LIBRARY_ABOUT, LibraryField
from app.ui.settings.settings_pages import Save, SettingsPage
from app.ui.settings.shared_sections import MemorySection
from app.ui.settings.tuning_field import TUNING_ABOUT, TuningField
from app.ui.shared_labels import AUTOMATIC_LABEL
from app.ui.shell import tasks
from app.ui.shell.settings_index import label_of, page_label
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.input_fields import CheckRow, RadioRow, SegmentedControl, Stepper
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.setting_rows import RowName

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.model_loader import ModelLoader


RELOAD_NOW = "Reload model"
LOADING_NEW_VALUES = "The model is loading with the new values."
NO_GPU_FOUND = "No GPU was found, so models run on the CPU."
DEVICE_FREE_MEMORY = "{name} · {free} of {total} GB free"
DEVICES_UNKNOWN = "The engine didn’t report any devices."
LOOK_AGAIN = "Check again"
NOT_FOUND_NOW = "Not found"
LET_FIRESIDE_CHOOSE = "Let Fireside choose"
ONLY_THE_CPU = "CPU only"
DEVICE = "Device"
MOST_CONTEXT_TOKENS = 1_048_576
MOST_LAYERS = 999


class EnginePage(SettingsPage):
    """Settings of the engine. Devices are requested on a thread, after the page is shown."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, page_label("engine"))
        self._app, self._save = app, save
        self._loader: ModelLoader | None = None
        self._devices: QWidget = self.muted(tr("Looking for devices…"))
        self._block = theme.dress(fill_layout(QVBoxLayout(), RowName(theme, label_of("device"), "row")), spacing=2)
        self._block.addWidget(self._devices)
        self.setting_rows["device"] = self.card.add_content(self._block)
        self._gpu_rows = [self._add_layers(), self._add_experts(), self._add_eyes()]
        for row in self._gpu_rows:
            row.hide()
        self._add_threads()
        self._add_context()
        self._add_kv_type()
        self._add_tuning()
        self._add_drafts()
        self._add_library()
        self.add_section(MemorySection(app, theme, save))
        self.finish()
        self._add_foot()
        self._is_asked = False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.check_model()
        if not self._is_asked:  # the engine is only started for this page when it is opened
            self._look_for_devices()

    def _look_for_devices(self) -> None:
        self._is_asked = True
        tasks.run(lambda _: _describe(self._app), self, on_event=self._on_described, on_failed=self._on_not_described)

    def _on_described(self, found: tuple[DevicesDescribed, bool]) -> None:
        described, is_mixture = found
        engine = self._app.settings.engine
        choice = DeviceChoice(self._theme, described.devices, engine.devices)
        # One that isn't put on the page would be kept for ever by this connection, and the page with it.
        if choice.has_choice:
            choice.changed.connect(lambda: self._change(devices=choice.chosen))
        self._replace_devices(choice if choice.has_choice else self.muted(tr(NO_GPU_FOUND)))
        has_gpu = any(device.type in GPU_TYPES for device in described.devices)
        layers, experts, eyes = self._gpu_rows
        # A choice stored before is shown without a GPU, too, so that it can be taken back.
        layers.setVisible(has_gpu or engine.gpu_layers >= 0)
        experts.setVisible((has_gpu and is_mixture) or engine.experts_on_cpu)
        eyes.setVisible(has_gpu or engine.projector_on_cpu)

    def _on_not_described(self, _: object) -> None:
        again = text_button(tr(LOOK_AGAIN), on_click=self._on_look_again)
        row = QWidget()
        fill_layout(drop_margins(QHBoxLayout(row)), (self.muted(tr(DEVICES_UNKNOWN)), 1), again)
        self._replace_devices(row)

    def _on_look_again(self) -> None:
        self._replace_devices(self.muted(tr("Looking for devices…")))
        self._look_for_devices()

    def _replace_devices(self, widget: QWidget) -> None:
        self.replace(self._block, self._devices, widget)
        self._devices = widget

    def _add_layers(self) -> QWidget:
        layers = Stepper(
            self._theme, label_of("gpu_layers"), self._app.settings.engine.gpu_layers,
            lowest=-1, highest=MOST_LAYERS, word_for_lowest=tr(AUTOMATIC_LABEL),
            on_change=lambda value: self._change(gpu_layers=int(value)),
        )  # fmt: skip
        explanation = tr("“Automatic” uses as many as fit; 0 uses none.")
        return self.add_setting("gpu_layers", explanation, layers)

    def _add_experts(self) -> QWidget:
        more = tr("Experts stay in main memory, everything else goes to the GPU.")
        return self._add_kept("experts_on_cpu", tr("For mixture-of-experts models."), more)

    def _add_eyes(self) -> QWidget:
        explanation = tr("Slower, but leaves a small GPU’s memory to the model.")
        return self._add_kept("projector_on_cpu", explanation, tr("Applies the next time a model is loaded."))

    def _add_kept(self, key: str, explanation: str, more: str) -> QWidget:
        is_on = getattr(self._app.settings.engine, key)
        self.add_switch(key, explanation, lambda wanted: self._change(**{key: wanted}), is_on=is_on, more=more)
        return self.setting_rows[key]

    def _add_drafts(self) -> None:
        explanation = tr("Guess words that repeat the prompt, while that is faster.")
        self._add_kept("drafts", explanation, tr("The model still chooses every word."))

    def _add_threads(self) -> None:
        most = max(64, os.cpu_count() or 1)
        threads = Stepper(
            self._theme, label_of("threads"), self._app.settings.engine.threads,
            lowest=0, highest=most, word_for_lowest=tr(AUTOMATIC_LABEL),
            on_change=lambda value: self._change(threads=int(value)),
        )  # fmt: skip
        explanation = tr("How many CPU cores a model may use.")
        self.add_setting("threads", explanation, threads, tr("“Automatic” leaves room for other programs."))

    def _add_context(self) -> None:
        context = Stepper(
            self._theme, label_of("context_tokens"), self._app.settings.engine.context_tokens,
            lowest=0, highest=MOST_CONTEXT_TOKENS, step=1024, word_for_lowest=tr(AUTOMATIC_LABEL),
            on_change=lambda value: self._change(context_tokens=int(value)),
        )  # fmt: skip
        explanation = tr("How many tokens a model can hold.")
        self.add_setting("context_tokens", explanation, context, tr("More tokens need more memory."))

    def _add_kv_type(self) -> None:
        choices = [("", tr(AUTOMATIC_LABEL)), ("f16", tr("16-bit")), ("q8_0", tr("8-bit"))]
        name = label_of("kv_type")
        field = SegmentedControl(
            self._theme, name, choices, self._app.settings.engine.kv_type, lambda key: self._change(kv_type=key)
        )
        self.add_setting("kv_type", tr("16-bit is exact; 8-bit uses half the memory."), field)

    def _add_tuning(self) -> None:
        state = self.muted("")
        self.add_setting("tuning", state, TuningField(self._app, self._theme, state), tr(TUNING_ABOUT))

    def _add_library(self) -> None:
        state = self.muted("")
        field = LibraryField(self._app, self._theme, state)
        field.chosen.connect(lambda folder: self._change(library_folder=folder))
        self.add_setting("llama_cpp", state, field, tr(LIBRARY_ABOUT))

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
        fill_layout(inside, (self._note, 1), self.reload)
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
        is_outdated = self._app.engine.is_outdated and not is_loading
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
        self._column = drop_margins(QVBoxLayout(self))
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
