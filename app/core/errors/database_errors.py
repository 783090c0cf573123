"""The database of chats: from another version, damaged, or not upgraded."""

from __future__ import annotations

from app.core.errors.app_error import Bug, EnvironmentProblem, ErrorText


class DatabaseNewer(EnvironmentProblem):
    path: str
    found_version: int
    known_version: int
    message = ErrorText(
        "Your chats were last saved by a newer version of {app}.",
        "They weren’t changed. Please install the newer version.",
    )


class DatabaseOlder(EnvironmentProblem):
    path: str
    found_version: int
    oldest_version: int
    message = ErrorText(
        "Your chats were last saved by a test version of {app} that this version can’t read.",
        "They weren’t changed. Please install the older version.",
    )


class DatabaseAltered(EnvironmentProblem):
    path: str
    message = ErrorText(
        "Your chats can’t be opened: {name} isn’t a {app} database.", "Nothing was changed or deleted.", "open_folder"
    )


class DatabaseDamaged(EnvironmentProblem):
    path: str
    message = ErrorText(
        "The file with your chats is damaged.",
        "Nothing was deleted. Restart {app}: it keeps the damaged file and starts a new one.",
        "open_folder",
    )


class MigrationFailed(Bug):
    """`to_version` is the schema that the failing step would have made."""

    path: str
    to_version: int
    detail: str
    message = ErrorText(
        "This version of {app} couldn’t upgrade your chats. This is a bug in {app}.",
        "They weren’t changed, and the previous version can still open them.",
        "open_folder",
    )


UNUSABLE_DATABASE = (DatabaseNewer, DatabaseOlder, DatabaseAltered, DatabaseDamaged, MigrationFailed)
"""Problems of the data itself: what was there before a restored backup may be intact."""
