"""Places under sentences labelled by hand, and faults of translations: precision, recall, shares that are flagged.

Part of `grounded`. The labels: `tests/helpers/places.py`, `tests/data/translations/pairs.tsv`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from run import ROOT, Row

from app.features.translate.marking import shown_content
from app.features.translate.translation_events import TranslationWish
from app.features.translate.translation_work import TranslationChecks
from app.language.language_detection import LanguageDetector
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.helpers.places import BY_HAND, load_labels, score_places, store_texts

PAIRS = ROOT / "tests" / "data" / "translations"
WANTED_PRECISION, WANTED_RECALL = 0.95, 0.6
WANTED_FLAGGED, MOST_FALSE = 0.7, 0.05


def place_rows() -> Iterator[Row]:
    """By who wrote the sentences, for those on which the rules were fitted and the others."""
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        ids = store_texts(store)
        for writer in ("0.5B", "1.5B", BY_HAND):
            for is_development, split in ((True, "development"), (False, "held-out")):
                chosen = [one for one in load_labels() if writer in one.writer and one.is_development == is_development]
                score = score_places(store, ids, chosen)
                note = f"{len(chosen)} sentences, {score.stated} stated, {score.given} with a place"
                name = f"places, written by {writer}, {split}"
                yield Row(f"{name}: precision", score.precision, "share", WANTED_PRECISION, note, at_least=1)
                yield Row(f"{name}: recall", score.recall, "share", WANTED_RECALL, note, at_least=1)


def document_place_rows(store: DocumentStore, documents: dict[str, int]) -> Iterator[Row]:
    """In real documents of a thousand blocks and more; the ids of those that could be had, by name."""
    chosen = [one for one in load_labels("documents") if one.document in documents]
    if not chosen:
        return
    scores = [
        score_places(store, {name: documents[name]}, [one for one in chosen if one.document == name])
        for name in sorted({one.document for one in chosen})
    ]
    given, right, stated = (sum(getattr(one, name) for one in scores) for name in ("given", "right", "stated"))
    note = f"{len(chosen)} sentences, {stated} stated, {given} with a place"
    yield Row("places, real documents: precision", right / max(given, 1), "share", WANTED_PRECISION, note, at_least=1)
    yield Row("places, real documents: recall", right / max(stated, 1), "share", WANTED_RECALL, note, at_least=1)


def translation_check_rows() -> Iterator[Row]:
    """The shares of wrong and of right translations that the checks flag, by file."""
    detector = LanguageDetector()
    for path in sorted(PAIRS.glob("*.tsv")):
        flagged: dict[str, list[bool]] = {}
        for line in path.read_text("utf-8").splitlines():
            kind, ours, theirs, source, target, *_ = line.split("\t")
            problems = (
                TranslationChecks(TranslationWish(theirs, ours), detector)
                .judge_answer(shown_content((source,)), target)
                .problems
            )
            flagged.setdefault(kind, []).append(bool(problems))
        for kind, told in flagged.items():
            wanted = {"at_least": 1.0} if kind == "wrong" else {"at_most": 1.0}
            limit = WANTED_FLAGGED if kind == "wrong" else MOST_FALSE
            note = f"{sum(told)} of {len(told)}"
            yield Row(
                f"{path.stem}: {kind} translations flagged", sum(told) / len(told), "share", limit, note, **wanted
            )
