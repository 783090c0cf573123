"""What this computer has, in numbers that can be true."""

from __future__ import annotations

import os
import sys

import pytest

from app.engine.llama.devices import default_threads, free_memory_bytes, list_backends, list_devices
from app.engine.llama.library import open_library


def test_threads_are_not_more_than_this_process_may_use() -> None:
    assert 1 <= default_threads() <= (os.cpu_count() or 1)


@pytest.mark.skipif(sys.platform != "linux", reason="known on Linux only")
def test_free_memory_is_known_on_linux() -> None:
    assert 0 < free_memory_bytes() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.model
def test_the_processor_is_a_device_with_its_backend() -> None:
    library = open_library()
    cpu = next(device for device in list_devices(library) if device.type == "cpu")
    assert cpu.total_bytes >= cpu.free_bytes > 0
    assert "CPU" in list_backends(library)
