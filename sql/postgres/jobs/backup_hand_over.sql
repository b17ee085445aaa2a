/* ---
description: The columns of one table ($1, $2) that can be written, and how two of its rows are compared.
timeout: 30s
--- */
-- What may have no equality (json, xml, point, and arrays or domains of them) is compared as the text that COPY would write.
-- matched: of the columns of the first key that two rows can never share.
SELECT quote_ident(a.attname) AS name,
       quote_ident(a.attname) || CASE WHEN k.is_comparable THEN '' ELSE '::text' END AS compared,
       quote_ident(a.attname)
           || CASE WHEN k.is_comparable THEN '' ELSE '::' || format_type(a.atttypid, a.atttypmod) END AS given,
       concat(m.nspname, '.', t.typname, ':', a.atttypmod) AS type,
       CASE WHEN a.attnum = ANY (u.columns)
            THEN format('dbwatch_live.%1$I = dbwatch_lost.%1$I', a.attname) END AS matched,
       c.relkind::text AS relkind
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN pg_namespace AS m ON m.oid = t.typnamespace
LEFT JOIN LATERAL (SELECT (i.indkey::smallint[])[0:i.indnkeyatts - 1] AS columns
                   FROM pg_index AS i
                   WHERE i.indrelid = c.oid
                     AND i.indisunique
                     AND i.indisvalid
                     AND i.indpred IS NULL
                     AND i.indexprs IS NULL
                     AND NOT EXISTS (SELECT
                                     FROM pg_attribute AS p
                                     WHERE p.attrelid = i.indrelid
                                       AND p.attnum = ANY ((i.indkey::smallint[])[0:i.indnkeyatts - 1])
                                       AND (NOT p.attnotnull OR p.attgenerated <> ''))
                   ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid
                   LIMIT 1) AS u ON true
CROSS JOIN LATERAL (SELECT t.typtype IN ('e', 'r', 'm')
                           OR t.oid = 'varchar'::regtype
                           OR EXISTS (SELECT
                                      FROM pg_opclass AS o
                                      JOIN pg_am AS m ON m.oid = o.opcmethod
                                      WHERE o.opcintype = t.oid AND o.opcdefault AND m.amname = 'btree'
                                     ) AS is_comparable) AS k
WHERE n.nspname = $1
  AND c.relname = $2
  AND a.attnum > 0
  AND NOT a.attisdropped
  AND a.attgenerated = ''
ORDER BY a.attnum
