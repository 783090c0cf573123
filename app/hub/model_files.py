"""Files of a repository, grouped into models, with descriptions of their quantizations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from app.core.catalogue import Translatable
from app.core.lazy_dataclasses import dataclass, field
from app.core.visible import is_visible

MOST_NAME_CHARACTERS = 255  # of each folder and file; no file system takes more
# A damaged name could ask for a hundred thousand parts.
MOST_PARTS = 1000

_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)
# "model.gguf.part1of2" and the like, cut by hand: llama.cpp can't join these.
_CUT = re.compile(r"(.+\.gguf)[.-]?(?:part[-_.]?|split[-_.]?)[0-9a-z]+(?:[-_.]?of[-_.]?\d+)?", re.IGNORECASE)
_DRAFTS = ("mtp-", "eagle3-", "dflash-", "dspark-")  # heads that only help another model
# The last tag counts, since names of models hold others: "Q4" may be a part of one.
_TAG = re.compile(
    r"(?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|(?:MX|NV)FP4(?:_MOE)?|BF16|FP?16|FP?32)(?=[-._/]|$)", re.IGNORECASE
)
# The models folder may be moved to a disk for Windows.
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*\\]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_VISION_ORDER = ("F16", "BF16", "Q8_0", "F32")  # exact and small come first

_BY_BITS: dict[str, Translatable] = {
    "1": "tiny, loses much quality",
    "2": "very small, loses quality",
    "3": "small, loses some quality",
    "4": "balanced",
    "5": "large, loses little quality",
    "6": "large, loses almost no quality",
    "8": "near-original quality",
    "16": "exact, original precision",
    "32": "exact, original precision",
}


@dataclass(frozen=True)
class RemoteFile:
    """A file as the Hub lists it. `sha256` is "" for files outside its large-file storage."""

    name: str
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True)
class ModelFile:
    """A model to download: one GGUF, or all parts of a split one. `tag` is the quantization ("Q4_K_M")."""

    name: str
    """Name of the first part."""
    parts: tuple[RemoteFile, ...]
    tag: str = ""
    is_supported: bool = True

    @property
    def size_bytes(self) -> int:
        """Bytes of all parts of the model together, without a projector."""
        return sum(part.size_bytes for part in self.parts)


UNCONVERTED = ("config.json", "tokenizer.json", "model.safetensors")
"""Files of a transformers model that isn't split."""


@dataclass(frozen=True)
class Repository:
    """A repository at one commit. `languages` are codes; `gated` is "", "auto" or "manual"."""

    name: str
    commit: str
    models: tuple[ModelFile, ...]
    vision: tuple[RemoteFile, ...] = ()
    """mmproj files, the one to take first."""
    license: str = ""
    gated: str = ""
    languages: tuple[str, ...] = ()
    has_card: bool = False
    facts: dict[str, object] = field(default_factory=dict)
    """`ModelInfo.gguf`, as far as it is there: total, architecture, context_length."""
    unconverted: tuple[RemoteFile, ...] = ()
    """Files of a model that isn't GGUF, in the order of `UNCONVERTED`; empty if one is missing."""


def is_safe_name(name: str) -> bool:
    """Return whether a Hub file's name is safe here on every system: inside its folder, visible, not a device."""
    return (
        is_visible(name)
        and not _NOT_ON_WINDOWS.search(name)
        and all(
            0 < len(part.encode("utf-8", "replace")) <= MOST_NAME_CHARACTERS
            and part not in (".", "..")
            and not part.endswith((".", " "))
            and not _DEVICES.fullmatch(part)
            for part in name.split("/")
        )
    )


def group_files(files: Iterable[RemoteFile]) -> tuple[tuple[ModelFile, ...], tuple[RemoteFile, ...]]:
    """Return what can be run, the smallest first, and the mmproj files for it, the one to take first in front.

    Parts are joined; what only helps to make or to speed up models is left out, and names that are not safe.
    """
    single: dict[str, RemoteFile] = {}
    split: dict[tuple[str, int], dict[int, RemoteFile]] = {}
    cut: dict[str, list[RemoteFile]] = {}
    vision: list[RemoteFile] = []
    for file in files:
        base = PurePosixPath(file.name).name.lower()
        # An importance matrix helps to quantize and can't be run; drafts are no models by themselves.
        if not is_safe_name(file.name) or ".gguf" not in base or "imatrix" in base or base.startswith(_DRAFTS):
            continue
        if part := _PART.fullmatch(file.name):
            # `setdefault`: what is named twice counts once, the first.
            split.setdefault((part[1], int(part[3])), {}).setdefault(int(part[2]), file)
        elif piece := _CUT.fullmatch(file.name):
            cut.setdefault(piece[1], []).append(file)
        elif base.endswith(".gguf") and "mmproj" in base:
            vision.append(file)
        elif base.endswith(".gguf"):
            single.setdefault(file.name, file)
    models = [ModelFile(name, (file,), quantization_of(name)) for name, file in single.items()]
    models += [_join_parts(parts, count) for (_, count), parts in split.items()]
    models += [
        ModelFile(name, tuple(pieces), quantization_of(name), is_supported=False) for name, pieces in cut.items()
    ]
    # What can't be run is listed last, so that nobody wonders where it is.
    models.sort(key=lambda model: (not model.is_supported, model.size_bytes, model.name))
    return tuple(models), tuple(sorted(vision, key=_vision_order))


def quantization_of(name: str) -> str:
    """Return the tag of a file's name, "" where there is none: the last in its own name, else that of its folder."""
    for part in reversed(name.split("/")):
        stem = re.sub(r"(?:-\d{5}-of-\d{5})?\.gguf.*$", "", part, flags=re.IGNORECASE)
        # Only behind a separator: "mq4" in the middle of a word is no tag.
        found = [match for match in _TAG.finditer(stem) if match.start() == 0 or stem[match.start() - 1] in "-._"]
        if found:
            # Both spellings occur, and mean the same.
            return re.sub(r"^FP(16|32)$", r"F\1", found[-1][0].upper())
    return ""


def quantization_words(tag: str) -> Translatable:
    """Return what a quantization means for size and quality, in a few words; "" for an unknown one."""
    bits = re.search(r"^B?F(16|32)$|(?:Q|FP)(\d)", tag)
    return _BY_BITS.get(bits[1] or bits[2], "") if bits else ""


def _join_parts(parts: dict[int, RemoteFile], count: int) -> ModelFile:
    """Return all parts of a split; one that has gaps cannot be run."""
    ordered = tuple(parts[number] for number in sorted(parts))
    is_whole = count <= MOST_PARTS and sorted(parts) == list(range(1, count + 1))
    return ModelFile(ordered[0].name, ordered, quantization_of(ordered[0].name), is_whole)


def _vision_order(file: RemoteFile) -> tuple[int, int, str]:
    tag = quantization_of(file.name)
    return _VISION_ORDER.index(tag) if tag in _VISION_ORDER else len(_VISION_ORDER), file.size_bytes, file.name
