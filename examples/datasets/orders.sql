CREATE TABLE orders (
  ordered_at timestamptz NOT NULL,
  country    text,
  amount     numeric(10, 2) NOT NULL,
  returned   boolean NOT NULL
);
INSERT INTO orders VALUES
  ('2026-03-28 17:30Z', 'ES', 20.00, false),
  ('2026-03-28 23:30Z', 'ES', 12.50, false),  -- Sunday already in Madrid
  ('2026-03-29 12:00Z', 'FR', 80.00, true),
  ('2026-03-29 21:45Z', NULL,  7.25, false);  -- still Sunday in Madrid
