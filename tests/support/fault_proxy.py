# tests/support/fault_proxy.py
# SPDX-License-Identifier: Apache-2.0
#
# A TCP proxy that fails on command: it delays, cuts a connection after so many bytes, stops passing
# anything on, resets everything.
#
#     with fault_proxy.Proxy(("127.0.0.1", server.port)) as proxy:
#         proxy.cut_after = 1 << 20       # bytes of any connection
#         connect to 127.0.0.1:proxy.port
#
# Settings may be changed at any time, and are looked at before each piece that is passed on. A
# destination may be a unix socket: then it is its path.
import socket
import struct
import threading
import time

PIECE = 16384
TICK = 0.05


class Link:
    """One connection: what came from the server so far, and both sockets."""

    def __init__(self, number, client, server):
        self.number = number
        self.client = client
        self.server = server
        self.passed = 0  # bytes, in both directions
        self.began = time.monotonic()

    def reset(self):
        """Ends both sides as if the machine were gone: the peers see a reset, no end of file."""
        for side in (self.client, self.server):
            try:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side.shutdown(socket.SHUT_RD)  # wakes the thread that reads here, tells nobody
            except OSError:
                pass
            side.close()


class Proxy:
    def __init__(self, destination):
        self.destination = destination
        self.delay = 0.0        # seconds before each piece, in both directions
        self.cut_after = None   # bytes, in both directions, after which a connection is reset
        self.spare = 0          # so many connections, the first ones, are never cut
        self.frozen = False     # nothing is passed on, nothing is closed, new ones are accepted
        self.refusing = False   # new connections are closed at once
        self.cuts = 0           # how many connections were cut
        self.accepted = 0
        self._links = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _connect(self):
        if isinstance(self.destination, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.destination)
            return server
        return socket.create_connection(self.destination, timeout=10)

    def _accept(self):
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            try:
                server = self._connect()
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                link = Link(self.accepted, client, server)
                self.accepted += 1
                self._links.append(link)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(link, source, target),
                                 daemon=True).start()

    def _wait(self):
        """Holds a piece back for as long as the settings say."""
        if self.delay:
            self._ended.wait(self.delay)
        while self.frozen and not self._ended.is_set():
            time.sleep(TICK)

    def _cut(self, link, arriving):
        """Whether the connection ends with these bytes."""
        link.passed += arriving
        if (self.cut_after is None or link.number < self.spare or
                link.passed <= self.cut_after):
            return False
        self.cuts += 1
        self._end(link)
        return True

    def _pump(self, link, source, target):
        try:
            while True:
                piece = source.recv(PIECE)
                self._wait()
                if not piece:
                    target.shutdown(socket.SHUT_WR)
                    return
                if self._cut(link, len(piece)):
                    return
                target.sendall(piece)
        except OSError:
            self._end(link)

    def _end(self, link):
        with self._lock:
            if link in self._links:
                self._links.remove(link)
        link.reset()

    def reset_all(self):
        """Resets every connection; new ones are accepted."""
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            link.reset()
        self.cuts += len(links)

    def open_links(self):
        with self._lock:
            return list(self._links)

    def heal(self):
        """No more faults."""
        self.delay, self.cut_after, self.spare = 0.0, None, 0
        self.frozen = self.refusing = False

    def close(self):
        self._ended.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.reset_all()
