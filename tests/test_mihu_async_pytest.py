import subprocess
import sys
from textwrap import dedent

import pytest

import mihu_async


@pytest.fixture
def plain(pytester, monkeypatch):
    """Return a pytester whose runs load the installed plugins and nothing of this project's settings."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini(
        "[pytest]\naddopts = --strict-markers\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    )
    return pytester


def test_sandbox_serves_a_synchronous_test(plain):
    """`mihu_sandbox` serves a test that is not asynchronous."""
    plain.makepyfile("""
        import urllib.request

        def test_it(mihu_sandbox):
            request = urllib.request.Request(
                mihu_sandbox.base_url + "/api/v1/phone-numbers",
                headers={"Authorization": "Bearer " + mihu_sandbox.token},
            )
            with urllib.request.urlopen(request) as response:
                assert response.status == 200
            assert len(mihu_sandbox.inventory.numbers) == 250
    """)

    plain.runpytest_inprocess().assert_outcomes(passed=1)


def test_sandbox_serves_an_asynchronous_test(plain):
    """`mihu_sandbox` serves a test that has a loop of its own, which can stop it."""
    plain.makepyfile("""
        import aiohttp

        async def test_it(mihu_sandbox):
            async with aiohttp.ClientSession() as session, session.get(mihu_sandbox.base_url) as response:
                assert response.status == 401
            await mihu_sandbox.stop()
    """)

    plain.runpytest_inprocess().assert_outcomes(passed=1)


def test_sandbox_is_new_for_each_test(plain):
    """Each test has a sandbox of its own."""
    plain.makepyfile("""
        import pytest

        @pytest.mark.parametrize("turn", [1, 2])
        def test_it(mihu_sandbox, turn):
            mihu_sandbox.inventory.insert()
            assert len(mihu_sandbox.inventory.numbers) == 251
    """)

    plain.runpytest_inprocess().assert_outcomes(passed=2)


def test_marker_sets_the_sandbox_up(plain):
    """The marker's keywords are those of the sandbox; it is registered, so strict markers let it pass."""
    plain.makepyfile("""
        import pytest

        @pytest.mark.mihu_sandbox(numbers=3, trunks=2, token="mine")
        def test_it(mihu_sandbox):
            sizes = len(mihu_sandbox.inventory.numbers), len(mihu_sandbox.inventory.trunks)
            assert (3, 2, "mine") == (*sizes, mihu_sandbox.token)
    """)

    plain.runpytest_inprocess().assert_outcomes(passed=1)


def test_fixture_can_be_overridden(plain, monkeypatch):
    """A project that overrides the sandbox's fixture gets a client for its own."""
    monkeypatch.setattr(mihu_async, "MihuClient", lambda **settings: settings, raising=False)
    plain.makeconftest("""
        import pytest
        from mihu_async.sandbox import Sandbox

        @pytest.fixture
        def mihu_sandbox():
            with Sandbox(numbers=1, token="theirs") as sandbox:
                yield sandbox
    """)
    plain.makepyfile("""
        def test_it(mihu_client, mihu_sandbox):
            assert ("theirs", mihu_sandbox.base_url) == (mihu_client["token"], mihu_client["base_url"])
    """)

    plain.runpytest_inprocess().assert_outcomes(passed=1)


def test_client_reaches_the_sandbox(plain):
    """`mihu_client` is a client of `mihu_sandbox`, closed by the end of the loop."""
    plain.makepyfile("""
        async def test_it(mihu_client, mihu_sandbox):
            page = await mihu_client.numbers.list()
            assert page.pagination.total == 250
            assert len(mihu_sandbox.journal) == 1
    """)

    plain.runpytest_inprocess("-W", "error").assert_outcomes(passed=1)


def test_fixtures_and_marker_are_explained(plain):
    """`pytest --fixtures` and `pytest --markers` say what the plugin offers."""
    fixtures = plain.runpytest_inprocess("--fixtures").stdout.str()
    markers = plain.runpytest_inprocess("--markers").stdout.str()

    assert [] == [name for name in ("mihu_sandbox", "mihu_client", "Serve a Mihu sandbox") if name not in fixtures]
    assert "@pytest.mark.mihu_sandbox(**settings): set up the sandbox" in markers


def test_plugin_imports_nothing_of_the_package():
    """Starting pytest with the plugin imports one module more than without."""
    script = (
        "import sys, pytest; before = set(sys.modules); import mihu_async_pytest; print(*set(sys.modules) - before)"
    )
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "mihu_async_pytest" == loaded.stdout.strip()


def test_plugin_starts_where_a_fixture_would_not(plain, monkeypatch):
    """In an old pytest, tests run; one that asks for a sandbox gets an error with the version that it needs."""
    monkeypatch.delattr(pytest, "version_tuple")
    plain.makepyfile("""
        def test_other():
            pass

        def test_it(mihu_sandbox):
            pass
    """)
    run = plain.runpytest_inprocess()

    run.assert_outcomes(passed=1, errors=1)
    run.stdout.fnmatch_lines(["E *The fixtures of mihu_async need pytest 7.0 or newer; this is pytest *"])


@pytest.mark.parametrize(
    "given",
    ["None", "'http://127.0.0.1'", "Mock()", "SimpleNamespace(strict=True)"],
)
def test_overridden_sandbox_may_be_anything(plain, given):
    """A fixture of that name that returns no sandbox is no business of the plugin's."""
    plain.makepyfile(f"""
        from types import SimpleNamespace
        from unittest.mock import Mock

        import pytest

        @pytest.fixture
        def mihu_sandbox():
            return {given}

        def test_it(mihu_sandbox):
            pass
    """)

    plain.runpytest_inprocess("-W", "error").assert_outcomes(passed=1)


def test_client_reaches_a_stand_in(plain):
    """An overridden sandbox needs an address and a token for a client, and nothing else."""
    plain.makepyfile("""
        from types import SimpleNamespace

        import pytest

        @pytest.fixture
        def mihu_sandbox():
            return SimpleNamespace(base_url="http://127.0.0.1:1", token="theirs")

        def test_it(mihu_client, mihu_environment):
            assert "MihuClient(base_url='http://127.0.0.1:1')" == repr(mihu_client)
            assert "theirs" == mihu_environment.token
    """)

    plain.runpytest_inprocess("-W", "error").assert_outcomes(passed=1)


SLIP = """
    import pytest
    from mihu_async import APIError

    async def test_it(mihu_client, mihu_sandbox):
        with pytest.raises(APIError):
            await mihu_client.request("GET", "/phone-numbers", query={"colour": "red"})
"""

OWN = """
@pytest.fixture
def mihu_sandbox():
    with Sandbox(strict=True) as sandbox:
        yield sandbox
"""


@pytest.mark.parametrize(("setting", "outcomes"), [("true", {"failed": 1}), ("false", {"passed": 1})])
def test_strict_by_setting(plain, setting, outcomes):
    """With the setting, a test that sends what no page documents fails, though it goes on; without, it passes."""
    plain.makeini(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        f"mihu_sandbox_strict = {setting}\n"
    )
    plain.makepyfile(SLIP)
    run = plain.runpytest_inprocess("-W", "error")

    run.assert_outcomes(**outcomes)
    assert ("failed" in outcomes) == ("colour is not a documented parameter" in run.stdout.str())


def test_strict_by_marker(plain):
    """The marker makes one test strict; a fixture that was overridden can be strict too, and reports once."""
    plain.makepyfile(
        test_marked="import pytest\npytestmark = pytest.mark.mihu_sandbox(strict=True)\n" + dedent(SLIP),
        test_own="import pytest\nfrom mihu_async.sandbox import Sandbox\n" + dedent(SLIP) + OWN,
    )

    plain.runpytest_inprocess("-W", "error").assert_outcomes(failed=2)


def test_strict_hides_no_failure(plain):
    """A test that fails by itself fails for its own reason, and its sandbox's findings are shown beside it."""
    plain.makepyfile("""
        import pytest

        @pytest.mark.mihu_sandbox(strict=True)
        async def test_it(mihu_client, mihu_sandbox):
            await mihu_client.request("GET", "/phone-numbers", query={"colour": "red"})
    """)
    run = plain.runpytest_inprocess("-W", "error")

    run.assert_outcomes(failed=1, errors=1)
    run.stdout.fnmatch_lines(["E *ValidationError: GET /api/v1/phone-numbers was refused with 422*"])


def test_script_by_marker(plain):
    """The marker plays a script by its name."""
    plain.makepyfile("""
        import pytest

        @pytest.mark.mihu_sandbox(script="busy")
        async def test_it(mihu_client, mihu_sandbox):
            await mihu_client.numbers.list()
            assert [429, 429, 200] == [entry.status for entry in mihu_sandbox.journal]
    """)

    plain.runpytest_inprocess("-W", "error").assert_outcomes(passed=1)


def test_environment_is_the_sandboxes(plain, monkeypatch):
    """With `mihu_environment`, a client that is made from the environment is one of the sandbox."""
    monkeypatch.setenv("MIHU_TENANT", "acme")
    plain.makepyfile("""
        from mihu_async import MihuClient

        async def test_it(mihu_environment):
            async with MihuClient() as mihu:
                await mihu.numbers.list()
            assert 1 == len(mihu_environment.journal)
    """)

    plain.runpytest_inprocess("-W", "error").assert_outcomes(passed=1)
