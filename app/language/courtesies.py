"""Greetings, thanks and goodbyes: what people say to each other without asking for anything."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from app.core.paths import resource_path

MOST_CHARACTERS = 80
AROUND = "around"
"""What may be said with a greeting and is none by itself, such as an "ok" that lets a model go on."""
_SIGNS = re.compile(r"[\W_]+")


def is_courtesy(text: str) -> bool:
    """Return whether a message is a greeting, thanks or a goodbye and nothing else."""
    said = f" {_SIGNS.sub(' ', text.casefold()).strip()} "
    if len(said) > MOST_CHARACTERS:
        return False
    courtesies, around = _phrase_patterns()
    rest, count = courtesies.subn(" ", said)
    return count > 0 and not around.sub(" ", rest).strip()


@lru_cache(maxsize=1)
def _phrase_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds courtesies, and what may be around them, between the spaces of a message without signs."""
    phrases: dict[str, list[str]] = json.loads(resource_path("courtesies.json").read_text("utf-8"))
    around = phrases.pop(AROUND)
    return _pattern_of([phrase for row in phrases.values() for phrase in row]), _pattern_of(around)


def _pattern_of(phrases: list[str]) -> re.Pattern[str]:
    plain = sorted((_SIGNS.sub(" ", phrase.casefold()) for phrase in phrases), key=len, reverse=True)
    return re.compile(f"(?<= )(?:{'|'.join(map(re.escape, plain))})(?= )")
