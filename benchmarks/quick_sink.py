"""A relay that takes everything and keeps nothing, in one thread and with PIPELINING.

    python -m benchmarks.quick_sink PORT

Postfix's smtp-sink reads through its own buffers, octet by octet in part, and is full before the
engine is; this one looks for the end of the content and no further.
"""

import select
import socket
import sys

_EHLO = b"250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 50000000\r\n250 PIPELINING\r\n"
_END = b"\r\n.\r\n"


class _Connection:
    __slots__ = ("in_content", "line", "tail")

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.in_content = False
        self.tail = b""

    def heard(self, octets: bytes) -> bytes:
        octets, self.tail = self.tail + octets, b""
        said = b""
        while octets:
            if self.in_content:
                at = octets.find(_END)
                if at < 0:
                    self.tail = octets[-4:]
                    break
                octets = octets[at + len(_END) :]
                self.in_content = False
                said += b"250 2.0.0 Ok\r\n"
                continue
            command, end, rest = octets.partition(b"\r\n")
            if not end:
                self.tail = octets
                break
            octets = rest
            verb = command[:4].upper()
            if verb == b"DATA":
                self.in_content = True
                # The line end of the command may be the one before the dot.
                octets = b"\r\n" + octets if octets else octets
                self.tail = b"" if octets else b"\r\n"
                said += b"354 Go ahead\r\n"
            elif verb == b"EHLO":
                said += _EHLO
            elif verb == b"QUIT":
                said += b"221 2.0.0 Bye\r\n"
            else:
                said += b"250 2.1.0 Ok\r\n"
        return said


def serve(port: int) -> None:
    """Serve until killed."""
    with socket.create_server(("127.0.0.1", port), backlog=256) as server:
        poll = select.poll()
        poll.register(server.fileno(), select.POLLIN)
        connections: dict[int, _Connection] = {}
        while True:
            for fd, _ in poll.poll():
                if fd == server.fileno():
                    line, _ = server.accept()
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    line.sendall(b"220 sink ESMTP\r\n")
                    connections[line.fileno()] = _Connection(line)
                    poll.register(line.fileno(), select.POLLIN)
                    continue
                connection = connections[fd]
                try:
                    octets = connection.line.recv(1 << 17)
                    if octets:
                        connection.line.sendall(connection.heard(octets))
                        continue
                except ConnectionError:
                    pass  # it is closed below, as after its end
                poll.unregister(fd)
                connections.pop(fd).line.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
