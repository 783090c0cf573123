"""Child that lends this computer's devices: llama.cpp's RPC server, for one client at a time.

`app.engine.lending` starts it with `--lend-worker`. What a client sends may end it.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

from app.core.cage import close_sockets, keep_caches_here
from app.core.child import claim_wire
from app.core.errors.engine_errors import MachineUnusable
from app.core.wire import Caged, ParentSide, check_request
from app.engine import computer
from app.engine.lending import WIRE, InUse, Lend, Lending, NotLending
from app.engine.llama import devices
from app.engine.llama.llama_library import LlamaLibrary, open_library
from app.engine.model_cage import cage_lender
from app.engine.protocol import Device
from app.engine.rpc_machines import query_machine, watch_connections

# The server loads nothing when it begins, so a start that takes longer has failed.
LISTENS_WITHIN_S = 20.0
LOOK_EVERY_S = 1.0
TRY_EVERY_S = 0.05
FIRST_WORD_S = 5.0
"""Seconds in which a client must send something: one is served at a time, and a silent one would block all others."""
GET_MEMORY = 2  # the place of `get_memory` in struct ggml_backend_device_i, with which a device begins
_Memory = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_size_t))


def main(_arguments: list[str]) -> int:
    """Run `--lend-worker`. The process ends when its parent does."""
    # The wire is claimed before llama.cpp is loaded, which prints to descriptors 1 and 2.
    parent = ParentSide(WIRE, *claim_wire())
    parent.send_greeting()
    lend = check_request(next(parent.read_requests()))
    keep_caches_here()
    cage_lender(lend.port)
    # The child has nothing to save: with its parent it ends at once, in the middle of a transfer, too.
    parent.leave_with_parent(lambda _request: None)
    _Lending(open_library(), lend, parent).run()
    os._exit(0)  # the server's thread never ends by itself, and would hold the process


class _Lending:
    def __init__(self, library: LlamaLibrary, lend: Lend, parent: ParentSide) -> None:
        self._library, self._lend, self._parent = library, lend, parent
        self._offers: list[Any] = []  # C holds only their addresses

    def run(self) -> None:
        start = devices.rpc_function(self._library, "ggml_backend_rpc_start_server")
        problem = _problem_of_port(self._lend)
        # ggml's server prints why it can't listen and returns nothing, so the port is tried beforehand.
        if start is None or problem:
            self._parent.send_reply(NotLending(problem or "this build can’t lend memory"))
            return
        names = [device.name for device in lent_devices(devices.list_devices(self._library))]
        # Handles and devices are listed in the same order by ggml; `strict` finds out if they were not.
        handles = devices.find_handles(self._library, names)
        for handle, device in zip(handles, lent_devices(devices.list_devices(self._library)), strict=True):
            self._offer_device(handle, device)
        server = threading.Thread(target=self._serve_devices, args=(start, handles), name="server", daemon=True)
        # The function of ggml blocks for ever: it accepts one client after the other.
        server.start()
        self._tell_when_it_listens(server)
        self._tell_of_use(server)

    def _serve_devices(self, start: Any, handles: Sequence[int]) -> None:
        start.restype = None
        start.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]
        endpoint = f"{self._lend.host}:{self._lend.port}".encode("ascii")
        threads = self._lend.threads or computer.default_threads()
        # No folder for a cache of tensors: nothing of a borrower's model stays on this disk.
        start(endpoint, None, threads, len(handles), (ctypes.c_void_p * len(handles))(*handles))

    def _offer_device(self, handle: int, device: Device) -> None:
        """Limit the memory that a device reports, by replacing ggml's function in the device's table.

        ggml reports all memory of a processor as free and has no limit; the server asks through this pointer each time.
        """
        most, is_cpu = self._lend.memory_bytes, device.type == "cpu"
        # The struct of a device begins with its table of functions, so the handle can be read as an array of pointers.
        places = ctypes.cast(handle, ctypes.POINTER(ctypes.c_void_p))
        asked = _Memory(places[GET_MEMORY])
        own = computer.free_memory_bytes

        def get_memory(device_: int, free: Any, total: Any) -> None:
            asked(device_, free, total)
            # On a processor ggml says that all memory is free, whatever other programs hold.
            if is_cpu:
                free[0] = min(own() or free[0], free[0])
            if most:
                free[0], total[0] = min(free[0], most), min(total[0], most)

        offer = _Memory(get_memory)
        self._offers.append(offer)  # a callback that Python frees would be called by ggml all the same
        places[GET_MEMORY] = ctypes.cast(offer, ctypes.c_void_p).value or 0

    def _tell_when_it_listens(self, server: threading.Thread) -> None:
        until_s = time.monotonic() + LISTENS_WITHIN_S
        while server.is_alive() and time.monotonic() < until_s:
            try:
                # A whole round of questions, not only a connection: it shows that limits set above have come through.
                machine = query_machine(f"{self._lend.host}:{self._lend.port}")
            except MachineUnusable:
                time.sleep(TRY_EVERY_S)
                continue
            # Sizes are those a borrower is told, so that the limits set above show.
            found = lent_devices(devices.list_devices(self._library))
            told = [
                Device(device.name, device.description, device.type, offered.free_bytes, offered.total_bytes)
                for device, offered in zip(found, machine.devices, strict=True)
            ]
            # It listens and has asked itself: of sockets the one that listens, and what it accepts, are enough.
            self._parent.send_reply(Caged(close_sockets()))
            self._parent.send_reply(Lending(tuple(told)))
            return
        self._parent.send_reply(NotLending("the server didn’t start"))
        os._exit(1)  # the thread can't be ended otherwise

    def _tell_of_use(self, server: threading.Thread) -> None:
        """Report when a client connects or leaves, and drop dead connections."""
        was_used = False
        while server.is_alive():
            # Clients that connect and are silent are thrown out here, too: `FIRST_WORD_S`.
            is_used = watch_connections(FIRST_WORD_S) > 0
            if is_used != was_used:
                was_used = is_used
                self._parent.send_reply(InUse(is_used))
            time.sleep(LOOK_EVERY_S)


def lent_devices(found: Sequence[Device]) -> tuple[Device, ...]:
    """Return all GPUs that can be used, or the processor if there are none."""
    names = [gpu.name for gpu in devices.usable_gpus(found)]
    return tuple(device for device in found if (device.name in names if names else device.type == "cpu"))


def _problem_of_port(lend: Lend) -> str:
    """Return why nothing can listen at the port, which ggml's server does not say; "" if it can."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        # Not on Windows, where SO_REUSEADDR lets two programs listen at one port.
        if os.name == "posix":
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((lend.host, lend.port))
            tried.listen(1)
        except OSError as error:
            return error.strerror or str(error)
    return ""
