"""A language made of the English texts as they are asked for, which shows what is not translated or has no room.

Each text stands in brackets, with accents, and is 40 % longer; fields such as `{name}` stay. For tests and developers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from app.core.catalogue import CONTEXT_END

LONGER = 0.4
_ACCENTS = str.maketrans("aeiouycnszAEIOUCNS", "àéîöüýçñšžÀÉÎÖÜÇÑŠ")
_FIELD = re.compile(r"(\{[^{}]*\}|<[^<>]+>|&\w+;|\s+)")


class PseudoEntries(Mapping[str, tuple[str, ...]]):
    """Translations of whatever text is asked for, each made when it is."""

    def get(self, key: str, default: object = None) -> tuple[str, ...]:
        del default
        return (pseudo_text(key.rpartition(CONTEXT_END)[2]),)

    def __getitem__(self, key: str) -> tuple[str, ...]:
        return self.get(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def pseudo_text(text: str) -> str:
    """Return a text in brackets, with accents and longer by two fifths."""
    words, missing, letters = [], LONGER * len(text) - 2, len(_FIELD.sub("", text))
    for word in _FIELD.split(text):
        if not word or _FIELD.fullmatch(word):
            words.append(word)
            continue
        # Words grow with the text, so that lines break as in a language with longer words.
        more = max(0, math.ceil(missing * len(word) / letters))
        missing, letters = missing - more, letters - len(word)
        words.append(word.translate(_ACCENTS) + word[-1].translate(_ACCENTS) * more)
    return f"[{''.join(words)}]"
