"""The settings of how models run: devices, threads, context; they are in force when a model is loaded again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.gguf import GgufProblem, read_header
from app.engine.protocol import DevicesDescribed
from app.ui.device_choice import GPU_TYPES, DeviceChoice
from app.ui.settings_page import SettingsPage
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import Segments, Stepper, Switch

if TYPE_CHECKING:
    from app.bootstrap import Fireside

MOST_CONTEXT_TOKENS = 1_048_576
MOST_LAYERS = 999
Save = Callable[..., None]


class EnginePage(SettingsPage):
    """Devices are asked from the engine while the page is already there."""

    reload_wanted = Signal()

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, tr("Engine"))
        self._app, self._save = app, save
        self._block = QVBoxLayout()
        self._block.setSpacing(theme.px(4))
        self._block.addWidget(QLabel(tr("Device")))
        self._devices: QWidget = self.muted(tr("Looking for devices…"))
        self._block.addWidget(self._devices)
        self.column.addLayout(self._block)
        self._gpu_rows = [self._add_layers(), self._add_experts()]
        for row in self._gpu_rows:
            row.hide()
        self._add_threads()
        self._add_context()
        self._add_kv_type()
        self.finish()
        self._add_foot()
        self._is_asked = False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._is_asked:  # only who opens this page starts the engine for it
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
        self._put(choice if choice.has_choice else self.muted(tr("No GPU was found, so models run on the CPU.")))
        has_gpu = any(device.type in GPU_TYPES for device in described.devices)
        layers, experts = self._gpu_rows
        layers.setVisible(has_gpu or engine.gpu_layers >= 0)
        experts.setVisible((has_gpu and is_mixture) or engine.experts_on_cpu)

    def _on_not_described(self, _: object) -> None:
        again = text_button(tr("Look again"))
        again.clicked.connect(self._on_look_again)
        row = QWidget()
        inside = QHBoxLayout(row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.muted(tr("The engine did not say which devices there are.")), 1)
        inside.addWidget(again)
        self._put(row)

    def _on_look_again(self) -> None:
        self._put(self.muted(tr("Looking for devices…")))
        self._look_for_devices()

    def _put(self, widget: QWidget) -> None:
        self.replace(self._block, self._devices, widget)
        self._devices = widget

    # Rows.

    def _add_layers(self) -> QWidget:
        layers = Stepper(
            self._theme, tr("Layers on the GPU"), self._app.settings.engine.gpu_layers,
            lowest=-1, highest=MOST_LAYERS, word_for_lowest=tr("Automatic"),
        )  # fmt: skip
        layers.changed.connect(lambda value: self._change(gpu_layers=int(value)))
        explanation = tr("Automatic: as many as fit into its memory. 0: none.")
        return self.add_row(tr("Layers on the GPU"), explanation, layers)

    def _add_experts(self) -> QWidget:
        experts = Switch(self._theme, tr("Keep experts on the CPU"), on=self._app.settings.engine.experts_on_cpu)
        experts.toggled.connect(lambda wanted: self._change(experts_on_cpu=wanted))
        explanation = tr("For mixtures of experts: their large parts stay in main memory, the rest goes to the GPU.")
        return self.add_row(tr("Keep experts on the CPU"), explanation, experts)

    def _add_threads(self) -> None:
        most = max(64, os.cpu_count() or 1)
        threads = Stepper(
            self._theme, tr("Threads"), self._app.settings.engine.threads,
            lowest=0, highest=most, word_for_lowest=tr("Automatic"),
        )  # fmt: skip
        threads.changed.connect(lambda value: self._change(threads=int(value)))
        explanation = tr("How many of the CPU’s cores a model may use. Automatic gives way to other programs.")
        self.add_row(tr("Threads"), explanation, threads)

    def _add_context(self) -> None:
        context = Stepper(
            self._theme, tr("Context"), self._app.settings.engine.context_tokens,
            lowest=0, highest=MOST_CONTEXT_TOKENS, step=1024, word_for_lowest=tr("Automatic"),
        )  # fmt: skip
        context.changed.connect(lambda value: self._change(context_tokens=int(value)))
        explanation = tr("How many tokens a model keeps in mind. More needs more memory.")
        self.add_row(tr("Context"), explanation, context)

    def _add_kv_type(self) -> None:
        choices = [("", tr("Automatic")), ("f16", tr("16 bit")), ("q8_0", tr("8 bit"))]
        name = tr("Context kept in")
        field = Segments(name, choices, self._app.settings.engine.kv_type, lambda key: self._change(kv_type=key))
        self.add_row(name, tr("16 bit is exact, 8 bit takes half the memory."), field)

    # Loading again.

    def _add_foot(self) -> None:
        px = self._theme.px
        self._foot = QWidget()
        self._foot.setObjectName("settings_foot")
        self._foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inside = QHBoxLayout(self._foot)
        inside.setContentsMargins(px(28), px(10), px(28), px(10))
        inside.setSpacing(px(16))
        self._note = self.muted("")
        self.reload = text_button(tr("Reload now"), "primary")
        self.reload.clicked.connect(self._on_reload)
        inside.addWidget(self._note, 1)
        inside.addWidget(self.reload)
        self._foot.hide()
        self.foot.addWidget(self._foot)

    def _change(self, **values: Any) -> None:
        self._save("engine", **values)
        self._note.setText(tr("Saved. It applies when the model is loaded again."))
        self.reload.show()
        self._foot.show()

    def _on_reload(self) -> None:
        self.reload.hide()
        self._note.setText(tr("The model is loading with the new values."))
        self.reload_wanted.emit()


def _describe(app: Fireside) -> Iterator[tuple[DevicesDescribed, bool]]:
    """On a thread: what the engine says, and whether the chosen model is a mixture of experts."""
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
