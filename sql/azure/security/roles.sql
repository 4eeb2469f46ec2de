-- Who may do what in schema sync. Run by an administrator after each migration; running it again changes nothing.
-- Every identity gets its default schema set to sync, so that statements need not name it:
--   CREATE USER [tandem-app] FROM EXTERNAL PROVIDER WITH DEFAULT_SCHEMA = sync;
--   ALTER ROLE sync_app ADD MEMBER [tandem-app];
-- Nobody is db_owner, db_datareader or db_datawriter at run time.

IF SCHEMA_ID(N'sync') IS NULL
    EXEC (N'CREATE SCHEMA sync');
GO

IF DATABASE_PRINCIPAL_ID(N'sync_app') IS NULL
    CREATE ROLE sync_app;
IF DATABASE_PRINCIPAL_ID(N'sync_operator') IS NULL
    CREATE ROLE sync_operator;
IF DATABASE_PRINCIPAL_ID(N'sync_pii_reader') IS NULL
    CREATE ROLE sync_pii_reader;
IF DATABASE_PRINCIPAL_ID(N'sync_purger') IS NULL
    CREATE ROLE sync_purger;
IF DATABASE_PRINCIPAL_ID(N'sync_deployer') IS NULL
    CREATE ROLE sync_deployer;
IF DATABASE_PRINCIPAL_ID(N'sync_auditor') IS NULL
    CREATE ROLE sync_auditor;
GO

-- What support may see without seeing what customers wrote: no body, no properties, no column values.
CREATE OR ALTER VIEW sync.message_without_payload AS
SELECT
    number, message_id, queue, session_id, position, delivery_count, sender, received_at,
    source, entity, source_id, operation, changed_at, version, actor, correlation_id,
    record, outcome, reason, faults, finished_at
FROM sync.message;
GO

CREATE OR ALTER VIEW sync.decision AS
SELECT
    id, number, record, at, source, entity, source_id, outcome, reason,
    map_version, changed_at, origin, actor, correlation_id, fence
FROM sync.journal;
GO

-- The app: works the tables, deletes only what releases a waiting item, and cannot rewrite its own record.
GRANT SELECT ON OBJECT::sync.alembic_version TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.message TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.lane TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.lane_item TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.shadow TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.crosswalk TO sync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON OBJECT::sync.absorbed_row TO sync_app;
GRANT SELECT, INSERT, DELETE ON OBJECT::sync.match_print TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.customer_case TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.failure_group TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.ticket TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.identity_pause TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.watermark TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.replay_plan TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.replay_item TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.gap_run TO sync_app;
GRANT SELECT ON OBJECT::sync.baseline TO sync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON OBJECT::sync.gap TO sync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON OBJECT::sync.export_drop TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.drop_module TO sync_app;
GRANT SELECT, INSERT, DELETE ON OBJECT::sync.drop_finding TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.snapshot_record TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.pending_write TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.import_file TO sync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON OBJECT::sync.job_lease TO sync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON OBJECT::sync.dependency TO sync_app;
GRANT SELECT, INSERT ON OBJECT::sync.journal TO sync_app;
GRANT SELECT, INSERT ON OBJECT::sync.seal_key TO sync_app;
GRANT SELECT, INSERT ON OBJECT::sync.conflict TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.dispute TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.phase TO sync_app;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.ownership_rule TO sync_app;
GRANT SELECT, INSERT ON OBJECT::sync.phase_change TO sync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON OBJECT::sync.unmatched_owner TO sync_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON OBJECT::sync.owner_alias TO sync_app;
GRANT INSERT ON OBJECT::sync.audit_event TO sync_app;
GO

-- Support with a SQL client. Repairs go through the app, which writes them down.
GRANT SELECT ON OBJECT::sync.message_without_payload TO sync_operator;
GRANT SELECT ON OBJECT::sync.decision TO sync_operator;
GRANT SELECT ON OBJECT::sync.lane TO sync_operator;
GRANT SELECT ON OBJECT::sync.lane_item TO sync_operator;
GRANT SELECT ON OBJECT::sync.dependency TO sync_operator;
GRANT SELECT ON OBJECT::sync.failure_group TO sync_operator;
GRANT SELECT ON OBJECT::sync.ticket TO sync_operator;
GRANT SELECT ON OBJECT::sync.crosswalk TO sync_operator;
GRANT SELECT ON OBJECT::sync.phase TO sync_operator;
GRANT SELECT ON OBJECT::sync.ownership_rule TO sync_operator;
GRANT SELECT ON OBJECT::sync.phase_change TO sync_operator;
GRANT SELECT ON OBJECT::sync.import_file TO sync_operator;
GRANT SELECT ON OBJECT::sync.identity_pause TO sync_operator;
GO

-- Break glass: what customers wrote.
GRANT SELECT ON OBJECT::sync.message TO sync_pii_reader;
GRANT SELECT ON OBJECT::sync.shadow TO sync_pii_reader;
GRANT SELECT ON OBJECT::sync.journal TO sync_pii_reader;
GRANT SELECT ON OBJECT::sync.conflict TO sync_pii_reader;
GRANT SELECT ON OBJECT::sync.dispute TO sync_pii_reader;
GRANT SELECT ON OBJECT::sync.pending_write TO sync_pii_reader;
GRANT SELECT ON OBJECT::sync.unmatched_owner TO sync_pii_reader;
GRANT SELECT ON OBJECT::sync.owner_alias TO sync_pii_reader;
GO

-- The timer that forgets.
GRANT SELECT, UPDATE, DELETE ON OBJECT::sync.message TO sync_purger;
GRANT SELECT, DELETE ON OBJECT::sync.lane_item TO sync_purger;
GRANT SELECT, DELETE ON OBJECT::sync.journal TO sync_purger;
GRANT SELECT, INSERT, UPDATE ON OBJECT::sync.baseline TO sync_purger;
GRANT SELECT, DELETE ON OBJECT::sync.conflict TO sync_purger;
GRANT SELECT, DELETE ON OBJECT::sync.dependency TO sync_purger;
GRANT SELECT, DELETE ON OBJECT::sync.pending_write TO sync_purger;
GRANT SELECT, DELETE ON OBJECT::sync.import_file TO sync_purger;
GO

-- The pipeline that migrates.
GRANT ALTER, CONTROL ON SCHEMA::sync TO sync_deployer;
GRANT CREATE TABLE TO sync_deployer;
GO

GRANT SELECT ON OBJECT::sync.audit_event TO sync_auditor;
GRANT SELECT ON OBJECT::sync.decision TO sync_auditor;
GO
