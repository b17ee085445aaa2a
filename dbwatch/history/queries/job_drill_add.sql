INSERT INTO drills (scenario, instance, ended_at, result, report)
VALUES (:scenario, :instance, :ended_at, :result, :report)
