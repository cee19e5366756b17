"""A syslog server over TCP and TLS that parses frames strictly, by RFC 5424 and RFC 6587, and records what is in them.

Arguments: the certificate's file, the key's file and, if clients have to show a certificate over TLS, the file of their authority.
It takes what this service should send, which is less than the RFCs allow: no part is left out, the structured data is one element of
an enterprise's, the text is UTF-8 behind its byte order mark, and no control character or line break is anywhere. Standard output
has one JSON object a line: {"listening": {…}} first, {"message": {…}} for each message, {"connection": n} for each connection,
{"fault": "…"} for what is no frame, {"told": n} after the n-th command. Standard input has commands: {"bytes": n} has connections
from now on cut after so many bytes, {"bytes": null} has them read again, {"talk": true} has them written to without
end, {"end": true} also ends those that there are. The end of standard input ends the program.
"""
import datetime
import json
import os
import re
import socket
import ssl
import sys
import threading
import unicodedata

lock = threading.Lock()
order = {}
connections = []

PRIORITY = rb"<(0|[1-9]\d?|1[0-8]\d|19[01])>"
TIME = rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d))"
HEADER = re.compile(PRIORITY + b"1 " + TIME + rb" ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) ")
NAME = rb"[!#-<>-\\^-~]{1,32}"
VALUE = rb'(?:[^"\\\]]|\\["\\\]])*'
ELEMENT = re.compile(rb'\[(%s)((?: %s="%s")*)\] \xef\xbb\xbf' % (NAME, NAME, VALUE))
PARAMETER = re.compile(rb' (%s)="(%s)"' % (NAME, VALUE))


def report(record):
    with lock:
        print(json.dumps(record), flush=True)


def parse(message):
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in message.decode()):
        raise ValueError("a control character or line break")
    header = HEADER.match(message)
    if not header:
        raise ValueError("no header")
    priority, time, host, program, process, kind = (part.decode() for part in header.groups())
    datetime.datetime.fromisoformat(time)
    element = ELEMENT.match(message, header.end())
    if not element or not re.fullmatch(rb"[^@]+@[1-9]\d*", element[1]):
        raise ValueError("no structured data of an enterprise, or no byte order mark behind it")
    parameters = PARAMETER.findall(element[2])
    if len(dict(parameters)) < len(parameters):
        raise ValueError("a parameter comes twice")
    return {
        "priority": int(priority), "time": time, "host": host, "program": program, "process": process, "kind": kind,
        "element": element[1].decode(),
        "parameters": {name.decode(): re.sub(rb"\\(.)", rb"\1", value).decode() for name, value in parameters},
        "text": message[element.end():].decode(), "size": len(message)}


class Stream:
    """What comes over a connection, cut off where that is ordered."""

    def __init__(self, connection):
        self.connection = connection
        self.left = order.get("bytes")
        self.buffer = b""

    def read(self, size):
        while len(self.buffer) < size:
            if self.left == 0:
                raise EOFError
            part = self.connection.recv(min(4096, self.left or 4096))
            if not part:
                raise EOFError
            if self.left is not None:
                self.left -= len(part)
            self.buffer += part
        part, self.buffer = self.buffer[:size], self.buffer[size:]
        return part

    def frame(self):
        length = b""
        while not length.endswith(b" ") and len(length) < 11:
            length += self.read(1)
        if not re.fullmatch(rb"[1-9]\d{0,9} ", length):
            raise ValueError("no length: %r" % length)
        return self.read(int(length))


def name_of_client(connection):
    """The common name in the certificate that the other side has shown; null where it has shown none."""
    certificate = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    return dict(name for names in (certificate or {}).get("subject", ()) for name in names).get("commonName")


def serve(connection, context):
    try:
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        with lock:
            connections.append(connection)
            number = len(connections)
        report({"connection": number})
        while order.get("talk"):
            connection.sendall(bytes(1 << 20))
        stream = Stream(connection)
        while True:
            message = stream.frame()
            told = {"connection": number, "isSecure": context is not None, "client": name_of_client(connection)}
            report({"message": parse(message) | told})
    except (EOFError, OSError):
        pass  # The other side went away, or was sent away, or would not trust us: that is its test's business.
    except ValueError as fault:
        report({"fault": str(fault)})
    # What was not read has the connection reset.
    connection.close()


def listen(context=None):
    server = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept():
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    for authority in sys.argv[3:]:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
    report({"listening": {"tcp": listen(), "tls": listen(context)}})
    for number, line in enumerate(sys.stdin, 1):
        order.clear()
        order.update(json.loads(line))
        for connection in connections if order.get("end") else []:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It has ended before.
        report({"told": number})
    os._exit(0)


main()
