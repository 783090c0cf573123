"""Which devices a model may use: left to the program, the CPU alone, or GPUs by name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.engine.protocol import Device
from app.features.model_messages import gigabytes
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.choice import CheckRow, RadioRow

CPU = "CPU"
GPU_TYPES = ("gpu", "igpu", "accel")
AUTOMATIC: tuple[str, ...] = ()


class DeviceChoice(QWidget):
    """Rows to choose from; `chosen` holds device names as the settings keep them, empty for the program's choice.

    Without any GPU, and without one that was chosen before, there is nothing to choose: `has_choice` is False.
    """

    changed = Signal()

    def __init__(self, theme: Theme, devices: Sequence[Device], chosen: tuple[str, ...]) -> None:
        super().__init__()
        self._theme, self.chosen = theme, chosen
        self.setAccessibleName(tr("Device"))
        self._rows: dict[str, RadioRow | CheckRow] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.px(2))
        gpus = [device for device in devices if device.type in GPU_TYPES]
        gone = [name for name in chosen if name != CPU and name not in {gpu.name for gpu in gpus}]
        self.has_choice = bool(gpus or gone or chosen)
        if not self.has_choice:
            return
        self._add("", RadioRow(theme, tr("Let Fireside choose"), tr("The GPU as far as a model fits, else the CPU.")))
        row_kind = CheckRow if len(gpus) + len(gone) > 1 else RadioRow
        for gpu in gpus:
            self._add(gpu.name, row_kind(theme, gpu.description or gpu.name, _detail(gpu)))
        for name in gone:
            self._add(name, row_kind(theme, name, tr("Not found now")))
        self._add(CPU, RadioRow(theme, tr("Only the CPU"), _detail_of_cpu(devices)))
        self._show()

    def _add(self, name: str, row: RadioRow | CheckRow) -> None:
        row.setAutoExclusive(False)  # check boxes and radio buttons are one choice here
        row.clicked.connect(lambda checked: self._on_clicked(name, checked=checked))
        self._rows[name] = row
        self._column.addWidget(row)

    def _on_clicked(self, name: str, *, checked: bool) -> None:
        if not isinstance(self._rows[name], CheckRow):
            chosen = (name,) if name else AUTOMATIC
        else:
            wanted = set(self.chosen) - {CPU} | {name} if checked else set(self.chosen) - {name}
            chosen = tuple(one for one in self._rows if one and one in wanted)
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
    return tr(
        "{name} · {free} of {total} GB free",
        name=device.name,
        free=gigabytes(device.free_bytes),
        total=gigabytes(device.total_bytes),
    )


def _detail_of_cpu(devices: Sequence[Device]) -> str:
    return next((device.description for device in devices if device.type == "cpu" and device.description), "")
