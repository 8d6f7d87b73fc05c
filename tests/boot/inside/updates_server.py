"""Runs in the far network of the container: /srv/updates over HTTPS, with a certificate of its own TEST authority."""

from __future__ import annotations

import ssl
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

if __name__ == "__main__":
    address, folder, certificate = sys.argv[1:]
    server = ThreadingHTTPServer((address, 8443), partial(SimpleHTTPRequestHandler, directory=folder))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
