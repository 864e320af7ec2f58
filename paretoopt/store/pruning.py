"""Making room in a store, without touching what is being made or used."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence

import filelock

from paretoopt.store.inventory import StoredOutput
from paretoopt.store.layout import Layout
from paretoopt.store.lease import all_to_myself
from paretoopt.store.record import ENTRY_FILE


def removable(
    outputs: Sequence[StoredOutput],
    *,
    names: Collection[str] = (),
    unused_since: float | None = None,
    most_bytes: int | None = None,
) -> tuple[StoredOutput, ...]:
    """What to remove, the least recently used first.

    Args:
        outputs: All that the store holds.
        names: Remove outputs of these stages and measures alone; of all where empty.
        unused_since: Remove what was last used before this time, in seconds since the epoch.
        most_bytes: Then remove more until all that is left is no larger than this, or nothing more may go.

    Returns:
        Where neither a time nor a size is given, every output of the stages and measures named.
    """
    oldest_first = sorted(outputs, key=lambda one: one.last_used)
    allowed = [one for one in oldest_first if not names or one.name in names]
    if unused_since is None and most_bytes is None:
        return tuple(allowed) if names else ()
    chosen = [one for one in allowed if unused_since is not None and one.last_used < unused_since]
    if most_bytes is None:
        return tuple(chosen)
    left = sum(one.n_bytes for one in outputs) - sum(one.n_bytes for one in chosen)
    for output in allowed[len(chosen) :]:
        if left <= most_bytes:
            break
        chosen.append(output)
        left -= output.n_bytes
    return tuple(chosen)


def remove(layout: Layout, output: StoredOutput) -> bool:
    """Remove the output, unless it is being made or used at this moment, by any process.

    Returns:
        Whether it is gone.
    """
    try:
        with layout.lock_of(output.key).acquire(timeout=0), all_to_myself(output.folder / ENTRY_FILE) as is_mine:
            if not is_mine:
                return False
            aside = layout.scratch_of(output.key)
            if output.folder != aside:
                # Moved at once, so that no half of it is ever found; the lock says that nobody makes it there.
                shutil.rmtree(aside, ignore_errors=True)
                if output.folder.exists():
                    output.folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
            return True
    except filelock.Timeout:
        return False
