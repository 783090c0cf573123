"""A model that is loaded and sees."""

from __future__ import annotations

from app.core.events import ModelLoaded

LOADED = ModelLoaded(
    "/any/model.gguf", "Eye 2B", 2_000_000_000, 8192, 8192,
    can_chat=True, layers=1, gpu_layers=0, device="CPU", threads=1, sees=True,
)  # fmt: skip
