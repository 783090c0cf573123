"""The devices that really exist, and which of them a model is to use."""

from __future__ import annotations

import pytest

from app.engine.llama.devices import find_handles, list_backends, list_devices, usable_gpus
from app.engine.llama.llama_library import open_library
from app.engine.protocol import Device

CPU = Device("CPU", "a processor", "cpu", 8, 16)
INTEGRATED = Device("Vulkan1", "on the board", "igpu", 4, 8)
CARD = Device("CUDA0", "a card", "gpu", 10, 12)
SAME_CARD = Device("Vulkan0", "a card", "gpu", 10, 12)
SECOND_CARD = Device("CUDA1", "a card", "gpu", 9, 12)


@pytest.mark.model
def test_the_processor_is_a_device_with_its_backend() -> None:
    library = open_library()
    cpu = next(device for device in list_devices(library) if device.type == "cpu")
    assert cpu.total_bytes >= cpu.free_bytes > 0
    assert "CPU" in list_backends(library)
    assert len(find_handles(library, ["CPU", "CPU"])) == 2


def names(*found: Device, asked: tuple[str, ...] = ()) -> list[str]:
    return [gpu.name for gpu in usable_gpus(found, asked)]


def test_every_card_is_used_once_though_two_backends_offer_it() -> None:
    assert names(CPU, CARD, SECOND_CARD, SAME_CARD) == ["CUDA0", "CUDA1"]


def test_an_integrated_gpu_only_without_a_card() -> None:
    assert names(CPU, INTEGRATED) == ["Vulkan1"]
    assert names(CPU, INTEGRATED, CARD) == ["CUDA0"]
    assert names(CPU) == []


def test_named_devices_are_used_in_their_order_and_others_not() -> None:
    found = (CPU, CARD, SECOND_CARD, SAME_CARD, INTEGRATED)
    assert names(*found, asked=("Vulkan1", "CUDA1")) == ["Vulkan1", "CUDA1"]
    assert names(*found, asked=("CPU",)) == []
    assert names(*found, asked=("CUDA7", "Vulkan0")) == ["Vulkan0"]


def test_what_shares_the_main_memory_is_known() -> None:
    software = Device("Vulkan0", "llvmpipe (LLVM 19, 256 bits)", "gpu", 8, 16)
    shared = {gpu.description: gpu.shared for found in (INTEGRATED, software) for gpu in usable_gpus([found])}
    assert shared == {INTEGRATED.description: True, software.description: True}
