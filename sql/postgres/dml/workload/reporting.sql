-- Management's figures: rare and heavier.

-- name: reporting_delai
SELECT * FROM reporting.v_delai_par_service ORDER BY service, mois;

-- name: reporting_occupation
SELECT * FROM reporting.v_occupation_arrondissement ORDER BY arrondissement, semaine;

-- name: reporting_file
SELECT * FROM reporting.v_file_attente ORDER BY hors_delai DESC;

-- name: reporting_urbanisme
SELECT * FROM reporting.v_urbanisme_echeances ORDER BY echus DESC;
