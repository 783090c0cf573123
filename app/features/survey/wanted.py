"""Values of surveys: what a question wants of whole documents, offers, progress, coverage.

Separate from what finds and reads, which takes 0.25 s to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.core.lazy_dataclasses import asdict, dataclass
from app.features.retrieval.question_scope import WantedScope

if TYPE_CHECKING:
    from app.core.events import ModelLoaded

LEAST_READING_WEIGHTS = 5e8
"""Smaller models find less than they make up."""


def can_read_all(model: ModelLoaded | None) -> bool:
    """Return whether a model is worth asking section by section; True if unknown."""
    if model is None:
        return False
    from app.features.models.model_languages import weights_of  # takes a moment to import

    # Unknown counts as able.
    return not 0 < weights_of(model) <= LEAST_READING_WEIGHTS


@dataclass(frozen=True)
class QueryOffer:
    """An offer for a question.

    `is_by_model`: the model reads everything; else the program does, at once. `tokens`, `sections` and `seconds` are
    None until estimated, or if unknown.
    """

    scope: WantedScope
    document_ids: tuple[int, ...]
    is_by_model: bool
    tokens: int | None = None
    sections: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class SurveyProgress:
    """Sections read, and the estimated time left, None if unknown. `is_resting`: someone else is being answered
    first.
    """

    done: int
    sections: int
    seconds_left: float | None
    is_resting: bool = False


_NAME = "survey"


@dataclass(frozen=True)
class SurveyCoverage:
    """Sections read, of how many, in `seconds`; without a model each document is one."""

    sections: int = 0
    read: int = 0
    seconds: float = 0.0
    is_by_model: bool = False


def made_to_fields(coverage: SurveyCoverage) -> dict[str, Any]:
    """Return the JSON form, stored among a message's citations; older versions ignore it."""
    return {_NAME: asdict(coverage)}


def made_of(sources: Sequence[dict[str, Any]]) -> SurveyCoverage | None:
    """Return the coverage stored among a message's citations; None if it isn't a survey's answer."""
    found = next((fields[_NAME] for fields in sources if isinstance(fields.get(_NAME), dict)), None)
    if found is None:
        return None
    try:
        return SurveyCoverage(**found)
    except TypeError:  # written by a newer version
        return SurveyCoverage()
