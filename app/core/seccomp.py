"""System calls that a process gives up for good, by a filter of the kernel (Linux: seccomp), on x86-64 and ARM64.

The filter is put together here, as it is one table and a few comparisons: libseccomp, and a binding for it, would be a
library of the system that not every computer has.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Iterator
from enum import Enum

from app.core.lazy_dataclasses import dataclass

# linux/seccomp.h, linux/prctl.h, linux/bpf_common.h
_SET_NO_NEW_PRIVILEGES = 38
_SET_FILTER, _ALL_THREADS, _FULL_SPEED = 1, 1, 4
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER_AT, _PROCESSOR_AT, _FIRST_AT, _SECOND_AT = 0, 4, 16, 24  # lower halves of the arguments: both are little-endian
_X32 = 0x40000000  # the third set of numbers that an x86-64 kernel may take
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEW…: of users, networks, mounts and the rest
_NEW_THREAD = 0x10000  # CLONE_THREAD: what is made is no process
_STREAM, _KIND_MASK = 1, 0xF
_UNIX, _IPV4, _IPV6, _NETLINK = 1, 2, 10, 16


class SocketRule(Enum):
    """New sockets that stay allowed."""

    NONE = "none"
    TCP = "tcp"
    """TCP over IPv4: which ports is for Landlock to say."""
    UNIX = "unix"
    """Streams to other programs of this computer, such as the one that plays and records sound."""
    INTERNET = "internet"
    """IP, and the kernel's list of routes; no sockets of this computer's other programs."""


@dataclass(frozen=True)
class _CallNumbers:
    """Numbers of system calls, from asm/unistd.h. Those since 2019 are the same everywhere."""

    audit: int
    socket: int
    clone: int
    starts: tuple[int, ...]
    groups: tuple[int, ...]
    denied: tuple[int, ...]


_CLONE3 = 435
# io_uring does what other calls do, past any filter of them.
_DENIED_EVERYWHERE = (
    *(425, 426, 427),  # io_uring_setup, _enter, _register
    *(428, 429, 430, 431, 432, 433, 442),  # open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr
    *(438, 440, 448),  # pidfd_getfd, process_madvise, process_mrelease
)
_PROCESSORS = {
    "x86_64": _CallNumbers(
        0xC000003E,
        socket=41,
        clone=56,
        starts=(59, 57, 58),  # execve, fork, vfork
        groups=(109, 112),  # setpgid, setsid
        denied=(
            *(101, 310, 311, 312),  # ptrace, process_vm_readv, process_vm_writev, kcmp
            *(165, 166, 155, 161, 272, 308),  # mount, umount2, pivot_root, chroot, unshare, setns
            *(321, 298, 323, 322),  # bpf, perf_event_open, userfaultfd, execveat
            *(248, 249, 250),  # add_key, request_key, keyctl
            *(175, 176, 313, 246, 320, 169),  # init_module, delete_module, finit_module, kexec_load, _file_load, reboot
            *(163, 167, 168, 304, 172, 173),  # acct, swapon, swapoff, open_by_handle_at, iopl, ioperm
        ),
    ),
    "aarch64": _CallNumbers(
        0xC00000B7,
        socket=198,
        clone=220,
        starts=(221,),  # execve
        groups=(154, 157),  # setpgid, setsid
        denied=(
            *(117, 270, 271, 272),  # ptrace, process_vm_readv, process_vm_writev, kcmp
            *(40, 39, 41, 51, 97, 268),  # mount, umount2, pivot_root, chroot, unshare, setns
            *(280, 241, 282, 281),  # bpf, perf_event_open, userfaultfd, execveat
            *(217, 218, 219),  # add_key, request_key, keyctl
            *(105, 106, 273, 104, 294, 142),  # init_module, delete_module, finit_module, kexec_load, _file_load, reboot
            *(89, 224, 225, 265),  # acct, swapon, swapoff, open_by_handle_at
        ),
    ),
}
_SECCOMP = {"x86_64": 317, "aarch64": 277}


def give_up_calls(sockets: SocketRule, *, starts_programs: bool, keeps_group: bool = False) -> bool:
    """Deny all threads of this process, and all that it starts, new sockets and whatever reaches into other processes
    or into the system; return whether the kernel does. With `keeps_group` leaving the process group is done by name
    only: who asks for it is told that it succeeded, since many programs end where it doesn't.
    """
    processor = _PROCESSORS.get(platform.machine())
    if sys.platform != "linux" or processor is None or struct.calcsize("P") != 8:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    steps = list(_filter_steps(processor, sockets, starts_programs=starts_programs, keeps_group=keeps_group))
    code = ctypes.create_string_buffer(b"".join(steps))
    # struct sock_fprog: how many steps, and where they are.
    program = struct.pack("=HxxxxxxQ", len(steps), ctypes.addressof(code))
    return bool(libc.syscall(_SECCOMP[platform.machine()], _SET_FILTER, _ALL_THREADS | _FULL_SPEED, program) == 0)


def _filter_steps(
    processor: _CallNumbers, sockets: SocketRule, *, starts_programs: bool, keeps_group: bool
) -> Iterator[bytes]:
    """Yield the filter: of each call, the first return that is reached counts."""
    refused = _ERRNO | errno.EPERM
    yield _step(_LOAD, _PROCESSOR_AT)
    # A process may switch to the 32-bit calls of its processor, whose numbers are others.
    yield _step(_EQUAL, processor.audit, yes=1)
    yield _step(_RETURN, refused)
    yield _step(_LOAD, _NUMBER_AT)
    yield _step(_AT_LEAST, _X32, no=1)
    yield _step(_RETURN, refused)
    denied = (*processor.denied, *_DENIED_EVERYWHERE, *(() if starts_programs else processor.starts))
    for number in denied:
        yield from _on_call(number, [_step(_RETURN, refused)])
    for number in processor.groups if keeps_group else ():
        yield from _on_call(number, [_step(_RETURN, _ERRNO)])  # error 0: success
    # Its flags lie in memory, where a filter can't look; the C library then takes the older call.
    yield from _on_call(_CLONE3, [_step(_RETURN, _ERRNO | errno.ENOSYS)])
    yield from _on_call(
        processor.clone,
        [
            _step(_LOAD, _FIRST_AT),
            _step(_ANY_BIT, _NEW_NAMESPACES, no=1),
            _step(_RETURN, refused),
            # A child that starts nothing needs threads, not processes: without end they would stop the computer.
            *([] if starts_programs else [_step(_ANY_BIT, _NEW_THREAD, yes=1), _step(_RETURN, refused)]),
            _step(_RETURN, _ALLOW),
        ],
    )
    yield from _on_call(processor.socket, list(_socket_steps(sockets)))
    yield _step(_RETURN, _ALLOW)


def _socket_steps(sockets: SocketRule) -> Iterator[bytes]:
    if sockets in (SocketRule.TCP, SocketRule.UNIX):
        yield _step(_LOAD, _FIRST_AT)
        yield _step(_EQUAL, _IPV4 if sockets is SocketRule.TCP else _UNIX, no=4)
        yield _step(_LOAD, _SECOND_AT)
        yield _step(_AND, _KIND_MASK)  # without its flags
        yield _step(_EQUAL, _STREAM, no=1)
        yield _step(_RETURN, _ALLOW)
    elif sockets is SocketRule.INTERNET:
        yield _step(_LOAD, _FIRST_AT)
        for family in (_IPV4, _IPV6, _NETLINK):
            yield _step(_EQUAL, family, no=1)
            yield _step(_RETURN, _ALLOW)
    yield _step(_RETURN, _ERRNO | errno.EACCES)


def _on_call(number: int, steps: list[bytes]) -> Iterator[bytes]:
    """Yield steps for one system call; all others skip them. Each of them ends in a return."""
    yield _step(_EQUAL, number, no=len(steps))
    yield from steps


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """Return one instruction (struct sock_filter); `yes` and `no` are how many are skipped after a comparison."""
    return struct.pack("=HBBI", code, yes, no, value)
