BEGIN TRANSACTION;

-- Running upgrade 0015 -> 0016

ALTER TABLE lane_item ADD far_side NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL;

GO

UPDATE alembic_version SET version_num='0016' WHERE alembic_version.version_num = '0015';

GO

COMMIT;

GO
