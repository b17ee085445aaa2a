-- Fresh statistics right after the load.
ANALYZE TABLE marseille_metier.citoyen, marseille_metier.demande_rdv, marseille_metier.rendez_vous,
    marseille_metier.demande_etat_civil, marseille_metier.demande_urbanisme;
