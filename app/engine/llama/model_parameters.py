"""Turn a layout into llama.cpp's parameters: devices, layers, experts, how weights are held, and the context."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.core.errors.engine_errors import MachineUnusable
from app.engine.llama.devices import find_handles, rpc_function
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.model_shape import (
    EXPERTS,
    MOST_PREDICTED_TOKENS,
    PREDICTION_BATCH_TOKENS,
    ExpertTensor,
    ModelLayout,
    ModelShape,
)
from app.engine.protocol import MACHINE, Device
from app.engine.rpc_machines import RemoteMachine, ask_all
from app.engine.tuning import FLASH_AUTO, FLASH_OFF

GGML_TYPES = {"f16": 1, "q8_0": 8}


class _Override(ctypes.Structure):
    """llama_model_tensor_buft_override: a pattern of tensor names, and the buffer that they go to."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


class ModelParameters:
    """llama.cpp's parameters for loading; keep this object until the model is loaded.

    `gpus` are device names, `split` their shares; without GPU layers none is set up. `borrowed` has handles of other
    computers' devices.
    """

    def __init__(
        self,
        library: LlamaLibrary,
        shape: ModelShape,
        layout: ModelLayout,
        gpus: Sequence[str],
        *,
        split: Sequence[float] = (),
        borrowed: Mapping[str, int] | None = None,
    ) -> None:
        c = library.c
        self.value = c.llama_model_default_params()
        used = gpus if layout.gpu_layers > 0 else ()
        # A NULL ends the list; without GPU layers it is empty, or llama.cpp would set every device up.
        self._devices = (ctypes.c_void_p * (len(used) + 1))(*find_handles(library, used, borrowed), None)
        self.value.devices = ctypes.cast(self._devices, ctypes.c_void_p)
        # llama.cpp counts layers for multi-token prediction, which come last and go to the GPU first.
        self.value.n_gpu_layers = layout.gpu_layers + (shape.unused_layers if layout.gpu_layers > 0 else 0)
        if layout.predicts:
            self.value.load_mtp = True
        # Repacking copies weights out of the mapped file, for a faster arrangement.
        self.value.use_extra_bufts = layout.repack
        if not layout.repack:
            self.value.load_mode = c.LLAMA_LOAD_MODE_MMAP
        if split and used:
            # llama.cpp reads as many shares as it knows devices, whatever the length of ours.
            room = max(c.llama_max_devices(), len(split))
            self._split = (ctypes.c_float * room)(*split)
            self.value.tensor_split = ctypes.cast(self._split, ctypes.POINTER(ctypes.c_float))
        patterns = [EXPERTS] if layout.experts_on_cpu else expert_patterns(shape, layout)
        if patterns:
            self._keep_on_cpu(library, patterns)

    def _keep_on_cpu(self, library: LlamaLibrary, patterns: Sequence[str]) -> None:
        # Kept on self: llama.cpp reads the patterns while it loads.
        library.base.ggml_backend_cpu_buffer_type.restype = ctypes.c_void_p
        main_memory = library.base.ggml_backend_cpu_buffer_type()
        overrides = [_Override(pattern.encode("ascii"), main_memory) for pattern in patterns]
        self._overrides = (_Override * (len(overrides) + 1))(*overrides, _Override(None, None))
        self.value.tensor_buft_overrides = ctypes.cast(self._overrides, ctypes.c_void_p)


def expert_patterns(shape: ModelShape, layout: ModelLayout) -> list[str]:
    """Return regular expressions for the expert tensors that a layout keeps in main memory one by one.

    One for all whole layers and one for each tensor of the last: llama.cpp tries every pattern on every tensor.
    """
    apart = shape.experts_apart(layout)
    if not apart:
        return []
    last = apart[-1].layer

    def of_last(tensors: Sequence[ExpertTensor]) -> list[ExpertTensor]:
        return [tensor for tensor in tensors if tensor.layer == last]

    is_whole = len(of_last(apart)) == len(of_last(shape.expert_tensors))
    whole = sorted({tensor.layer for tensor in apart if is_whole or tensor.layer < last})
    patterns = [rf"^blk\.({'|'.join(map(str, whole))}){EXPERTS}"] if whole else []
    if not is_whole:
        patterns += [f"^{re.escape(tensor.name)}$" for tensor in of_last(apart)]
    return patterns


def context_parameters(library: LlamaLibrary, layout: ModelLayout, threads: int, flash: str = FLASH_AUTO) -> Any:
    """Return llama.cpp's parameters for a context; `flash` as in `ModelTuning`.

    A decode may request few outputs only: each further row of logits takes memory for the whole vocabulary.
    """
    c = library.c
    parameters = c.llama_context_default_params()
    parameters.n_ctx = layout.context_tokens
    parameters.n_batch = parameters.n_ubatch = max(layout.batch_tokens, layout.picture_tokens)
    parameters.n_seq_max, parameters.n_outputs_max = layout.sequences, layout.outputs
    # One cache that all sequences share, so that one alone may use all of it.
    parameters.kv_unified = True
    parameters.n_threads = parameters.n_threads_batch = threads
    # Auto: llama.cpp checks whether the device can do it, as not each one does.
    parameters.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_AUTO
    # 8-bit values need flash attention, whatever was found for others.
    if flash == FLASH_OFF and layout.kv_type == "f16":
        parameters.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_DISABLED
    parameters.swa_full = True  # without it, re-using a prefix silently gives wrong answers on sliding-window models
    parameters.type_k = parameters.type_v = GGML_TYPES[layout.kv_type]
    # Its own timers cost a call to the clock for each operation.
    parameters.no_perf = True
    if layout.predicts:
        parameters.n_rs_seq = MOST_PREDICTED_TOKENS
    return parameters


def prediction_parameters(library: LlamaLibrary, layout: ModelLayout, threads: int, flash: str = FLASH_AUTO) -> Any:
    """Return llama.cpp's parameters for the context of a layer for multi-token prediction."""
    parameters = context_parameters(library, layout, threads, flash)
    parameters.ctx_type = library.c.LLAMA_CONTEXT_TYPE_MTP
    parameters.n_rs_seq = 0  # it keeps no recurrent state
    parameters.n_seq_max = parameters.n_outputs_max = 1
    parameters.n_batch = parameters.n_ubatch = PREDICTION_BATCH_TOKENS
    return parameters


class BorrowedDevices:
    """Known RPC workers and their devices.

    One that holds part of the loaded model isn't asked again: it serves one connection, and its first answer holds once
    that model is gone.
    """

    def __init__(self, library: LlamaLibrary) -> None:
        self._library = library
        self._known: dict[str, RemoteMachine] = {}
        self._handles: dict[str, list[int]] = {}

    def find_devices(
        self, addresses: Sequence[str], held: Collection[str] = ()
    ) -> tuple[tuple[Device, ...], tuple[MachineUnusable, ...]]:
        """Return the devices of workers that answer, and why the others can't be used. `held` are device names."""
        if addresses and rpc_function(self._library, "ggml_backend_rpc_add_server") is None:
            return (), tuple(MachineUnusable(address, "no_rpc") for address in addresses)
        kept = [
            machine
            for address in addresses
            if (machine := self._known.get(address)) and _names_of_devices(machine) & set(held)
        ]
        asked = [address for address in addresses if address not in {remote_machine.address for remote_machine in kept}]
        found, missed = ask_all(asked)
        self._known |= {machine.address: machine for machine in found}
        machines = {machine.address: machine for machine in (*kept, *found)}
        ordered = [machines[address] for address in dict.fromkeys(addresses) if address in machines]
        return tuple(device for machine in ordered for device in _lent_by(machine)), tuple(missed)

    def device_handles(self, names: Sequence[str]) -> dict[str, int]:
        """Return ggml's handles of devices found earlier, connecting to workers new to ggml.

        ggml ends the process if one doesn't answer.
        """
        found: dict[str, int] = {}
        # Only those that are needed: connecting takes one program at a time.
        for machine in self._known.values():
            wanted = [device.name for device in machine.devices]
            if set(wanted) & set(names):
                if machine.endpoint not in self._handles:
                    self._handles[machine.endpoint] = self._add_endpoint(machine.endpoint)
                found |= dict(zip(wanted, self._handles[machine.endpoint], strict=False))
        return found

    def device_names(self, handles: Mapping[str, int]) -> dict[str, str]:
        """Return what llama.cpp calls them and their memory where it tells what is there, and what they are called
        here.
        """
        self._library.base.ggml_backend_dev_name.restype = ctypes.c_char_p
        self._library.base.ggml_backend_dev_name.argtypes = [ctypes.c_void_p]
        found = {
            self._library.base.ggml_backend_dev_name(handle).decode("ascii"): name for name, handle in handles.items()
        }
        for machine in self._known.values():
            # As ggml-rpc.cpp puts the names together.
            found |= {f"RPC{number}[{machine.endpoint}]": device.name for number, device in enumerate(machine.devices)}
        return found

    def is_here(self, name: str) -> bool:
        """Return whether a borrowed device belongs to this computer itself."""
        return any(machine.is_here for machine in self._known.values() if name in _names_of_devices(machine))

    def _add_endpoint(self, endpoint: str) -> list[int]:
        add = rpc_function(self._library, "ggml_backend_rpc_add_server")
        assert add is not None
        add.restype, add.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        # ggml connects here, without a limit of time; `find_devices` has just had an answer.
        registry = add(endpoint.encode("ascii"))
        base = self._library.base
        base.ggml_backend_reg_dev_count.restype = ctypes.c_size_t
        base.ggml_backend_reg_dev_count.argtypes = [ctypes.c_void_p]
        base.ggml_backend_reg_dev_get.restype = ctypes.c_void_p
        base.ggml_backend_reg_dev_get.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        count = base.ggml_backend_reg_dev_count(registry) if registry else 0
        return [base.ggml_backend_reg_dev_get(registry, number) for number in range(count)]


def _names_of_devices(machine: RemoteMachine) -> set[str]:
    return {device.name for device in machine.devices}


def _lent_by(machine: RemoteMachine) -> list[Device]:
    return [
        Device(device.name, device.name, MACHINE, device.free_bytes, device.total_bytes) for device in machine.devices
    ]
