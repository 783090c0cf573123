"""What Windows is told of a job, as far as another system can tell: sizes, places and limits of its structures."""

from __future__ import annotations

import ctypes
from pathlib import Path

from app.core.landlock import ThreadGrant
from app.core.windows_job import (
    JobBasicLimits,
    JobExtendedLimits,
    MandatoryLabel,
    PrivilegeState,
    job_limits,
    label_of,
)

ACTIVE_PROCESS = 0x8


def test_structures_are_laid_out_as_in_winnt_h() -> None:
    sizes = [ctypes.sizeof(each) for each in (JobBasicLimits, JobExtendedLimits, MandatoryLabel, PrivilegeState)]
    assert sizes == [64, 144, 16, 12], "of 64 bits, for which alone it is built"
    assert JobBasicLimits.LimitFlags.offset == 16
    assert JobBasicLimits.ActiveProcessLimit.offset == 40
    assert JobExtendedLimits.ProcessMemoryLimit.offset == 112


def test_who_starts_nothing_is_alone_in_its_job() -> None:
    alone = job_limits(ThreadGrant(programs=()))
    assert alone.Basic.LimitFlags & ACTIVE_PROCESS and alone.Basic.ActiveProcessLimit == 1
    for programs in (None, (Path("tesseract.exe"),)):
        limits = job_limits(ThreadGrant(programs=programs))
        assert not limits.Basic.LimitFlags & ACTIVE_PROCESS and limits.Basic.LimitFlags


def test_a_folder_is_opened_with_all_that_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert label_of(tmp_path) == "S:(ML;OICI;NW;;;LW)"
    assert label_of(file) == "S:(ML;;NW;;;LW)"
