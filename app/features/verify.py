"""Compares a statement with the blocks it cites: quotes, numbers and units, dates, names, and how much it shares.

Nothing here judges, and no model is asked: it is looked up whether what is said stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.documents.blocks import Block
from app.features.summary.result import Anchor, Check


class Cited(NamedTuple):
    """A block of one of the documents of a summary (an index into them)."""

    document: int
    block: Block


@dataclass(frozen=True)
class Verdict:
    """How the comparison came out, and the best places for the statement, each with the sentence that fits."""

    check: Check
    anchors: tuple[Anchor, ...]


def verify(statement: str, cited: Sequence[Cited], quote: str = "", nearby: Sequence[Cited] = ()) -> Verdict:
    """Compares a statement with what it cites; what is not there is looked for in the blocks nearby.

    A statement that stands in a nearby block and not in the cited ones is anchored there. `quote` is what the model
    says to have copied word for word.
    """
    raise NotImplementedError
