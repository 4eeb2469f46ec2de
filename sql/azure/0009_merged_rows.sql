BEGIN TRANSACTION;

-- Running upgrade 0008 -> 0009

CREATE TABLE absorbed_row (
    row_id UNIQUEIDENTIFIER NOT NULL,
    heir UNIQUEIDENTIFIER NOT NULL,
    at DATETIME2(6) NOT NULL,
    number BIGINT NOT NULL,
    records NVARCHAR(max) NOT NULL,
    CONSTRAINT pk_absorbed_row PRIMARY KEY (row_id)
);

GO

CREATE INDEX ix_absorbed_row_heir ON absorbed_row (heir);

GO

UPDATE alembic_version SET version_num='0009' WHERE alembic_version.version_num = '0008';

GO

COMMIT;

GO
