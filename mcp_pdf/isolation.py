"""Taking rights away from a process that reads hostile files, by Linux system calls through ctypes.

Four layers, each tried and each allowed to be missing; `server_status` shows what the kernel granted.

- `PR_SET_DUMPABLE=0`: no core dump, and no other process of the same user reads our memory.
- `unshare`: the forkserver gets its own user, network and IPC name spaces, so no worker has a network.
- Landlock: a worker may read the Python installation and the system's fonts, and nothing else; it writes nowhere.
- seccomp: a worker cannot start programs or processes, open sockets, trace or signal others, or mount; such a call
  fails with EPERM and does not end the worker, because a library may probe for it.

Every function returns "active" or "unavailable: why" and never raises for a kernel that refuses.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys
from pathlib import Path
from typing import Final

_libc = ctypes.CDLL(None, use_errno=True)

ACTIVE: Final = "active"
PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_NO_NEW_PRIVS: Final = 38
PR_SET_SECCOMP: Final = 22
SECCOMP_MODE_FILTER: Final = 2


def _unavailable() -> str:
    return f"unavailable: {os.strerror(ctypes.get_errno())}"


def _prctl(option: int, value: int, pointer: ctypes.c_void_p | None = None) -> bool:
    result: int = _libc.prctl(option, ctypes.c_ulong(value), pointer or ctypes.c_void_p(0), 0, 0)
    return result == 0


def die_with_parent() -> None:
    """Has the kernel SIGKILL this process when its parent ends, even while it is stopped."""
    parent = os.getppid()
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent ended before the call took hold
        os.kill(os.getpid(), signal.SIGKILL)


def undumpable() -> str:
    """Forbids core dumps and reading this process's memory."""
    return ACTIVE if _prctl(PR_SET_DUMPABLE, 0) else _unavailable()


def private_network() -> str:
    """Moves this process and its children into name spaces without a network. Needs a single thread."""
    clone_newuser, clone_newipc, clone_newnet = 0x10000000, 0x08000000, 0x40000000
    if _libc.unshare(clone_newuser | clone_newipc | clone_newnet) == 0:
        return ACTIVE
    reason = _unavailable()
    return ACTIVE if _libc.unshare(clone_newipc | clone_newnet) == 0 else reason


# --- Landlock (linux/landlock.h) ---

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_EXECUTE = 1 << 0
_FS_RIGHTS: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_FS_RIGHTS_NEWEST: Final = (1 << 16) - 1
_NET_RIGHTS: Final = 0b11


def readable_roots() -> list[str]:
    """What a worker may read: the interpreter, its libraries, this package, fonts, and the time zone data."""
    package = str(Path(__file__).parent)
    fonts = ["/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/zoneinfo"]
    libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"]
    site = [entry for entry in sys.path if "site-packages" in entry or "dist-packages" in entry]
    standard = [path for path in sys.path if path.startswith((sys.base_prefix + "/lib", sys.base_prefix + "/Lib"))]
    shared_model_data = ["/usr/share/tesseract-ocr", "/usr/bin/tesseract", "/dev/null", "/dev/urandom"]
    found = {package, *fonts, *libraries, *site, *standard, *shared_model_data}
    return sorted(path for path in found if path != "/" and Path(path).exists())


def no_files(roots: list[str]) -> str:
    """Restricts this process to reading below `roots`; every other path, and all writing, is refused."""
    abi: int = _libc.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return _unavailable()
    handled = _FS_RIGHTS.get(abi, _FS_RIGHTS_NEWEST)
    attributes = struct.pack("QQ", handled, _NET_RIGHTS) if abi >= 4 else struct.pack("Q", handled)
    ruleset: int = _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return _unavailable()
    try:
        for root in roots:
            _allow(ruleset, root)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        granted = _libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
        return ACTIVE if granted else _unavailable()
    finally:
        os.close(ruleset)


def _allow(ruleset: int, root: str) -> None:
    try:
        descriptor = os.open(root, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rights = _READ_FILE | _READ_DIR if Path(root).is_dir() else _READ_FILE
    _libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, descriptor), 0)
    os.close(descriptor)


# --- seccomp (classic BPF over struct seccomp_data) ---

_REFUSED: Final = {
    # name: (x86_64, aarch64)
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "sendto": (44, 206),
    "bind": (49, 200),
    "listen": (50, 201),
    "socketpair": (53, 199),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "kill": (62, 129),
    "ptrace": (101, 117),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "tkill": (200, 130),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "accept4": (288, 242),
    "perf_event_open": (298, 241),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "finit_module": (313, 273),
    "bpf": (321, 280),
    "execveat": (322, 281),
    "userfaultfd": (323, 282),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "open_tree": (428, 428),
    "pidfd_open": (434, 434),
    "clone3": (435, 435),
    "pidfd_getfd": (438, 438),
}
_MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38
_KILL_PROCESS: Final = 0x80000000


def _filter(machine: str) -> bytes | None:
    if machine not in _MACHINES:
        return None
    column, audit_arch = _MACHINES[machine]
    step = struct.Struct("HBBI")
    code = [step.pack(_LOAD, 0, 0, 4), step.pack(_EQUAL, 1, 0, audit_arch), step.pack(_RETURN, 0, 0, _KILL_PROCESS)]
    code += [step.pack(_LOAD, 0, 0, 0)]
    code += [step.pack(_AT_LEAST, 0, 1, 0x40000000), step.pack(_RETURN, 0, 0, _ENOSYS)]  # the x32 spelling of calls
    for name, numbers in _REFUSED.items():
        number = numbers[column]
        if number is not None:
            # glibc falls back from clone3 to clone, which may only make threads (below), when told ENOSYS
            verdict = _ENOSYS if name == "clone3" else _EPERM
            code += [step.pack(_EQUAL, 0, 1, number), step.pack(_RETURN, 0, 0, verdict)]
    clone, thread_flag = (56, 220)[column], 0x00010000
    test_bits = 0x45
    code += [step.pack(_EQUAL, 0, 3, clone), step.pack(_LOAD, 0, 0, 16), step.pack(test_bits, 1, 0, thread_flag)]
    code += [step.pack(_RETURN, 0, 0, _EPERM), step.pack(_RETURN, 0, 0, _ALLOW)]
    return b"".join(code)


def no_system_calls() -> str:
    """Refuses the calls of `_REFUSED` to this process for good."""
    program = _filter(platform.machine())
    if program is None:
        return f"unavailable: no filter for {platform.machine()}"
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    header_buffer = ctypes.create_string_buffer(header, len(header))
    done = _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.cast(header_buffer, ctypes.c_void_p))
    return ACTIVE if done else _unavailable()
