-- tests/bench/mysql_shop.sql
-- SPDX-License-Identifier: Apache-2.0
--
-- A web shop as a backup meets it: text, JSON, pictures, wide and narrow rows, keys, foreign keys.
-- For MariaDB, into the current database; the variable @percent, at most 100, scales it: 100 is
-- about 0.9 GB.
--
-- Each value is a hash of its row's number, so that every run makes the same rows.

SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET unique_checks = 0, foreign_key_checks = 0;
SET @customers = 2000 * @percent, @products = 400 * @percent, @orders = 9000 * @percent,
    @reviews = 5000 * @percent;

-- Eight characters each.
SET @words = concat('alder   anchor  autumn  basket  beacon  birch   bottle  branch  brass   ',
    'bridge  bucket  button  candle  canvas  cedar   chalk   chimney cinder  cliff   clover  ',
    'cobalt  copper  cotton  cradle  crystal dagger  delta   drift   ember   falcon  feather ',
    'fennel  flint   forest  garden  ginger  glacier granite hammer  harbour hazel   hollow  ',
    'indigo  island  ivory   jasper  juniper kettle  ladder  lantern leather lichen  linen   ',
    'maple   marble  meadow  mirror  mosaic  needle  nettle  orchard paddle  pebble  quarry  ');

-- A number from 0 to below n, another one for each pair of row and salt.
CREATE FUNCTION upto(n bigint, nth bigint, salt int) RETURNS bigint DETERMINISTIC NO SQL
    RETURN conv(left(md5(concat(nth, ':', salt)), 12), 16, 10) % n;

CREATE FUNCTION word(nth bigint, salt int) RETURNS varchar(8) DETERMINISTIC NO SQL
    RETURN trim(substr(@words,
        1 + 8 * (ord(unhex(left(md5(concat(nth, ':', salt)), 2))) & 63), 8));

-- Six words and a number.
DELIMITER //
CREATE FUNCTION sentence(nth bigint, salt int) RETURNS varchar(80) DETERMINISTIC NO SQL
BEGIN
    DECLARE hash char(32) DEFAULT md5(concat(nth, ':', salt));
    RETURN concat(concat_ws(' ', trim(substr(@words, 1 + 8 * (ord(unhex(left(hash, 2))) & 63), 8)),
        trim(substr(@words, 1 + 8 * (ord(unhex(substr(hash, 3, 2))) & 63), 8)),
        trim(substr(@words, 1 + 8 * (ord(unhex(substr(hash, 5, 2))) & 63), 8)),
        conv(substr(hash, 7, 4), 16, 10),
        trim(substr(@words, 1 + 8 * (ord(unhex(substr(hash, 11, 2))) & 63), 8)),
        trim(substr(@words, 1 + 8 * (ord(unhex(substr(hash, 13, 2))) & 63), 8)),
        trim(substr(@words, 1 + 8 * (ord(unhex(substr(hash, 15, 2))) & 63), 8))), '. ');
END//
DELIMITER ;

-- Within ten years, in order of the row's number.
CREATE FUNCTION moment(nth bigint, total bigint, salt int) RETURNS datetime(6)
    DETERMINISTIC NO SQL
    RETURN timestamp '2016-01-01 00:00:00' + INTERVAL
        (315360000000000 DIV total * nth + upto(86400000000, nth, salt)) MICROSECOND;

CREATE TABLE customers (
    id bigint NOT NULL AUTO_INCREMENT,
    email varchar(120) NOT NULL,
    name varchar(120) NOT NULL,
    address text NOT NULL,
    country char(2) CHARACTER SET ascii NOT NULL,
    created_at datetime(6) NOT NULL,
    profile json NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY (email),
    KEY (country, created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE TABLE products (
    id int unsigned NOT NULL AUTO_INCREMENT,
    sku varchar(20) CHARACTER SET latin1 NOT NULL,
    name varchar(120) NOT NULL,
    description mediumtext NOT NULL,
    price decimal(10, 2) NOT NULL CHECK (price >= 0),
    grams double NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY (sku),
    KEY (name(20))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE TABLE pictures (
    product_id int unsigned NOT NULL,
    number tinyint unsigned NOT NULL,
    checksum binary(16) NOT NULL,
    content mediumblob NOT NULL,
    PRIMARY KEY (product_id, number),
    KEY (checksum),
    FOREIGN KEY (product_id) REFERENCES products (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE TABLE orders (
    id bigint NOT NULL AUTO_INCREMENT,
    customer_id bigint NOT NULL,
    status enum ('new', 'paid', 'sent', 'delivered', 'returned', 'cancelled') NOT NULL,
    ordered_at timestamp NOT NULL DEFAULT current_timestamp(),
    total decimal(12, 2) NOT NULL,
    shipping json NOT NULL,
    note text,
    PRIMARY KEY (id),
    KEY (customer_id),
    KEY (ordered_at),
    KEY (status, ordered_at),
    FOREIGN KEY (customer_id) REFERENCES customers (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE TABLE order_items (
    order_id bigint NOT NULL,
    line smallint NOT NULL,
    product_id int unsigned NOT NULL,
    quantity int NOT NULL,
    unit_price decimal(10, 2) NOT NULL,
    PRIMARY KEY (order_id, line),
    KEY (product_id),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    FOREIGN KEY (product_id) REFERENCES products (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
CREATE TABLE reviews (
    id bigint NOT NULL AUTO_INCREMENT,
    product_id int unsigned NOT NULL,
    customer_id bigint,
    written_at datetime NOT NULL,
    stars tinyint unsigned NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (id),
    KEY (product_id, written_at),
    KEY (customer_id),
    FOREIGN KEY (product_id) REFERENCES products (id),
    FOREIGN KEY (customer_id) REFERENCES customers (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

INSERT INTO customers
SELECT seq, concat(word(seq, 1), '.', seq, '@', word(seq, 2), '.example'),
    concat(word(seq, 3), ' ', word(seq, 1), 'é'),
    concat(upto(400, seq, 4), ' ', word(seq, 5), ' Street\n', lpad(upto(99999, seq, 6), 5, '0'),
        ' ', word(seq, 7)),
    substr('DEFRITESPTNLBEATPLSEDKFI', 1 + 2 * upto(12, seq, 8), 2),
    moment(seq, @customers, 9),
    json_object('language', substr('defritesptnlplsvdafi', 1 + 2 * upto(10, seq, 10), 2),
        'newsletter', upto(2, seq, 11), 'points', upto(100000, seq, 12),
        'interests', json_array(word(seq, 13), word(seq, 14)))
FROM seq_1_to_1000000 WHERE seq <= @customers;

INSERT INTO products
SELECT seq, concat('SKU-', lpad(seq, 8, '0')), concat(word(seq, 21), ' ', word(seq, 22)),
    concat(sentence(seq, 30), sentence(seq, 31), sentence(seq, 32), sentence(seq, 33),
        sentence(seq, 34), sentence(seq, 35), sentence(seq, 36), sentence(seq, 37)),
    (100 + upto(50000, seq, 23)) / 100, upto(2000000, seq, 24) / 64e0
FROM seq_1_to_1000000 WHERE seq <= @products;

-- Bytes that do not compress: encrypted blocks, of which no two are the same. One picture in fifty
-- is larger and repeats itself.
SELECT group_concat(lpad(seq, 16, '0') ORDER BY seq SEPARATOR '') INTO @blocks FROM seq_1_to_256;
INSERT INTO pictures
SELECT product, number, unhex(md5(concat(product, '/', number))),
    repeat(aes_encrypt(left(@blocks, 256 + 16 * upto(200, product * 4 + number, 41)),
            concat(product, '/', number)),
        if(upto(50, product * 4 + number, 42) = 0, 12, 1))
FROM (SELECT seq AS product FROM seq_1_to_1000000 WHERE seq <= @products) AS p,
    (SELECT seq AS number FROM seq_1_to_2) AS n;

INSERT INTO orders
SELECT seq, 1 + upto(@customers, seq, 61),
    elt(1 + upto(8, seq, 62), 'new', 'paid', 'sent', 'delivered', 'delivered', 'delivered',
        'returned', 'cancelled'),
    moment(seq, @orders, 63), (500 + upto(90000, seq, 64)) / 100,
    json_object('carrier', elt(1 + upto(4, seq, 65), 'post', 'courier', 'van', 'bicycle'),
        'parcel', upto(1000000000000, seq, 66), 'express', upto(5, seq, 67)),
    if(upto(3, seq, 68) = 0, sentence(seq, 70), NULL)
FROM seq_1_to_1000000 WHERE seq <= @orders;

INSERT INTO order_items
SELECT id, line, 1 + upto(@products, id * 8 + line, 81), 1 + upto(4, id * 8 + line, 82),
    (100 + upto(50000, id * 8 + line, 83)) / 100
FROM (SELECT seq AS id, 1 + upto(6, seq, 80) AS n
        FROM seq_1_to_1000000 WHERE seq <= @orders) AS o
    JOIN (SELECT seq AS line FROM seq_1_to_6) AS l ON line <= n;

INSERT INTO reviews
SELECT seq, 1 + upto(@products, seq, 91),
    if(upto(4, seq, 92) = 0, NULL, 1 + upto(@customers, seq, 93)),
    moment(seq, @reviews, 94), 1 + upto(5, seq, 95),
    concat(sentence(seq, 96), sentence(seq, 97), sentence(seq, 98))
FROM seq_1_to_1000000 WHERE seq <= @reviews;

DROP FUNCTION upto;
DROP FUNCTION word;
DROP FUNCTION sentence;
DROP FUNCTION moment;

CREATE VIEW turnover AS
SELECT date_format(ordered_at, '%Y-%m') AS month, count(*) AS orders, sum(total) AS total
FROM orders WHERE status <> 'cancelled' GROUP BY 1;

-- Statistics of the planner, or the first who reads would make them.
ANALYZE TABLE customers, products, pictures, orders, order_items, reviews;
