/* ---
description: The columns of one table ($1, $2) that can be written, and how two of its rows are compared.
timeout: 30s
--- */
-- What may have no equality (json, xml, point, and arrays or domains of them) is compared as the text that COPY would write.
SELECT quote_ident(a.attname) AS name,
       quote_ident(a.attname) || CASE WHEN k.is_comparable THEN '' ELSE '::text' END AS compared,
       quote_ident(a.attname)
           || CASE WHEN k.is_comparable THEN '' ELSE '::' || format_type(a.atttypid, a.atttypmod) END AS given,
       EXISTS (SELECT
               FROM pg_index AS i
               WHERE i.indrelid = a.attrelid
                 AND i.indisunique
                 AND i.indpred IS NULL
                 AND i.indexprs IS NULL
                 AND NOT EXISTS (SELECT
                                 FROM pg_attribute AS u
                                 WHERE u.attrelid = i.indrelid
                                   AND u.attnum = ANY (i.indkey::smallint[])
                                   AND NOT u.attnotnull)) AS is_keyed,
       -- ON CONFLICT is refused for a table with a key or an exclusion that may be deferred.
       EXISTS (SELECT FROM pg_index AS d WHERE d.indrelid = a.attrelid AND NOT d.indimmediate) AS is_deferrable
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_type AS t ON t.oid = a.atttypid
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
