BEGIN TRANSACTION;

-- Running upgrade 0002 -> 0003

CREATE TABLE phase (
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    unit NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    phase NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    changed_at DATETIME2(6) NOT NULL,
    changed_by NVARCHAR(max) NOT NULL,
    reason NVARCHAR(max) NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_phase PRIMARY KEY (system, entity, unit)
);

GO

CREATE TABLE ownership_rule (
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    column_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    phase NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    owner NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    changed_at DATETIME2(6) NOT NULL,
    changed_by NVARCHAR(max) NOT NULL,
    reason NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_ownership_rule PRIMARY KEY (system, entity, column_name, phase)
);

GO

CREATE TABLE dispute (
    id BIGINT NOT NULL IDENTITY,
    record UNIQUEIDENTIFIER NOT NULL,
    column_name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    opened_at DATETIME2(6) NOT NULL,
    changed_at DATETIME2(6) NOT NULL,
    base NVARCHAR(max) NOT NULL,
    inbound NVARCHAR(max) NOT NULL,
    outbound NVARCHAR(max) NOT NULL,
    value NVARCHAR(max) NULL,
    seen_inbound NVARCHAR(max) NULL,
    seen_outbound NVARCHAR(max) NULL,
    decided_by NVARCHAR(max) NULL,
    decided_at DATETIME2(6) NULL,
    reason NVARCHAR(max) NULL,
    tries INTEGER NOT NULL,
    ended NVARCHAR(max) NULL,
    over_at DATETIME2(6) NULL,
    CONSTRAINT pk_dispute PRIMARY KEY (id)
);

GO

CREATE UNIQUE INDEX uq_dispute_open ON dispute (record, column_name) WHERE state <> 'over';

GO

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

GO

COMMIT;

GO
