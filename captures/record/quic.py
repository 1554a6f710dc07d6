"""QUIC, client and server: quic.py serve ADDRESS CHAIN.pem KEY | quic.py ask ADDRESS NAME STORE.pem

On UDP port 443, with aioquic. The client opens one stream, sends a line and waits for the server's.
"""
import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamDataReceived

PORT, PROTOCOL = 443, ["hq-interop"]


class Server(QuicConnectionProtocol):
    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived) and event.end_stream:
            self._quic.send_stream_data(event.stream_id, b"hello, phone\n", end_stream=True)
            self.transmit()


async def run_server(address, chain, key):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=PROTOCOL)
    configuration.load_cert_chain(chain, key)
    await serve(address, PORT, configuration=configuration, create_protocol=Server)
    await asyncio.Future()


async def run_client(address, name, store):
    configuration = QuicConfiguration(alpn_protocols=PROTOCOL, server_name=name)
    configuration.load_verify_locations(store)
    async with connect(address, PORT, configuration=configuration) as connection:
        reader, writer = await connection.create_stream()
        writer.write(b"GET /hello\r\n")
        writer.write_eof()
        print(await reader.read())


run = {"serve": run_server, "ask": run_client}[sys.argv[1]]
asyncio.run(run(*sys.argv[2:]))
