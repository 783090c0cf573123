"""Files that can’t be written: the disk, the folder or the name."""

from __future__ import annotations

from typing import Any

from app.core.errors.app_error import EnvironmentProblem, ErrorText, file_name


class TargetIsSource(EnvironmentProblem):
    path: str
    message = ErrorText("{name} is the document being translated. Choose another name.", "Nothing was changed.")


class TargetIsOpen(EnvironmentProblem):
    path: str
    message = ErrorText(
        "{name} is open in another program. Close it there or choose another name.", "Nothing was changed."
    )


class NameTooLong(EnvironmentProblem):
    path: str
    message = ErrorText(
        "The name {beginning}… is too long for this disk. Choose a shorter one.", "Nothing was changed."
    )

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"beginning": file_name(self.path)[:40]}


class FolderNotWritable(EnvironmentProblem):
    path: str
    message = ErrorText(
        "{app} doesn’t have permission to write to {path}.", "Everything saved before is still there.", "open_folder"
    )


class DiskFailing(FolderNotWritable):
    """The disk answers with errors: broken, loose, or taken out."""

    message = ErrorText(
        "The disk with {path} can’t be read or written right now. Check that it is connected.",
        "Nothing that was saved before has been changed.",
        "open_folder",
    )


class DiskReadOnly(FolderNotWritable):
    """Nothing on the disk can be changed: mounted so, or turned so by the system after an error."""

    message = ErrorText(
        "The disk with {path} is read-only, so nothing can be saved there.",
        "Everything saved before is still there.",
        "open_folder",
    )


class DiskFull(EnvironmentProblem):
    path: str
    message = ErrorText(
        "The disk is full, so nothing more can be saved.", "Everything saved before is still there.", "open_folder"
    )


class SettingLocked(EnvironmentProblem):
    message = ErrorText("Your administrator has set this, so you can’t change it.")
