BEGIN TRANSACTION;

-- Running upgrade 0011 -> 0012

ALTER TABLE phase ADD unit_name NVARCHAR(max) NULL;

GO

ALTER TABLE lane_item ADD unit NVARCHAR(160) COLLATE Latin1_General_100_BIN2 NULL;

GO

CREATE TABLE phase_change (
    id BIGINT NOT NULL IDENTITY,
    system NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    entity NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    unit NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    unit_name NVARCHAR(max) NULL,
    before NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    after NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    changed_at DATETIME2(6) NOT NULL,
    changed_by NVARCHAR(max) NOT NULL,
    reason NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_phase_change PRIMARY KEY (id)
);

GO

UPDATE alembic_version SET version_num='0012' WHERE alembic_version.version_num = '0011';

GO

COMMIT;

GO
