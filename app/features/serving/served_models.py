"""Models that other programs can ask for by name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.gguf import GgufHeader, GgufProblem, embedding_pooling, read_beginning
from app.core.lazy_dataclasses import dataclass, replace

if TYPE_CHECKING:
    pass

HEADER_BYTES = 256 * 1024


@dataclass(frozen=True)
class ServedModel:
    """A model that can be asked for. `name` is what programs call it; `context_tokens` 0: not loaded."""

    name: str
    path: Path
    size_bytes: int = 0
    architecture: str = ""
    embeds: bool = False
    """An embedding model, which can't answer."""
    sees: bool = False
    hears: bool = False
    context_tokens: int = 0
    trained_context_tokens: int = 0
    created_at: float = 0.0

    @property
    def is_loaded(self) -> bool:
        return self.context_tokens > 0


def served_models(files: Iterable[tuple[Path, int, bool, bool]]) -> list[ServedModel]:
    """Describe models given as (path, size in bytes, sees, hears).

    Names are file stems, numbered where equal; the rest is read from the files' headers.
    """
    found: dict[str, ServedModel] = {}
    for path, size, sees, hears in files:
        name, number = path.stem, 2
        # Two files of one name in different folders: both can be asked for.
        while name.casefold() in found:
            name, number = f"{path.stem}-{number}", number + 1
        # A file that was deleted meanwhile isn't listed.
        with contextlib.suppress(OSError):
            changed_at = path.stat().st_mtime
            model = replace(describe_file(path, changed_at), name=name, size_bytes=size, sees=sees, hears=hears)
            found[name.casefold()] = model
    return list(found.values())


@lru_cache(maxsize=1024)
def describe_file(path: Path, changed_at: float) -> ServedModel:
    model = ServedModel(path.stem, path, created_at=changed_at)
    try:
        with path.open("rb") as file:
            # Names, architecture and context stand at a header's beginning; vocabularies behind it are megabytes.
            header = read_beginning(file.read(HEADER_BYTES))
    except (OSError, GgufProblem):
        return model
    architecture = header.metadata.get("general.architecture")
    return replace(
        model,
        architecture=architecture if isinstance(architecture, str) else "",
        embeds=embedding_pooling(header) != 0,
        trained_context_tokens=_header_number(header, "context_length"),
    )


def _header_number(header: GgufHeader, key: str) -> int:
    value = header.architecture_value(key)
    return value if isinstance(value, int) and value > 0 else 0
