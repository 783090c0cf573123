"""An engine whose models see where the file for that lies beside them: found at each loading, told when refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.errors import ProjectorRefused
from app.core.events import CancelToken, LoadProgress, ModelLoaded
from app.engine.client import EngineOnDemand
from app.engine.protocol import OPEN, Wish
from app.features.models.messages import REFUSED
from app.hub.library import find_projector


class SeeingEngine(EngineOnDemand):
    """`is_on_cpu`: pictures are looked at by the processor, which leaves a small GPU's memory to the model."""

    def __init__(self, *arguments: Any, is_on_cpu: Callable[[], bool], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_on_cpu = is_on_cpu

    def load(
        self, path: Path, wish: Wish = OPEN, *, cancel: CancelToken | None = None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """As the other one's, with its eyes. One that is refused keeps nobody from the model; a wished-for one does."""
        projector = None if wish.projector else find_projector(Path(path))
        if projector is None:
            yield from super().load(path, wish, cancel=cancel)
            return
        seeing = replace(wish, projector=str(projector), projector_on_cpu=wish.projector_on_cpu or self._is_on_cpu())
        try:
            yield from super().load(path, seeing, cancel=cancel)
            return
        except ProjectorRefused as error:
            refused = f"{REFUSED}{error.reason}"
        for event in super().load(path, wish, cancel=cancel):
            if isinstance(event, ModelLoaded):
                yield replace(event, steps=(*event.steps, refused), projector=str(projector))
            else:
                yield event
