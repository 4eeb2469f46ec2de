"""Which certificates are trusted, read once: loading the authorities costs about 25 ms of CPU each time."""

import functools
import ssl


@functools.cache
def trust(ca_file: str | None = None) -> ssl.SSLContext:
    """The TLS settings of every client of the process; `ca_file` adds a private authority's certificate.

    Without it the authorities are those of the platform, or of `SSL_CERT_FILE`, which OpenSSL reads itself.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
