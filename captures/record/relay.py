"""A cut in the line between two real TLS stacks: relay.py LISTEN TARGET EVENT HOW

Forwards one connection after the other, whole TLS records at a time, until EVENT:
  client-hello   the client's first record came
  client-flight  the client's ChangeCipherSpec came
  client-alert   the client sends an alert
  server-alert   the server sends an alert
The record that is the event is not forwarded. Then, to both sides, HOW:
  fin  closes       rst  resets       silence  keeps both open and forwards nothing more
"""
import select
import socket
import struct
import sys
import time

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22
EVENTS = {
    "client-hello": ("client", HANDSHAKE),
    "client-flight": ("client", CHANGE_CIPHER_SPEC),
    "client-alert": ("client", ALERT),
    "server-alert": ("server", ALERT),
}


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def whole_records(buffer):
    """Takes the complete TLS records off the front of the buffer."""
    while len(buffer) >= 5:
        end = 5 + struct.unpack(">H", buffer[3:5])[0]
        if len(buffer) < end:
            return
        yield bytes(buffer[:end])
        del buffer[:end]


def relay(client, server, event):
    """Forwards until the event, which is True, or until one side closes."""
    sides = {client: ("client", server, bytearray()), server: ("server", client, bytearray())}
    while True:
        for source in select.select(list(sides), [], [])[0]:
            name, sink, buffer = sides[source]
            data = source.recv(65536)
            if not data:
                return False
            buffer += data
            for record in whole_records(buffer):
                if (name, record[0]) == event:
                    return True
                sink.sendall(record)


def end(sockets, how):
    if how == "silence":
        time.sleep(60)
    for each in sockets:
        if how == "rst":
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.close()
        else:
            each.shutdown(socket.SHUT_WR)
    if how == "fin":
        time.sleep(0.5)
        for each in sockets:
            each.close()


listen, target, event_name, how = sys.argv[1:]
listener = socket.create_server(endpoint(listen))
while True:
    client = listener.accept()[0]
    server = socket.create_connection(endpoint(target))
    for each in (client, server):
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        cut = relay(client, server, EVENTS[event_name])
        end((client, server), how if cut else "fin")
    except OSError:
        pass
