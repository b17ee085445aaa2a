/* ---
description: Accounts that may log in, by what else they may do, and when their passwords expire.
interval: 15m
max_series: 500
accounts: [account]
metrics:
  dbwatch_accounts: {value: accounts, labels: {attribute: attribute}}
  dbwatch_account_valid_until_timestamp_seconds: {value: valid_until, labels: {user: account}}
--- */
SELECT v.attribute,
       v.accounts,
       NULL::name AS account,
       NULL::float8 AS valid_until
FROM (
    SELECT count(*) AS login,
           count(*) FILTER (WHERE r.rolsuper) AS superuser,
           count(*) FILTER (WHERE r.rolcreaterole) AS create_role,
           count(*) FILTER (WHERE r.rolreplication) AS replication,
           count(*) FILTER (WHERE r.rolbypassrls) AS bypass_rls,
           count(*) FILTER (WHERE r.rolvaliduntil < now()) AS expired
    FROM pg_roles AS r
    WHERE r.rolcanlogin
) AS c
CROSS JOIN LATERAL (
    VALUES ('login', c.login), ('superuser', c.superuser), ('create_role', c.create_role),
           ('replication', c.replication), ('bypass_rls', c.bypass_rls), ('expired', c.expired)
) AS v (attribute, accounts)
UNION ALL
SELECT NULL, NULL, r.rolname, extract(epoch FROM r.rolvaliduntil)
FROM pg_roles AS r
WHERE r.rolcanlogin
  AND isfinite(r.rolvaliduntil)
