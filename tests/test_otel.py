import asyncio
import importlib
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mihu_async import DryRun, MihuClient, NotFoundError, RetryPolicy, ServerError, UsageError, __version__, otel
from mihu_async.otel import telemetry
from mihu_async.sandbox import Delay, Reset, Status
from tests.internals import transport_of
from tests.test_secrets import ECHOING, assert_clean, failure, register, vars_of

NUMBERS = "/api/v1/phone-numbers"
BUY: dict[str, Any] = {"number": "+390790080041", "country_code": "IT", "type": "local"}


class Backend:
    """Keeps in memory what OpenTelemetry's own SDK would export."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.traces = TracerProvider(shutdown_on_exit=False)
        self.traces.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.hooks = telemetry(tracer_provider=self.traces, meter_provider=self.meters)
        self.tracer = self.traces.get_tracer("test")

    @property
    def spans(self):
        """The spans that have ended, in that order."""
        return self.exporter.get_finished_spans()

    def points(self, name: str):
        """Return the data points of a metric."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        metrics = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
        return [point for metric in metrics for point in metric.data.data_points]


@pytest.fixture
def backend():
    """What traces and metrics are sent to."""
    return Backend()


@pytest.fixture
def mihu(mihu_sandbox, backend):
    """A client that is traced, and waits for nothing between attempts."""
    return MihuClient(
        mihu_sandbox.token,
        base_url=mihu_sandbox.base_url,
        retries=RetryPolicy(base_delay=0, max_attempts=3),
        hooks=backend.hooks,
    )


async def test_a_call_is_a_span(mihu, mihu_sandbox, backend):
    """A child of the one that is current where it is made, with the attributes of the conventions."""
    async with mihu:
        with backend.tracer.start_as_current_span("work") as work:
            await mihu.numbers.list()

    call, _ = backend.spans
    assert ("GET " + NUMBERS, trace.SpanKind.CLIENT) == (call.name, call.kind)
    assert work.get_span_context().span_id == call.parent.span_id
    assert ("mihu_async", __version__) == (call.instrumentation_scope.name, call.instrumentation_scope.version)
    assert {
        "http.request.method": "GET",
        "url.template": NUMBERS,
        "server.address": "127.0.0.1",
        "server.port": int(mihu_sandbox.base_url.rpartition(":")[2]),
        "http.response.status_code": 200,
        "mihu.outcome": "ok",
    } == call.attributes
    assert trace.StatusCode.UNSET == call.status.status_code
    (event,) = call.events
    assert ("mihu.attempt", {"mihu.attempt.number": 1, "http.response.status_code": 200}) == (
        event.name,
        event.attributes,
    )
    assert call.start_time <= event.timestamp == call.end_time


async def test_attempts_are_events_and_retries_are_counted(mihu, mihu_sandbox, backend):
    """The span has the last attempt's status, and how many were made before it."""
    mihu_sandbox.faults.add(Status(503))
    mihu_sandbox.faults.add(Reset())
    async with mihu:
        await mihu.numbers.list()

    (call,) = backend.spans
    assert [
        {"mihu.attempt.number": 1, "http.response.status_code": 503, "error.type": "ServerError"},
        {"mihu.attempt.number": 2, "error.type": "ConnectionLostError"},
        {"mihu.attempt.number": 3, "http.response.status_code": 200},
    ] == [event.attributes for event in call.events]
    assert (200, 2) == (call.attributes["http.response.status_code"], call.attributes["http.request.resend_count"])
    assert {"ServerError": 1, "ConnectionLostError": 1} == {
        point.attributes["error.type"]: point.value for point in backend.points("mihu.client.retries")
    }


async def test_a_call_that_fails_is_an_error(mihu, mihu_sandbox, backend):
    """By the name of its error's class; what was said stays with the error."""
    mihu_sandbox.faults.add(Status(500), times=3)
    async with mihu:
        with pytest.raises(ServerError):
            await mihu.numbers.list()
        with pytest.raises(NotFoundError):
            await mihu.numbers.channels("8b0f1c9e-6a4d-4a7e-9d43-1f2a3b4c5d6e")

    server, missing = backend.spans
    assert (trace.StatusCode.ERROR, None) == (server.status.status_code, server.status.description)
    assert ("ServerError", 500, "failed", 2) == tuple(
        server.attributes[name]
        for name in ("error.type", "http.response.status_code", "mihu.outcome", "http.request.resend_count")
    )
    assert f"GET {NUMBERS}/{{id}}/channels" == missing.name
    assert "8b0f1c9e" not in missing.to_json()
    assert ["ServerError", "NotFoundError"] == [
        point.attributes["error.type"] for point in backend.points("mihu.client.call.duration")
    ]


async def test_the_duration_of_calls_is_a_histogram(mihu, backend):
    """In seconds, with a point for each kind of call."""
    async with mihu:
        await mihu.numbers.list()
        await mihu.numbers.list()

    (point,) = backend.points("mihu.client.call.duration")
    assert 2 == point.count
    assert 0 < point.sum < 5
    assert (0.005, 60) == (point.explicit_bounds[0], point.explicit_bounds[-1])
    assert {"GET", "ok", 200} <= set(point.attributes.values())


@pytest.mark.mihu_sandbox(numbers=5)
async def test_pages_of_a_walk_belong_to_where_it_is_walked(mihu, backend):
    """Each is fetched in a task of its own, and its span is still the loop's child; the page is an event there."""
    async with mihu:
        with backend.tracer.start_as_current_span("export"):
            async for _ in mihu.numbers.list(per_page=1).pages():
                await asyncio.sleep(0.05)

    *calls, export = backend.spans
    assert [export.context.span_id] * 5 == [call.parent.span_id for call in calls]
    assert [(NUMBERS, number, 1) for number in range(1, 6)] == [
        tuple(event.attributes[name] for name in ("url.template", "mihu.page.number", "mihu.page.items"))
        for event in export.events
    ]
    (pages,) = backend.points("mihu.client.pages")
    assert 5 == pages.value
    assert max(call.end_time - call.start_time for call in calls) < 50e6  # the wait for the turn is not the service's
    (point,) = backend.points("mihu.client.call.duration")
    assert point.max < 0.05


async def test_a_purchase_that_was_looked_up_is_settled(mihu, mihu_sandbox, backend):
    """The lookups are spans inside it, and its last answer was none."""
    mihu_sandbox.faults.add(Reset(after=True), method="POST")
    async with mihu:
        await mihu.numbers.buy(**BUY)

    *looks, purchase = backend.spans
    assert looks
    assert {purchase.context.span_id} == {look.parent.span_id for look in looks}
    assert "settled" == purchase.attributes["mihu.outcome"]
    assert ["mihu.attempt"] == [event.name for event in purchase.events]
    assert trace.StatusCode.UNSET == purchase.status.status_code
    assert purchase.end_time >= max(look.end_time for look in looks)


async def test_what_was_not_sent_or_left_is_no_error(mihu, mihu_sandbox, backend):
    """A dry run and a cancellation say so."""
    mihu_sandbox.faults.add(Delay(5))
    async with mihu:
        with pytest.raises(DryRun):
            await mihu.with_options(dry_run=True).numbers.buy(**BUY)
        task = asyncio.create_task(mihu.request("GET", "/phone-numbers"))
        while not len(mihu_sandbox.journal):
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])

    assert ["dry_run", "cancelled"] == [span.attributes["mihu.outcome"] for span in backend.spans]
    assert {"mihu.attempt.number": 1, "error.type": "cancelled"} == dict(backend.spans[1].events[0].attributes)
    assert {trace.StatusCode.UNSET} == {span.status.status_code for span in backend.spans}


async def test_a_session_that_cannot_be_used_is_an_error_without_an_attempt(mihu_sandbox, backend):
    """The span tells it though nothing was sent."""
    async with MihuClient(mihu_sandbox.token, base_url=mihu_sandbox.base_url) as other:
        await other.numbers.list()
        (session,) = transport_of(other).sessions.own
    mihu = MihuClient(mihu_sandbox.token, base_url=mihu_sandbox.base_url, session=session, hooks=backend.hooks)
    with pytest.raises(UsageError):
        await mihu.numbers.list()

    (call,) = backend.spans
    assert ("UsageError", 0) == (call.attributes["error.type"], len(call.events))


async def test_two_backends_get_the_same(mihu_sandbox, backend):
    """Each has the attempts of its own span."""
    other = Backend()
    async with MihuClient(
        mihu_sandbox.token, base_url=mihu_sandbox.base_url, hooks=[backend.hooks, other.hooks]
    ) as mihu:
        await mihu.numbers.list()

    assert [1, 1] == [len(each.spans[0].events) for each in (backend, other)]


async def test_without_a_provider_nothing_is_recorded(mihu_client):
    """OpenTelemetry's global provider does nothing until a program sets one."""
    assert 250 == len(await mihu_client.with_options(hooks=telemetry()).numbers.list().collect())


@pytest.mark.parametrize("fault", ECHOING, ids=lambda fault: f"{type(fault).__name__}-{vars_of(fault)}")
async def test_no_span_and_no_metric_shows_a_secret(fault, backend):
    """Whatever the service echoes."""
    await failure(fault, call=lambda mihu, agent: register(mihu.with_options(hooks=backend.hooks), agent))

    assert backend.spans
    assert_clean("".join(span.to_json() for span in backend.spans))
    assert_clean(backend.reader.get_metrics_data().to_json())


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """And nothing else of the package needs it."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs opentelemetry, .*: pip install '\.\[otel\]'$"):
        importlib.reload(otel)


def test_the_package_does_not_import_it():
    """A program that does not trace does not pay for it."""
    code = "import sys, mihu_async_pytest, mihu_async; print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)

    assert "False\n" == done.stdout
