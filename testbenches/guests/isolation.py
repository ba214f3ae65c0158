"""Namespaces (network, mounts, processes) that end with the program, also when it is told to end by a signal."""

import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import machine

NEW_MOUNTS, NEW_PROCESSES, NEW_NETWORK = 0x00020000, 0x20000000, 0x40000000
PARENT_DEATH_SIGNAL = 1  # of prctl(2)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 20  # seconds after a signal until what is left is killed

libc = ctypes.CDLL(None, use_errno=True)


def unshare(kinds):
    if libc.unshare(kinds):
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: no namespaces here: {os.strerror(ctypes.get_errno())}; "
                 "they take root rights, in a container also CAP_SYS_ADMIN")


def need_root():
    if os.geteuid() != 0:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: taps, chroot and namespaces take root rights: run as root")


def install(*words):
    """Makes what the guests take, by root.sh: before enter(), because it needs the network. Ends with it."""
    need_root()
    with subprocess.Popen([machine.HERE / "root.sh", *words], start_new_session=True) as work:
        def give_up(number, _):
            os.killpg(work.pid, signal.SIGTERM)
            sys.exit(128 + number)

        before = {number: signal.signal(number, give_up) for number in SIGNALS}
        status = work.wait()
        for number, action in before.items():
            signal.signal(number, action)
    if status:
        sys.exit(status)


def enter():
    """Returns in a process with namespaces of its own; the caller's process stays behind, waits and exits."""
    need_root()
    os.environ[machine.RUN_VARIABLE] = str(os.getpid())
    machine.root_path()  # asks a program, which stand_by() cannot: when the child is gone nothing can be started
    unshare(NEW_PROCESSES)
    child = os.fork()
    if child:
        sys.exit(stand_by(child))
    libc.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)  # and with us all processes of the namespace
    for number in SIGNALS:
        signal.signal(number, end)
    unshare(NEW_MOUNTS | NEW_NETWORK)
    try:
        mounts_of_its_own()
    except machine.Trouble as trouble:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: no mounts of its own here: {trouble}")


def mounts_of_its_own():
    machine.call("mount", "--make-rprivate", "/")
    machine.call("mount", "-t", "proc", "proc", "/proc")
    # This network's own settings are those of /sys of its namespace.
    machine.call("mount", "-t", "sysfs", "sysfs", "/sys")


def end(number, _):
    """Of the process inside: ends it through its `finally` clauses, once."""
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def stand_by(child):
    """Hands signals on, waits, removes folders that are left over; returns the exit status."""
    told = []

    def hand_on(number, _):
        told.append(number)
        os.kill(child, number)
        signal.alarm(GRACE)

    for number in SIGNALS:
        signal.signal(number, hand_on)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for folder in machine.run_folders(os.getpid()):
        shutil.rmtree(folder, ignore_errors=True)
    if told:
        return 128 + told[0]
    return status if status >= 0 else 128 - status
