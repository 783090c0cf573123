"""A larger context for a prompt that does not fit the loaded one: how much it needs, and how much fits here."""

from __future__ import annotations

from pathlib import Path

from app.core.errors.request_errors import ContextLimited, PromptTooLong
from app.core.events import ModelLoaded
from app.core.gguf import check_model
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.computer import free_memory_bytes, total_memory_bytes
from app.engine.contract import Engine
from app.engine.fit import DEFAULT_CONTEXT_TOKENS, DoesNotFit, GpuRoom, MemoryRoom, choose_plan
from app.engine.model_shape import ModelLayout, shape_of
from app.engine.protocol import Wish

ANSWER_TOKENS = 2048
"""Room that a larger context leaves for the answer."""


@dataclass(frozen=True)
class GrownContext:
    """A model was loaded again for a program; `at` in seconds since 1970."""

    at: float
    model: str
    before_tokens: int
    context_tokens: int


def context_for(prompt_tokens: int, trained_tokens: int) -> int:
    """Double the usual context until prompt and answer fit, up to what the model was trained for (0: unknown).

    Doubling keeps a growing conversation from reloading the model at every turn.
    """
    wanted = DEFAULT_CONTEXT_TOKENS
    while wanted < prompt_tokens + ANSWER_TOKENS:
        wanted *= 2
    return min(wanted, trained_tokens) if trained_tokens else wanted


def affordable_context(engine: Engine, model: ModelLoaded, wish: Wish) -> int:
    """Return the largest context, up to the wished-for one, with which the loaded model fits in place of itself.

    By formula. Raises ModelMissing or ModelUnreadable.
    """
    if model.computers:  # what other computers lend is known when the model is loaded
        # Memory is computed with the projector, which is loaded with the model.
        return wish.context_tokens
    projector = check_model(Path(model.projector)) if model.sees or model.hears else None
    shape = shape_of(check_model(Path(model.path)), projector)
    held = shape.memory_needs(ModelLayout(model.context_tokens, model.kv_type, model.gpu_layers))
    devices = engine.describe_devices().devices if wish.gpu_layers != 0 else ()
    named = wish.devices
    gpus = [
        GpuRoom(device.name, device.description, device.free_bytes, device.total_bytes, device.type == "igpu")
        for device in devices
        if device.type in ("gpu", "igpu") and (not named or device.name in named)
    ]
    # The model leaves before it comes back, so what it holds counts as free.
    if gpus:
        gpus[0] = replace(gpus[0], free_bytes=gpus[0].free_bytes + held.gpu)
    free, total = free_memory_bytes(), total_memory_bytes()
    # A GPU that shares the computer's memory frees both kinds at once.
    freed = held.total if gpus and gpus[0].shared else held.main
    # 0 free bytes means that the system doesn't say.
    room = MemoryRoom(free and min(free + freed, total or free + freed), total, tuple(gpus))
    try:
        return choose_plan(shape, wish, room).context_tokens
    except DoesNotFit:
        # The formula refuses what runs already, so it stays as it is.
        return model.context_tokens


def limited_by(problem: PromptTooLong, limit: str, largest_tokens: int) -> ContextLimited:
    """Return the same error with the limit that keeps the context from growing."""
    return ContextLimited(problem.prompt_tokens, problem.context_tokens, limit, largest_tokens)
