"""What the operator of a server may want to watch, as Prometheus reads it, at /metrics.

Numbers of the whole server: nothing of a visitor is a label.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit import runtime

from effnet_viz.serving import telemetry

SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
"""Bounds of the histogram."""


class _Now(Collector):
    """How full and how busy the server is when it is asked."""

    def collect(self) -> Iterator[Metric]:
        """Queues, caches, sessions."""
        queue = "Those who wait for a turn, or have one"
        waiting = GaugeMetricFamily("effnet_viz_waiting", f"{queue}: waiting.", labels=["queue"])
        running = GaugeMetricFamily("effnet_viz_running", f"{queue}: running.", labels=["queue"])
        for name, limiter in telemetry.queues.items():
            waiting.add_metric([name], limiter.waiting)
            running.add_metric([name], limiter.running)
        values = GaugeMetricFamily("effnet_viz_cached", "Values in memory.", labels=["cache"])
        sizes = GaugeMetricFamily("effnet_viz_cached_bytes", "Their size.", labels=["cache"])
        for name, cache in telemetry.caches.items():
            values.add_metric([name], len(cache))
            sizes.add_metric([name], cache.nbytes)
        sessions = runtime.get_instance()._session_mgr.num_active_sessions()
        yield from (waiting, running, values, sizes)
        yield GaugeMetricFamily("effnet_viz_sessions", "Open tabs.", sessions)


def registry() -> CollectorRegistry:
    """Everything that is told; it counts from now on."""
    made = CollectorRegistry()
    made.register(_Now())
    ProcessCollector(registry=made)
    seconds = Histogram(
        "effnet_viz_result_seconds",
        "From asking for a result that was not in memory to having it, the wait for a turn "
        "included; an analysis is called forward.",
        ["result"],
        registry=made,
        buckets=SECONDS,
    )
    telemetry.observers.append(lambda result, took: seconds.labels(result).observe(took))
    return made


def route() -> Route:
    """GET /metrics, at the root whatever server.baseUrlPath: a proxy has to pass it on purpose."""
    told = registry()

    def answer(_: Request) -> Response:
        return Response(generate_latest(told), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route("/metrics", answer)
