BEGIN TRANSACTION;

-- Running upgrade 0006 -> 0007

CREATE TABLE seal_key (
    name NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    secret NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    CONSTRAINT pk_seal_key PRIMARY KEY (name)
);

GO

ALTER TABLE dispute ADD told_as NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL;

GO

UPDATE alembic_version SET version_num='0007' WHERE alembic_version.version_num = '0006';

GO

COMMIT;

GO
