"""OpenTelemetry: traces and metrics of calls and walks, as hooks. It comes with the extra ``otel``.

No other module of the package imports this module, or OpenTelemetry.
"""

import time
from typing import Any, cast

from attrs import define, field
from yarl import URL

from mihu_async._version import __version__
from mihu_async.errors import Attempt, DryRun
from mihu_async.extras import missing
from mihu_async.hooks import Hooks
from mihu_async.reports import CallReport, PageReport, WalkReport

try:
    from opentelemetry import context, metrics, trace
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError(missing("mihu_async.otel", _missing, "otel"), name=_missing.name) from None

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60)
"""The histogram's buckets: those that the conventions recommend for HTTP, extended to the longest call."""
_NANO = 1_000_000_000
_Attributes = dict[str, str | int]


def telemetry(
    *, tracer_provider: trace.TracerProvider | None = None, meter_provider: metrics.MeterProvider | None = None
) -> Hooks:
    """Return hooks that trace and measure: ``MihuClient(hooks=telemetry())``.

    Each call is a span of kind client. Its parent is the span that is current at the call, or at the walk for which the
    call fetches a page. The span has an event ``mihu.attempt`` for each attempt. For each page that a walk yields, the
    span that is current there gets an event ``mihu.page``. The metrics are ``mihu.client.call.duration`` (a histogram,
    in seconds), ``mihu.client.retries`` and ``mihu.client.pages``. The duration of a prefetched page ends when its
    answer arrives, not when the walk reaches it.

    Attributes follow the HTTP conventions: ``http.request.method``, ``url.template``, ``server.address``,
    ``server.port``, ``http.response.status_code`` and ``http.request.resend_count`` of the last attempt, ``error.type``
    with the name of the error's class. ``mihu.outcome`` is ok, settled (the call succeeded without a successful answer:
    a lookup found the result, or the object to delete was gone), failed, cancelled or dry_run; only a failed call has
    an error's status. Ids, queries, bodies and headers are not recorded.

    Args:
        tracer_provider: The provider of the tracer. None uses OpenTelemetry's global provider.
        meter_provider: The provider of the meter. None uses OpenTelemetry's global provider.
    """
    receiver = _Receiver(
        trace.get_tracer("mihu_async", __version__, tracer_provider),
        metrics.get_meter("mihu_async", __version__, meter_provider),
    )
    return Hooks(
        on_attempt=receiver.attempted,
        on_retry=receiver.retried,
        on_page=receiver.page_given,
        around_call=receiver.around_call,
    )


class _Receiver:
    """The receiver of all calls of the clients with these hooks."""

    def __init__(self, tracer: trace.Tracer, meter: metrics.Meter) -> None:
        self.tracer = tracer
        self.key: str = context.create_key("mihu-async-call")
        self.durations = meter.create_histogram(
            "mihu.client.call.duration",
            unit="s",
            description="The duration of calls, with all attempts, waits and lookups.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self.retries = meter.create_counter(
            "mihu.client.retries", unit="{retry}", description="The number of requests that were sent again."
        )
        self.pages = meter.create_counter(
            "mihu.client.pages", unit="{page}", description="The number of pages that walks have yielded."
        )

    def around_call(self, call: CallReport) -> "_Call":
        return _Call(self, call)

    def attempted(self, attempt: Attempt, _: CallReport) -> None:
        cast("_Call", context.get_value(self.key)).attempted(attempt)

    def retried(self, attempt: Attempt, call: CallReport) -> None:
        self.retries.add(1, _attributes(call) | _outcome(attempt))

    def page_given(self, page: PageReport, _: WalkReport) -> None:
        labels: _Attributes = {"url.template": page.path, **_server(page.base_url)}
        self.pages.add(1, labels)
        attributes: _Attributes = {
            "url.template": page.path,
            "mihu.page.number": page.number,
            "mihu.page.items": page.items,
        }
        trace.get_current_span().add_event("mihu.page", attributes)


@define(eq=False)
class _Call:
    """A call that is under way: a context manager that makes its span the current one."""

    receiver: _Receiver
    call: CallReport
    _began: int = field(factory=time.time_ns, init=False)
    _last: Attempt | None = field(default=None, init=False)
    _span: trace.Span = field(init=False)
    _token: Any = field(init=False)

    def __enter__(self) -> None:
        attributes = _attributes(self.call)
        name = f"{self.call.method} {self.call.template}"
        self._span = self.receiver.tracer.start_span(
            name, kind=trace.SpanKind.CLIENT, attributes=attributes, start_time=self._began
        )
        self._token = context.attach(context.set_value(self.receiver.key, self, trace.set_span_in_context(self._span)))

    def attempted(self, attempt: Attempt) -> None:
        self._last = attempt
        attributes: _Attributes = {"mihu.attempt.number": attempt.number, **_outcome(attempt)}
        self._span.add_event("mihu.attempt", attributes, timestamp=_ended(attempt))

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        context.detach(self._token)
        attributes: _Attributes = {"mihu.outcome": self._outcome(error)}
        ended = time.time_ns()
        if self._last is not None:
            if self._last.status is not None:
                attributes["http.response.status_code"] = self._last.status
            if attributes["mihu.outcome"] == "ok":
                ended = _ended(self._last)
        if attributes["mihu.outcome"] == "failed":
            attributes["error.type"] = type(error).__name__
            self._span.set_status(trace.StatusCode.ERROR)
        self.receiver.durations.record(max(0, ended - self._began) / _NANO, _attributes(self.call) | attributes)
        self._span.set_attributes(attributes)
        if self._last is not None and self._last.number > 1:
            self._span.set_attribute("http.request.resend_count", self._last.number - 1)
        self._span.end(max(self._began, ended))

    def _outcome(self, error: BaseException | None) -> str:
        if error is None:
            return "ok" if self._last is not None and self._last.outcome == "ok" else "settled"
        if isinstance(error, DryRun):
            return "dry_run"
        return "failed" if isinstance(error, Exception) else "cancelled"


def _attributes(call: CallReport) -> _Attributes:
    return {"http.request.method": call.method, "url.template": call.template, **_server(call.base_url)}


def _server(base_url: str) -> _Attributes:
    url = URL(base_url)
    return {"server.address": url.host or "", "server.port": url.port or 0}


def _outcome(attempt: Attempt) -> _Attributes:
    """Return the attributes of an attempt's end, without the service's message."""
    attributes: _Attributes = {}
    if attempt.status is not None:
        attributes["http.response.status_code"] = attempt.status
    if attempt.outcome != "ok":
        attributes["error.type"] = attempt.outcome.partition(":")[0]
    return attributes


def _ended(attempt: Attempt) -> int:
    return int((attempt.started_at.timestamp() + attempt.elapsed) * _NANO)
