"""A walk behind a real nginx that limits requests: it says 429 with a page of its own, and not for how long."""

import asyncio
import os
import shutil
import socket
import subprocess

import pytest

from mihu_async import Hooks, MihuClient
from mihu_async.sandbox import Sandbox

pytestmark = pytest.mark.slow

PAGES = 60
CONFIG = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr crit;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    limit_req_zone $binary_remote_addr zone=api:1m rate={rate}r/s;
    limit_req_status 429;
    server {{
        listen 127.0.0.1:{port};
        location = /ready {{ return 204; }}
        location / {{
            limit_req zone=api burst=3 nodelay;
            proxy_pass {service};
        }}
    }}
}}
"""


@pytest.fixture
def nginx(tmp_path):
    """Start an nginx of our own on loopback when it is asked for one; gives its address for a service and a rate."""
    program = shutil.which("nginx", path=os.pathsep.join(["/usr/sbin", os.environ.get("PATH", "")]))
    if program is None:
        pytest.skip("nginx is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started: list[subprocess.Popen[str]] = []

    def start(service: str, *, rate: int) -> str:
        config = tmp_path / "nginx.conf"
        config.write_text(CONFIG.format(folder=tmp_path, port=port, service=service, rate=rate))
        command = [program, "-e", "stderr", "-p", str(tmp_path), "-c", str(config)]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return f"http://127.0.0.1:{port}"

    yield start
    for server in started:
        server.terminate()
        server.communicate(timeout=10)


async def ready(address: str) -> None:
    """Wait until somebody listens there."""
    port = int(address.rpartition(":")[2])
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


@pytest.mark.parametrize("concurrency", [4, 64])
async def test_a_walk_behind_nginx_ends_complete(nginx, concurrency):
    """Though nobody says how long to wait, with at most a third more requests than pages, and near its speed."""
    async with Sandbox(numbers=PAGES, trunks=0) as sandbox:
        address = nginx(sandbox.base_url, rate=20)
        await ready(address)
        refused: list[int | None] = []
        hooks = Hooks(on_attempt=lambda attempt, _: refused.append(attempt.status))
        async with MihuClient(sandbox.token, base_url=address, concurrency=concurrency, hooks=hooks) as mihu:
            pager = mihu.numbers.list(per_page=1)
            async with asyncio.timeout(3 * PAGES / 20):
                items = await pager.collect()

    assert PAGES == len({item.number for item in items})
    assert pager.report.complete
    assert refused.count(200) == PAGES
    assert 0 < refused.count(429) <= PAGES / 3
