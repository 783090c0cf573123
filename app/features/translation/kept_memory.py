"""The translation memory of one pair, wish and model, as the pipeline asks for it, in the store."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path

from app.documents.segments import (
    Content,
    Mark,
    content_from_fields,
    content_of,
    content_to_fields,
    marks,
    nests,
    plain,
)
from app.features.translation.glossary import Glossary
from app.features.translation.result import Formality, TranslationWish
from app.store.translations import Entry, Made, Pair, TranslationMemory


class KeptMemory:
    """See `app.features.translation.events.Memory`.

    A model's translation is found again as long as the notes, the form of address, the model and those terms of the
    glossary that stand in the text are the same; a person's own always.
    """

    def __init__(
        self, store: TranslationMemory, wish: TranslationWish, pair: Pair, *, model: str, prompt_version: int
    ) -> None:
        self._store, self._wish, self._pair = store, wish, pair
        self._model, self._prompt_version = model, prompt_version
        self._glossary = Glossary(wish.glossary, pair.source)

    def find(self, source: Content, context: str = "") -> Content | None:
        """An accepted translation of the same content, with the source's own marks; None without one."""
        found = self._store.find(self._pair, key_of(source), context, self._made(source))
        return None if found is None else with_marks_of(source, found)

    def keep(self, source: Content, target: Content, context: str = "") -> None:
        """Keeps a model's translation."""
        made = self._made(source)
        self._store.keep([_entry(self._pair, source, target, context=context, made=made, is_own=False)])

    def _made(self, source: Content) -> Made:
        terms = sorted((term.source, term.target) for term in self._glossary.found_in(plain(source)))
        hints = [self._wish.domain.strip(), terms] if terms or self._wish.domain.strip() else ""
        return Made(
            self._wish.formality.value, _hash(json.dumps(hints)) if hints else "", self._model, self._prompt_version
        )


def own_entry(
    pair: Pair, source: Content, target: Content, context: str = "", formality: Formality = Formality.DEFAULT
) -> Entry:
    """What a person made of a segment, or said is good, or has from elsewhere."""
    return _entry(pair, source, target, context=context, made=Made(formality.value), is_own=True)


def key_of(source: Content) -> bytes:
    """Stands for the words and marks of a content; how the marks look does not count."""
    parts = [part if isinstance(part, str) else [part.role, part.number] for part in source]
    return blake2b(json.dumps(parts).encode(), digest_size=16).digest()


def with_marks_of(source: Content, found: str) -> Content | None:
    """A kept target with the looks of the source's marks; None where it does not have just these."""
    try:
        target = content_from_fields(json.loads(found))
    except (TypeError, ValueError):
        return None
    own = {mark.key: mark for mark in marks(source)}
    if not nests(target) or {mark.key for mark in marks(target)} != set(own):
        return None
    return content_of([own[part.key] if isinstance(part, Mark) else part for part in target])


def model_key(path: Path) -> str:
    """Stands for a model: the name and the size of its file."""
    try:
        size_bytes = path.stat().st_size
    except OSError:
        size_bytes = 0
    return f"{path.name} {size_bytes}"


def _entry(pair: Pair, source: Content, target: Content, *, context: str, made: Made, is_own: bool) -> Entry:
    return Entry(pair, key_of(source), content_text(source), content_text(target), context, made, is_own)


def content_text(content: Content) -> str:
    """As the store has it."""
    return json.dumps(content_to_fields(content))


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
