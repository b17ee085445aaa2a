-- Indexes and foreign keys: the twin of sql/postgres/ddl/05. InnoDB has no partial index: the status leads the key instead.
-- Every foreign key has an index that is named here; InnoDB would make one of its own, under the constraint's name.
-- One ALTER a table, so that it is rebuilt at most once. MySQL knows no ADD CONSTRAINT IF NOT EXISTS:
-- unlike its neighbours, this file runs once.

ALTER TABLE marseille_metier.demande_rdv
    ADD INDEX ix_demande_rdv_citoyen (citoyen_id),
    ADD INDEX ix_demande_rdv_motif (motif_id),
    ADD INDEX ix_demande_rdv_arrondissement (arrondissement_numero),
    ADD INDEX ix_demande_rdv_file_attente (statut, deposee_le, motif_id),
    ADD CONSTRAINT fk_demande_rdv_citoyen FOREIGN KEY (citoyen_id) REFERENCES marseille_metier.citoyen (id),
    ADD CONSTRAINT fk_demande_rdv_motif FOREIGN KEY (motif_id) REFERENCES marseille_referentiel.motif_rdv (id),
    ADD CONSTRAINT fk_demande_rdv_arrondissement FOREIGN KEY (arrondissement_numero) REFERENCES marseille_referentiel.arrondissement (numero);

ALTER TABLE marseille_metier.rendez_vous
    ADD INDEX ix_rendez_vous_citoyen (citoyen_id, debut),
    ADD INDEX ix_rendez_vous_cree_le (cree_le),
    ADD CONSTRAINT fk_rendez_vous_demande FOREIGN KEY (demande_id) REFERENCES marseille_metier.demande_rdv (id),
    ADD CONSTRAINT fk_rendez_vous_citoyen FOREIGN KEY (citoyen_id) REFERENCES marseille_metier.citoyen (id),
    ADD CONSTRAINT fk_rendez_vous_guichet FOREIGN KEY (guichet_id) REFERENCES marseille_referentiel.guichet (id);

ALTER TABLE marseille_metier.citoyen
    ADD INDEX ix_citoyen_arrondissement (arrondissement_numero),
    ADD CONSTRAINT fk_citoyen_arrondissement FOREIGN KEY (arrondissement_numero) REFERENCES marseille_referentiel.arrondissement (numero);

ALTER TABLE marseille_metier.demande_etat_civil
    ADD INDEX ix_demande_etat_civil_citoyen (citoyen_id),
    ADD INDEX ix_demande_etat_civil_ouverte (statut, deposee_le, nature),
    ADD CONSTRAINT fk_demande_etat_civil_citoyen FOREIGN KEY (citoyen_id) REFERENCES marseille_metier.citoyen (id);

ALTER TABLE marseille_metier.demande_urbanisme
    ADD INDEX ix_demande_urbanisme_citoyen (citoyen_id),
    ADD INDEX ix_demande_urbanisme_arrondissement (arrondissement_numero),
    ADD INDEX ix_demande_urbanisme_echeance (statut, echeance_le),
    ADD CONSTRAINT fk_demande_urbanisme_citoyen FOREIGN KEY (citoyen_id) REFERENCES marseille_metier.citoyen (id),
    ADD CONSTRAINT fk_demande_urbanisme_arrondissement FOREIGN KEY (arrondissement_numero) REFERENCES marseille_referentiel.arrondissement (numero);

ALTER TABLE marseille_referentiel.motif_rdv
    ADD INDEX ix_motif_rdv_service (service_id),
    ADD CONSTRAINT fk_motif_rdv_service FOREIGN KEY (service_id) REFERENCES marseille_referentiel.service_municipal (id);

ALTER TABLE marseille_referentiel.guichet
    ADD INDEX ix_guichet_service (service_id),
    ADD CONSTRAINT fk_guichet_arrondissement FOREIGN KEY (arrondissement_numero) REFERENCES marseille_referentiel.arrondissement (numero),
    ADD CONSTRAINT fk_guichet_service FOREIGN KEY (service_id) REFERENCES marseille_referentiel.service_municipal (id);
