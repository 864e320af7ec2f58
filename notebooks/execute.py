"""Run notebooks and keep what they show: ``python notebooks/execute.py [NOTEBOOK ...]``, all of them by default.

Each runs in a scratch folder that looks like this one, so that nothing is left behind and no output names a folder of
the machine. Plots are kept twice: for Jupyter, and as a picture for pages that run no JavaScript.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def main() -> None:
    """Run the notebooks that are named, in place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted(HERE.glob("*.ipynb")))
    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype+png"
    for path in parser.parse_args().notebooks:
        nbformat.write(executed(path), path)
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


def executed(path: Path, changes: Mapping[str, str] | None = None) -> nbformat.NotebookNode:
    """The notebook with its outputs, and without what says when and where it ran.

    Args:
        path: The notebook, which stays as it is.
        changes: What to write in the place of what in its code, such as fewer trials; each must be there.

    Raises:
        ValueError: Something to change is not there.
        CellExecutionError: A cell raises an error.
    """
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for shown, wanted in (changes or {}).items():
        if not any(shown in cell.source for cell in code):
            raise ValueError(f"{path.name} has no {shown!r}. Name what stands in its code.")
        for cell in code:
            cell.source = cell.source.replace(shown, wanted)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / HERE.name
        folder.mkdir()
        (Path(scratch) / "docs").symlink_to(HERE.parent / "docs")
        NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(folder)}}).execute()
    return cleaned(notebook)


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without what says when and where it ran."""
    notebook.metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            # tqdm, which Optuna loads, says where it is installed if ipywidgets are not.
            cell.outputs = [output for output in cell.outputs if "TqdmWarning" not in output.get("text", "")]
    return notebook


if __name__ == "__main__":
    main()
