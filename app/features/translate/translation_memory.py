"""Data shared by translations: glossaries per language pair, and the translation memory."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from hashlib import blake2b
from pathlib import Path

from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, replace
from app.documents.segments import Content, Mark, content_from_json, content_of, marks, plain
from app.features.translate.glossary import TermGlossary
from app.features.translate.marking import same_marks
from app.features.translate.tmx_file import content_text, key_of, read_tmx, write_tmx
from app.features.translate.translation_events import (
    Formality,
    GlossaryTerm,
    MemoryLookup,
    Row,
    TranslationWish,
    source_language_of,
    wish_of,
)
from app.features.translate.translation_prompts import PROMPT_VERSION
from app.features.work.saved_file import write_file
from app.store.database import fold_text
from app.store.jobs import Job
from app.store.translation_store import (
    LanguagePair,
    MemoryEntry,
    TranslationMemory,
    TranslationOrigin,
    TranslationStore,
)


class KeptMemory:
    """Memory lookup, see `app.features.translate.translation_events.MemoryLookup`.

    A model's translation is reused only with the same notes, form of address, model and glossary terms in the text;
    the user's own always.
    """

    def __init__(
        self, store: TranslationMemory, wish: TranslationWish, pair: LanguagePair, *, model: str, prompt_version: int
    ) -> None:
        self._store, self._wish, self._pair = store, wish, pair
        self._model, self._prompt_version = model, prompt_version
        self._glossary = TermGlossary(wish.glossary, pair.source)

    def find_step(self, source: Content, context: str = "") -> Content | None:
        """Return an accepted translation of the same content, with the source's own marks; None without one."""
        found = self._store.find(self._pair, key_of(source), context, self._origin_of(source))
        return None if found is None else with_marks_of(source, found)

    def keep_step(self, source: Content, target: Content, context: str = "") -> None:
        made = self._origin_of(source)
        self._store.save_entries([_memory_entry(self._pair, source, target, context=context, made=made, is_own=False)])

    def _origin_of(self, source: Content) -> TranslationOrigin:
        # Only terms that occur count, so a new line in the glossary doesn't make the whole memory useless.
        terms = sorted((term.source, term.target) for term in self._glossary.found_in(plain(source)))
        # Nothing is hashed where there are no hints, as before there were any.
        hints = [self._wish.domain.strip(), terms] if terms or self._wish.domain.strip() else ""
        return TranslationOrigin(
            self._wish.formality.value,
            _hash_text(json.dumps(hints)) if hints else "",
            self._model,
            self._prompt_version,
        )


def own_entry(
    pair: LanguagePair, source: Content, target: Content, context: str = "", formality: Formality = Formality.DEFAULT
) -> MemoryEntry:
    """Build an entry for a translation the user wrote, accepted or imported."""
    return _memory_entry(pair, source, target, context=context, made=TranslationOrigin(formality.value), is_own=True)


def with_marks_of(source: Content, found: str) -> Content | None:
    """Return a stored target with the looks of the source's marks; None if its marks differ."""
    try:
        # A file of another program may hold anything.
        target = content_from_json(json.loads(found))
    except (TypeError, ValueError):
        return None
    # Marks that don't fit would damage the file.
    if not same_marks(target, source):
        return None
    own = {mark.key: mark for mark in marks(source)}
    return content_of([own[part.key] if isinstance(part, Mark) else part for part in target])


def model_key(path: Path) -> str:
    """Identify a model by its file's name and size."""
    # A missing file still has a name to compare by.
    try:
        size_bytes = path.stat().st_size
    except OSError:
        size_bytes = 0
    return f"{path.name} {size_bytes}"


def _memory_entry(
    pair: LanguagePair, source: Content, target: Content, *, context: str, made: TranslationOrigin, is_own: bool
) -> MemoryEntry:
    return MemoryEntry(pair, key_of(source), content_text(source), content_text(target), context, made, is_own)


def _hash_text(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


MOST_SHOWN = 500


@dataclass(frozen=True)
class MemoryTranslation:
    """A translation in the memory, in plain text. `is_own`: written or accepted by the user."""

    id: int
    pair: LanguagePair
    source: str
    target: str
    is_own: bool


@dataclass(frozen=True)
class MemoryMatches:
    """Result of a search: ids of all matches, oldest first, and the newest entries, newest first."""

    ids: tuple[int, ...] = ()
    newest: tuple[MemoryTranslation, ...] = ()


PurgeCopies = Callable[[Sequence[tuple[int, bytes]]], object]
"""Removes entries of the memory, by id and key, from copies of the database."""


class KeptWords:
    """Glossaries and memory; from any thread."""

    def __init__(self, store: TranslationStore, memory: TranslationMemory, purge_copies: PurgeCopies) -> None:
        self._store, self._memory, self._purge_copies = store, memory, purge_copies

    def read_glossary(self, source: str, target: str) -> tuple[GlossaryTerm, ...]:
        return tuple(GlossaryTerm(text, other) for text, other in self._store.read_glossary(source, target))

    def keep_glossary(self, source: str, target: str, terms: Sequence[GlossaryTerm]) -> None:
        """Replace a pair's glossary; translations started from now on use it with their own terms."""
        self._store.keep_glossary(source, target, [(term.source, term.target) for term in terms])

    def whole_wish(self, job: Job) -> TranslationWish:
        """Return a job's wish with its languages' glossary after its own terms."""
        wish = wish_of(job)
        # The job's own terms before the shared ones.
        own = {term.source for term in wish.glossary}
        shared = self.read_glossary(source_language_of(job), wish.target)
        return replace(wish, glossary=(*wish.glossary, *(term for term in shared if term.source not in own)))

    def memory_for(self, wish: TranslationWish, source_language: str, model: Path) -> MemoryLookup:
        """Return the lookup of this model's translations for such a wish, and of the user's own."""
        pair = LanguagePair(source_language, wish.target)
        return KeptMemory(self._memory, wish, pair, model=model_key(model), prompt_version=PROMPT_VERSION)

    def keep_own(self, job: Job, row: Row, content: Content) -> None:
        """Store what the user wrote or accepted for a segment."""
        wish = wish_of(job)
        pair = LanguagePair(source_language_of(job), wish.target)
        self._memory.save_entries([own_entry(pair, row.segment.content, content, row.segment.context, wish.formality)])

    def export_tmx(self, path: Path) -> None:
        """Write the whole memory; raises DiskFull or FolderNotWritable."""
        with write_file(path) as file:
            write_tmx(self._memory.iterate_entries(), file)

    def import_tmx(self, path: Path) -> int:
        """Import a file's translations; return their number. Raises DocumentUnreadable."""
        return self._memory.save_entries(read_tmx(path))

    def count_pairs(self) -> dict[LanguagePair, int]:
        return self._memory.count_pairs()

    def ids_of(self, job: Job, rows: Iterable[Row]) -> frozenset[int]:
        """Return the ids of translations of these segments, whichever document they came from."""
        pair = LanguagePair(source_language_of(job), wish_of(job).target)
        return frozenset(self._memory.find_ids(pair, {key_of(row.segment.content) for row in rows}))

    def find_matches(
        self, words: str, pair: LanguagePair | None, only: Collection[int] | None, cancel: CancelToken
    ) -> MemoryMatches:
        """Find translations with every word in source or target; reads all, so not on the window's thread."""
        wanted = fold_text(words).split()
        # Only the newest are held in full; of all others the number is enough.
        ids, newest = list[int](), deque[MemoryTranslation](maxlen=MOST_SHOWN)
        for entry in self._memory.iterate_entries(pair):
            if cancel.cancelled:
                return MemoryMatches()
            if only is not None and entry.id not in only:
                continue
            found = MemoryTranslation(
                entry.id, entry.pair, _words_of(entry.source), _words_of(entry.target), entry.is_own
            )
            # Folded, so that case and accents don't matter.
            if wanted:
                text = fold_text(f"{found.source}\n{found.target}")
                if not all(word in text for word in wanted):
                    continue
            ids.append(entry.id)
            newest.append(found)
        return MemoryMatches(tuple(ids), tuple(reversed(newest)))

    def delete_entries(self, ids: Iterable[int] | None) -> int:
        """Purge translations from the memory, all of them with None; return their number.

        Translations in the list stay.
        """
        # Ids only, so that a large memory is never held at once.
        wanted = [entry.id for entry in self._memory.iterate_entries()] if ids is None else list(ids)
        self._purge_copies(self._memory.list_keys(wanted))
        return self._memory.delete(wanted)

    def forget_made(self, job: Job, rows: Iterable[Row], typed: str) -> None:
        """Delete what models translated for a job about to be purged: its segments, or a typed text and what of it was
        translated while it was typed. What a person wrote or accepted stays, and so do other jobs' results.
        """
        ids = set(self.ids_of(job, rows))
        if typed:
            pair = LanguagePair(source_language_of(job), wish_of(job).target)
            ids |= {
                entry.id for entry in self._memory.iterate_entries(pair) if _words_of(entry.source).strip() in typed
            }
        if made := self._memory.list_keys(sorted(ids), only_made=True):
            self._purge_copies(made)
            self._memory.delete([entry_id for entry_id, _ in made])


def _words_of(content: str) -> str:
    try:
        return plain(content_from_json(json.loads(content)))
    except (TypeError, ValueError):
        return content
