"""The models that are suggested, read from `resources/models.json`: facts that the engine and the tasks need."""

from __future__ import annotations

import json
import logging
from pathlib import Path, PurePosixPath
from typing import Any

from app.core.lazy_dataclasses import dataclass, field, fields
from app.core.paths import resource_path

log = logging.getLogger(__name__)

FILE = "models.json"
VERSION = 1  # catalogs of another form are not guessed at
TASKS = ("chat", "summarize", "translate", "code", "vision", "passages")
THINKING = ("", "none", "tags", "harmony")


@dataclass(frozen=True)
class ChunkSizes:
    """Limits of text given to a model at once for each task; 0 if the task has none."""

    input_tokens: int
    segments: int = 0
    context_paragraphs: int = 0


@dataclass(frozen=True)
class VisionFile:
    """Projector of a model and the tokens of an image. 0 and "" mean unknown.

    `is_checked`: whether these facts were verified against the Hub itself.
    """

    file: str = ""
    """"" where the list of files has to be asked."""
    size_bytes: int = 0
    sha256_prefix: str = ""
    hears: bool = False
    most_tokens: int = 0
    """Of one image."""
    is_checked: bool = False


@dataclass(frozen=True)
class CatalogEntry:
    """A suggested model. 0, "" and None mean unknown.

    `is_default`: suggested for its tasks on a machine of `tier_gb`. `languages` is how many it knows. `thinking` is how
    it writes its thinking: none, tags or harmony. `template` names a resource that replaces the file's chat template.
    `active_share` is the share of the weights read per token.
    """

    id: str
    name: str
    sentence: str
    repo: str
    file: str
    """"" where the list of files has to be asked."""
    size_bytes: int
    license: str
    tier_gb: int
    tasks: tuple[str, ...]
    is_default: bool = False
    sha256_prefix: str = ""
    languages: int = 0
    language_codes: tuple[str, ...] = ()
    context_tokens: int = 0
    thinking: str = ""
    sampling: dict[str, float] = field(default_factory=dict)
    task_sampling: dict[str, dict[str, float]] = field(default_factory=dict)
    chunks: dict[str, ChunkSizes] = field(default_factory=dict)
    translation_prompt: str = ""
    template: str = ""
    kv_bytes_per_token: int = 0
    """At 16 bits."""
    state_bytes: int = 0
    """Kept for each sequence, however long it is."""
    active_share: float | None = None
    vision: VisionFile | None = None

    @property
    def active_bytes(self) -> int:
        """Bytes read per token; all of the file if unknown."""
        # A mixture of experts reads only some of its weights for each token.
        return int(self.size_bytes * (self.active_share or 1.0))

    def is_file(self, name: str, size_bytes: int, sha256: str = "") -> bool:
        """Return whether a local file is this model: by hash if known, else by name and size."""
        if sha256 and self.sha256_prefix:
            # Files get renamed; the content does not.
            return sha256.startswith(self.sha256_prefix)
        return bool(self.file) and name == PurePosixPath(self.file).name and size_bytes == self.size_bytes


def load_catalog(path: Path | None = None) -> tuple[CatalogEntry, ...]:
    """Return all entries; none, and a line in the log, where the file is missing or damaged."""
    path = path or resource_path(FILE)
    # A damaged catalog costs the suggestions, not the program.
    try:
        return _parse_entries(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.warning("the list of suggested models cannot be used: %s: %s", type(error).__name__, error)
        return ()


def _parse_entries(raw: dict[str, Any]) -> tuple[CatalogEntry, ...]:
    if raw["version"] != VERSION:
        raise ValueError(f"version {raw['version']}")
    entries = tuple(_parse_entry(row) for row in raw["models"])
    if len({entry.id for entry in entries}) != len(entries):
        raise ValueError("two models have the same id")
    return entries


def _parse_entry(raw: dict[str, Any]) -> CatalogEntry:
    given = {name: _parse_value(name, value) for name, value in raw.items() if value is not None}
    given.setdefault("file", "")
    entry = CatalogEntry(**given)
    # Checked here, as the catalog is written by hand and by other programs.
    if not all((entry.id, entry.name, entry.sentence, entry.license, entry.tasks)) or entry.repo.count("/") != 1:
        raise ValueError(f"{entry.id or 'a model'} lacks something")
    if not set(entry.tasks) <= set(TASKS) or entry.thinking not in THINKING:
        raise ValueError(f"{entry.id} names a task or a way of thinking that nobody knows")
    if ("vision" in entry.tasks) is not (entry.vision is not None):
        raise ValueError(f"{entry.id} sees, or does not: its tasks and its facts disagree")
    if entry.size_bytes <= 0 or entry.tier_gb <= 0 or not 0 < (entry.active_share or 1) <= 1:
        raise ValueError(f"{entry.id} has a number that is not possible")
    return entry


_TYPES = {item.name: str(item.type) for item in fields(CatalogEntry)}
_KINDS: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "bool": (bool,), "float | None": (int, float)}


def _parse_value(name: str, value: Any) -> Any:
    """Return a value in the type of its field."""
    if name == "chunks":
        return {
            str(task): ChunkSizes(**{str(key): int(number) for key, number in caps.items()})
            for task, caps in value.items()
        }
    if name == "vision":
        return VisionFile(**{str(key): fact for key, fact in value.items() if fact is not None})
    if name == "task_sampling":
        return {str(task): _sampling_fields(numbers) for task, numbers in value.items()}
    if name == "sampling":
        return _sampling_fields(value)
    if name in ("tasks", "language_codes"):
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise TypeError(f"{name} is no list of texts")
        return tuple(value)
    # By type and not isinstance: True would pass as a number.
    if type(value) not in _KINDS[_TYPES[name]]:
        raise TypeError(f"{name} is {value!r}")
    return value


def _sampling_fields(raw: dict[str, Any]) -> dict[str, float]:
    """Return the fields of the engine's `Sampling`. Raises TypeError for values that aren't numbers."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in raw.values()):
        raise TypeError(f"sampling is {raw!r}")
    return dict(raw)
