BEGIN TRANSACTION;

-- Running upgrade 0007 -> 0008

CREATE TABLE import_file (
    number BIGINT NOT NULL IDENTITY,
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    name NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    size BIGINT NOT NULL,
    made_at DATETIME2(6) NOT NULL,
    written_at DATETIME2(6) NULL,
    acknowledged_at DATETIME2(6) NULL,
    times INTEGER NOT NULL,
    note NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_import_file PRIMARY KEY (number),
    CONSTRAINT uq_import_file_system_name UNIQUE (system, name)
);

GO

CREATE TABLE pending_write (
    number BIGINT NOT NULL IDENTITY,
    reference UNIQUEIDENTIFIER NULL,
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    record UNIQUEIDENTIFIER NOT NULL,
    item BIGINT NOT NULL,
    asked NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    legacy_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    fields NVARCHAR(max) NULL,
    was NVARCHAR(max) NULL,
    agrees NVARCHAR(max) NULL,
    moment_at DATETIME2(6) NOT NULL,
    moment_version BIGINT NOT NULL,
    queued_at DATETIME2(6) NOT NULL,
    [file] BIGINT NULL,
    times INTEGER NOT NULL,
    answer NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NULL,
    answered_at DATETIME2(6) NULL,
    answered_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
    held NVARCHAR(max) NULL,
    held_since DATETIME2(6) NULL,
    code NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    field NVARCHAR(max) NULL,
    over_at DATETIME2(6) NULL,
    CONSTRAINT pk_pending_write PRIMARY KEY (number),
    CONSTRAINT fk_pending_write_item FOREIGN KEY(item) REFERENCES message (number),
    CONSTRAINT fk_pending_write_file FOREIGN KEY([file]) REFERENCES import_file (number)
);

GO

CREATE UNIQUE INDEX uq_pending_write_record ON pending_write (record) WHERE state <> 'over';

GO

CREATE INDEX ix_pending_write_system_state_entity ON pending_write (system, state, entity);

GO

CREATE INDEX ix_pending_write_file ON pending_write ([file]);

GO

UPDATE alembic_version SET version_num='0008' WHERE alembic_version.version_num = '0007';

GO

COMMIT;

GO
