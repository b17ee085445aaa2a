SELECT result, report
FROM drills
WHERE number IN (SELECT max(number) FROM drills GROUP BY scenario, instance)
ORDER BY number
