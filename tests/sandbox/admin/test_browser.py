"""The inspector in a real browser: Playwright, with the Chromium that is installed."""

import asyncio
import shutil
from contextlib import suppress
from threading import Event, Thread

import aiohttp
import pytest

from mihu_async.sandbox import Sandbox, Status

playwright = pytest.importorskip(
    "playwright.sync_api", reason="the group browser, with Playwright, is not installed", exc_type=ImportError
)
expect = playwright.expect
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="neither Chromium nor Chrome is installed")
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
MARKUP = "<img src=x onerror=\"document.title='broken'\">"


@pytest.fixture(scope="module")
def browser():
    """Start one browser for all tests; it is a process of its own, as root without its own jail."""
    with playwright.sync_playwright() as tool:
        started = tool.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def served():
    """Serve a sandbox from a thread: Playwright has the test's own."""
    with Sandbox(numbers=12, trunks=4) as sandbox:
        yield sandbox


@pytest.fixture
def page(browser, served):
    """Open the inspector, and fail where the page reports an error of its own."""
    context = browser.new_context(viewport=DESKTOP, color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(10_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.base_url)
    page, events = context.new_page(), []
    page.on("pageerror", lambda error: events.append(str(error)))
    page.on("console", lambda message: events.append(message.text))
    page.on("request", lambda request: events.append(request.url) if leads_away(request.url, served) else None)
    page.goto(f"{served.base_url}/_sandbox/")
    page.wait_for_selector("#connection.live")
    page.wait_for_selector("#scripts button")
    yield page
    context.close()
    assert [] == events


def leads_away(url, sandbox) -> bool:
    """Return whether an address is neither the sandbox's nor one that holds its own content."""
    return not url.startswith((f"{sandbox.base_url}/_sandbox/", "data:"))


def send(sandbox, method, path, **options) -> int:
    """Send a request and return its status, 0 where the connection was broken."""
    statuses: list[int] = []

    async def sending() -> None:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        async with aiohttp.ClientSession(f"{sandbox.base_url}/api/v1/", headers=headers) as session:
            with suppress(aiohttp.ClientError):  # of a connection that was broken
                async with session.request(method, path.removeprefix("/"), **options) as answer:
                    statuses.append(answer.status)

    in_thread(sending()).join()
    return statuses[0] if statuses else 0


def in_thread(step) -> Thread:
    """Run a step in a thread of its own: Playwright has a loop in this one."""
    thread = Thread(target=asyncio.run, args=(step,))
    thread.start()
    return thread


def text(page, selector):
    """Return what an element says."""
    return page.locator(selector).first.inner_text()


def test_a_request_shows_as_it_comes(page, served):
    """A request is there without a reload, with its verb, query, status and fault, and opened, with its answer."""
    served.faults.add(Status(503, body={"why": MARKUP}))
    assert 503 == send(served, "GET", "/phone-numbers?page=2")
    page.wait_for_selector("#journal li")
    line = text(page, "#journal summary")
    page.click("#journal summary")
    page.wait_for_selector(".exchange")
    shown = text(page, ".exchange")

    assert ["GET", "/api/v1/phone-numbers?page=2", "Status", "503"] == line.splitlines()[1:5]
    assert "Authorization: Bearer ***" in shown
    assert "X-Request-Id: sandbox-000001" in shown
    assert served.token not in shown
    assert '"why": "<img src=x' in shown


def test_a_request_under_way_is_finished_in_its_place(page, served):
    """A request that hangs is shown at once, and its line is changed when the connection is broken."""
    over = Event()

    class Until:
        async def around(self, exchange):
            await asyncio.to_thread(over.wait)

    served.faults.add(Until())
    thread = Thread(target=send, args=(served, "POST", "/agents"))
    thread.start()
    expect(page.locator("#journal .status").first).to_have_text("…")
    page.click("#journal summary")
    expect(page.locator(".exchange")).to_contain_text("None yet.")
    over.set()
    thread.join()

    expect(page.locator("#journal .status").first).to_have_text("—")
    expect(page.locator(".exchange")).to_contain_text("None was sent.")


def test_rows_change_as_the_inventory_does(page, served):
    """A number that is bought, changed or released shows as such, and none of its text becomes markup."""
    page.click("#tab-numbers")
    purchase = {"number": "+390790080041", "country_code": "IT", "type": "local", "location": MARKUP}
    assert 201 == send(served, "POST", "/phone-numbers", json=purchase)
    row = page.locator("#numbers tbody tr", has_text="+390790080041")
    row.wait_for()

    assert MARKUP in row.inner_text()
    assert 0 == page.locator("#numbers img").count()
    uuid = served.inventory.numbers[-1]["phone_number_uuid"]
    served.inventory.update(uuid, status="inactive")
    row.locator("td", has_text="inactive").wait_for()
    served.inventory.delete(uuid)
    row.wait_for(state="detached")
    assert "12" in text(page, "#tab-numbers")
    assert "Mihu sandbox" == page.title()


def test_a_pending_number_becomes_active_by_itself(page, served):
    """The page asks again when a number that is pending becomes active, which no event tells."""
    served.inventory.activation_delay = 0.3
    page.click("#tab-numbers")
    send(served, "POST", "/phone-numbers", json={"number": "+390790080041", "country_code": "IT", "type": "local"})
    row = page.locator("#numbers tbody tr", has_text="+390790080041")

    row.locator("td", has_text="active").wait_for()


def test_trunks_and_agents(page, served):
    """A trunk shows who serves it, and an agent what it serves."""
    trunk = served.inventory.insert_trunk(number="+12345678901")
    agent = trunk["bindings"]["call"]
    page.click("#tab-trunks")
    page.locator("#trunks tr", has_text="+12345678901").locator("td", has_text=agent["agent_name"]).wait_for()
    page.click("#tab-agents")
    page.locator("#agents tr", has_text=agent["agent_uuid"]).locator("td", has_text="+12345678901 (call)").wait_for()


def test_faults_are_played_and_cleared(page, served):
    """A button plays its script, what is pending is listed, and another button clears it."""
    page.click('[data-script="outage"]')
    page.wait_for_selector("#pending li")
    assert (Status(503),) == served.faults.pending
    assert ["Status(status=503)", "any method, any path; every time"] == text(page, "#pending li").splitlines()

    page.click("#clear-faults")
    page.wait_for_selector("#pending li", state="detached")
    assert () == served.faults.pending
    assert page.locator("#pending + .empty").is_visible()


def test_reset(page, served):
    """Reset puts everything back, on the page as in the sandbox."""
    send(served, "GET", "/weather")
    page.wait_for_selector("#undocumented li")
    served.inventory.insert()
    served.faults.play("busy")
    page.wait_for_selector("#pending li")
    page.click("#reset")
    page.wait_for_selector("#journal li", state="detached")
    page.wait_for_selector("#pending li", state="detached")
    page.wait_for_selector("#undocumented li", state="detached")
    expect(page.locator("#tab-numbers .count").first).to_have_text("12")

    assert (12, 0, ()) == (len(served.inventory.numbers), len(served.journal), served.faults.pending)


def test_variables_are_copied(page, served):
    """The button copies lines that a shell reads."""
    page.click("#copy")
    expect(page.locator("#copy").first).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")

    assert copied == "".join(f"export {name}={value}\n" for name, value in served.variables.items())


def test_the_filter(page, served):
    """What is typed narrows every table, and stays while rows change."""
    number = served.inventory.numbers[3]["number"]
    page.click("#tab-numbers")
    page.fill("#filter", number)
    served.inventory.insert()
    expect(page.locator("#tab-numbers .count").first).to_have_text("13")

    assert [number] == [line.split()[0] for line in page.locator("#numbers tbody tr:visible").all_inner_texts()]


def test_tabs_by_keyboard_and_address(page):
    """Arrow keys turn from tab to tab, and the address says which one is shown."""
    page.focus("#tab-requests")
    page.keyboard.press("ArrowLeft")
    assert (True, False) == (page.locator("#agents").is_visible(), page.locator("#requests").is_visible())
    page.keyboard.press("ArrowRight")

    assert page.url.endswith("#requests")
    assert "true" == page.get_attribute("#tab-requests", "aria-selected")


def test_it_finds_the_sandbox_again(browser, served):
    """The page says that a stopped sandbox is not reachable, and goes on when it serves again."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served.base_url}/_sandbox/#numbers")
    page.wait_for_selector("#connection.live")
    in_thread(served.stop()).join()
    page.wait_for_selector("#connection.lost")
    served.inventory.insert()
    in_thread(served.start()).join()
    page.wait_for_selector("#connection.live")
    expect(page.locator("#tab-numbers .count").first).to_have_text("13")
    context.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(browser, served, size, scheme):
    """At both widths nothing sticks out, and in both schemes text stands out from its ground by 4.5 to 1."""
    send(served, "GET", "/phone-numbers?search=" + "9" * 80)
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    for tab in ("requests", "numbers", "trunks", "agents"):
        page.goto(f"{served.base_url}/_sandbox/#{tab}")
        page.wait_for_selector(f"#{tab} tbody tr, #{tab} li")
        page.wait_for_selector("#scripts button")

        assert size["width"] >= page.evaluate("document.documentElement.scrollWidth")
        assert [] == page.evaluate(FAINT)
    context.close()


FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return color;
    }
    return "white";
  };
  const faint = [];
  for (const node of document.body.querySelectorAll("*")) {
    const says = [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    if (!says || !node.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(`${node.tagName}: ${node.textContent.trim().slice(0, 40)}`);
  }
  return faint;
}"""
"""Names the elements whose text stands out too little from what is behind it."""
