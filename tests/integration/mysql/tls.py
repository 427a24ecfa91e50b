# tests/integration/mysql/tls.py
# SPDX-License-Identifier: Apache-2.0
#
# Encryption: whom a source lets itself be talked into talking to. The authorities and certificates
# are made here; the server listens on loopback, and is off loopback by a name that says so.
#
# Usage: tls.py SERVER
import os
import subprocess
import sys
import tempfile

from doctor import Doctor  # which tells Python where the next ones are

import mysql
import proof

# To the resolver this is 127.0.0.1; to the source it is a name like any other, off loopback.
ELSEWHERE = "0x7f000001"

UNKNOWN = ("connect: TLS/SSL error: self-signed certificate in certificate chain; \"ssl_ca\" names the "
           "authorities that the server's certificate is verified with")
OTHER_NAME = ("connect: TLS/SSL error: Validation of SSL server certificate failed; its certificate "
              "is for other names than the one in the url: use one that it has")
NO_TLS = ("connect: TLS/SSL error: SSL is required, but the server does not support it; switch TLS "
          "on in the server, or connect by its socket")


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    """An authority with a key of its own, and certificates for servers."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.path = os.path.join(folder, name + ".pem")
        self.key = os.path.join(folder, name + "-key.pem")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=%s" % name, "-keyout", self.key, "-out", self.path)

    def certificate(self, name, alternatives):
        """(certificate, key) for a server whose names are @alternatives: "DNS:db.example"."""
        base = os.path.join(self.folder, name)
        with open(base + ".ext", "w", encoding="utf-8") as file:
            file.write("subjectAltName=%s\n" % alternatives)
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=%s" % name, "-keyout",
                base + "-key.pem", "-out", base + ".csr")
        openssl("x509", "-req", "-in", base + ".csr", "-CA", self.path, "-CAkey", self.key,
                "-CAcreateserial", "-days", "2", "-extfile", base + ".ext", "-out", base + ".pem")
        for path in (base + ".pem", base + "-key.pem"):
            os.chmod(path, 0o644)
        return base + ".pem", base + "-key.pem"


def url(server, host):
    return "mysql://far@%s:%d/shop" % (host, server.port)


def refuses(there, name, text, **options):
    """The doctor cannot connect, and its error has @text; a backup fails as well."""
    there.source("shop", **options)
    there.say()
    proof.ok(name, there.error and text in there.error, "%s\n%s" % (there.error, there.result))
    result = there.attempt("backup")
    proof.ok("%s: a backup fails" % name, result.code not in (0, 3) and text in result.err, result)


def fill(server):
    server.sql("CREATE DATABASE shop; CREATE TABLE shop.t (a int PRIMARY KEY);"
               "CREATE USER far@'%'; GRANT ALL ON *.* TO far@'%'")


def with_certificate(flavour, folder):
    ours, theirs = Authority(folder, "ours"), Authority(folder, "theirs")
    cert, key = ours.certificate("db", "DNS:%s,DNS:db.example" % ELSEWHERE)
    options = ["--ssl-ca=" + ours.path, "--ssl-cert=" + cert, "--ssl-key=" + key]
    with mysql.Server(flavour, options, tcp=True) as server, Doctor(server, "shop") as there:
        fill(server)
        there.source("shop", url=url(server, ELSEWHERE), ssl_ca=ours.path)
        there.matches("the right authority and name are let in", "encryption", "ok",
                      r"TLS with \S+; the server's certificate and name are verified")
        there.run("backup", "--json")
        refuses(there, "a wrong authority is refused", UNKNOWN,
                url=url(server, ELSEWHERE), ssl_ca=theirs.path)
        refuses(there, "an authority that nobody has named is refused",
                UNKNOWN, url=url(server, ELSEWHERE))
        refuses(there, "a certificate for another name is refused",
                OTHER_NAME, url=url(server, "127.0.0.1"),
                ssl_ca=ours.path, ssl_verify=True)
        there.source("shop", url=url(server, ELSEWHERE), ssl_verify=False)
        there.matches("not to verify is a warning", "encryption", "warning",
                      r"TLS with \S+, but who the server is was not verified, .*")
        there.source("shop", url=url(server, "127.0.0.1"))
        proof.ok("loopback needs none of this", there.of("encryption")[0][0] in ("ok", "info"),
                 there.result)


def without_tls(flavour):
    off = ["--skip-ssl"] if flavour.startswith("mariadb") else ["--tls-version="]
    with mysql.Server(flavour, off, tcp=True) as server, Doctor(server, "shop") as there:
        fill(server)
        refuses(there, "a server without TLS is refused off loopback", NO_TLS,
                url=url(server, ELSEWHERE))
        refuses(there, "and on loopback, when TLS is wanted there", NO_TLS,
                url=url(server, "127.0.0.1"), ssl_verify=True)
        if flavour.startswith("mariadb"):
            there.source("shop", url=url(server, "127.0.0.1"))
            there.says("loopback needs no encryption", "encryption",
                       ("ok", "none; nothing leaves this machine"))


def main():
    flavour = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="backstay-tls-") as folder:
        os.chmod(folder, 0o755)
        with_certificate(flavour, folder)
    without_tls(flavour)


main()
proof.end()
