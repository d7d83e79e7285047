"""What the server tells Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """Counts of one application.

    Parameters
    ----------
    under_way, pictures, films : callable
        Give the number of places that are taken, and of pictures and films kept for pages.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, under_way: Callable[[], int], pictures: Callable[[], int], films: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter("alphacut_requests", "Requests answered.", ("endpoint", "status"), registry=registry)
        self.seconds = Histogram(
            "alphacut_request_seconds",
            "From a request's first byte to its answer.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._stages = Counter("alphacut_stage_seconds", "Time in each stage.", ("stage",), registry=registry)
        self._pixels = Counter("alphacut_pixels", "Pixels of the pictures that were cut.", registry=registry)
        for name, help_, count in (
            ("alphacut_requests_under_way", "Requests that hold a place.", under_way),
            ("alphacut_pictures", "Pictures kept for open pages.", pictures),
            ("alphacut_films", "Films that open pages send.", films),
        ):
            Gauge(name, help_, registry=registry).set_function(count)

    def cut(self, pixels: int, timings: Mapping[str, float]) -> None:
        """Count one cutout."""
        self._pixels.inc(pixels)
        for stage, seconds in timings.items():
            self._stages.labels(stage).inc(seconds)

    def page(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)
