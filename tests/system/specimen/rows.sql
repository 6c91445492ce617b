INSERT INTO road_data.specimens
    (organization_id, small, big, ratio, price, name, status, flag, ref, day, at, doc, tags, refs, place, way, area)
SELECT
    (SELECT id FROM organizations WHERE code = CASE WHEN n % 3 = 0 THEN 'north' ELSE 'south' END),
    CASE WHEN n % 7 > 0 THEN n % 5 - 2 END,
    CASE WHEN n % 11 > 0 THEN 9007199254740990 + n % 9 END,
    CASE WHEN n % 13 > 0 THEN sin(n) END,
    CASE WHEN n % 6 > 0 THEN (n % 10) * 1.25 - 3 END,
    (ARRAY['alpha', 'Alpha', 'a_b', 'a%b', 'ärger', '', 'beta', '100%', NULL, 'back\slash'])[n % 10 + 1],
    (ARRAY['pending', 'committed', 'lost'])[n % 3 + 1],
    CASE n % 4 WHEN 0 THEN true WHEN 1 THEN false END,
    CASE WHEN n % 5 > 0 THEN md5((n % 8)::text)::uuid END,
    CASE WHEN n % 9 > 0 THEN DATE '2026-02-25' + n % 7 END,
    TIMESTAMPTZ '2026-03-28 18:00:00+00' + n * INTERVAL '23 minutes',
    CASE n % 6
        WHEN 0 THEN NULL
        WHEN 1 THEN jsonb_build_object('a', n % 4, 'deep', jsonb_build_object('list', jsonb_build_array(1, n)))
            || jsonb_build_object('exact', n + 0.12345678901234567890)
        WHEN 2 THEN '[1, 2, {"a": 1}]'
        WHEN 3 THEN '{}'
        WHEN 4 THEN '{"b": null, "a": "1"}'
        ELSE '"text"'
    END,
    CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY['x', NULL, n::text] END,
    CASE WHEN n % 3 > 0 THEN ARRAY[md5(n::text)::uuid] END,
    CASE WHEN n % 8 > 0 THEN ST_SetSRID(ST_MakePoint(8 + n / 100.0, 50 + n % 10 / 100.0, n), 4326) END,
    CASE WHEN n % 8 > 1 THEN ST_SetSRID(ST_MakeLine(ST_MakePoint(8, 50), ST_MakePoint(8 + n / 100.0, 50.01)), 4326) END,
    CASE WHEN n % 8 > 2 THEN ST_MakeEnvelope(8, 50, 8 + n / 100.0, 50.5, 4326) END
FROM generate_series(1, 120) AS n
