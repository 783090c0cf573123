"""Build the engines that models run in, and the pool that lends them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.paths import make_folder
from app.core.settings import load_settings

if TYPE_CHECKING:
    from app.core.paths import AppPaths
    from app.core.settings import EngineSettings, Settings
    from app.engine.contract import LocalEngine
    from app.engine.protocol import Wish
    from app.engine.states import StateFolder
    from app.features.models.model_pool import ModelPool
    from app.remote.engine import RemoteEngine
    from app.remote.routing import RoutedEngine


def load_options(engine: EngineSettings) -> Wish:
    """Return how the settings want models loaded."""
    from app.engine.protocol import Wish  # the wire to the engine is not needed before the window is seen

    return Wish(
        context_tokens=engine.context_tokens,
        kv_type=engine.kv_type,
        gpu_layers=engine.gpu_layers,
        experts_on_cpu=engine.experts_on_cpu,
        threads=engine.threads,
        devices=engine.devices,
        drafts=engine.drafts,
    )


def build_engine(
    paths: AppPaths,
    states: StateFolder | None = None,
    elsewhere: Callable[[], RemoteEngine] | None = None,
    *,
    sees: bool = False,
    settings: Callable[[], Settings] | None = None,
) -> RoutedEngine:
    """Build the engine's client; nothing starts yet.

    Without `states` no KV snapshots are stored. With `sees`, models load with the projector found next to them.
    `settings` returns current settings; without it those on disk are read. `elsewhere` builds the client for remote
    models. FIRESIDE_ENGINE_SCRIPT puts the scripted backend into the child.
    """
    from app.core.child import own_command
    from app.engine.client import EngineClient
    from app.engine.engine_build import EngineBuild
    from app.features.models.remote_machines import build_machines
    from app.remote.routing import RoutedEngine

    def elsewhere_by_files() -> RemoteEngine:
        from app.remote.engine import open_remote_engine

        return open_remote_engine(paths)

    def now() -> Settings:
        return settings() if settings is not None else load_settings(paths.settings)[0]

    # Called at each loading: a model that slept comes back with the settings of now.
    def settings_wish() -> Wish:
        engine = now().engine
        return replace(load_options(engine), projector_on_cpu=engine.projector_on_cpu)

    # Its models lie in one folder, mostly; the others are where pictures and sounds are made ready for it.
    def folders() -> list[Path]:
        chosen = now().models.folder
        own = [paths.decoded, paths.documents, paths.heard]
        for folder in own:
            with suppress(OSError):  # told by whoever writes there
                make_folder(folder)
        return [Path(chosen) if chosen else paths.models, *own]

    command = own_command("--engine-worker")
    if script := os.environ.get("FIRESIDE_ENGINE_SCRIPT"):
        command += ["--scripted", script]
    # A function, as ggml connects by itself and must be given no address while the network is off.
    options: dict[str, Any] = {"states": states, "machines": build_machines(paths).usable_addresses}
    here = EngineClient(command, paths.engine, **options)
    if sees:
        from app.hub.model_library import find_projector

        here.find_projector = find_projector
    here.folders = folders
    here.find_library = lambda: now().engine.library_folder
    here.settings_wish, here.build = settings_wish, EngineBuild.from_environment()
    # Made when a server's model is chosen: until then neither HTTP nor the keyring is imported.
    return RoutedEngine(here, elsewhere or elsewhere_by_files)


def build_pool(
    chat: LocalEngine,
    chosen: Callable[[], Path | None],
    settings: Callable[[], Settings],
    make_engine: Callable[[], LocalEngine],
) -> ModelPool:
    """Build the pool around an engine, for which `chosen` returns the model; nothing is loaded yet."""
    from app.features.models.model_pool import ModelPool

    return ModelPool(chat, chosen, lambda: load_options(settings().engine), make_engine)
