"""What a process gives up on Windows: writing, by a low integrity; privileges; and starting others, by a job object.

Written, but never run so far. Reading and the network stay open: only a process that is *started* in an app container,
with its folders given to that container, is kept from them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.landlock import ThreadGrant

NOT_ENOUGH_QUOTA = 1816  # ERROR_NOT_ENOUGH_QUOTA: the job has all processes that it may have
LOW_INTEGRITY = "S-1-16-4096"
KEPT_PRIVILEGE = "SeChangeNotifyPrivilege"
"""Passing through folders on the way to a file, which nearly all programs need."""
# winnt.h
_ACTIVE_PROCESS, _DIE_ON_EXCEPTION = 0x8, 0x400
_EXTENDED_LIMITS, _UI_RESTRICTIONS = 9, 4
_CLIPBOARD_SCREEN_AND_EXIT = 0x2 | 0x4 | 0x8 | 0x10 | 0x40 | 0x80
_TOKEN_ACCESS = 0x8 | 0x20 | 0x80  # query, adjust privileges, adjust default
_PRIVILEGES, _INTEGRITY_LEVEL = 3, 25
_REMOVED, _GROUP_INTEGRITY = 0x4, 0x20
_FILE_OBJECT, _LABEL_INFORMATION, _REVISION = 1, 0x10, 1

# Of fixed sizes, as ctypes takes those of the system it runs on for the names of Windows' types.
_Dword, _Handle, _Size = ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t


class JobBasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION with its fields by the names that winnt.h gives them."""

    _fields_ = [
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", _Dword),
        ("MinimumWorkingSetSize", _Size),
        ("MaximumWorkingSetSize", _Size),
        ("ActiveProcessLimit", _Dword),
        ("Affinity", _Size),
        ("PriorityClass", _Dword),
        ("SchedulingClass", _Dword),
    ]


class JobExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION: the basic limits, IO_COUNTERS, and memory, also by the names in winnt.h."""

    _fields_ = [
        ("Basic", JobBasicLimits),
        ("IoCounters", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", _Size),
        ("JobMemoryLimit", _Size),
        ("PeakProcessMemoryUsed", _Size),
        ("PeakJobMemoryUsed", _Size),
    ]


class MandatoryLabel(ctypes.Structure):
    """TOKEN_MANDATORY_LABEL: the SID of an integrity level, and that it is one."""

    _fields_ = [("Sid", _Handle), ("Attributes", _Dword)]


class PrivilegeState(ctypes.Structure):
    """LUID_AND_ATTRIBUTES, of four bytes each: eight would move the second one of an array."""

    _fields_ = [("Low", _Dword), ("High", _Dword), ("Attributes", _Dword)]


def job_limits(grant: ThreadGrant) -> JobExtendedLimits:
    """Return the limits of a job; one that starts nothing holds this process alone."""
    limits = JobExtendedLimits()
    limits.Basic.LimitFlags = _DIE_ON_EXCEPTION  # instead of a window that asks what to do
    if not grant.starts_programs:
        limits.Basic.LimitFlags |= _ACTIVE_PROCESS
        limits.Basic.ActiveProcessLimit = 1
    return limits


def label_of(path: Path) -> str:
    """Return the label, as text, by which a process of low integrity may write to a file, or to all in a folder."""
    return f"S:(ML;{'OICI' if path.is_dir() else ''};NW;;;LW)"


def lower_process(grant: ThreadGrant) -> None:
    """Give up all but what is granted, as far as Windows can. Raises OSError, AttributeError on another system."""
    load: Callable[..., Any] = ctypes.WinDLL  # type: ignore[attr-defined]
    kernel, security = load("kernel32", use_last_error=True), load("advapi32", use_last_error=True)
    kernel.GetCurrentProcess.restype = kernel.CreateJobObjectW.restype = _Handle
    process = _Handle(kernel.GetCurrentProcess())
    _enter_job(kernel, process, job_limits(grant))
    token = _Handle()
    _check(security.OpenProcessToken(process, _TOKEN_ACCESS, ctypes.byref(token)))
    try:
        _remove_privileges(security, token)
        # What it writes to has to be open for a low integrity before it has one.
        for path in grant.writing:
            if path.exists() and os.fspath(path) != os.devnull:
                _label_place(kernel, security, path)
        _lower_integrity(kernel, security, token)
    finally:
        kernel.CloseHandle(token)


def _enter_job(kernel: Any, process: ctypes.c_void_p, limits: JobExtendedLimits) -> None:
    # Never closed: the process is in it until its end.
    job = _Handle(_check(kernel.CreateJobObjectW(None, None)))
    refused = _Dword(_CLIPBOARD_SCREEN_AND_EXIT)
    for kind, value in ((_EXTENDED_LIMITS, limits), (_UI_RESTRICTIONS, refused)):
        _check(kernel.SetInformationJobObject(job, kind, ctypes.byref(value), ctypes.sizeof(value)))
    _check(kernel.AssignProcessToJobObject(job, process))


def _remove_privileges(security: Any, token: ctypes.c_void_p) -> None:
    """Remove all privileges but one for good, as a restricted token would have it."""
    size = _Dword()
    security.GetTokenInformation(token, _PRIVILEGES, None, 0, ctypes.byref(size))
    found = ctypes.create_string_buffer(size.value)
    _check(security.GetTokenInformation(token, _PRIVILEGES, found, size, ctypes.byref(size)))
    kept = PrivilegeState()
    _check(security.LookupPrivilegeValueW(None, KEPT_PRIVILEGE, ctypes.byref(kept)))
    count = _Dword.from_buffer(found).value
    for state in (PrivilegeState * count).from_buffer(found, ctypes.sizeof(_Dword)):
        if (state.Low, state.High) != (kept.Low, kept.High):
            state.Attributes = _REMOVED
    _check(security.AdjustTokenPrivileges(token, False, found, 0, None, None))


def _lower_integrity(kernel: Any, security: Any, token: ctypes.c_void_p) -> None:
    low = _Handle()
    _check(security.ConvertStringSidToSidW(LOW_INTEGRITY, ctypes.byref(low)))
    label = MandatoryLabel(low, _GROUP_INTEGRITY)
    size = ctypes.sizeof(label) + security.GetLengthSid(low)
    try:
        _check(security.SetTokenInformation(token, _INTEGRITY_LEVEL, ctypes.byref(label), size))
    finally:
        kernel.LocalFree(low)


def _label_place(kernel: Any, security: Any, path: Path) -> None:
    described, listed = _Handle(), _Handle()
    has_list, is_default = _Dword(), _Dword()
    text = label_of(path)
    convert = security.ConvertStringSecurityDescriptorToSecurityDescriptorW
    _check(convert(text, _REVISION, ctypes.byref(described), None))
    try:
        found = security.GetSecurityDescriptorSacl(
            described, ctypes.byref(has_list), ctypes.byref(listed), ctypes.byref(is_default)
        )
        _check(found)
        code = security.SetNamedSecurityInfoW(
            os.fspath(path), _FILE_OBJECT, _LABEL_INFORMATION, None, None, None, listed
        )
        if code:
            raise OSError(f"{path.name}: error {code}")
    finally:
        kernel.LocalFree(described)


def _check(result: Any) -> Any:
    """Return what a function of Windows returned. Raises OSError where that says that it failed."""
    if not result:
        raise OSError(f"error {ctypes.get_last_error()}")  # type: ignore[attr-defined]
    return result
