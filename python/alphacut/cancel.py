"""Ending calls that nobody waits for any more."""

from __future__ import annotations

from . import _core

Cancelled = _core.Cancelled
Cancelled.__module__ = "alphacut"
Cancelled.__doc__ = """A call was ended by a :class:`CancelToken` or :meth:`Session.cancel`; a RuntimeError.

An `out=` it was given holds something undefined; a session or remover is as good as it was.
"""


class CancelToken:
    """Ends, from another thread, the calls that a thread makes in a ``with`` block of it.

    A call ends by raising :class:`Cancelled` within a tenth of a second, wherever it is, as long as it is in alphacut's
    own kernels: decoding by Pillow and a `Model`'s network are not interrupted, and what runs on a GPU ends with its
    stage. Ctrl-C does the same to calls of the main thread, without a token.

    The block belongs to the thread that enters it, and must be left by it: no ``await`` or ``yield`` within. Blocks
    nest; any of the tokens ends a call. One token may be in use by many threads, once cancelled it stays so.

    Examples
    --------
    >>> import threading, numpy as np, alphacut
    >>> token = alphacut.CancelToken()
    >>> timer = threading.Timer(0.01, token.cancel)
    >>> timer.start()
    >>> with token:
    ...     while True:
    ...         cutout = alphacut.remove_background(np.zeros((300, 400, 3), np.uint8), box=(9, 9, 99, 99))
    Traceback (most recent call last):
        ...
    alphacut.Cancelled: the call was cancelled
    """

    def __init__(self) -> None:
        self._core = _core.CancelToken()

    def cancel(self) -> None:
        """End the calls in this token's blocks, those that come, too; safe from any thread, and a second time."""
        self._core.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._core.cancelled

    def __enter__(self) -> CancelToken:
        self._core.enter()
        return self

    def __exit__(self, *error: object) -> None:
        self._core.leave()
