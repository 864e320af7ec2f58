"""Watch the processes of one measurement through their phases to their end."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paretoopt.errors import MeasurementError
from paretoopt.measurement.channel import RESULT_FILE, Json
from paretoopt.measurement.program import Limits

_TAIL_BYTES = 2000
# A pipe holds no more, so one read takes all that a dead process wrote.
_PIPE_BYTES = 65536
# From the moment that a process closes its pipes to the moment that its exit status is known.
_EXIT_SECONDS = 2.0


@dataclass
class Running:
    """A started process and what was heard of it.

    Attributes:
        name: What error messages call it.
        process: The process.
        folder: Where its job and its result are.
        checkpoint_fd: Where it tells of its checkpoints.
        stderr_fd: Where its standard error is read.
        stderr_tail: The last that it wrote there.
        is_at_checkpoint: Whether it waits to be sent on.
        has_ended: Whether it closed its side of the checkpoints.
    """

    name: str
    process: subprocess.Popen[bytes]
    folder: Path
    checkpoint_fd: int
    stderr_fd: int
    stderr_tail: bytes = b""
    is_at_checkpoint: bool = False
    has_ended: bool = False


class Processes:
    """The running processes of one measurement, which go through their phases together.

    Every method raises ``MeasurementError`` when a process fails or dies, or when the time is up.
    """

    def __init__(self, running: Sequence[Running], limits: Limits) -> None:
        """Watch processes that were just started; the time counts from now."""
        self._running = running
        self._limits = limits
        self._deadline = time.monotonic() + limits.seconds
        self._selector = selectors.DefaultSelector()
        for each in running:
            self._selector.register(each.checkpoint_fd, selectors.EVENT_READ, each)
            self._selector.register(each.stderr_fd, selectors.EVENT_READ, each)

    def pass_checkpoint(self, phase: str) -> None:
        """Wait until every process has finished ``phase``, then start them all on the next one."""
        while late := [each for each in self._running if not each.is_at_checkpoint]:
            self._listen(phase, late)
            for each in late:
                if each.has_ended:
                    raise self._failure(each)
        for each in self._running:
            each.is_at_checkpoint = False
            _send_on(each.process)

    def results(self) -> list[Json]:
        """Wait until every process has ended, and give what each left, in their order."""
        while late := [each for each in self._running if not each.has_ended]:
            self._listen("its end", late)
        return [self._result(each) for each in self._running]

    def close(self) -> None:
        """Stop watching."""
        self._selector.close()

    def _listen(self, phase: str, late: Sequence[Running]) -> None:
        seconds_left = self._deadline - time.monotonic()
        if seconds_left <= 0:
            raise MeasurementError(
                f"{', '.join(each.name for each in late)} did not reach {phase} within the limit of "
                f"{self._limits.seconds:g} s and was killed. Raise limit_seconds, or measure a smaller model."
                f"{_last_words(late[0])}"
            )
        for key, _ in self._selector.select(seconds_left):
            heard = os.read(key.fd, _PIPE_BYTES)
            if not heard:
                self._selector.unregister(key.fd)
            _take_in(key.data, key.fd, heard)

    def _result(self, running: Running) -> Json:
        try:
            result = json.loads((running.folder / RESULT_FILE).read_text())
        except FileNotFoundError:
            raise self._failure(running) from None
        except (OSError, ValueError) as error:
            raise MeasurementError(f"{running.name} left a result that cannot be read: {error}.") from error
        if not isinstance(result, dict):
            raise MeasurementError(f"{running.name} left a result that is no table of values: {result!r:.80}.")
        if "error" in result:
            raise self._failure(running)
        return result

    def _failure(self, running: Running) -> MeasurementError:
        """The error that says why ``running`` ended too early."""
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(_EXIT_SECONDS)
        _drain(running)
        reported = _reported_error(running)
        if reported is None:
            reason = _exit_reason(running.process.returncode)
            return MeasurementError(f"{running.name} {reason}.{_last_words(running)}")
        if reported.get("is_memory"):
            return MeasurementError(f"{running.name} {_memory_reason(self._limits)}: {reported['error']}")
        return MeasurementError(f"{running.name} failed: {reported['error']}")


def _take_in(running: Running, fd: int, heard: bytes) -> None:
    if fd == running.stderr_fd:
        running.stderr_tail = (running.stderr_tail + heard)[-_TAIL_BYTES:]
    elif heard:
        running.is_at_checkpoint = True
    else:
        running.has_ended = True


def _send_on(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None  # It was started with a pipe.
    with suppress(BrokenPipeError):  # It died meanwhile; the next wait will say how.
        os.write(process.stdin.fileno(), b".")


def _drain(running: Running) -> None:
    os.set_blocking(running.stderr_fd, False)
    with suppress(BlockingIOError):
        _take_in(running, running.stderr_fd, os.read(running.stderr_fd, _PIPE_BYTES))


def _reported_error(running: Running) -> Json | None:
    try:
        result = json.loads((running.folder / RESULT_FILE).read_text())
    except (OSError, ValueError):
        return None
    return result if isinstance(result, dict) and "error" in result else None


def _exit_reason(status: int | None) -> str:
    if status is None:
        return "closed its channel without a result and went on; it was killed"
    if status >= 0:
        return f"ended with exit status {status} and left no result"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"


def _memory_reason(limits: Limits) -> str:
    stated = "the memory that is free" if limits.memory_mib is None else f"its limit of {limits.memory_mib:g} MiB"
    return f"exceeded {stated}; raise memory_limit_mib, or measure a smaller model"


def _last_words(running: Running) -> str:
    text = running.stderr_tail.decode(errors="replace").strip()
    return f" Its last words: {text}" if text else ""
