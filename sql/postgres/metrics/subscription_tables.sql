/* ---
description: How far the tables of each logical subscription are.
scope: database
interval: 10m
role: primary
max_series: 250
metrics:
  dbwatch_pg_subscription_tables:
    - {value: initial, labels: {database: database, subscription: subscription, state: =initial}}
    - {value: copying, labels: {database: database, subscription: subscription, state: =copying}}
    - {value: copied, labels: {database: database, subscription: subscription, state: =copied}}
    - {value: synchronized, labels: {database: database, subscription: subscription, state: =synchronized}}
    - {value: ready, labels: {database: database, subscription: subscription, state: =ready}}
--- */
-- The name through pg_stat_subscription, which shows the oid to everyone also before version 14.
SELECT s.subname AS subscription,
       count(*) FILTER (WHERE r.srsubstate = 'i') AS initial,
       count(*) FILTER (WHERE r.srsubstate = 'd') AS copying,
       count(*) FILTER (WHERE r.srsubstate = 'f') AS copied,
       count(*) FILTER (WHERE r.srsubstate = 's') AS synchronized,
       count(*) FILTER (WHERE r.srsubstate = 'r') AS ready
FROM pg_subscription_rel AS r
JOIN (SELECT DISTINCT t.subid, t.subname FROM pg_stat_subscription AS t) AS s ON s.subid = r.srsubid
GROUP BY s.subname
