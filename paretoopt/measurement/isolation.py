"""Start measured processes, each in a fresh process group under limits, and leave none behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from paretoopt.measurement.channel import JOB_FILE
from paretoopt.measurement.confinement import Confinement, command
from paretoopt.measurement.memory import available_bytes
from paretoopt.measurement.processes import Processes, Running
from paretoopt.measurement.program import Limits, Program

_MIB = 1024 * 1024
_SHARE_OF_FREE_MEMORY = 0.9
# The kernel's timer in the measured process fires later than the parent's, which can tell the reason.
_ALARM_SLACK_SECONDS = 5.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def isolated(programs: Sequence[Program], limits: Limits, *, folder: Path) -> Iterator[Processes]:
    """Start ``programs``, each in a fresh process group; at the end, however it comes, none is alive.

    Call it from a thread that outlives the block: the kernel kills the processes when that thread ends.

    Args:
        programs: What to run.
        limits: Time and memory that they may take.
        folder: Where each gets a folder of its own, named by its number.
    """
    with ExitStack() as cleanup:
        memory = _memory_bytes(limits, len(programs))
        running = []
        for number, program in enumerate(programs):
            confinement = Confinement(
                os.getpid(), tuple(sorted(program.cores)), memory, limits.seconds + _ALARM_SLACK_SECONDS
            )
            running.append(_start(program, confinement, folder / str(number), cleanup))
        processes = Processes(running, limits)
        cleanup.callback(processes.close)
        yield processes


def _start(program: Program, confinement: Confinement, folder: Path, cleanup: ExitStack) -> Running:
    folder.mkdir()
    (folder / JOB_FILE).write_text(json.dumps(program.job))
    read_fd, write_fd = os.pipe()
    cleanup.callback(os.close, read_fd)
    try:
        process = subprocess.Popen(
            command(confinement, program.module, str(folder), str(write_fd)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(write_fd, *program.shared_fds),
            env=_environment(program.threads),
            start_new_session=True,
        )
        cleanup.callback(_end, process)
    finally:
        os.close(write_fd)
    assert process.stderr is not None  # It was started with a pipe.
    return Running(program.name, process, folder, read_fd, process.stderr.fileno())


def _memory_bytes(limits: Limits, n_programs: int) -> int | None:
    if limits.memory_mib is not None:
        return int(limits.memory_mib * _MIB)
    free = available_bytes()
    return None if free is None else int(_SHARE_OF_FREE_MEMORY * free / n_programs)


def _environment(threads: int) -> Mapping[str, str]:
    """This process's environment, with the threads stated and this very paretoopt to be found."""
    home = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    stated = dict.fromkeys(_THREAD_VARIABLES, str(threads))
    # The safe path keeps files of the working directory from passing for libraries.
    return {**os.environ, **stated, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole process group and take in its leader."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stderr):
        if stream is not None:
            stream.close()
