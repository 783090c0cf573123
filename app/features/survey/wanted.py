"""What a question wants of whole documents, what can be done for it, how far that is, and how it was made: values.

Apart from what finds and reads, which takes a quarter of a second to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from app.features.retrieval.question_scope import WantedScope

if TYPE_CHECKING:
    from app.core.events import ModelLoaded

LEAST_READING_WEIGHTS = 5e8
"""Smaller models find less than they make up."""


def can_read_all(model: ModelLoaded | None) -> bool:
    """Whether a model is worth asking section by section; one of which nothing is known is."""
    if model is None:
        return False
    from app.features.models.model_languages import weights_of  # takes a moment to import

    return not 0 < weights_of(model) <= LEAST_READING_WEIGHTS


@dataclass(frozen=True)
class QueryOffer:
    """What can be done for a question. `is_by_model`: the model reads all of it; else the program does, at once.

    `tokens`, `sections` and `seconds` are None until they are estimated, or where nothing tells them.
    """

    scope: WantedScope
    document_ids: tuple[int, ...]
    is_by_model: bool
    tokens: int | None = None
    sections: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class SurveyProgress:
    """So many of the sections are read; about how much longer it takes, None where nothing tells it yet.

    `is_resting`: somebody else is being answered first.
    """

    done: int
    sections: int
    seconds_left: float | None
    is_resting: bool = False


# How an answer was made that comes from whole documents, kept beside its sources; other answers have none of it.


_NAME = "survey"


@dataclass(frozen=True)
class SurveyCoverage:
    """So many sections were read of so many, in `seconds`; without a model each document is one."""

    sections: int = 0
    read: int = 0
    seconds: float = 0.0
    is_by_model: bool = False


def made_to_fields(made: SurveyCoverage) -> dict[str, Any]:
    """As it stands among the sources of a message; versions that do not know it leave it out."""
    return {_NAME: asdict(made)}


def made_of(sources: Sequence[dict[str, Any]]) -> SurveyCoverage | None:
    """How a message with these sources was made; None where it is no such answer."""
    found = next((fields[_NAME] for fields in sources if isinstance(fields.get(_NAME), dict)), None)
    if found is None:
        return None
    try:
        return SurveyCoverage(**found)
    except TypeError:  # written by a newer version
        return SurveyCoverage()
