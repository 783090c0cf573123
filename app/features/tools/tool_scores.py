"""How well each model calls tools, measured once and kept: what the chat, the picker and the composer's switch ask."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.catalogue import fill_value
from app.core.lazy_dataclasses import dataclass
from app.core.paths import make_folder, resource_path
from app.engine.computer import JsonCache, key_of
from app.engine.states import model_identity
from app.features.models.model_messages import MessageTemplate
from app.features.tool_calls import CallWay
from app.features.tools.score_requests import FILE as REQUESTS_FILE

if TYPE_CHECKING:
    from app.features.tools.scoring import WaysCompared

FILE = "tool_scores.json"
RIGHT_TOOL = "This model calls the right tool in {right} of {requests}."
COUNTS = ("valid", "right_tool", "right_arguments", "valid_but_wrong", "called_without_need")


@dataclass(frozen=True)
class ToolScore:
    """How well a model calls tools: the counts of its best way."""

    requests: int
    best: CallWay
    valid: int
    right_tool: int
    right_arguments: int
    valid_but_wrong: int
    called_without_need: int

    @property
    def is_under_half(self) -> bool:
        """True if it calls the right tool in fewer than half: the switch warns before it is turned on."""
        return self.right_tool * 2 < self.requests

    @property
    def message(self) -> MessageTemplate:
        """Say it in one sentence, as the picker and the switch show it."""
        return MessageTemplate(
            RIGHT_TOOL, {"right": fill_value(self.right_tool, ","), "requests": fill_value(self.requests, ",")}
        )


class ToolScores:
    """Scores by model file. A changed file, or changed requests, have none. Read and write errors are ignored."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._cache = folder, JsonCache(folder / FILE)

    def find_score(self, model: Path) -> ToolScore | None:
        """Return a model's score, or None if it was not measured as it is now."""
        if not (self._folder / FILE).exists():
            return None  # so that a menu of many models needn't open their files
        try:
            return _read_score(self._cache.find(_key_of(model)) or {})
        except (OSError, KeyError, TypeError, ValueError):
            return None

    def keep_score(self, model: Path, compared: WaysCompared) -> ToolScore:
        """Store a comparison for a model and return the score of its best way."""
        entry = compared.to_fields()
        with suppress(OSError):  # the file is gone, or the disk is full: the figures are told all the same
            make_folder(self._folder)
            self._cache.put(_key_of(model), entry)
        return _read_score(entry)


def _key_of(model: Path) -> str:
    return key_of("tools", resource_path(REQUESTS_FILE).read_text("utf-8"), model_identity(model))


def _read_score(entry: dict[str, Any]) -> ToolScore:
    best = CallWay(entry["best"])
    (counts,) = (way for way in entry["ways"] if way["way"] == best.value)
    # Read from a file, which may say anything.
    return ToolScore(int(entry["requests"]), best, *(int(counts[name]) for name in COUNTS))
