"""What a Temporal web UI answers to whoever asks it for a workflow, without a Temporal behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def web_ui(*native_ids: str, status: int = 404) -> Iterator[str]:
    """Its URL; it knows the workflows of these ids, and answers ``status`` to everything else."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            *_, native_id = self.path.split("/")
            known = native_id in native_ids and self.path.startswith("/api/v1/namespaces/default/workflows/")
            self.send_response(200 if known else status)
            self.end_headers()
            execution = {"workflowId": native_id, "runId": "run-1"}
            self.wfile.write(json.dumps({"workflowExecutionInfo": {"execution": execution}}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
