-- tests/integration/postgres/torture/objects.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- Large objects: empty, of every byte, of several pages, with a hole, with owner, rights and
-- comment.
SELECT lo_create(4000000001), lo_create(4000000002) \g /dev/null
SELECT lo_from_bytea(4000000003, decode((SELECT string_agg(lpad(to_hex(byte), 2, '0'), '')
    FROM generate_series(0, 255) byte), 'hex')) \g /dev/null
SELECT lo_from_bytea(4000000004, decode(repeat(md5('page'), 20000), 'hex')) \g /dev/null
SELECT lo_put(4000000002, 5000000, '\x0102') \g /dev/null
SELECT lo_from_bytea(oid::oid, convert_to('object ' || oid, 'UTF8'))
FROM generate_series(4000000100, 4000000349) oid \g /dev/null
ALTER LARGE OBJECT 4000000003 OWNER TO torture_owner;
GRANT SELECT ON LARGE OBJECT 4000000003 TO torture_reader, PUBLIC;
GRANT SELECT, UPDATE ON LARGE OBJECT 4000000004 TO "torture ""odd"" role" WITH GRANT OPTION;
REVOKE ALL ON LARGE OBJECT 4000000100 FROM CURRENT_USER;
COMMENT ON LARGE OBJECT 4000000001 IS E'an empty\n''object''';
CREATE TABLE public.pictures (id int PRIMARY KEY, picture oid);
INSERT INTO public.pictures SELECT n, 4000000000 + n FROM generate_series(1, 4) n;
