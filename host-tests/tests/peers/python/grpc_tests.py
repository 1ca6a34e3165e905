"""Imports the client and the server of grpcio from the folder `grpc` beside that of the suite."""

import importlib.util
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "grpc"


def load(name):
    specification = importlib.util.spec_from_file_location(f"grpc_tests_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
