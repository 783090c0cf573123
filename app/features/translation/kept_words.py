"""What is kept across translations: the glossaries of pairs of languages, and the memory with its file (TMX)."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.events import CancelToken
from app.documents.segments import Content, content_from_fields, plain
from app.features.translation.events import Memory
from app.features.translation.families import PROMPT_VERSION
from app.features.translation.kept_memory import KeptMemory, key_of, model_key, own_entry
from app.features.translation.result import Term, TranslationWish
from app.features.translation.stored import Row, source_language_of, wish_of
from app.features.translation.tmx import read_tmx
from app.features.translation.tmx_writing import write_tmx
from app.features.work.whole_file import written
from app.store.database import fold
from app.store.jobs import Job
from app.store.translations import Pair, TranslationMemory, TranslationStore

MOST_SHOWN = 500


@dataclass(frozen=True)
class Remembered:
    """A translation in the memory, in plain text. `is_own`: a person made it, or said that it is good."""

    id: int
    pair: Pair
    source: str
    target: str
    is_own: bool


@dataclass(frozen=True)
class Found:
    """What was looked for in the memory: the numbers of all, oldest first, and the newest of them, newest first."""

    ids: tuple[int, ...] = ()
    newest: tuple[Remembered, ...] = ()


class KeptWords:
    """From any thread."""

    def __init__(self, store: TranslationStore, memory: TranslationMemory) -> None:
        self._store, self._memory = store, memory

    def glossary(self, source: str, target: str) -> tuple[Term, ...]:
        """The terms of a pair of languages."""
        return tuple(Term(one, other) for one, other in self._store.glossary(source, target))

    def keep_glossary(self, source: str, target: str, terms: Sequence[Term]) -> None:
        """These are the terms of a pair now."""
        self._store.keep_glossary(source, target, [(term.source, term.target) for term in terms])

    def whole_wish(self, job: Job) -> TranslationWish:
        """A job's wish with the glossary of its languages behind its own terms."""
        wish = wish_of(job)
        own = {term.source for term in wish.glossary}
        shared = self.glossary(source_language_of(job), wish.target)
        return replace(wish, glossary=(*wish.glossary, *(term for term in shared if term.source not in own)))

    def memory(self, wish: TranslationWish, source_language: str, model: Path) -> Memory:
        """What was translated for such a wish by this model, and what a person made of it."""
        pair = Pair(source_language, wish.target)
        return KeptMemory(self._memory, wish, pair, model=model_key(model), prompt_version=PROMPT_VERSION)

    def keep_own(self, job: Job, row: Row, content: Content) -> None:
        """What a person made of a segment, or says is good."""
        wish = wish_of(job)
        pair = Pair(source_language_of(job), wish.target)
        self._memory.keep([own_entry(pair, row.segment.content, content, row.segment.context, wish.formality)])

    def export_tmx(self, path: Path) -> None:
        """Writes the whole memory; raises DiskFull or FolderNotWritable."""
        with written(path) as file:
            write_tmx(self._memory.every(), file)

    def import_tmx(self, path: Path) -> int:
        """Takes the translations of a file into the memory; returns how many. Raises DocumentUnreadable."""
        return self._memory.keep(read_tmx(path))

    def pairs(self) -> dict[Pair, int]:
        """Of which languages the memory has translations, and how many."""
        return self._memory.pairs()

    def memory_bytes(self) -> int:
        """About what the memory takes on the disk."""
        return self._memory.size_bytes()

    def ids_of(self, job: Job, rows: Iterable[Row]) -> frozenset[int]:
        """The translations of these segments, whichever document they came from."""
        pair = Pair(source_language_of(job), wish_of(job).target)
        return frozenset(self._memory.ids(pair, {key_of(row.segment.content) for row in rows}))

    def find(self, words: str, pair: Pair | None, only: Collection[int] | None, cancel: CancelToken) -> Found:
        """Translations with every word in one of their texts; reads all of them, so not for the window's thread."""
        wanted = fold(words).split()
        ids, newest = list[int](), deque[Remembered](maxlen=MOST_SHOWN)
        for entry in self._memory.every(pair):
            if cancel.cancelled:
                return Found()
            if only is not None and entry.id not in only:
                continue
            found = Remembered(entry.id, entry.pair, _words_of(entry.source), _words_of(entry.target), entry.is_own)
            if wanted:
                text = fold(f"{found.source}\n{found.target}")
                if not all(word in text for word in wanted):
                    continue
            ids.append(entry.id)
            newest.append(found)
        return Found(tuple(ids), tuple(reversed(newest)))

    def forget(self, ids: Iterable[int] | None) -> int:
        """Deletes translations from the memory for good, all of them with None; how many there were."""
        return self._memory.delete((entry.id for entry in self._memory.every()) if ids is None else ids)


def _words_of(content: str) -> str:
    try:
        return plain(content_from_fields(json.loads(content)))
    except (TypeError, ValueError):
        return content
