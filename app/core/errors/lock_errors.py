"""The lock on a person's data: closed, opened with a wrong passphrase, or in the way of something."""

from __future__ import annotations

from app.core.errors.app_error import EnvironmentProblem, ErrorText


class DataLocked(EnvironmentProblem):
    path: str
    message = ErrorText(
        "Your data is locked, and the passphrase is needed to open it.",
        "In the terminal {app} asks for it, or reads the file named by FIRESIDE_PASSPHRASE_FILE.",
    )


class DatabaseNotEncrypted(EnvironmentProblem):
    path: str
    message = ErrorText(
        "A lock is set, but {name} isn’t encrypted: something else put it there.",
        "Nothing was changed. Move that file away, or put the encrypted one back.",
        "open_folder",
    )


class WrongPassphrase(EnvironmentProblem):
    message = ErrorText("That isn’t the passphrase.", "Nothing was changed.")


class RestoreLocked(EnvironmentProblem):
    message = ErrorText("Nothing can be restored while a lock is set. Remove the lock first.", "Nothing was changed.")


class RestoreWaiting(EnvironmentProblem):
    message = ErrorText(
        "A restored backup is waiting for the next start. Start {app} once, then set the lock.", "Nothing was changed."
    )


class LockChangeBlocked(EnvironmentProblem):
    """Another process has the data open, or is changing the lock itself."""

    message = ErrorText("Another {app} is using your data. Close it, then try again.", "The lock is as it was.")


class LockUnavailable(EnvironmentProblem):
    message = ErrorText(
        "The lock needs the Python package sqlcipher3, which isn’t installed.", "Your data is unchanged."
    )
