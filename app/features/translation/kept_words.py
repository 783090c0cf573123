"""What is kept across translations: the glossaries of pairs of languages, and the memory with its file (TMX)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.documents.segments import Content
from app.features.translation.events import Memory
from app.features.translation.families import PROMPT_VERSION
from app.features.translation.kept_memory import KeptMemory, model_key, own_entry
from app.features.translation.result import Term, TranslationWish
from app.features.translation.stored import Row, source_language_of, wish_of
from app.features.translation.tmx import read_tmx
from app.features.translation.tmx_writing import write_tmx
from app.features.whole_file import written
from app.store.jobs import Job
from app.store.memory import Pair, TranslationMemory
from app.store.translations import TranslationStore


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
