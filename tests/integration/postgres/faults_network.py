# tests/integration/postgres/faults_network.py
# SPDX-License-Identifier: Apache-2.0
#
# Usage: faults_network.py MAJOR
#
# A network that does not say that it is gone: nothing arrives any more, nothing is closed.
import signal
import sys
import time

import faults_place
import fault_proxy
import postgres
import proof

MAJOR = int(sys.argv[1])


class Faults(faults_place.Faults):
    def frozen_from_the_start(self):
        self.place.source(proxy=self.proxy)
        self.proxy.frozen = True
        self.ends("a server that accepts and says nothing", self.place.start("backup"), 14,
                  "connect to database shop on 127.0.0.1:%d: no answer within 10 s; are host and "
                  "port right, does the server run, and does a firewall let us through?\n" %
                  self.proxy.port, seconds=30)

    def frozen_and_stopped(self):
        """Not even the request to cancel arrives."""
        for sign, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            process = self.slow()
            self.proxy.frozen = True
            time.sleep(0.5)
            process.send_signal(sign)
            self.ends("the network is frozen, and signal %d comes" % sign, process, code)

    def frozen(self):
        """Connections that are silent for ever, and no signal: the run gives up by itself."""
        process = self.slow()
        time.sleep(3)  # all else has been read by now
        self.proxy.frozen = True
        self.ends("the network is frozen", process, 14, "source db: database shop on 127.0.0.1:%d: "
                  "the server does not answer any more; is the network all right?\n" %
                  self.proxy.port, seconds=90)


with postgres.Server(MAJOR) as server:
    faults_place.make_shop(server)
    with faults_place.Place(server) as place, \
            fault_proxy.Proxy("%s/.s.PGSQL.%d" % (server.socket, server.port)) as proxy:
        place.begin()
        faults = Faults(server, place, proxy)
        for fault in (faults.frozen_from_the_start, faults.frozen_and_stopped, faults.frozen):
            fault()
            faults.works("after %s" % fault.__name__)
        place.check_clean("after all faults")
proof.end()
