"""What all errors are: a situation with its parameters as fields, and templates of what a person is told of it.

`app.features.error_messages` fills the templates in, where they are shown.
"""

from __future__ import annotations

import dataclasses
from pathlib import PurePath
from typing import Any, ClassVar, dataclass_transform

from app.core.catalogue import Translatable
from app.core.lazy_dataclasses import dataclass, field

FILE_CASES = {
    "missing": "The file {name} doesn’t exist.",
    "denied": "You don’t have permission to read {name}.",
    "not_a_file": "{name} can’t be read.",
}
"""Cases of every error about a file that the system doesn’t open."""
HOST_CASES = {
    "timeout": "{host} didn’t respond in time.",
    "proxy": "The proxy in front of {host} refused the connection.",
    "proxy_sign_in": "The proxy in front of {host} asks for a user name and password. Enter them under Settings › "
    "Network › Proxy.",
    "proxy_password": "The proxy in front of {host} doesn’t accept the user name and password.",
    "server": "{host} has a problem right now.",
    "garbage": "{host} sent an invalid answer.",
}
"""Cases of every error about a host that doesn’t answer as it should."""


@dataclass(frozen=True)
class ErrorText:
    """Templates of what a person is told: what happened, what was kept, and the name of the one thing to do.

    Their `{names}` are an error's `values`. `cases` and `kept_in` say it otherwise for some values of the field
    `case_of`.

    `action` names a button: open_model, new_chat, retry, settings, network, servers, models, storage, open_folder,
    put_back, end, or "".
    """

    text: Translatable
    kept: Translatable = ""
    action: str = ""
    case_of: str = "reason"
    cases: dict[str, Translatable] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)
    kept_in: dict[str, Translatable] = field(default_factory=dict)


@dataclass_transform(eq_default=False)
class AppError(Exception):
    """An error to show to the user. Subclasses become dataclasses by themselves; treat them as frozen."""

    message: ClassVar[ErrorText]

    @property
    def case(self) -> str:
        """Key of the message's `cases`."""
        return str(getattr(self, self.message.case_of, ""))

    @property
    def values(self) -> dict[str, Any]:
        """Values of the message's templates: the fields, and the path's file as `name`."""
        fields = to_fields(self)
        return {"name": file_name(fields["path"])} | fields if "path" in fields else fields

    # As dataclasses, so that they cross the wire by their fields; equal by identity, as exceptions are.
    def __init_subclass__(cls) -> None:
        dataclass(eq=False)(cls)

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in to_fields(self).items())})"


class EnvironmentProblem(AppError):
    """Not a defect: the machine, a file or the person can change it."""


class Bug(AppError):
    """A defect in Fireside itself: its details are for whoever mends it."""


def file_name(path: str) -> str:
    """Return the last part of a path, or all of one that has none."""
    return PurePath(path).name or path


def to_fields(error: AppError) -> dict[str, Any]:
    if not dataclasses.is_dataclass(error):
        return {}
    return {field.name: getattr(error, field.name) for field in dataclasses.fields(error)}


def expected_error(error: BaseException) -> AppError:
    """Return an error that the program expects; raise any other one, a defect, for the hook of those."""
    if not isinstance(error, AppError):
        raise error
    return error
