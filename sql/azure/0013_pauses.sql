BEGIN TRANSACTION;

-- Running upgrade 0012 -> 0013

CREATE TABLE identity_pause (
    name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
    until DATETIME2(6) NOT NULL,
    CONSTRAINT pk_identity_pause PRIMARY KEY (name)
);

GO

UPDATE alembic_version SET version_num='0013' WHERE alembic_version.version_num = '0012';

GO

COMMIT;

GO
