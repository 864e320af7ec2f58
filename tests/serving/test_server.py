"""Servers as processes: what they hold, how they queue, count, stop and survive."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from paretoopt.serving.server import _listening
from paretoopt.serving.settings import ServingSettings
from tests.serving.conftest import Server, serving, wait_until

_REQUEST = {"inputs": {"history": [[1, 2, 3]]}}


def ask(server: Server) -> httpx.Response:
    """One request over a connection of its own."""
    with server.client() as client:
        return client.post("/recommend", json=_REQUEST)


def metric(server: Server, name: str, **labels: str) -> float:
    """The value of a metric, summed over the series that have ``labels``."""
    with server.client() as client:
        families = text_string_to_metric_families(client.get("/metrics").text)
        samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def test_workers_hold_the_runtime_and_nothing_of_the_training(server: Server) -> None:
    """Two processes serve; neither torch, Optuna nor what draws plots is in any of them."""
    loaded = [Path(f"/proc/{pid}/maps").read_text() for pid in server.workers()]
    program = "import sys, paretoopt.serving.app; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert len(loaded) == 2
    assert not any("libtorch" in maps for maps in loaded)
    assert {"torch", "optuna", "plotly", "pandas", "sklearn", "onnx"}.isdisjoint(modules)


def test_only_this_machine_reaches_a_server(server: Server) -> None:
    """Unless told otherwise, it listens on the loopback interface alone."""
    port = int(server.url.rpartition(":")[2])

    assert server.url.startswith("http://127.0.0.1:")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=5).close()


def test_metrics_count_what_all_workers_answered(server: Server) -> None:
    """Any worker tells the sum, by status, with histograms of the time that it took."""
    before = [metric(server, "paretoopt_requests_total", status=status) for status in ("200", "422")]
    with ThreadPoolExecutor(8) as pool:
        assert {one.status_code for one in pool.map(lambda _: ask(server), range(40))} == {200}
    with server.client() as client:
        client.post("/recommend", json={"inputs": {}})

    after = [metric(server, "paretoopt_requests_total", status=status) for status in ("200", "422")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [40, 1]
    assert metric(server, "paretoopt_model_seconds_count") == after[0]
    assert metric(server, "paretoopt_queued_requests") == 0


def test_a_full_queue_sends_clients_away(slow_bundle: Path) -> None:
    """With room for two, two of six at once are answered, and the others told when to come again."""
    with serving(slow_bundle, "--queue", "2") as server, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(server), range(6)))

        statuses = sorted(one.status_code for one in answers)
        assert set(statuses) == {200, 503}
        assert statuses.count(200) >= 2
        assert all(one.headers["Retry-After"] == "1" for one in answers if one.status_code == 503)
        assert ask(server).status_code == 200


def test_a_request_in_flight_is_answered_after_sigterm(slow_bundle: Path) -> None:
    """The server stops by itself, with status 0, and not before it has answered; new clients are refused."""
    with serving(slow_bundle) as server, ThreadPoolExecutor(3) as pool:
        flying = [pool.submit(ask, server) for _ in range(3)]
        wait_until(lambda: metric(server, "paretoopt_queued_requests") > 0)
        server.process.send_signal(signal.SIGTERM)

        assert [one.result().status_code for one in flying] == [200, 200, 200]
        assert server.process.wait(60) == 0
        with pytest.raises(httpx.ConnectError):
            ask(server)


def test_a_worker_that_is_killed_is_replaced(bundle: Path) -> None:
    """The server goes on, and what the dead one had queued is not counted any more."""
    with serving(bundle, "--workers", "2") as server:
        wait_until(lambda: len(server.workers()) == 2)
        first, second = server.workers()
        os.kill(first, signal.SIGKILL)

        wait_until(lambda: len(set(server.workers()) - {first}) == 2)
        assert second in server.workers()
        assert ask(server).status_code == 200
        assert metric(server, "paretoopt_queued_requests") == 0


def test_a_client_that_does_not_finish_takes_no_place_for_ever(server: Server) -> None:
    """Clients that go away in the middle of a body leave the queue empty and the server answering."""
    host, port = server.url.removeprefix("http://").split(":")
    for _ in range(20):
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")

    wait_until(lambda: metric(server, "paretoopt_queued_requests") == 0)
    assert ask(server).status_code == 200


@pytest.mark.slow
def test_a_damaged_bundle_is_not_served(bundle: Path, tmp_path: Path) -> None:
    """Exit status 2, before anything listens."""
    damaged = shutil.copytree(bundle, tmp_path / "damaged")
    content = bytearray((damaged / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (damaged / "model.onnx").write_bytes(content)

    command = [sys.executable, "-m", "paretoopt.cli", "serve", str(damaged), "--port", "0"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert told.returncode == 2
    assert "model.onnx has SHA-256" in told.stderr


def test_a_port_that_is_taken_is_told(bundle: Path, server: Server) -> None:
    """Exit status 2, the address and what to do."""
    command = [sys.executable, "-m", "paretoopt.cli", "serve", str(bundle), "--port", server.url.rpartition(":")[2]]

    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert told.returncode == 2
    assert "cannot be listened on" in told.stderr
    assert told.stderr.splitlines()[-1] == "Give another --host or --port."


@pytest.mark.slow
@pytest.mark.parametrize("package", ["uvicorn", "starlette", "prometheus_client"])
def test_a_missing_extra_is_named(bundle: Path, package: str) -> None:
    """Exit status 2, and the line that installs it."""
    program = (
        f"import sys; sys.modules[{package!r}] = None; from paretoopt.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )

    told = subprocess.run(
        [sys.executable, "-c", program, "serve", str(bundle)], capture_output=True, text=True, check=False, timeout=60
    )

    assert told.returncode == 2
    assert "pip install 'paretoopt[serve]'" in told.stderr


def test_answers_are_sent_at_once(tmp_path: Path) -> None:
    """Connections that workers accept do not wait for acknowledgements between the parts of an answer."""
    with _listening(ServingSettings(tmp_path, port=0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()

        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        client.close()
        accepted.close()
