"""The HTTP session of the exporters: the system's trust store, no .netrc, and the last answer remembered."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

from itsjustintv_desktop.engine.core.net.trust import client_context


class ExporterSession(requests.Session):
    """`last_status` is None while the last request got no answer."""

    def __init__(self) -> None:
        super().__init__()
        self.last_status: int | None = None
        # A .netrc would put its own Authorization over that of [telemetry] headers.
        self.trust_env = False
        self.mount("https://", _Adapter())

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        self.last_status = None
        response = super().request(method, url, *args, **options)
        self.last_status = response.status_code
        return response


class _Adapter(HTTPAdapter):
    """Verifies against the system's store unless OTEL_EXPORTER_OTLP_CERTIFICATE names a file of its own."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=client_context())

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, verify, cert)
        if verify is True:
            conn.ca_certs = conn.ca_cert_dir = None  # requests' own bundle
