"""An engine for local and remote models: each request goes to where the chosen model runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.events import CancelToken, LoadProgress, ModelLoaded, TuningProgress
from app.core.paths import runs_elsewhere
from app.engine.client import EngineClient
from app.engine.contract import Engine, WakingEvent
from app.engine.protocol import OPEN, DevicesDescribed, Wish
from app.engine.tuning import TUNING_BUDGET_S, ModelTuning

if TYPE_CHECKING:
    from app.remote.engine import RemoteEngine


class RoutedEngine(Engine if TYPE_CHECKING else object):  # type: ignore[misc]
    """Engine that routes to the local or the remote one. The local model is freed while a remote one is chosen.

    What isn't defined here is the chosen engine's; children, sessions and devices are always the local engine's.
    """

    def __init__(self, here: EngineClient, make_elsewhere: Callable[[], RemoteEngine]) -> None:
        self._here, self._make_elsewhere = here, make_elsewhere
        self._elsewhere: RemoteEngine | None = None
        self.on_waking: Callable[[WakingEvent], object] = lambda event: None
        here.on_waking = lambda event: self.on_waking(event)  # noqa: PLW0108 - who hears may come later

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chosen, name)

    @property
    def _chosen(self) -> Engine:
        """The engine that has the chosen model: a server's, if one is loaded."""
        elsewhere = self._elsewhere
        return elsewhere if elsewhere is not None and elsewhere.loaded is not None else self._here

    @property
    def pid(self) -> int | None:
        return self._here.pid

    @property
    def is_answering(self) -> bool:
        """True if the local model writes an interactive answer."""
        return self._here.is_answering

    @property
    def is_away(self) -> bool:
        """True if the chosen model's server was not reached, or broke off, when it was asked last."""
        elsewhere = self._elsewhere
        return elsewhere is not None and self._chosen is elsewhere and elsewhere.is_away

    def load(
        self, path: Path, wish: Wish = OPEN, *, cancel: CancelToken | None = None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Load a model. If a server can't be reached, the previous model stays."""
        if not runs_elsewhere(path):
            yield from self._here.load(path, wish, cancel=cancel)
            # Only now: if loading failed, the server's model stays.
            if self._elsewhere is not None and self._here.loaded is not None:
                self._elsewhere.unload()
            return
        if self._elsewhere is None:
            self._elsewhere = self._make_elsewhere()
        for event in self._elsewhere.load(path, wish, cancel=cancel):
            # Before the event is passed on, so that nobody finds two models.
            if isinstance(event, ModelLoaded):
                self._here.unload()
            yield event

    def tune(
        self, *, cancel: CancelToken | None = None, budget_s: float = TUNING_BUDGET_S, only_new: bool = False
    ) -> Iterator[TuningProgress | ModelTuning]:
        """Tune the local model; nobody can tune one on a server from here."""
        return self._here.tune(cancel=cancel, budget_s=budget_s, only_new=only_new)

    def leave_machines(self) -> None:
        """Like the local engine's; requests to servers end by themselves when the network is switched off."""
        self._here.leave_machines()

    def forget_session(self, session: str) -> None:
        self._here.forget_session(session)

    def forget_texts(self, names: AbstractSet[str]) -> None:
        self._here.forget_texts(names)

    def describe_devices(self) -> DevicesDescribed:
        return self._here.describe_devices()

    def unload(self) -> None:
        if self._elsewhere is not None:
            self._elsewhere.unload()
        self._here.unload()

    def let_go(self) -> None:
        if self._elsewhere is not None:
            self._elsewhere.let_go()
        self._here.let_go()

    def close(self) -> None:
        # First both let go, as closing either may take long.
        self.let_go()
        if self._elsewhere is not None:
            self._elsewhere.close()
        self._here.close()
