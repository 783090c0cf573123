"""gemma-3-270m for tests: a base model, so a copy of it gets a chat template, one that base models understand."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

from tests.helpers import gguf_files

NAME = "gemma-3-270m-Q4_K_M.gguf"
WINDOW = 512
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}"
    "{{ ('Question: ' if m.role == 'user' else 'Answer: ' if m.role == 'assistant' else '') + m.content + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Answer:' }}{% endif %}"
)
ALIGNMENT = 32


def fetched_gemma() -> Path:
    """Where `make test-gemma` puts the file; its absence is a failure."""
    path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fireside" / "models" / NAME
    assert path.exists(), f"{NAME} is missing: run `make test-gemma`"
    return path


def gemma_with_template(copy: Path) -> Path:
    """The model with one key more at the beginning of its header, and everything after it as it was."""
    key = gguf_files.text("tokenizer.chat_template")
    room = -(len(key) + 12 + len(TEMPLATE)) % ALIGNMENT  # what follows stays aligned
    added = key + gguf_files.value("{#" + " " * (room - 4) + "#}" + TEMPLATE if room >= 4 else TEMPLATE + " " * room)
    assert len(added) % ALIGNMENT == 0
    with fetched_gemma().open("rb") as source, copy.open("wb") as target:
        magic, version, tensors, keys = struct.unpack("<4sIQQ", source.read(24))
        target.write(struct.pack("<4sIQQ", magic, version, tensors, keys + 1) + added)
        shutil.copyfileobj(source, target, 1 << 20)
    return copy
