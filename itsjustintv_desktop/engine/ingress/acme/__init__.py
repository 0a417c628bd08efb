"""TLS on the public port itself, with certificates of an ACME authority such as Let's Encrypt."""

from itsjustintv_desktop.engine.ingress.acme.transport import AcmeTransport

__all__ = ["AcmeTransport"]
