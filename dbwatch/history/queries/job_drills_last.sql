SELECT result, report
FROM drills
WHERE number IN (
    SELECT max(number)
    FROM drills
    GROUP BY scenario, instance, CASE WHEN json_valid(result) THEN json_extract(result, '$.table') END
)
ORDER BY number
