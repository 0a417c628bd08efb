"""Is the certificate really what our own listener shows? Asked before Twitch is told of the address."""

from __future__ import annotations

import asyncio
import ssl

from itsjustintv_desktop.engine.core.errors import CertificateError
from itsjustintv_desktop.engine.core.net.errors import network_sentence
from itsjustintv_desktop.engine.ingress.acme.certificate import Pair

_SECONDS = 10.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - these are looked up, nothing is bound


async def check_serving(pair: Pair, address: tuple[str, int]) -> None:
    """Shake hands with the listener under every name of the certificate, verified up to the authority's issuer.

    Raises CertificateError of kind "not_serving".
    """
    host, port = _ANY.get(address[0], address[0]), address[1]
    context = await asyncio.to_thread(_context, pair)
    for name in pair.names:
        try:
            async with asyncio.timeout(_SECONDS):
                _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
                shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                writer.transport.abort()  # nothing was asked, so there is nothing to say goodbye to
        except OSError as error:
            raise _trouble(name, host, port, network_sentence(error)) from error
        if shown != pair.leaf:
            raise _trouble(name, host, port, "it shows another certificate")


def _context(pair: Pair) -> ssl.SSLContext:
    """Trusts only who signed this certificate: the authority's root may be one that this machine does not know."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=pair.anchors.decode("ascii"))
    return context


def _trouble(name: str, host: str, port: int, why: str) -> CertificateError:
    return CertificateError(f"{host} port {port} does not serve {name}: {why}", kind="not_serving", domain=name)
