"""An HTTP and an HTTPS server that record what they get and answer as they are told.

Arguments: the certificate's file, the key's file. Standard output has one JSON object a line: {"listening": {…}}
first, {"request": {…}} for each request before it is answered, {"told": n} after the n-th command. Standard input has
commands: {"path": "/x", "answers": [{…}, …]} sets the answers to the next requests for a path; the last of them stays.
The end of standard input ends the program. Bytes are written as strings of the characters U+0000 to U+00FF.
"""
import base64
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lock = threading.Lock()
answers = {}
encodings = {
    "plain": bytes.decode,
    "base64": lambda data: base64.b64encode(data).decode(),
    "base64url": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    "base64lines": lambda data: base64.encodebytes(data).decode().rstrip(),
    "percent": lambda data: urllib.parse.quote(data, safe=""),
    "form": urllib.parse.quote_plus,
    "json": lambda data: json.dumps(data.decode()),
}


def report(record):
    with lock:
        print(json.dumps(record), flush=True)


def next_answer(path):
    with lock:
        queue = answers.get(path, [{}])
        return queue.pop(0) if len(queue) > 1 else queue[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer's header and body leave at once, not when the other side has acknowledged the header.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.is_secure = isinstance(self.connection, ssl.SSLSocket)

    def handle_any(self):
        received = time.time()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        report({"request": {
            "method": self.command, "path": self.path, "headers": list(map(list, self.headers.items())),
            "body": body.decode("latin-1"), "time": repr(received), "isSecure": self.is_secure,
            "clientPort": self.client_address[1]}})
        answer = next_answer(self.path)
        time.sleep(answer.get("delay", 0))
        getattr(self, "end_" + answer.get("ending", "whole"))(answer, answer.get("body", "").encode("latin-1"))

    do_POST = do_PUT = do_PATCH = do_GET = do_DELETE = handle_any

    def begin(self, answer, length):
        self.send_response(answer.get("status", 200))
        for name, value in answer.get("headers", []):
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.flush()

    def end_whole(self, answer, body):
        self.begin(answer, len(body))
        self.wfile.write(body)

    def end_echo(self, answer, body):
        encoded = encodings[body.decode()](b"%s %s" % (self.requestline.encode(), bytes(self.headers)))
        self.end_whole(answer, f"I got [{encoded}]".encode())

    def end_bytes(self, answer, body):
        self.close_connection = True
        self.wfile.write(body)

    def end_trickle(self, answer, body):
        self.close_connection = True
        head = f"HTTP/1.1 {answer.get('status', 200)} Slow\r\nContent-Length: {len(body)}\r\n\r\n"
        for byte in head.encode("latin-1") + body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.01)

    def end_reset(self, answer, body):
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def end_fields(self, answer, body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-Field: " + b"x" * 1000 + b"\r\n")

    def end_hang(self, answer, body):
        threading.Event().wait()

    def end_drop(self, answer, body):
        self.close_connection = True

    def end_cut(self, answer, body):
        self.begin(answer, len(body) + 1)
        self.wfile.write(body)
        self.close_connection = True

    def end_stall(self, answer, body):
        self.begin(answer, len(body) + 1)
        self.wfile.write(body)
        self.wfile.flush()
        threading.Event().wait()

    def end_flood(self, answer, body):
        self.begin(answer, None)
        while True:
            self.wfile.write(b"x" * 65536)

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # The client went away, or would not trust us: that is its test's business.


def listen(context=None):
    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    report({"listening": {"http": listen(), "https": listen(context)}})
    for count, line in enumerate(sys.stdin, 1):
        command = json.loads(line)
        with lock:
            answers[command["path"]] = command["answers"]
        report({"told": count})
    os._exit(0)


main()
