import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--size", type=float, action="append", help="run only this size in megapixels, of those a benchmark has"
    )


def pytest_collection_modifyitems(config, items):
    sizes = config.getoption("--size")
    if sizes is None:
        return
    dropped = [item for item in items if _size(item) not in (None, *sizes)]
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]


def _size(item: pytest.Item) -> float | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("megapixels") if callspec else None
