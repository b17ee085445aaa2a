-- Management's figures: rare and heavier.

-- name: reporting_delai
SELECT * FROM marseille_reporting.v_delai_par_service ORDER BY service, mois;

-- name: reporting_occupation
SELECT * FROM marseille_reporting.v_occupation_arrondissement ORDER BY arrondissement, semaine;

-- name: reporting_file
SELECT * FROM marseille_reporting.v_file_attente ORDER BY hors_delai DESC;

-- name: reporting_urbanisme
SELECT * FROM marseille_reporting.v_urbanisme_echeances ORDER BY echus DESC;
