"""Settings of other computers that lend memory: each is tested before it is stored, and shows its free memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.core.build import terminal_command
from app.core.errors.app_error import expected_error
from app.engine.protocol import MACHINE, Device, DevicesDescribed
from app.features.models.model_messages import format_gigabytes
from app.ui.i18n import sentence_for, tr, tr_count
from app.ui.settings.settings_pages import SettingsSection
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.shell.settings_index import label_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import plain_label, tell_problem
from app.ui.widgets.layouts import fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.engine.rpc_machines import LentDevice, RemoteMachine

NOT_ASKED = "Not checked because the network is off."
DEVICES_FREE_MEMORY = "{count} devices, {free} of {total} GB free"
FREE_MEMORY = "{free} of {total} GB free"


class ComputerRow(QWidget):
    """Row of a computer: address, memory or problem, Remove."""

    def __init__(self, theme: Theme, address: str) -> None:
        super().__init__()
        self.address = address
        name = plain_label(address)
        name.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # addresses are left to right in every language
        self.said = theme.dress(plain_label(tr("Connecting…"), kind="muted", wraps=True), font="small")
        self.remove = IconButton(theme, "x", tr("Remove {address}", address=address), size_px=16)
        words = theme.dress(fill_layout(QVBoxLayout(), (name, 0, Qt.AlignmentFlag.AlignLeading), self.said), spacing=2)
        row = fill_layout(QHBoxLayout(self), (words, 1), (self.remove, 0, Qt.AlignmentFlag.AlignTop))
        theme.dress(row, margins=(0, 0, 0, 0), spacing=8)

    def show_devices(self, devices: Sequence[Device | LentDevice]) -> None:
        """Show free and total memory, summed over a computer's devices."""
        free, total = (format_gigabytes(sum(getattr(device, field) for device in devices)) for field in _BYTES)
        self.show_words(tr_count(FREE_MEMORY, DEVICES_FREE_MEMORY, len(devices), free=free, total=total))

    def show_words(self, text: str, *, is_problem: bool = False) -> None:
        self.said.setProperty("kind", "danger" if is_problem else "muted")
        # The style sheet looks at a property only when it is applied again.
        self.said.style().polish(self.said)
        self.said.setText(text)


_BYTES = ("free_bytes", "total_bytes")


class AddressLine(QLineEdit):
    """Address field in which Return tests the address, and doesn't close the dialog."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.returnPressed.emit()
        else:
            super().keyPressEvent(event)


class ComputersSection(SettingsSection):
    """Section of computers.

    Each is queried on a thread; the engine, which may hold one's connection, answers for the stored ones.
    """

    def __init__(self, app: Fireside, theme: Theme, notify: Notify) -> None:
        intro = tr(
            "Share a large model across computers when memory runs out, or always if you choose them as a device."
        )
        super().__init__(theme, label_of("computers"), intro)
        self._app, self._notify = app, notify
        self.rows: list[ComputerRow] = []
        how = self.muted(
            tr(
                "On the other computer, turn on “{lend}”, or run this in a terminal with its own address:\n{command}",
                lend=label_of("lending"),
                command=terminal_command("lend --host 192.168.1.7"),
            )
        )
        how.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)  # to copy the command
        self.column.addWidget(how)
        warning = tr(
            "Use only in a network you trust. The connection isn’t encrypted, and anyone who can reach that "
            "address can use it."
        )
        self.column.addWidget(self.label(warning, "small"))
        self._list = theme.dress(QVBoxLayout(), spacing=12)
        self.again = text_button(tr("Check again"), on_click=lambda _=False: self._query_computers())
        line = self._make_line()
        self.add_content(line, self.note, self._list, fill_layout(QHBoxLayout(), self.again, 1))
        self.finish()
        self._show_rows()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._query_computers()

    def _make_line(self) -> QBoxLayout:
        self.line = AddressLine(placeholderText="192.168.1.7:50052")
        self.line.setAccessibleName(tr("Address of a computer"))
        self.line.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.add = text_button(tr("Test and add"), "primary", on_click=lambda _=False: self._on_add())
        self.add.setEnabled(False)
        self.note = self.muted("")
        self.note.setObjectName("computer_note")
        self.note.hide()
        row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        fill_layout(row, (self.line, 1), (self.add, 0, Qt.AlignmentFlag.AlignLeading))
        self.turn_with_room(row, self.line, 8)
        self.line.textEdited.connect(self._on_edited)
        self.line.returnPressed.connect(self._on_add)
        return row

    def _on_edited(self, text: str) -> None:
        self.add.setEnabled(bool(text.strip()))
        self._show_note("")

    def _on_add(self) -> None:
        # Return works in a field that is read-only, too.
        if not (address := self.line.text().strip()) or self.line.isReadOnly():
            return
        self._set_trying(is_trying=True)
        self._show_note(tr("Contacting {address}…", address=address))
        tasks.ask(lambda _: self._app.machines.add(address), self, self._on_added, self._on_not_added)

    def _on_added(self, machine: RemoteMachine) -> None:
        self._set_trying(is_trying=False)
        self.line.clear()
        self.add.setEnabled(False)
        self._show_note(tr("{address} is ready. It will be used when a model is next loaded.", address=machine.address))
        self._show_rows()
        for row in self.rows:
            if row.address == machine.address:
                row.show_devices(machine.devices)

    def _on_not_added(self, error: BaseException) -> None:
        self._set_trying(is_trying=False)
        error = expected_error(error)
        sentence = sentence_for(error)
        self._show_note(str(sentence), is_problem=True)
        self.line.setFocus()

    def _set_trying(self, *, is_trying: bool) -> None:
        self.line.setReadOnly(is_trying)
        self.add.setEnabled(not is_trying)

    def _show_note(self, text: str, *, is_problem: bool = False) -> None:
        self.note.setProperty("kind", "danger" if is_problem else "muted")
        self.note.style().polish(self.note)
        self.note.setText(text)
        self.note.setVisible(bool(text))
        tell_problem(self.line, text if is_problem else "")

    def _show_rows(self) -> None:
        # Rows that stay keep what they show of their computer.
        kept = {row.address: row for row in self.rows}
        addresses = self._app.machines.addresses
        for address, row in kept.items():
            if address not in addresses:
                self._list.removeWidget(row)
                row.hide()
                row.deleteLater()
        self.rows = [kept.get(address) or self._row(address) for address in addresses]
        self.again.setVisible(bool(self.rows))

    def _row(self, address: str) -> ComputerRow:
        row = ComputerRow(self._theme, address)
        row.remove.clicked.connect(lambda _=False: self._on_remove(address))
        self._list.addWidget(row)
        return row

    def _on_remove(self, address: str) -> None:
        with self._notify.guard():
            self._app.machines.remove(address)
        self._show_rows()
        self.line.setFocus()

    def _query_computers(self) -> None:
        if not self.rows:
            return
        for row in self.rows:
            row.show_words(tr("Connecting…"))
        self.again.setEnabled(False)
        tasks.ask(lambda _: self._app.engine.describe_devices(), self, self._on_described, self._on_not_described)

    def _on_described(self, found: DevicesDescribed) -> None:
        self.again.setEnabled(True)
        problems = {problem.address: sentence_for(problem).text for problem in found.missed}
        for row in self.rows:
            if own := _own(found.devices, row.address):
                row.show_devices(own)
            elif self._app.settings.network.allowed:
                row.show_words(problems.get(row.address, ""), is_problem=True)
            else:
                row.show_words(tr(NOT_ASKED))

    def _on_not_described(self, error: BaseException) -> None:
        self.again.setEnabled(True)
        error = expected_error(error)
        for row in self.rows:
            row.show_words(sentence_for(error).text, is_problem=True)


def _own(devices: Sequence[Device], address: str) -> list[Device]:
    # Further devices of a computer are named "address #2" and so on.
    return [device for device in devices if device.type == MACHINE and device.name.partition(" #")[0] == address]
