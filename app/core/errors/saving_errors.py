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


class CopyInterrupted(DiskFailing):
    """The disk that is copied from was taken out, or is broken; a copy of a file with a checksum can go on later."""

    message = ErrorText(
        "The disk with {path} can’t be read right now, so the copy stopped. Check that it is connected.",
        "The part copied so far was kept. Add the model again to continue.",
    )


class FileTooLarge(EnvironmentProblem):
    """The file system of `path` limits files (FAT32: 4 GB), however much is free. `file` is the name of the file."""

    path: str
    file: str
    size_bytes: int
    message = ErrorText(
        "{file} has {size_bytes}. The disk with {path} can’t hold a file that large: FAT32 ends at 4 GB.",
        "Nothing of it was kept there. Use a disk with exFAT, NTFS or ext4.",
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
