# tests/integration/postgres/by_hand.py
# SPDX-License-Identifier: Apache-2.0
#
# The chapter "Loading a backup by hand" of docs/sources/postgres.md, command by command as it
# stands there, on another server; what comes of it is compared with the original.
#
#     BACKSTAY=... by_hand.py MAJOR
import os
import re
import subprocess
import sys

from doctor import Doctor  # which tells Python where the next ones are

import postgres
import proof
import same

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "docs",
                        "sources", "postgres.md")
major = int(sys.argv[1])

SHOP = """
SET ROLE shop;
CREATE TABLE public.orders (id serial PRIMARY KEY, customer text, total numeric);
INSERT INTO public.orders (customer, total)
    SELECT E'a\\tb\\\\' || i, i * 1.5 FROM generate_series(1, 1000) i;
INSERT INTO public.orders (customer) VALUES (NULL);
CREATE TABLE public.lines (id int REFERENCES public.orders, what text);
CREATE VIEW public.recent AS SELECT * FROM public.orders WHERE id > 900;
GRANT SELECT ON public.orders TO reader;
"""


def chapter():
    """The blocks of commands in the chapter, without the indentation of lists."""
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    text = text[text.index("## Loading a backup by hand"):text.index("## Restoring")]
    return [re.sub(r"(?m)^   ", "", block) if indented else block for indented, block in
            re.findall(r"(?ms)^( *)```sh\n(.*?)^ *```$", text)]


def follow(server, folder, commands):
    """Runs commands as somebody at a shell would; the first that fails ends them."""
    environment = dict(postgres.environment(), PGHOST=server.socket, PGPORT=str(server.port),
                       PGUSER=postgres.USER, PATH=server.tools + ":" + os.environ["PATH"])
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=folder,
                          env=environment, capture_output=True, text=True, check=False)
    return proof.ok("works as it is written: %s" % commands.strip().split("\n")[0],
                    done.returncode == 0, commands + done.stdout + done.stderr)


def main():
    blocks = chapter()
    proof.ok("the chapter has its commands", len(blocks) == 5, blocks)
    unpack, roles, create, load, parts = blocks
    # What the document leaves to its reader: places and locales; its single steps have no large
    # objects.
    create = create.replace("en_US.UTF-8", "C.UTF-8")
    with postgres.Server(major) as server, postgres.Server(major) as other, \
            Doctor(server, "postgres") as place:
        server.psql("CREATE ROLE shop; CREATE ROLE reader")
        server.createdb("shop", "--owner=shop")
        server.psql("GRANT CREATE ON SCHEMA public TO shop", "shop")
        server.psql(SHOP, "shop")
        server.psql("SELECT lo_from_bytea(4711, 'content')", "shop", "postgres")
        place.source("shop")
        place.run("backup")
        files = place.at("files")
        follow(server, place.at("repo"), unpack.replace("/srv/files", files))
        follow(other, files, roles)
        for name, commands, without in (("load.sh", load, ()),
                                        ("the single steps", parts, ("large object",))):
            follow(other, files, create)
            follow(other, files, commands)
            differences = same.compare(server.database("shop"), other.database("shop"),
                                       without=without)
            proof.ok("%s: all came back" % name, not differences, differences)
            other.psql("DROP DATABASE shop")
    proof.end()


main()
