"""``alphacut info``: what this installation can do on this machine."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command(short_help="Show what this installation can do here.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--cmake-dir", is_flag=True, help="Only the folder of the CMake package, for C++ programs.")
@click.option("--include", is_flag=True, help="Only the folder of the C and C++ headers.")
def info(as_json: bool, cmake_dir: bool, include: bool) -> None:
    """Show the version, the instruction set, the threads and the GPU in use.

    \b
    Examples:
      alphacut info
      alphacut info --json
      cmake -S . -B build -Dalphacut_DIR="$(alphacut info --cmake-dir)"
    """
    import alphacut

    if cmake_dir or include:
        try:
            click.echo(alphacut.get_cmake_dir() if cmake_dir else alphacut.get_include())
        except ImportError as error:
            raise click.ClickException(str(error)) from None
        return
    facts = alphacut.info()
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    lines = {
        "alphacut": facts["version"],
        "instruction set": f"{facts['isa']} (of {', '.join(facts['isas'])})",
        "threads": facts["threads"],
        "GPU": _gpu(facts["cuda"]),
    }
    for label, value in lines.items():
        click.echo(f"{label:<17}{value}")


def _gpu(cuda: dict[str, Any]) -> str:
    if not cuda["available"]:
        return f"none: {cuda['reason']}"
    driver = "" if cuda["driver"] is None else f" (driver for CUDA {cuda['driver'][0]}.{cuda['driver'][1]})"
    return ", ".join(map(_device, cuda["devices"])) + driver


def _device(device: dict[str, Any]) -> str:
    major, minor = device["compute_capability"]
    memory = "" if device["memory"] is None else f", {device['memory'] / 2**30:.1f} GiB"
    return f"{device['name']}, compute capability {major}.{minor}{memory}"
