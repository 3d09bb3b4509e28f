CREATE TABLE lines (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, area VARCHAR(40));
CREATE TABLE machines (id VARCHAR(20) PRIMARY KEY, line_id INTEGER NOT NULL REFERENCES lines (id), class VARCHAR(20), bought DATE);
CREATE TABLE counts (machine_id VARCHAR(20) NOT NULL, hour VARCHAR(20) NOT NULL, good INTEGER, scrap INTEGER, rework INTEGER);
CREATE TABLE stops (id INTEGER PRIMARY KEY, machine_id VARCHAR(20) NOT NULL, reason VARCHAR(40), minutes NUMERIC(8, 2), planned INTEGER);
CREATE TABLE parts (id INTEGER PRIMARY KEY, parent_id INTEGER, name VARCHAR(40));
CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(40), line_id INTEGER, wage NUMERIC(8, 2), pin VARCHAR(8));
INSERT INTO lines VALUES (1, 'Line 1', 'Assembly'), (2, 'Line 2', 'Assembly'), (3, 'Line 3', 'Machining');
INSERT INTO machines VALUES ('PRS-01', 1, 'press', '2018-04-01'), ('ROB-01', 1, 'robot', NULL), ('PCK-01', 2, 'packer', '2020-01-15'),
  ('CNC-01', 3, 'cnc', '2019-06-30'), ('CNC-02', 3, 'cnc', '2021-11-02');
INSERT INTO counts VALUES
  ('PRS-01', '2026-06-01 06:00', 100, 4, 1), ('PRS-01', '2026-06-01 07:00', 110, 0, 0), ('PRS-01', '2026-06-02 06:00', 95, 5, 2),
  ('ROB-01', '2026-06-01 06:00', 50, 2, NULL), ('PCK-01', '2026-06-01 06:00', 0, 0, 0), ('PCK-01', '2026-06-02 14:00', 200, 10, 3),
  ('CNC-01', '2026-06-01 06:00', 40, 10, 4), ('CNC-01', '2026-06-01 22:00', 44, 1, 1), ('CNC-02', '2026-06-02 06:00', 30, 3, NULL),
  ('CNC-02', '2026-06-02 07:00', 36, 0, 0);
INSERT INTO stops VALUES (1, 'PRS-01', 'changeover', 32.5, 1), (2, 'CNC-01', 'tool wear', 12, 0), (3, 'CNC-01', 'coolant', 47.25, 0),
  (4, 'PCK-01', 'jam', 5.5, 0), (5, 'PCK-01', 'jam', 7, 0), (6, 'CNC-02', 'coolant', 3, 0), (7, 'ROB-01', NULL, NULL, 0);
INSERT INTO parts VALUES (1, NULL, 'housing'), (2, 1, 'bearing'), (3, 1, 'cover'), (4, 2, 'ball'), (5, 2, 'cage'), (6, NULL, 'shaft');
INSERT INTO people VALUES (1, 'Anna', 1, 3100.00, '1111'), (2, 'Bela', 3, 3300.00, '2222'), (3, 'Cem', 3, 2900.00, '3333');
