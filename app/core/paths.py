"""Where everything lives: folders for a person's data, and the program's own resources."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from app import APP_ID


@dataclass(frozen=True)
class AppPaths:
    """Folders for what the program writes for a person. Nothing is created until it is needed."""

    data: Path
    config: Path
    cache: Path
    logs: Path

    @property
    def folders(self) -> tuple[Path, ...]:
        """All that the others are in."""
        return self.data, self.config, self.cache, self.logs

    @property
    def models(self) -> Path:
        """Installed models, unless the settings name another folder."""
        return self.data / "models"

    @property
    def database(self) -> Path:
        """Conversations."""
        return self.data / "fireside.db"

    @property
    def settings(self) -> Path:
        """Settings as JSON."""
        return self.config / "settings.json"

    @property
    def engine(self) -> Path:
        """The engine child's own working directory."""
        return self.cache / "engine"

    @property
    def downloads(self) -> Path:
        """The download child's own working directory."""
        return self.cache / "downloads"

    @property
    def documents(self) -> Path:
        """The document child's own working directory."""
        return self.cache / "documents"

    @property
    def translations(self) -> Path:
        """Copies of the documents that are translated, a folder for each."""
        return self.data / "translations"

    @property
    def connections(self) -> Path:
        """Every connection to the network that was ever made, one JSON object a line."""
        return self.data / "connections.jsonl"

    @property
    def states(self) -> Path:
        """What models had read of chats and documents, to go on from."""
        return self.cache / "states"

    @classmethod
    def from_environment(cls) -> AppPaths:
        """`FIRESIDE_HOME` moves everything below it; otherwise the system's usual places."""
        home = os.environ.get("FIRESIDE_HOME")
        if home:
            root = Path(home).expanduser().absolute()
            return cls(root / "data", root / "config", root / "cache", root / "logs")
        dirs = platformdirs.PlatformDirs(APP_ID, appauthor=False)
        return cls(
            Path(dirs.user_data_dir), Path(dirs.user_config_dir), Path(dirs.user_cache_dir), Path(dirs.user_log_dir)
        )


def resource_root() -> Path:
    """The folder `resources/`, in a checkout, an installed wheel and a frozen program."""
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen:
        return Path(frozen) / "resources"
    beside = Path(__file__).resolve().parents[2]
    return beside / "resources" if (beside / "resources").is_dir() else beside / "fireside_resources"


def resource(name: str) -> Path:
    """The path of one resource, by its name with forward slashes; it may not exist."""
    return resource_root() / name


def starter_model() -> Path | None:
    """The model that comes with the program, or None where set-up has not made it."""
    return next(iter(sorted(resource("models").glob("*.gguf"))), None)
