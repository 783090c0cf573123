"""What tuning a model found out on this computer, and the table that keeps it per model, devices and build."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.core.lazy_dataclasses import dataclass
from app.engine.computer import JsonCache, key_of
from app.engine.states import model_identity

TUNING_FILE = "tuning.json"
"""In the engine's working folder."""
TUNING_BUDGET_S = 20.0
FLASH_AUTO, FLASH_OFF = "auto", "off"


@dataclass(frozen=True)
class ModelTuning:
    """How a model runs fastest here, with figures in tokens per second, measured in turns with llama.cpp's defaults.

    Flash attention belongs to a whole context in llama.cpp: prompts and answers are measured apart, and what takes
    less time for both together is used.
    """

    answer_threads: int
    prompt_threads: int
    batch_tokens: int
    """Tokens of a prompt that are computed at once (ubatch)."""
    flash: str = FLASH_AUTO
    sequences: int = 0
    """Answers written together with the highest sum; 0 if not measured."""
    answer_speed: float = 0.0
    answer_default_speed: float = 0.0
    prompt_speed: float = 0.0
    prompt_default_speed: float = 0.0
    flash_off_answers: float = 0.0
    """Speed of answers without flash attention as a share of that with it; 0 if not measured."""
    flash_off_prompts: float = 0.0
    is_faster: bool = False
    """True if this beats llama.cpp's defaults by more than the noise."""
    seconds: float = 0.0
    day: str = ""
    """ISO date."""
    device: str = ""
    build: str = ""
    on_cpu: bool = False
    """True if the integrated GPU is left out, as the processor alone is faster."""
    cpu_answers: float = 0.0
    """Speed of answers on the processor as a share of that on the integrated GPU; 0 if not measured."""
    cpu_prompts: float = 0.0


class TuningTable:
    """Tunings by model, devices and build, in a file that the child writes and the program reads."""

    def __init__(self, folder: Path) -> None:
        self._cache = JsonCache(folder / TUNING_FILE)

    def find(self, path: Path, build: str, devices: Sequence[str]) -> ModelTuning | None:
        """Return what was measured for exactly these, None if nothing was."""
        return _parse_tuning(self._cache.find(_key_of(path, build, devices)))

    def store_tuning(self, path: Path, build: str, devices: Sequence[str], tuning: ModelTuning) -> None:
        entry = dataclasses.asdict(tuning) | {"model": key_of(model_identity(path))}
        self._cache.put(_key_of(path, build, devices), entry)

    def find_latest(self, path: Path) -> ModelTuning | None:
        """Return the last tuning of a model, whatever devices and build it was for; None without one."""
        found = self._entries_of(path)
        return _parse_tuning(found[-1][1]) if found else None

    def forget_model(self, path: Path) -> bool:
        """Remove all tunings of a model; return whether there were any."""
        found = self._entries_of(path)
        for key, _ in found:
            self._cache.forget(key)
        return bool(found)

    def _entries_of(self, path: Path) -> list[tuple[str, dict[str, Any]]]:
        try:
            model = key_of(model_identity(path))
        except OSError:
            return []
        return [(key, entry) for key, entry in self._cache.entries().items() if entry.get("model") == model]


def _key_of(path: Path, build: str, devices: Sequence[str]) -> str:
    return key_of("tuning", model_identity(path), build, list(devices))


def _parse_tuning(entry: dict[str, Any] | None) -> ModelTuning | None:
    """Return an entry of the file, which may be older, edited or damaged."""
    if entry is None:
        return None
    known = {field.name: field for field in dataclasses.fields(ModelTuning)}
    values = {name: value for name, value in entry.items() if name in known}
    for name, value in values.items():
        wanted: Any = {"int": int, "float": (int, float), "str": str, "bool": bool}[str(known[name].type)]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            return None
    try:
        tuning = ModelTuning(**values)
    except TypeError:
        return None
    return tuning if min(tuning.answer_threads, tuning.prompt_threads, tuning.batch_tokens) > 0 else None


def today() -> str:
    """Return the date here, as ISO writes it: 2026-12-02."""
    return datetime.datetime.now().astimezone().date().isoformat()
