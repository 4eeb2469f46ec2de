BEGIN TRANSACTION;

-- Running upgrade 0004 -> 0005

CREATE TABLE baseline (
    record UNIQUEIDENTIFIER NOT NULL,
    document NVARCHAR(max) NOT NULL,
    deleted_at DATETIME2(6) NULL,
    since DATETIME2(6) NOT NULL,
    CONSTRAINT pk_baseline PRIMARY KEY (record)
);

GO

CREATE TABLE gap (
    message_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    source NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    source_id NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    operation NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    changed_at DATETIME2(6) NOT NULL,
    known_at DATETIME2(6) NOT NULL,
    version BIGINT NOT NULL,
    noticed_at DATETIME2(6) NOT NULL,
    healed_at DATETIME2(6) NULL,
    CONSTRAINT pk_gap PRIMARY KEY (message_id)
);

GO

CREATE INDEX ix_gap_source_entity_noticed_at ON gap (source, entity, noticed_at);

GO

CREATE TABLE gap_run (
    name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    ended_at DATETIME2(6) NOT NULL,
    compared BIGINT NOT NULL,
    noticed BIGINT NOT NULL,
    healed BIGINT NOT NULL,
    is_whole BIT NOT NULL,
    stopped_by NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    CONSTRAINT pk_gap_run PRIMARY KEY (name)
);

GO

UPDATE alembic_version SET version_num='0005' WHERE alembic_version.version_num = '0004';

GO

COMMIT;

GO
