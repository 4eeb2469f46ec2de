BEGIN TRANSACTION;

-- Running upgrade 0014 -> 0015

ALTER TABLE journal ADD decided_in NVARCHAR(max) NULL;

GO

UPDATE alembic_version SET version_num='0015' WHERE alembic_version.version_num = '0014';

GO

COMMIT;

GO
