-- tests/integration/mysql/torture/base.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- What the other files count with.
CREATE TABLE digits (n int PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE digits_3 (n int PRIMARY KEY);
INSERT INTO digits_3 SELECT a.n * 100 + b.n * 10 + c.n FROM digits a, digits b, digits c;
