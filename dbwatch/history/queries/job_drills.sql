SELECT result, report
FROM drills
ORDER BY number DESC
LIMIT :limit
