DELETE FROM drills
WHERE scenario = :scenario
  AND instance = :instance
  AND number <= coalesce(
      (
          SELECT number
          FROM drills
          WHERE scenario = :scenario AND instance = :instance
          ORDER BY number DESC
          LIMIT 1 OFFSET :keep
      ),
      0
  )
