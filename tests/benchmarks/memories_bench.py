"""Facts suggested from chats in which the person states one, and from chats in which nobody does.

The chats are written for this (`tests/data/memories/chats.json`: language, message, words of the fact). The models here
are smaller than those that the program asks, so the figures are a lower bound.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from comparing import progress
from our_engine import OurEngine
from run import Row

from app.core.events import TextDelta
from app.features.chat.memory_suggestions import clean_fact, fact_ask, is_fact

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.helpers.qwen_models import NAMES, qwen_path

DATA = Path(__file__).parents[1] / "data" / "memories" / "chats.json"


def rows() -> Iterator[Row]:
    """A suggestion is right if it has a word of the fact; the baseline is the model's answer without the checks."""
    chats = json.loads(DATA.read_text("utf-8"))
    for size in NAMES:
        if qwen_path(size).exists():
            with (
                tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder,
                OurEngine(Path(folder), model=qwen_path(size)) as engine,
            ):
                yield from _suggested(size, engine, chats)


def _suggested(size: str, engine: OurEngine, chats: list[tuple[str, str, list[str]]]) -> Iterator[Row]:
    right, needless, right_before, needless_before = 0, 0, 0, 0
    for language, written, words in chats:
        events = engine.client.answer(fact_ask([written], engine.loaded))
        line = clean_fact("".join(event.text for event in events if isinstance(event, TextDelta)))
        fact = line if is_fact(line, [written], []) else ""
        right_before, needless_before = right_before + _has(line, words), needless_before + bool(line and not words)
        right, needless = right + _has(fact, words), needless + bool(fact and not words)
        progress(f"{size} {language} {written[:50]!r}: {line!r} -> {fact!r}")
    stated = sum(bool(words) for _, _, words in chats)
    yield Row(f"memories: facts found by the {size}, of {stated}", right, "facts", right_before)
    yield Row(f"memories: needless ones of the {size}, of {len(chats) - stated}", needless, "facts", needless_before)


def _has(line: str, words: list[str]) -> bool:
    return any(word in line.casefold() for word in words)
