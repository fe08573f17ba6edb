"""A server where an external key store's proxy should be: it answers every request alike, whatever it is asked."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

# What a proxy answers that is well, and so is its key manager.
HEALTHY = json.dumps({
    "xksProxyFleetSize": 1, "xksProxyVendor": "none", "xksProxyModel": "false", "ekmVendor": "none",
    "ekmFleetDetails": [{"id": "one", "model": "false", "healthStatus": "ACTIVE"}],
}).encode()


class FalseProxy:
    def __init__(self, address, port, certificate, key):
        proxy = self
        self.endpoint = f"https://{address}"
        self.answer = HEALTHY

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(proxy.answer)))
                self.end_headers()
                self.wfile.write(proxy.answer)

            def log_message(self, *_):
                pass

        self._server = HTTPServer((address, int(port)), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
