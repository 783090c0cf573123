"""Devices: left to the program, the CPU alone, or one or several GPUs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QRadioButton
from pytestqt.qtbot import QtBot

from app.engine.protocol import Device
from app.ui.device_choice import DeviceChoice
from app.ui.theme import Theme

GB = 10**9
CPU = Device("CPU", "Ryzen 7", "cpu", 0, 0)
INSIDE = Device("Vulkan0", "Radeon 780M", "igpu", 7 * GB, 8 * GB)
CARD = Device("Vulkan1", "RTX 4070", "gpu", 11 * GB, 12 * GB)
UNKNOWN = Device("Metal", "", "gpu", 0, 0)


def choice(qtbot: QtBot, *devices: Device, chosen: tuple[str, ...] = ()) -> DeviceChoice:
    made = DeviceChoice(Theme("light"), devices, chosen)
    qtbot.addWidget(made)
    made.show()
    return made


def rows(choice: DeviceChoice) -> dict[str, QAbstractButton]:
    return {row.accessibleName(): row for row in choice.findChildren(QAbstractButton)}


def checked(choice: DeviceChoice) -> list[str]:
    return [name for name, row in rows(choice).items() if row.isChecked()]


def press(qtbot: QtBot, choice: DeviceChoice, name: str) -> None:
    row = rows(choice)[name]
    row.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(row, Qt.Key.Key_Space)


def test_without_a_gpu_there_is_nothing_to_choose(qtbot: QtBot) -> None:
    made = choice(qtbot, CPU)
    assert not made.has_choice
    assert rows(made) == {}


def test_it_is_left_to_the_program_at_first(qtbot: QtBot) -> None:
    made = choice(qtbot, INSIDE, CPU)
    assert list(rows(made)) == ["Let Fireside choose", "Radeon 780M", "Only the CPU"]
    assert checked(made) == ["Let Fireside choose"]
    assert all(isinstance(row, QRadioButton) for row in rows(made).values())


def test_one_gpu_is_one_of_three_ways(qtbot: QtBot) -> None:
    made = choice(qtbot, INSIDE, CPU)
    for name, names in (("Radeon 780M", ("Vulkan0",)), ("Only the CPU", ("CPU",)), ("Let Fireside choose", ())):
        with qtbot.waitSignal(made.changed):
            press(qtbot, made, name)
        assert made.chosen == names
        assert checked(made) == [name]


def test_pressing_what_holds_already_changes_nothing(qtbot: QtBot) -> None:
    made = choice(qtbot, INSIDE, CPU)
    with qtbot.assertNotEmitted(made.changed):
        press(qtbot, made, "Let Fireside choose")
    assert checked(made) == ["Let Fireside choose"]


def test_several_gpus_may_be_chosen_together_in_the_order_of_the_list(qtbot: QtBot) -> None:
    made = choice(qtbot, INSIDE, CARD, CPU)
    assert isinstance(rows(made)["RTX 4070"], QCheckBox)
    press(qtbot, made, "RTX 4070")
    press(qtbot, made, "Radeon 780M")
    assert made.chosen == ("Vulkan0", "Vulkan1")
    assert checked(made) == ["Radeon 780M", "RTX 4070"]


def test_the_last_gpu_that_is_taken_away_leaves_it_to_the_program(qtbot: QtBot) -> None:
    made = choice(qtbot, INSIDE, CARD, CPU, chosen=("Vulkan1",))
    press(qtbot, made, "RTX 4070")
    assert made.chosen == ()
    assert checked(made) == ["Let Fireside choose"]


def test_a_gpu_in_place_of_only_the_cpu(qtbot: QtBot) -> None:
    made = choice(qtbot, INSIDE, CARD, CPU, chosen=("CPU",))
    press(qtbot, made, "Radeon 780M")
    assert made.chosen == ("Vulkan0",)
    assert checked(made) == ["Radeon 780M"]


def test_a_device_that_is_gone_is_shown_and_can_be_left(qtbot: QtBot) -> None:
    made = choice(qtbot, CPU, chosen=("Vulkan7",))
    assert made.has_choice
    assert rows(made)["Vulkan7"].accessibleDescription() == "Not found now"
    assert checked(made) == ["Vulkan7"]
    press(qtbot, made, "Let Fireside choose")
    assert made.chosen == ()


@pytest.mark.parametrize(
    ("device", "name", "detail"),
    [(CARD, "RTX 4070", "Vulkan1 · 11.0 of 12.0 GB free"), (UNKNOWN, "Metal", "Metal")],
)
def test_a_device_says_its_name_and_memory(qtbot: QtBot, device: Device, name: str, detail: str) -> None:
    assert rows(choice(qtbot, device, CPU))[name].accessibleDescription() == detail
