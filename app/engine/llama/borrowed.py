"""Devices of other computers, as far as they answer; ggml gets to know a computer when a model is laid out on it."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Mapping, Sequence

from app.core.errors import MachineUnusable
from app.engine.llama.devices import rpc_function
from app.engine.llama.library import Library
from app.engine.machines import Machine, ask_all
from app.engine.protocol import MACHINE, Device


class Borrowed:
    """What was found out about other computers. One that holds a part of the loaded model is not asked: it would not
    answer a second time, and what it said before still holds once that model is gone.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._known: dict[str, Machine] = {}
        self._handles: dict[str, list[int]] = {}

    def look(
        self, addresses: Sequence[str], held: Collection[str] = ()
    ) -> tuple[tuple[Device, ...], tuple[MachineUnusable, ...]]:
        """The devices of those that answer, and why the others are of no use. `held` are devices' names."""
        if addresses and rpc_function(self._library, "ggml_backend_rpc_add_server") is None:
            return (), tuple(MachineUnusable(address, "no_rpc") for address in addresses)
        kept = [one for address in addresses if (one := self._known.get(address)) and _names(one) & set(held)]
        asked = [address for address in addresses if address not in {one.address for one in kept}]
        found, missed = ask_all(asked)
        self._known |= {machine.address: machine for machine in found}
        machines = {machine.address: machine for machine in (*kept, *found)}
        ordered = [machines[address] for address in dict.fromkeys(addresses) if address in machines]
        return tuple(device for machine in ordered for device in _devices(machine)), tuple(missed)

    def handles(self, names: Sequence[str]) -> dict[str, int]:
        """ggml's handles of devices that `look` found; connects to those that ggml does not know yet.

        ggml ends the process where one does not answer any more.
        """
        found: dict[str, int] = {}
        for machine in self._known.values():
            wanted = [device.name for device in machine.devices]
            if set(wanted) & set(names):
                if machine.endpoint not in self._handles:
                    self._handles[machine.endpoint] = self._add(machine.endpoint)
                found |= dict(zip(wanted, self._handles[machine.endpoint], strict=False))
        return found

    def names(self, handles: Mapping[str, int]) -> dict[str, str]:
        """What llama.cpp calls them and their memory where it tells what is there, and what they are called here."""
        self._library.base.ggml_backend_dev_name.restype = ctypes.c_char_p
        self._library.base.ggml_backend_dev_name.argtypes = [ctypes.c_void_p]
        found = {
            self._library.base.ggml_backend_dev_name(handle).decode("ascii"): name for name, handle in handles.items()
        }
        for machine in self._known.values():
            found |= {f"RPC{number}[{machine.endpoint}]": one.name for number, one in enumerate(machine.devices)}
        return found

    def is_here(self, name: str) -> bool:
        """Whether a device is this very computer's own."""
        return any(machine.is_here for machine in self._known.values() if name in _names(machine))

    def _add(self, endpoint: str) -> list[int]:
        add = rpc_function(self._library, "ggml_backend_rpc_add_server")
        assert add is not None
        add.restype, add.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        registry = add(endpoint.encode("ascii"))
        base = self._library.base
        base.ggml_backend_reg_dev_count.restype = ctypes.c_size_t
        base.ggml_backend_reg_dev_count.argtypes = [ctypes.c_void_p]
        base.ggml_backend_reg_dev_get.restype = ctypes.c_void_p
        base.ggml_backend_reg_dev_get.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        count = base.ggml_backend_reg_dev_count(registry) if registry else 0
        return [base.ggml_backend_reg_dev_get(registry, number) for number in range(count)]


def _names(machine: Machine) -> set[str]:
    return {device.name for device in machine.devices}


def _devices(machine: Machine) -> list[Device]:
    return [Device(one.name, one.name, MACHINE, one.free_bytes, one.total_bytes) for one in machine.devices]
