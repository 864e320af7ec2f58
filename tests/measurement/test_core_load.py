"""What else ran on the measured cores is told apart from what was measured."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from paretoopt.measurement.core_load import CoreTimes, core_times, share_of_others

_SPIN = "import time\nwhile time.process_time() < 0.5: pass"


def test_share_is_what_was_busy_without_the_measured_processes() -> None:
    """Of 10 s on two cores, 3 s were busy and 1 s of that was ours: a fifth of 10 s of core time is others'."""
    before, after = CoreTimes(100.0, 500.0, 7.0), CoreTimes(103.0, 510.0, 8.0)

    assert share_of_others(before, after) == pytest.approx(0.2)


def test_share_stays_within_0_and_1() -> None:
    """Clocks of different grain may disagree by a tick."""
    assert share_of_others(CoreTimes(0, 0, 0), CoreTimes(1.0, 10.0, 1.01)) == 0.0
    assert share_of_others(CoreTimes(0, 0, 0), CoreTimes(10.01, 10.0, 0.0)) == 1.0


def test_what_is_not_told_is_not_known() -> None:
    """No account, or no time between the moments, gives None rather than an idle machine."""
    moment = CoreTimes(1.0, 10.0, 0.0)

    assert share_of_others(None, moment) is None
    assert share_of_others(moment, moment) is None
    assert core_times([10_000]) is None


def test_measured_processes_are_not_others() -> None:
    """A child that spins on the core for half a second is left out of the share, whatever else runs."""
    core = min(os.sched_getaffinity(0))
    before = core_times([core])
    subprocess.run([sys.executable, "-c", f"import os; os.sched_setaffinity(0, [{core}])\n{_SPIN}"], check=True)
    after = core_times([core])
    if before is None or after is None or after.total == before.total:
        pytest.skip("this system does not tell the time of each core")

    share = share_of_others(before, after)

    busy = (after.busy - before.busy) / (after.total - before.total)
    assert share is not None
    assert after.children - before.children > 0.4
    assert share <= busy - 0.4 / (after.total - before.total) + 0.05
