"""Turns a layout into llama.cpp's parameters: devices, layers, experts, how weights are held, and the context."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from app.engine.footprint import EXPERTS, Layout
from app.engine.llama.devices import find_handles
from app.engine.llama.library import Library

GGML_TYPES = {"f16": 1, "q8_0": 8}


class _Override(ctypes.Structure):
    """llama_model_tensor_buft_override."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


class ModelParameters:
    """llama.cpp's parameters for loading a model; keep this object until the model is loaded.

    `gpus` are names of devices, `split` their shares; without layers on a GPU none is even set up.
    """

    def __init__(self, library: Library, layout: Layout, gpus: Sequence[str], split: Sequence[float] = ()) -> None:
        c = library.c
        self.value = c.llama_model_default_params()
        used = gpus if layout.gpu_layers > 0 else ()
        self._devices = (ctypes.c_void_p * (len(used) + 1))(*find_handles(library, used), None)
        self.value.devices = ctypes.cast(self._devices, ctypes.c_void_p)
        self.value.n_gpu_layers = layout.gpu_layers
        self.value.use_extra_bufts = layout.repack
        if not layout.repack:
            self.value.load_mode = c.LLAMA_LOAD_MODE_MMAP
        if split and used:
            room = max(c.llama_max_devices(), len(split))
            self._split = (ctypes.c_float * room)(*split)
            self.value.tensor_split = ctypes.cast(self._split, ctypes.POINTER(ctypes.c_float))
        if layout.experts_on_cpu:
            self._place_experts(library)

    def _place_experts(self, library: Library) -> None:
        library.base.ggml_backend_cpu_buffer_type.restype = ctypes.c_void_p
        pattern = EXPERTS.encode("ascii")
        self._overrides = (_Override * 2)(
            _Override(pattern, library.base.ggml_backend_cpu_buffer_type()), _Override(None, None)
        )
        self.value.tensor_buft_overrides = ctypes.cast(self._overrides, ctypes.c_void_p)


def context_parameters(library: Library, layout: Layout, threads: int) -> Any:
    """llama.cpp's parameters for a context. A decode may ask for one output a sequence, not more: each row of logits
    beyond takes memory for the whole vocabulary.
    """
    c = library.c
    parameters = c.llama_context_default_params()
    parameters.n_ctx = layout.context_tokens
    parameters.n_batch = parameters.n_ubatch = layout.batch_tokens
    parameters.n_seq_max = parameters.n_outputs_max = layout.sequences
    parameters.kv_unified = True
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_AUTO
    parameters.swa_full = True  # without it, re-using a prefix silently gives wrong answers on sliding-window models
    parameters.type_k = parameters.type_v = GGML_TYPES[layout.kv_type]
    parameters.no_perf = True
    return parameters
