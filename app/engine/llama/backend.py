"""The real backend: carries out the worker's requests with llama.cpp."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.core.errors import ChatUnavailable, ModelLoadFailed, NoModel, TemplateFailed
from app.core.events import FinishReason
from app.core.gguf import GgufHeader, check_model
from app.engine import protocol
from app.engine.answer import Answer
from app.engine.backend import Job
from app.engine.llama import devices
from app.engine.llama.library import open_library
from app.engine.llama.model import Model, load_model
from app.engine.llama.sampling import choose, make_chain
from app.engine.llama.session import Session, open_session
from app.engine.llama.template import TemplateProblem

DEFAULT_CONTEXT_TOKENS = 8192
LEAST_CONTEXT_TOKENS = 512
CONTEXT_STEP_TOKENS = 256
MEMORY_SHARE = 0.7  # of what is free beside the model; the rest is for everybody else


class LlamaBackend:
    """At most one model and one session at a time."""

    name = "llama"

    def __init__(self) -> None:
        self._session: Session | None = None

    def prepare(self) -> None:
        """Loads the library; if that fails, the first request says so."""
        try:
            open_library()
        except (ImportError, OSError) as error:
            print(f"llama.cpp could not be loaded: {error}", file=sys.stderr)  # noqa: T201 - the child's stderr is a log

    def load(self, request: protocol.LoadModel, job: Job) -> protocol.Loaded | protocol.Done:
        """Checks the file before the former model is given up, then loads it."""
        header = check_model(Path(request.path))
        try:
            library = open_library()
        except (ImportError, OSError) as error:
            raise ModelLoadFailed(request.path, f"llama.cpp could not be loaded: {error}") from error
        job.reply(protocol.Loading(request.id, 0.0))
        self.unload()
        library.forget_words()
        found = devices.list_devices(library)
        gpu = next((device for device in found if device.type in ("gpu", "igpu")), None)
        gpu_layers = request.gpu_layers if gpu else 0
        session = self._open(request, header, gpu_layers, job)
        if session is None and request.gpu_layers < 0 and gpu and not job.cancelled:
            gpu, session = None, self._open(request, header, 0, job)  # its memory may be too small
        if job.cancelled:
            if session is not None:
                _free(session)
            return protocol.Done(request.id)
        if session is None:
            raise ModelLoadFailed(request.path, library.last_words())
        self._session = session
        return _loaded(request, session, gpu if session.model.gpu_layers else _cpu(found))

    def unload(self) -> None:
        """Frees session and model."""
        if self._session is not None:
            _free(self._session)
            self._session = None

    def generate(self, request: protocol.Generate, job: Job) -> protocol.Answered:
        """Answers with the loaded model."""
        answer = Answer(request, job.reply, time.perf_counter())
        session = self._ready()
        prompt = _prompt(session.model, request.messages, request.continue_last, request.template_variables)
        if request.max_tokens <= 0:
            answer.begin(len(prompt), 0)
            return answer.finish(FinishReason.LENGTH)
        library = open_library()
        choice = choose(request.sampling, session.model.header.metadata)
        chain = make_chain(library, choice, session.model.vocabulary_size)
        try:
            return answer.finish(session.write(prompt, chain, answer, job.stop.is_set))
        finally:
            library.c.llama_sampler_free(chain)

    def count_tokens(self, request: protocol.CountTokens) -> protocol.TokensCounted:
        """The length of the prompt as `generate` would make it."""
        return protocol.TokensCounted(request.id, len(_prompt(self._ready().model, request.messages, False, {})))

    def describe_devices(self, request: protocol.DescribeDevices) -> protocol.DevicesDescribed:
        """Asked from ggml, which falls back silently when a GPU's library does not load."""
        library = open_library()
        return protocol.DevicesDescribed(
            request.id,
            library.version,
            devices.list_devices(library),
            devices.list_backends(library),
            devices.default_threads(),
        )

    def _open(self, request: protocol.LoadModel, header: GgufHeader, gpu_layers: int, job: Job) -> Session | None:
        def tell(fraction: float) -> None:
            job.reply(protocol.Loading(request.id, fraction))

        library = open_library()
        free = devices.free_memory_bytes()  # before the file's pages are in memory
        model = load_model(library, request.path, header, gpu_layers, tell=tell, cancelled=job.stop.is_set)
        if model is None:
            return None
        threads = request.threads or devices.default_threads()
        wanted = min(request.context_tokens or DEFAULT_CONTEXT_TOKENS, model.trained_context_tokens or sys.maxsize)
        if free and not request.context_tokens:
            wanted = min(wanted, _affordable_tokens(header, free - os.path.getsize(request.path)))  # noqa: PTH202
        session = open_session(library, model, wanted, threads)
        while session is None and not request.context_tokens and wanted > LEAST_CONTEXT_TOKENS:
            wanted //= 2
            session = open_session(library, model, wanted, threads)
        if session is None:
            model.free()
        return session

    def _ready(self) -> Session:
        if self._session is None:
            raise NoModel
        return self._session


def _prompt(
    model: Model, messages: Sequence[tuple[str, str]], continue_last: bool, variables: dict[str, Any]
) -> list[int]:
    if model.template is None:
        raise ChatUnavailable(model.path)
    try:
        parts = model.template.render(messages, continue_last=continue_last, variables=variables)
    except TemplateProblem as problem:
        raise TemplateFailed(model.path, str(problem)) from problem
    return model.prompt_tokens(parts)


def _affordable_tokens(header: GgufHeader, free_bytes: int) -> int:
    """How large a context the free memory carries; a rough upper bound from the header, at 16 bits a value."""
    heads = header.architecture_value("attention.head_count") or 1
    kv_heads = header.architecture_value("attention.head_count_kv") or heads
    width = header.architecture_value("embedding_length") or 0
    layers = header.architecture_value("block_count") or 0
    heads, kv_heads = (max(value) if isinstance(value, list) else value for value in (heads, kv_heads))
    size = header.architecture_value("attention.key_length") or (width // heads if heads else 0)
    token_bytes = layers * kv_heads * size * 2 * 2
    if token_bytes <= 0:
        return DEFAULT_CONTEXT_TOKENS
    tokens = int(free_bytes * MEMORY_SHARE) // token_bytes // CONTEXT_STEP_TOKENS * CONTEXT_STEP_TOKENS
    return max(tokens, LEAST_CONTEXT_TOKENS)


def _cpu(found: tuple[protocol.Device, ...]) -> protocol.Device | None:
    return next((device for device in found if device.type == "cpu"), None)


def _free(session: Session) -> None:
    session.free()
    session.model.free()


def _loaded(request: protocol.LoadModel, session: Session, device: protocol.Device | None) -> protocol.Loaded:
    model = session.model
    return protocol.Loaded(
        request.id,
        request.path,
        model.name,
        os.path.getsize(request.path),  # noqa: PTH202
        session.context_tokens,
        model.trained_context_tokens,
        model.template is not None,
        model.layers,
        model.gpu_layers,
        device.description if device else "",
        request.threads or devices.default_threads(),
    )
