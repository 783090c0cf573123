"""Settings of a home with or without a lock."""

from __future__ import annotations

from dataclasses import replace

from app.core.paths import AppPaths, disk_problem
from app.core.settings import Settings, save_settings, store_settings


def store_home_settings(paths: AppPaths, settings: Settings) -> None:
    """Write the settings. With a lock they are encrypted, and what the lock screen needs of them is beside it.

    Raises DiskFull or FolderNotWritable.
    """
    store_settings(paths, settings)
    if paths.unlocked is None:
        return
    from app.store.encrypted_files import store_file

    store_file(paths.settings)
    try:
        save_settings(replace(paths, unlocked=None).settings, settings.without_texts())
    except OSError as error:
        raise disk_problem(error, paths.config) from error
