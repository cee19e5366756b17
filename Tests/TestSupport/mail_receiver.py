"""An SMTP server that records the mail it gets and refuses what it is told to.

Arguments: the certificate's file, the key's file, "none", "starttls" or "implicit", and either nothing or a user and a
password that clients have to log in with. Standard output has one JSON object a line: {"listening": {"smtp": port}}
first, {"message": {…}} for each mail that was taken, {"told": n} after the n-th command. Standard input has commands:
{"stage": "greeting", "hello", "starttls", "login", "password", "sender", "recipient", "data", "message" or "goodbye",
"address": "…" or null, "reply": "450 …" or null, "delay": seconds, "hangsUp": true or false} sets how the server replies at
a stage, to an address or to all, or that it closes the connection; null is a yes. In the reply to a password, {plain} and
{login} stand for what a client sends by these mechanisms. The end of standard input ends the program.
Bytes are written as strings of the characters U+0000 to U+00FF.
"""
import asyncio
import base64
import json
import os
import ssl
import sys
import threading
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

certificate, key, security, *login = sys.argv[1:]
orders = {}


def report(record):
    print(json.dumps(record), flush=True)


async def reply_at(server, stage, address=None):
    order = orders.get((stage, address)) or orders.get((stage, None)) or {}
    await asyncio.sleep(order.get("delay", 0))
    if order.get("hangsUp"):
        server.transport.close()
        raise asyncio.CancelledError
    return order.get("reply")


class Server(SMTP):
    is_greeted = False

    async def push(self, status):
        if not self.is_greeted:
            self.is_greeted = True
            status = await reply_at(self, "greeting") or status
        await super().push(status)

    async def refuse(self, stage):
        reply = await reply_at(self, stage)
        if reply:
            await self.push(reply)
        return reply is not None

    async def smtp_EHLO(self, hostname):
        await self.refuse("hello") or await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname):
        await self.refuse("hello") or await super().smtp_HELO(hostname)

    async def smtp_STARTTLS(self, argument):
        await self.refuse("starttls") or await super().smtp_STARTTLS(argument)

    async def smtp_AUTH(self, argument):
        await self.refuse("login") or await super().smtp_AUTH(argument)

    async def smtp_DATA(self, argument):
        await self.refuse("data") or await super().smtp_DATA(argument)


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        reply = await reply_at(server, "sender", address)
        if not reply:
            envelope.mail_from = address
        return reply or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = await reply_at(server, "recipient", address)
        if not reply:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        reply = await reply_at(server, "message")
        if not reply:
            user = session.auth_data.login.decode() if session.authenticated else None
            report({"message": {
                "sender": envelope.mail_from, "recipients": envelope.rcpt_tos, "user": user,
                "isSecure": security == "implicit" or session.ssl is not None,
                "content": envelope.original_content.decode("latin-1")}})
        return reply or "250 taken"

    async def handle_QUIT(self, server, session, envelope):
        return await reply_at(server, "goodbye") or "221 goodbye"


def authenticate(server, session, envelope, mechanism, data):
    reply = orders.get(("password", None), {}).get("reply")
    if reply:
        plain = base64.b64encode(b"\0%s\0%s" % (data.login, data.password)).decode()
        reply = reply.format(plain=plain, login=base64.b64encode(data.password).decode())
        return AuthResult(success=False, handled=False, message=reply)
    is_right = isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()] == login
    return AuthResult(success=is_right, handled=False, auth_data=data)


def obey():
    for count, line in enumerate(sys.stdin, 1):
        order = json.loads(line)
        orders[order["stage"], order["address"]] = order
        report({"told": count})
    os._exit(0)


async def main():
    warnings.simplefilter("ignore")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def protocol():
        return Server(
            Handler(), hostname="localhost", enable_SMTPUTF8=False,
            authenticator=authenticate, auth_required=bool(login),
            # With TLS from the first byte, the protocol itself does not know of TLS.
            auth_require_tls=security == "starttls", require_starttls=security == "starttls",
            tls_context=context if security == "starttls" else None)

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=context if security == "implicit" else None, backlog=256)
    report({"listening": {"smtp": server.sockets[0].getsockname()[1]}})
    threading.Thread(target=obey, daemon=True).start()
    await server.serve_forever()


asyncio.run(main())
