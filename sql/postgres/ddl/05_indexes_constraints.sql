-- Indexes, foreign keys, and the rule that no counter is booked twice. Every foreign key has its index: without it, a
-- DELETE or UPDATE of the parent reads the whole child table under a lock.
SET ROLE marseille_owner;

DO $constraints$
DECLARE
    wanted record;
BEGIN
    -- ALTER TABLE … ADD CONSTRAINT knows no IF NOT EXISTS.
    FOR wanted IN
        SELECT * FROM (VALUES
            ('referentiel.motif_rdv',       'fk_motif_rdv_service',              'FOREIGN KEY (service_id) REFERENCES referentiel.service_municipal (id)'),
            ('referentiel.guichet',         'fk_guichet_arrondissement',         'FOREIGN KEY (arrondissement_numero) REFERENCES referentiel.arrondissement (numero)'),
            ('referentiel.guichet',         'fk_guichet_service',                'FOREIGN KEY (service_id) REFERENCES referentiel.service_municipal (id)'),
            ('metier.citoyen',              'fk_citoyen_arrondissement',         'FOREIGN KEY (arrondissement_numero) REFERENCES referentiel.arrondissement (numero)'),
            ('metier.demande_rdv',          'fk_demande_rdv_citoyen',            'FOREIGN KEY (citoyen_id) REFERENCES metier.citoyen (id)'),
            ('metier.demande_rdv',          'fk_demande_rdv_motif',              'FOREIGN KEY (motif_id) REFERENCES referentiel.motif_rdv (id)'),
            ('metier.demande_rdv',          'fk_demande_rdv_arrondissement',     'FOREIGN KEY (arrondissement_numero) REFERENCES referentiel.arrondissement (numero)'),
            ('metier.rendez_vous',          'fk_rendez_vous_demande',            'FOREIGN KEY (demande_id) REFERENCES metier.demande_rdv (id)'),
            ('metier.rendez_vous',          'fk_rendez_vous_citoyen',            'FOREIGN KEY (citoyen_id) REFERENCES metier.citoyen (id)'),
            ('metier.rendez_vous',          'fk_rendez_vous_guichet',            'FOREIGN KEY (guichet_id) REFERENCES referentiel.guichet (id)'),
            ('metier.demande_etat_civil',   'fk_demande_etat_civil_citoyen',     'FOREIGN KEY (citoyen_id) REFERENCES metier.citoyen (id)'),
            ('metier.demande_urbanisme',    'fk_demande_urbanisme_citoyen',      'FOREIGN KEY (citoyen_id) REFERENCES metier.citoyen (id)'),
            ('metier.demande_urbanisme',    'fk_demande_urbanisme_arrondissement', 'FOREIGN KEY (arrondissement_numero) REFERENCES referentiel.arrondissement (numero)'),
            -- The counter as a range of one number: ranges have a GiST operator class of their own, so no extension is
            -- needed. A cancelled or missed appointment occupies nothing.
            ('metier.rendez_vous',          'ex_rendez_vous_guichet',
             $$EXCLUDE USING gist (int4range(guichet_id, guichet_id, '[]') WITH &&, tstzrange(debut, fin, '[)') WITH &&)
               WHERE (statut IN ('reserve', 'honore'))$$)
        ) AS list (owner_table, name, definition)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint
                       WHERE conname = wanted.name AND conrelid = wanted.owner_table::regclass) THEN
            EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', wanted.owner_table, wanted.name, wanted.definition);
        END IF;
    END LOOP;
END
$constraints$;

-- referentiel: guichet's first foreign key is the head of uq_guichet_lieu_service.
CREATE INDEX IF NOT EXISTS ix_motif_rdv_service ON referentiel.motif_rdv (service_id);
CREATE INDEX IF NOT EXISTS ix_guichet_service ON referentiel.guichet (service_id);

CREATE INDEX IF NOT EXISTS ix_citoyen_arrondissement ON metier.citoyen (arrondissement_numero);
-- The portal signs people in by mail address, whatever its case; anonymised files have none.
CREATE UNIQUE INDEX IF NOT EXISTS ux_citoyen_courriel ON metier.citoyen (lower(courriel)) WHERE courriel IS NOT NULL;

CREATE INDEX IF NOT EXISTS ix_demande_rdv_citoyen ON metier.demande_rdv (citoyen_id);
CREATE INDEX IF NOT EXISTS ix_demande_rdv_motif ON metier.demande_rdv (motif_id);
CREATE INDEX IF NOT EXISTS ix_demande_rdv_arrondissement ON metier.demande_rdv (arrondissement_numero);
-- The queue: a few per cent of the table, read all day long, oldest first.
CREATE INDEX IF NOT EXISTS ix_demande_rdv_file_attente ON metier.demande_rdv (deposee_le) INCLUDE (motif_id, arrondissement_numero)
    WHERE statut = 'en_attente';

-- A request has one appointment that counts; cancelled ones may pile up behind it.
CREATE UNIQUE INDEX IF NOT EXISTS ux_rendez_vous_demande_active ON metier.rendez_vous (demande_id) WHERE statut IN ('reserve', 'honore');
CREATE INDEX IF NOT EXISTS ix_rendez_vous_demande ON metier.rendez_vous (demande_id);
CREATE INDEX IF NOT EXISTS ix_rendez_vous_citoyen ON metier.rendez_vous (citoyen_id, debut DESC);
-- A counter's day, answered from the index alone.
CREATE INDEX IF NOT EXISTS ix_rendez_vous_guichet_agenda ON metier.rendez_vous (guichet_id, debut) INCLUDE (fin);
-- Instants arrive roughly in order: 128 pages a summary is enough for "the last month", at a hundredth of a B-tree.
CREATE INDEX IF NOT EXISTS ix_rendez_vous_cree_le_brin ON metier.rendez_vous USING brin (cree_le);

CREATE INDEX IF NOT EXISTS ix_demande_etat_civil_citoyen ON metier.demande_etat_civil (citoyen_id);
CREATE INDEX IF NOT EXISTS ix_demande_etat_civil_ouverte ON metier.demande_etat_civil (deposee_le) INCLUDE (nature)
    WHERE statut IN ('recu', 'en_cours');

CREATE INDEX IF NOT EXISTS ix_demande_urbanisme_citoyen ON metier.demande_urbanisme (citoyen_id);
CREATE INDEX IF NOT EXISTS ix_demande_urbanisme_arrondissement ON metier.demande_urbanisme (arrondissement_numero);
CREATE INDEX IF NOT EXISTS ix_demande_urbanisme_echeance ON metier.demande_urbanisme (echeance_le)
    WHERE statut IN ('recu', 'en_cours');

COMMENT ON CONSTRAINT ex_rendez_vous_guichet ON metier.rendez_vous IS 'No counter receives two citizens at the same time.';
COMMENT ON INDEX metier.ix_demande_rdv_file_attente IS 'The waiting list, covering: the counters read it all day.';
COMMENT ON INDEX metier.ux_rendez_vous_demande_active IS 'A request has at most one appointment that counts.';

RESET ROLE;
