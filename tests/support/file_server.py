"""A file server on this machine that can be told to misbehave."""

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Gives the same content under every name.

    Attributes:
        content: the bytes of every file.
        status: what it answers instead of the file.
        cut_after: bytes after which it closes the connection.
        gate: while clear, nothing is sent after the first quarter.
        ranges: whether it can begin in the middle.
        asked: the Range header of every request.
    """

    def __init__(self, content: bytes) -> None:
        """Serve at a port of this machine that is free."""
        self.content = content
        self.status = 0
        self.cut_after: int | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.ranges = True
        self.asked: list[str] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def url(self, name: str) -> str:
        """Return where a file of any name lies."""
        return f"http://127.0.0.1:{self._http.server_port}/models/{name}"

    def close(self) -> None:
        """Go away; whoever asks afterwards finds nobody."""
        self.gate.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, owner: FileServer, *arguments: object) -> None:
        self.owner = owner
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer as the server was told to."""
        owner = self.owner
        asked = self.headers.get("Range", "")
        owner.asked.append(asked)
        if owner.status:
            self.send_error(owner.status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-") or 0) if owner.ranges else 0
        whole = len(owner.content)
        if start >= whole:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{whole}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("Content-Length", str(whole - start))
        self.end_headers()
        self._send(owner.content[start : owner.cut_after])

    def _send(self, content: bytes) -> None:
        quarter = len(content) // 4
        self.wfile.write(content[:quarter])
        self.wfile.flush()
        self.owner.gate.wait(20)
        try:
            self.wfile.write(content[quarter:])
        except OSError:  # whoever asked has left
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""
