/* ---
description: What keeps the account from writing in these databases though it has the rights, with the remedies.
timeout: 5s
--- */
-- A name that is not there is that of a database to be made, where what stands at a database of that name counts not.
WITH said AS (
    SELECT s.setdatabase, s.setrole, split_part(c.setting, '=', 2)::boolean AS is_on
    FROM pg_db_role_setting AS s
    CROSS JOIN unnest(s.setconfig) AS c (setting)
    WHERE split_part(c.setting, '=', 1) = 'default_transaction_read_only'
      AND s.setrole IN (0, (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = session_user))
),
place AS (
    SELECT w.name, coalesce(d.oid, 0) AS oid
    FROM unnest($1::text[]) AS w (name)
    LEFT JOIN pg_database AS d ON d.datname = w.name
),
-- What the server says by itself is known where nobody says otherwise of this session.
server AS (
    SELECT current_setting('default_transaction_read_only')::boolean AS is_on
    FROM pg_database AS d
    WHERE d.datname = current_database()
      AND NOT EXISTS (SELECT FROM said AS s WHERE s.setdatabase IN (0, d.oid))
),
found AS (
    SELECT p.name, h.setdatabase, h.setrole, coalesce(h.is_on, v.is_on) AS is_on
    FROM place AS p
    LEFT JOIN server AS v ON true
    LEFT JOIN LATERAL (SELECT s.setdatabase, s.setrole, s.is_on
                       FROM said AS s
                       WHERE s.setdatabase IN (0, p.oid)
                       ORDER BY s.setdatabase <> 0 AND s.setrole <> 0 DESC, s.setrole <> 0 DESC, s.setdatabase <> 0 DESC
                       LIMIT 1) AS h ON true
)
SELECT array_agg(f.name ORDER BY f.name) AS names,
       CASE WHEN f.setrole IS NULL THEN 'ALTER SYSTEM SET default_transaction_read_only = off; SELECT pg_reload_conf();'
            WHEN f.setrole <> 0 AND f.setdatabase <> 0
            THEN format('ALTER ROLE %I IN DATABASE %I RESET default_transaction_read_only;', session_user, d.datname)
            WHEN f.setrole <> 0 THEN format('ALTER ROLE %I RESET default_transaction_read_only;', session_user)
            WHEN f.setdatabase <> 0 THEN format('ALTER DATABASE %I RESET default_transaction_read_only;', d.datname)
            ELSE 'ALTER ROLE ALL RESET default_transaction_read_only;'
       END AS remedy
FROM found AS f
LEFT JOIN pg_database AS d ON d.oid = f.setdatabase
WHERE f.is_on
GROUP BY f.setrole, f.setdatabase, d.datname
ORDER BY remedy
