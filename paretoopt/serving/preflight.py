"""Check a bundle in a process of its own before workers load it: what crashes here crashes no server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from paretoopt.bundle.manifest import read_manifest
from paretoopt.bundle.predict import open_model, repeat_sample
from paretoopt.errors import ArtifactError

_SECONDS = 300.0


def check_bundle(folder: Path) -> None:
    """Compare checksums, load the model, and repeat the sample requests, all in another process.

    Raises:
        ArtifactError: The bundle cannot be served.
    """
    command = [sys.executable, "-m", "paretoopt.serving.preflight", str(folder)]
    try:
        checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(f"{folder} did not answer its sample requests in {_SECONDS:g} s. Do not use it.") from error
    if checked.returncode == 1:
        raise ArtifactError(checked.stdout.strip())
    if checked.returncode != 0:
        raise ArtifactError(
            f"the runtime died of the model in {folder} (exit status {checked.returncode}). Do not use it."
        )


def main(folder: Path) -> int:
    """Check the bundle in ``folder``; gives the exit status, and the reason on standard output."""
    try:
        read_manifest(folder)
        wrong, _ = repeat_sample(open_model(folder), folder)
    except Exception as error:  # the runtime's errors have no common class
        sys.stdout.write(" ".join(str(error).split()))
        return 1
    if wrong:
        sys.stdout.write(f"{folder} does not answer as when it was exported ({'; '.join(wrong)}). Export it again.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
