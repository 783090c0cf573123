"""Messages of installed programs through a model that damages what must stay: every damage is seen, nothing is lost.

The pairs are those of the system's French catalogs whose source has placeholders. Each translation is damaged in many
ways and delivered as the pipeline delivers an answer. A damage is caught when the segment is flagged, or when what is
delivered is what the undamaged answer gives; placeholders are intact when the delivered text has each of the source
as often as the source, and those that stand by their order in that order, found by a pattern of the bench's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from comparing import progress
from run import Row
from translate_messages import WAYS, Message, by_place, messages, placeholders

from app.documents.segments import plain
from app.features.translate.translation_events import FlagKind, Translated, TranslationSource
from tests.helpers.translations import deliver

EXPECTED_PAIRS = 4557
"""With the packages of the first machine where they were counted; another has another number of catalogs."""
CAUGHT = (FlagKind.FORMATTING, FlagKind.UNTRANSLATED)


def rows() -> Iterator[Row]:
    """The pairs, one row for each way of damage, and what was delivered in all."""
    every = messages()
    if not every:
        raise AssertionError("no French catalogs with placeholders are installed")
    right = {message.segment.id: deliver(message.segment, message.answer) for message in every}
    is_flagged = sum(bool(one.flags) for one in right.values())
    note = f"undamaged, {is_flagged} are flagged; {EXPECTED_PAIRS} on the first machine"
    yield Row("message_pairs_with_placeholders", len(every), "pairs", None, note)
    delivered = intact = sum(is_intact(message, right[message.segment.id]) for message in every)
    if intact != len(every):
        raise AssertionError(f"{len(every) - intact} undamaged translations without their placeholders")
    for way, damage in WAYS.items():
        progress(way)
        seen = tried = mended = 0
        for message in every:
            answer = damage(message)
            if answer is None or answer == message.answer:
                continue
            given = deliver(message.segment, answer)
            same = given.content == right[message.segment.id].content
            tried += 1
            mended += same
            seen += same or any(flag.kind in CAUGHT for flag in given.flags)
            intact += is_intact(message, given)
        delivered += tried
        note = f"{mended} read as they were meant"
        yield Row(f"damage_caught_{way}", seen, "answers", tried, note, at_least=1.0, at_most=1.0)
    yield Row("delivered_with_intact_placeholders", intact, "segments", delivered, at_least=1.0, at_most=1.0)


def is_intact(message: Message, given: Translated) -> bool:
    """Whether a delivered segment has the placeholders of its source."""
    text = plain(given.content)
    if given.origin is TranslationSource.KEPT:
        return text == message.text
    return placeholders(text) == placeholders(message.text) and by_place(text) == by_place(message.text)
