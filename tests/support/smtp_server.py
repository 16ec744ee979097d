"""A real mail server for tests: `smtp_server.py FOLDER [--auth USER:PASSWORD] [--tls CERT KEY]`.

Listens on a port of 127.0.0.1 that it writes to FOLDER/port. Each mail it takes becomes FOLDER/<n>.eml, with the
envelope in X-From and X-To in front, exactly as its bytes came. Recipients decide what happens:
refused@… 550, later@… 451, full@… 552 after the data, anyone else is taken."""
import argparse
import asyncio
import os
import signal
import ssl
import warnings
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

args = argparse.ArgumentParser()
args.add_argument('folder', type=Path)
args.add_argument('--auth')
args.add_argument('--tls', nargs=2)
options = args.parse_args()


warnings.simplefilter('ignore')  # a password without TLS is what a test wants to see


class Handler:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith('refused@'):
            return '550 5.1.1 no such user here'
        if address.startswith('later@'):
            return '451 4.3.0 try again later'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        if any(a.startswith('full@') for a in envelope.rcpt_tos):
            return '552 5.2.2 mailbox full'
        Handler.count += 1
        head = f'X-From: {envelope.mail_from}\r\nX-To: {",".join(envelope.rcpt_tos)}\r\nX-Tls: {session.ssl is not None}\r\n'
        path = options.folder / f'{Handler.count}.eml'
        path.with_suffix('.part').write_bytes(head.encode() + envelope.original_content)
        path.with_suffix('.part').rename(path)
        return '250 taken'


def authenticate(server, session, envelope, mechanism, data):
    user, password = options.auth.split(':')
    right = data.login == user.encode() and data.password == password.encode()
    return AuthResult(success=right, handled=False)


def session():
    more = {}
    if options.auth:
        more = {'authenticator': authenticate, 'auth_required': True, 'auth_require_tls': bool(options.tls)}
    if options.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*options.tls)
        more['tls_context'] = context
    return SMTP(Handler(), hostname='test.example', **more)


async def main():
    server = await asyncio.get_running_loop().create_server(session, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    (options.folder / 'port.part').write_text(str(port))
    (options.folder / 'port.part').rename(options.folder / 'port')
    await server.serve_forever()


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
asyncio.run(main())
