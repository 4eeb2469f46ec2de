BEGIN TRANSACTION;

-- Running upgrade 0005 -> 0006

CREATE TABLE export_drop (
    number BIGINT NOT NULL IDENTITY,
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    name NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [print] NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    reason NVARCHAR(max) NOT NULL,
    seen_at DATETIME2(6) NOT NULL,
    exported_at DATETIME2(6) NULL,
    marked_at DATETIME2(6) NOT NULL,
    CONSTRAINT pk_export_drop PRIMARY KEY (number),
    CONSTRAINT uq_export_drop_system_name_print UNIQUE (system, name, [print])
);

GO

CREATE TABLE drop_module (
    number BIGINT NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    state NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    listed BIGINT NULL,
    found BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    kept_out BIGINT NOT NULL,
    doubted BIGINT NOT NULL,
    note NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_drop_module PRIMARY KEY (number, entity),
    CONSTRAINT fk_drop_module_number FOREIGN KEY(number) REFERENCES export_drop (number)
);

GO

CREATE TABLE drop_finding (
    id BIGINT NOT NULL IDENTITY,
    number BIGINT NOT NULL,
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    [file] NVARCHAR(max) NOT NULL,
    record NVARCHAR(max) NULL,
    field NVARCHAR(max) NULL,
    code NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    severity NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    detail NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_drop_finding PRIMARY KEY (id),
    CONSTRAINT fk_drop_finding_number FOREIGN KEY(number) REFERENCES export_drop (number)
);

GO

CREATE INDEX ix_drop_finding_system_entity ON drop_finding (system, entity);

GO

CREATE TABLE snapshot_record (
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    record NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    content VARBINARY(32) NOT NULL,
    version BIGINT NOT NULL,
    is_present BIT NOT NULL,
    seen BIGINT NOT NULL,
    CONSTRAINT pk_snapshot_record PRIMARY KEY (system, entity, record)
);

GO

CREATE INDEX ix_snapshot_record_system_entity_seen ON snapshot_record (system, entity, seen);

GO

UPDATE alembic_version SET version_num='0006' WHERE alembic_version.version_num = '0005';

GO

COMMIT;

GO
