def pytest_addoption(parser):
    parser.addoption("--size", type=float, action="append", help="only this size in megapixels, of those a job has")
    parser.addoption("--row", action="append", help="only the row of this name, such as composite-rgba")
    parser.addoption("--all-sizes", action="store_true", help="100 megapixels too")
    parser.addoption(
        "--instruction-sets", action="store_true", help="also alphacut alone, once for each instruction set"
    )


def pytest_collection_modifyitems(config, items):
    sizes, every, isas = map(config.getoption, ("--size", "--all-sizes", "--instruction-sets"))
    rows = config.getoption("--row")

    def wanted(row, megapixels, isa, **_):
        if rows and row not in rows:
            return False
        if isa is not None and not (isas and megapixels in (sizes or (1,))):
            return False
        return megapixels in sizes if sizes else every or megapixels < 100

    dropped = {item for item in items if not wanted(**item.callspec.params)}
    config.hook.pytest_deselected(items=list(dropped))
    items[:] = [item for item in items if item not in dropped]
