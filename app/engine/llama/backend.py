"""The real backend: carries out the worker's requests with llama.cpp."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from app.core.errors import ModelLoadFailed, NoModel
from app.core.gguf import check_model
from app.engine import protocol
from app.engine.backend import Job
from app.engine.llama import devices
from app.engine.llama.library import open_library
from app.engine.llama.loaded_model import LoadedModel
from app.engine.llama.loading import open_model

log = logging.getLogger(__name__)


class LlamaBackend:
    """At most one model and one context at a time."""

    name = "llama"

    def __init__(self) -> None:
        self._loaded: LoadedModel | None = None

    @property
    def busy(self) -> bool:
        """Whether answers run or wait."""
        return self._loaded is not None and self._loaded.decoder.busy

    @property
    def interactive(self) -> bool:
        """Whether somebody waits for one of them."""
        return self._loaded is not None and self._loaded.decoder.interactive

    @property
    def waits_for_device(self) -> bool:
        """Whether layers of the model are on a GPU."""
        return self._loaded is not None and self._loaded.model.gpu_layers > 0

    @property
    def unsaved(self) -> bool:
        """Whether a session has something that is not on disk."""
        return self._loaded is not None and self._loaded.decoder.pool.unsaved

    def prepare(self) -> None:
        """Loads the library; if that fails, the first request says so."""
        try:
            open_library()
        except (ImportError, OSError) as error:
            log.info("llama.cpp could not be loaded: %s", error)

    def load(self, request: protocol.LoadModel, job: Job) -> protocol.Loaded | protocol.Done:
        """Checks the file before the former model is given up, then loads it."""
        header = check_model(Path(request.path))
        try:
            library = open_library()
        except (ImportError, OSError) as error:
            raise ModelLoadFailed(request.path, f"llama.cpp could not be loaded: {error}") from error
        freed = self._loaded.needed_bytes if self._loaded else 0
        opened = open_model(library, request, header, job, freed_bytes=freed, give_up=self.unload)
        if opened is None:
            return protocol.Done(request.id)
        self._loaded = LoadedModel(library, request, opened)
        return self._loaded.described(request.id)

    def unload(self) -> None:
        """Saves sessions and frees context and model; background answers lose them."""
        if self._loaded is not None:
            self._loaded.free()
            self._loaded = None

    def begin(self, request: protocol.Generate, job: Job) -> None:
        """Starts an answer with the loaded model."""
        self._ready().begin(request, job)

    def step(self, urgent: Callable[[], bool]) -> None:
        """One decode."""
        self._ready().decoder.step(urgent)

    def forget(self, session: str) -> None:
        """Drops an idle session from memory."""
        if self._loaded is not None:
            self._loaded.decoder.pool.forget(session)

    def count_tokens(self, request: protocol.CountTokens) -> protocol.TokensCounted:
        """The length of the prompt as an answer would make it."""
        return self._ready().count_tokens(request)

    def count_texts(self, request: protocol.CountTexts) -> protocol.TextsCounted:
        """Tokens of each text."""
        model = self._ready().model
        counts = (len(model.tokenize(text, special=False)) for text in request.texts)
        return protocol.TextsCounted(request.id, tuple(counts))

    def describe_devices(self, request: protocol.DescribeDevices) -> protocol.DevicesDescribed:
        """Asked from ggml, which falls back silently when a GPU's library does not load."""
        library = open_library()
        loaded = self._loaded
        return protocol.DevicesDescribed(
            request.id,
            library.version,
            devices.list_devices(library),
            devices.list_backends(library),
            devices.default_threads(),
            devices.thread_policy() | (loaded.thread_counts() if loaded else {}),
        )

    def close(self) -> None:
        """Saves what is worth it."""
        if self._loaded is not None:
            self._loaded.close()

    def _ready(self) -> LoadedModel:
        if self._loaded is None:
            raise NoModel
        return self._loaded
