"""A real nginx in front of a port of ours, with a configuration and a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.keyring_session import require_program
from tests.support.waiting import until

_CONFIG = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream program {{ server 127.0.0.1:{behind}; keepalive 4; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://program;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto https;
        }}
    }}
}}
"""


@asynccontextmanager
async def nginx(folder: Path, *, port: int, behind: int) -> AsyncIterator[None]:
    """Listens on 127.0.0.1:`port` and hands everything to `behind`. Skips the test without nginx."""
    program = require_program("nginx", "nginx-light")
    folder.mkdir(parents=True, exist_ok=True)
    user = "user root;" if sys.platform == "linux" else ""
    (folder / "nginx.conf").write_text(_CONFIG.format(folder=folder, port=port, behind=behind, user=user))
    arguments = ["-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=subprocess.DEVNULL)
    try:

        async def answers() -> bool:
            assert process.returncode is None, (folder / "error.log").read_text()
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return True
            return False

        await until(answers, what="nginx listens")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), 10)
