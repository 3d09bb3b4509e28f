-- The demo plant's MES, shaped after ISA-95 (equipment hierarchy, order, lot and personnel model).
-- Instants are UTC text 'YYYY-MM-DD HH:MM:SS'; dates are 'YYYY-MM-DD'. Plain types, so that PostgreSQL loads it too.
CREATE TABLE sites (site_id TEXT PRIMARY KEY, name TEXT NOT NULL, timezone TEXT NOT NULL);
CREATE TABLE areas (area_id TEXT PRIMARY KEY, site_id TEXT NOT NULL REFERENCES sites, name TEXT NOT NULL);
CREATE TABLE lines (line_id TEXT PRIMARY KEY, area_id TEXT NOT NULL REFERENCES areas, name TEXT NOT NULL);
CREATE TABLE equipment (equipment_id TEXT PRIMARY KEY, line_id TEXT NOT NULL REFERENCES lines, name TEXT NOT NULL, equipment_class TEXT NOT NULL,
  manufacturer TEXT NOT NULL, model TEXT NOT NULL, serial_number TEXT NOT NULL, software_version TEXT, commissioned TEXT NOT NULL, criticality TEXT NOT NULL, status TEXT NOT NULL);
-- The stations whose good parts are the output of their line: parallel machines together, on a serial line the last one.
CREATE TABLE counting_points (line_id TEXT NOT NULL REFERENCES lines, equipment_id TEXT NOT NULL REFERENCES equipment, PRIMARY KEY (line_id, equipment_id));
CREATE TABLE signals (signal_id TEXT PRIMARY KEY, equipment_id TEXT NOT NULL REFERENCES equipment, name TEXT NOT NULL, unit TEXT NOT NULL, low_limit REAL, high_limit REAL);
CREATE TABLE signal_samples (signal_id TEXT NOT NULL REFERENCES signals, sampled_at TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (signal_id, sampled_at));
CREATE TABLE products (product_id TEXT PRIMARY KEY, name TEXT NOT NULL, family TEXT NOT NULL, unit TEXT NOT NULL);
CREATE TABLE variants (variant_id TEXT PRIMARY KEY, product_id TEXT NOT NULL REFERENCES products, name TEXT NOT NULL);
CREATE TABLE suppliers (supplier_id TEXT PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL);
CREATE TABLE customers (customer_id TEXT PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL);
CREATE TABLE materials (material_id TEXT PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL, supplier_id TEXT REFERENCES suppliers);
CREATE TABLE bill_of_material (product_id TEXT NOT NULL REFERENCES products, variant_id TEXT REFERENCES variants, material_id TEXT NOT NULL REFERENCES materials, quantity REAL NOT NULL, unit TEXT NOT NULL);
CREATE TABLE routings (product_id TEXT NOT NULL REFERENCES products, sequence INTEGER NOT NULL, operation TEXT NOT NULL, equipment_class TEXT NOT NULL, ideal_cycle_s REAL NOT NULL);
CREATE TABLE people (person_id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, line_id TEXT REFERENCES lines, shift TEXT, birth_date TEXT, hourly_rate REAL, phone TEXT);
CREATE TABLE certifications (certification_id TEXT PRIMARY KEY, person_id TEXT NOT NULL REFERENCES people, certification TEXT NOT NULL, level TEXT NOT NULL, issued_on TEXT NOT NULL, expires_on TEXT NOT NULL);
CREATE TABLE production_orders (order_id TEXT PRIMARY KEY, product_id TEXT NOT NULL REFERENCES products, variant_id TEXT REFERENCES variants, line_id TEXT NOT NULL REFERENCES lines,
  customer_id TEXT REFERENCES customers, quantity_ordered INTEGER NOT NULL, quantity_good INTEGER NOT NULL, planned_start TEXT NOT NULL, planned_end TEXT NOT NULL, actual_start TEXT, actual_end TEXT,
  due_at TEXT NOT NULL, status TEXT NOT NULL /* planned | released | running | completed | on_hold | cancelled */, priority TEXT NOT NULL);
CREATE TABLE operations (operation_id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES production_orders, sequence INTEGER NOT NULL, operation TEXT NOT NULL, equipment_id TEXT NOT NULL REFERENCES equipment,
  started_at TEXT, ended_at TEXT, operator_id TEXT REFERENCES people);
CREATE TABLE lots (lot_id TEXT PRIMARY KEY, kind TEXT NOT NULL /* purchased | produced */, product_id TEXT REFERENCES products, material_id TEXT REFERENCES materials, order_id TEXT REFERENCES production_orders,
  supplier_id TEXT REFERENCES suppliers, line_id TEXT REFERENCES lines, quantity REAL NOT NULL, unit TEXT NOT NULL, created_at TEXT NOT NULL, expires_on TEXT,
  status TEXT NOT NULL /* in_stock | consumed | shipped | on_hold | scrapped */, location TEXT);
CREATE TABLE lot_genealogy (child_lot TEXT NOT NULL REFERENCES lots, parent_lot TEXT NOT NULL REFERENCES lots, order_id TEXT REFERENCES production_orders, quantity REAL NOT NULL, consumed_at TEXT NOT NULL,
  PRIMARY KEY (child_lot, parent_lot)); -- child is made from parent
CREATE TABLE serials (serial_id TEXT PRIMARY KEY, lot_id TEXT NOT NULL REFERENCES lots, order_id TEXT NOT NULL REFERENCES production_orders, product_id TEXT NOT NULL REFERENCES products, produced_at TEXT NOT NULL, shipment_id TEXT);
CREATE TABLE shipments (shipment_id TEXT PRIMARY KEY, lot_id TEXT NOT NULL REFERENCES lots, customer_id TEXT NOT NULL REFERENCES customers, quantity REAL NOT NULL, shipped_at TEXT NOT NULL);
-- One row per machine, order and hour: counts and the ISO 22400-2 time elements. produced = good + scrap; rework is the part of good that needed a second pass, so first-pass good = good - rework.
-- planned_busy_s = production_s + setup_s + down_s + idle_s (planned time within that hour); ideal_s = produced * planned cycle time.
CREATE TABLE production_hours (equipment_id TEXT NOT NULL REFERENCES equipment, hour_start TEXT NOT NULL, order_id TEXT REFERENCES production_orders, product_id TEXT REFERENCES products, operator_id TEXT REFERENCES people,
  planned_busy_s REAL NOT NULL, production_s REAL NOT NULL, setup_s REAL NOT NULL, down_s REAL NOT NULL, idle_s REAL NOT NULL, ideal_s REAL NOT NULL,
  produced INTEGER NOT NULL, good INTEGER NOT NULL, scrap INTEGER NOT NULL, rework INTEGER NOT NULL, energy_kwh REAL NOT NULL);
CREATE TABLE scrap_records (scrap_id INTEGER PRIMARY KEY, equipment_id TEXT NOT NULL REFERENCES equipment, hour_start TEXT NOT NULL, order_id TEXT REFERENCES production_orders, product_id TEXT REFERENCES products,
  lot_id TEXT REFERENCES lots, reason TEXT NOT NULL, quantity INTEGER NOT NULL);
CREATE TABLE downtime_reasons (reason TEXT PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL /* unplanned | planned */, failure INTEGER NOT NULL /* 1 = counts as a failure for MTBF and MTTR */);
CREATE TABLE downtime_events (downtime_id TEXT PRIMARY KEY, equipment_id TEXT NOT NULL REFERENCES equipment, started_at TEXT NOT NULL, ended_at TEXT, duration_s REAL, reason TEXT NOT NULL REFERENCES downtime_reasons,
  alarm_code TEXT, maintenance_order_id TEXT, comment TEXT);
CREATE TABLE changeovers (changeover_id TEXT PRIMARY KEY, line_id TEXT NOT NULL REFERENCES lines, equipment_id TEXT NOT NULL REFERENCES equipment, from_product TEXT REFERENCES products, to_product TEXT REFERENCES products,
  started_at TEXT NOT NULL, ended_at TEXT NOT NULL, duration_s REAL NOT NULL, target_s REAL NOT NULL, operator_id TEXT REFERENCES people);
CREATE TABLE alarm_events (alarm_event_id TEXT PRIMARY KEY, equipment_id TEXT NOT NULL REFERENCES equipment, code TEXT NOT NULL, severity TEXT NOT NULL, message TEXT NOT NULL, raised_at TEXT NOT NULL, acknowledged_at TEXT, cleared_at TEXT);
CREATE TABLE maintenance_orders (maintenance_order_id TEXT PRIMARY KEY, equipment_id TEXT NOT NULL REFERENCES equipment, type TEXT NOT NULL /* preventive | corrective | inspection */, priority TEXT NOT NULL /* low | medium | high | critical */,
  status TEXT NOT NULL /* open | in_progress | waiting_parts | closed | cancelled */, title TEXT NOT NULL, description TEXT NOT NULL, alarm_code TEXT, created_at TEXT NOT NULL, due_at TEXT, started_at TEXT, closed_at TEXT,
  assigned_to TEXT REFERENCES people, labour_min REAL, cause TEXT, closing_text TEXT);
CREATE TABLE maintenance_logs (log_id TEXT PRIMARY KEY, maintenance_order_id TEXT REFERENCES maintenance_orders, equipment_id TEXT NOT NULL REFERENCES equipment, author_id TEXT REFERENCES people, written_at TEXT NOT NULL, alarm_code TEXT, text TEXT NOT NULL, duration_min REAL);
CREATE TABLE spare_parts (part_id TEXT PRIMARY KEY, name TEXT NOT NULL, equipment_class TEXT NOT NULL, stock INTEGER NOT NULL, minimum INTEGER NOT NULL, location TEXT NOT NULL, lead_time_days INTEGER NOT NULL, supplier_id TEXT REFERENCES suppliers, unit_price_eur REAL);
CREATE TABLE maintenance_parts (maintenance_order_id TEXT NOT NULL REFERENCES maintenance_orders, part_id TEXT NOT NULL REFERENCES spare_parts, quantity INTEGER NOT NULL);
CREATE TABLE quality_results (result_id TEXT PRIMARY KEY, lot_id TEXT REFERENCES lots, order_id TEXT REFERENCES production_orders, product_id TEXT NOT NULL REFERENCES products, equipment_id TEXT NOT NULL REFERENCES equipment,
  characteristic TEXT NOT NULL, value REAL NOT NULL, unit TEXT NOT NULL, lower_limit REAL, upper_limit REAL, result TEXT NOT NULL /* pass | fail */, measured_at TEXT NOT NULL, inspector_id TEXT REFERENCES people);
CREATE TABLE nonconformances (ncr_id TEXT PRIMARY KEY, product_id TEXT NOT NULL REFERENCES products, lot_id TEXT REFERENCES lots, order_id TEXT REFERENCES production_orders, equipment_id TEXT REFERENCES equipment, line_id TEXT REFERENCES lines,
  supplier_id TEXT REFERENCES suppliers, defect TEXT NOT NULL, severity TEXT NOT NULL /* minor | major | critical */, quantity INTEGER NOT NULL, description TEXT NOT NULL, cause TEXT, opened_at TEXT NOT NULL, opened_by TEXT REFERENCES people,
  due_at TEXT, closed_at TEXT, status TEXT NOT NULL /* open | under_review | closed */, disposition TEXT /* rework | scrap | use_as_is | return_to_supplier */, disposition_authority TEXT);
CREATE TABLE capas (capa_id TEXT PRIMARY KEY, ncr_id TEXT REFERENCES nonconformances, type TEXT NOT NULL /* corrective | preventive */, title TEXT NOT NULL, root_cause TEXT, action TEXT, owner_id TEXT REFERENCES people, opened_at TEXT NOT NULL, due_at TEXT NOT NULL,
  closed_at TEXT, status TEXT NOT NULL /* open | in_progress | closed */, effectiveness TEXT);
CREATE TABLE shift_notes (note_id TEXT PRIMARY KEY, line_id TEXT NOT NULL REFERENCES lines, shift TEXT NOT NULL, shift_date TEXT NOT NULL, author_id TEXT REFERENCES people, written_at TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE production_targets (metric TEXT NOT NULL, line_id TEXT REFERENCES lines, product_id TEXT REFERENCES products, target REAL NOT NULL, valid_from TEXT NOT NULL);

CREATE INDEX production_hours_equipment ON production_hours (equipment_id, hour_start);
CREATE INDEX production_hours_time ON production_hours (hour_start);
CREATE INDEX scrap_records_equipment ON scrap_records (equipment_id, hour_start);
CREATE INDEX downtime_events_equipment ON downtime_events (equipment_id, started_at);
CREATE INDEX changeovers_line ON changeovers (line_id, started_at);
CREATE INDEX alarm_events_equipment ON alarm_events (equipment_id, code, raised_at);
CREATE INDEX alarm_events_code ON alarm_events (code, raised_at);
CREATE INDEX maintenance_orders_equipment ON maintenance_orders (equipment_id, created_at);
CREATE INDEX maintenance_orders_status ON maintenance_orders (status);
CREATE INDEX maintenance_logs_equipment ON maintenance_logs (equipment_id, written_at);
CREATE INDEX quality_results_equipment ON quality_results (equipment_id, measured_at);
CREATE INDEX quality_results_lot ON quality_results (lot_id);
CREATE INDEX nonconformances_product ON nonconformances (product_id, opened_at);
CREATE INDEX lots_order ON lots (order_id);
CREATE INDEX lot_genealogy_parent ON lot_genealogy (parent_lot);
CREATE INDEX serials_lot ON serials (lot_id);
CREATE INDEX operations_order ON operations (order_id);
CREATE INDEX shipments_lot ON shipments (lot_id);
CREATE INDEX production_orders_line ON production_orders (line_id, planned_start);
