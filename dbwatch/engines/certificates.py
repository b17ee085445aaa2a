"""The certificate that a server showed when TLS began, whether or not anybody verified it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import BaseTransport


def not_after(transport: BaseTransport | None) -> float | None:
    """When it expires, in Unix seconds; None without TLS."""
    channel: Any = transport.get_extra_info("ssl_object") if transport is not None else None
    shown: bytes | None = channel.getpeercert(binary_form=True) if channel is not None else None
    if not shown:
        return None
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()
    except ValueError:  # a form that OpenSSL lets pass, and the parser does not
        return None
