"""How many threads the CPU kernels use."""

from . import _core
from ._arrays import small_integer


def get_num_threads() -> int:
    """Threads a kernel may use, the calling one included.

    Starts as the environment variable ``ALPHACUT_NUM_THREADS``, or else as the number of processors this process may
    run on.

    Raises
    ------
    ValueError
        If the variable is not a whole number from 1 to 1024.

    Examples
    --------
    >>> import alphacut
    >>> alphacut.get_num_threads() >= 1
    True
    """
    return _core.num_threads()


def set_num_threads(count: int) -> None:
    """Set how many threads a kernel may use, for the whole process. Results do not depend on it.

    Parameters
    ----------
    count : int
        From 1 to 1024.

    Raises
    ------
    TypeError
        If `count` is not an int.
    ValueError
        If `count` is out of range.

    Examples
    --------
    >>> import alphacut
    >>> alphacut.set_num_threads(2)
    >>> alphacut.get_num_threads()
    2
    """
    _core.set_num_threads(small_integer(count, "count"))
