"""Stop signals: SIGTERM and Ctrl-C end a run within ``PATIENCE`` seconds, with 143 or 130 and one line, whatever code they meet.

The signal raises ``KeyboardInterrupt`` in the main thread, so that everything cleans up after itself. Where that is lost (in a finaliser, in
what a library calls back) it is raised again; where nothing comes of it (a library that swallows it, or does not come back), a thread ends
the process: what is left then is swept by the next run.
"""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType, TracebackType
from typing import Any

PATIENCE = 1.5
"""Seconds that a stopped run has to clean up."""

BREATH = 0.02
"""Seconds before an interrupt that was lost is raised again."""

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}

_caught: list[int] = []
_told: list[bool] = []
_watched: list[int] = []
_dropped = threading.Event()


def catch_stops() -> None:
    """Let stop signals end this process as the module says; only the main thread can ask for it, a second time changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        signal.signal(number, _stop)
    if os.getpid() not in _watched:  # a child of a fork has no thread but its own
        _watched[:] = [os.getpid()]
        # The system wakes the thread even while the main thread is inside a library and runs no handler.
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        with suppress(RuntimeError):  # too little memory for a thread: what comes next says so
            threading.Thread(target=_watch, args=(reader,), daemon=True).start()
        sys.excepthook = partial(_escaped, sys.excepthook)
        sys.unraisablehook = partial(_lost, sys.unraisablehook)
        threading.excepthook = partial(_in_thread, threading.excepthook)


def stop_status() -> int | None:
    """Return the exit status of a run that was told to stop, or ``None``."""
    return _caught[0] if _caught else None


def tell_stopped() -> None:
    """Say, once, that the run was stopped."""
    if not _told:
        _told.append(True)
        with suppress(OSError, ValueError):  # nobody reads it, or the stream is closed
            sys.stderr.write("STOPPED — nothing half-made is left; published lists are as they were\n")
            sys.stderr.flush()


def leave(status: int) -> None:
    """End the process with ``status``, or with that of a stop that came in time; never returns.

    Without the interpreter's own end: its finalisers would print what a stop meets there, and end with another status.
    """
    import atexit

    if not _caught:
        with suppress(KeyboardInterrupt):
            atexit._run_exitfuncs()  # what libraries clean up
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError, KeyboardInterrupt):
            stream.flush()
    if _caught:
        tell_stopped()
    os._exit(_caught[0] if _caught else status)


def _stop(number: int, frame: FrameType | None) -> None:
    first = not _caught
    if first:
        _caught.append(SIGNALS[signal.Signals(number)])
    if first or _dropped.is_set():
        _dropped.clear()
        raise KeyboardInterrupt


def _watch(reader: int) -> None:
    """Wait for a stop signal, give the main thread its time, and end the process."""
    status = None
    while status is None:
        with suppress(ValueError):
            status = SIGNALS.get(signal.Signals(os.read(reader, 1)[0]))
    end = time.monotonic() + PATIENCE
    while (left := end - time.monotonic()) > 0:
        if _dropped.wait(left):
            time.sleep(BREATH)  # until the hook that told of it is over
            _thread.interrupt_main(signal.SIGINT)
    tell_stopped()
    os._exit(_caught[0] if _caught else status)


def _escaped(before: Callable[..., Any], kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
    """End a stopped run whose interrupt nobody took; anything else is shown as ever."""
    if _caught:
        tell_stopped()
        os._exit(_caught[0])
    before(kind, problem, trace)


def _lost(before: Callable[[Any], Any], found: Any) -> None:
    """Have the interrupt raised again that was lost in a finaliser or a callback; anything else is shown as ever."""
    if not _caught:
        before(found)
    elif isinstance(found.exc_value, KeyboardInterrupt):
        _dropped.set()


def _in_thread(before: Callable[[Any], Any], found: Any) -> None:
    """Say nothing of what breaks in a thread of a run that is stopped; anything else is shown as ever."""
    if not _caught:
        before(found)
